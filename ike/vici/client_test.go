package vici

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

func TestDialNobody(t *testing.T) {
	path := shortDir(t) + "/none"
	if _, err := DialContext(t.Context(), path); err == nil || !strings.Contains(err.Error(), "cannot reach the daemon at "+path) {
		t.Errorf("error %v", err)
	}
}

// scripted answers every packet of a client with the next of its answers.
func scripted(t *testing.T, answers ...[]Packet) *Client {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	go func() {
		for _, as := range answers {
			if _, err := ReadPacket(theirs); err != nil {
				return
			}
			for _, a := range as {
				if WritePacket(theirs, a) != nil {
					return
				}
			}
		}
		theirs.Close()
	}()
	return NewClient(ours)
}

func TestClientBadServer(t *testing.T) {
	confirm := Packet{Type: EventConfirm}
	event := Packet{Event, EventLog, new(Message)}
	for name, c := range map[string]*Client{
		"closes":                 scripted(t),
		"confirms a command":     scripted(t, []Packet{confirm}),
		"answers a registration": scripted(t, []Packet{{CmdResponse, "", nil}}),
		"closes in the stream":   scripted(t, []Packet{confirm}, []Packet{event, event}),
	} {
		name, c := name, c
		ev := EventLog
		if strings.HasSuffix(name, "command") {
			ev = ""
		}
		if m, err := c.Stream(t.Context(), "x", ev, nil, func(*Message) error { return nil }); err == nil {
			t.Errorf("%s: %v", name, m)
		}
		if _, err := c.Call(t.Context(), "x", nil); err == nil {
			t.Errorf("%s: the connection is used again", name)
		}
	}
}

func TestClientEvents(t *testing.T) {
	event := func(n string) Packet { return Packet{Event, EventLog, new(Message).Set("n", n)} }
	other := Packet{Event, EventAlert, new(Message)}
	confirm := Packet{Type: EventConfirm}
	var got string
	collect := func(m *Message) error { got += m.Get("n"); return nil }
	c := scripted(t,
		[]Packet{other, confirm},
		[]Packet{event("1"), other, event("2"), {CmdResponse, "", new(Message).Set("success", "yes")}},
		[]Packet{event("late"), confirm})
	if m, err := c.Stream(t.Context(), "x", EventLog, nil, collect); err != nil || m.Get("success") != "yes" || got != "12" {
		t.Errorf("%v, %v, %q", m, err, got)
	}

	stop := errors.New("enough")
	c = scripted(t, []Packet{confirm}, []Packet{event("1"), event("2")})
	if _, err := c.Stream(t.Context(), "x", EventLog, nil, func(*Message) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("yield's error: %v", err)
	}

	// What comes between two registrations is not lost.
	got = ""
	c = scripted(t, []Packet{confirm}, []Packet{event("1"), confirm, event("2"), {CmdResponse, "", nil}})
	err := c.Listen(t.Context(), []string{EventLog, EventAlert}, func() { got += " ready " }, func(_ string, m *Message) error { return collect(m) })
	if err == nil || !strings.Contains(err.Error(), "CMD_RESPONSE instead of an event") || got != "1 ready 2" {
		t.Errorf("Listen: %v, %q", err, got)
	}
	c = scripted(t, []Packet{{Type: EventUnknown}})
	if err := c.Listen(t.Context(), []string{"nonsense"}, func() { t.Error("it is ready for an event that there is not") }, nil); !errors.Is(err, ErrUnknownEvent) {
		t.Errorf("Listen to nonsense: %v", err)
	}
}

func TestClientContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := scripted(t, nil, nil)
	if _, err := c.Call(ctx, "x", nil); err != context.Canceled {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestCommandError(t *testing.T) {
	c := scripted(t, []Packet{{CmdResponse, "", new(Message).Set("success", "no")}})
	m, err := c.Call(t.Context(), "terminate", nil)
	var ce *CommandError
	if !errors.As(err, &ce) || err.Error() != "terminate failed" || ce.Response != m {
		t.Errorf("%v, %v", m, err)
	}
}
