package vici

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// FuzzRequest carries out whatever a client may send. Nothing panics, the answer can be encoded, and what the backend gets keeps what
// Loader promises of it.
func FuzzRequest(f *testing.F) {
	m := new(Message).Set("type", "IKE").Set("data", "x").Set("id", "00").Set("handle", "00").Set("name", "a").Set("child", "net").Set("timeout", "1").
		SetList("owners", "a", "b")
	m.Sub("office").Sub("children").Sub("net").SetList("remote_ts", "10.1.0.0/16")
	for _, cmd := range []string{"load-conn", "load-cert", "load-key", "load-token", "load-shared", "load-authority", "load-pool", "unload-key", "unload-shared", "list-certs",
		"flush-certs", "initiate", "terminate", "rekey", "redirect", "list-sas", "list-policies", "get-pools", "get-counters", "status", "stats"} {
		b, err := Packet{Type: CmdRequest, Name: cmd, Message: m}.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePacket(b)
		if err != nil || p.Type != CmdRequest {
			return
		}
		backend := strict{newFake(), t}
		s := NewServer(backend, Options{})
		ss := &session{server: s, out: newOutbox(DefaultQueuePackets, DefaultQueueBytes), events: make(map[string]bool), log: slog.New(slog.DiscardHandler)}
		for _, e := range Events() {
			ss.events[e] = true
		}
		response, known := ss.command(t.Context(), p.Name, p.Message)
		if !known {
			return
		}
		if _, err := encode(Packet{Type: CmdResponse, Message: response}, true); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	})
}

// strict is a backend that holds what it gets to what Loader promises.
type strict struct {
	*fakeBackend
	t *testing.T
}

func (b strict) text(what string, texts ...string) {
	for _, s := range texts {
		if s == "" || len(s) > maxTextField || strings.ContainsAny(s, "\n\r\x00\x1b") {
			b.t.Errorf("%s: %q", what, s)
		}
	}
}

func (b strict) LoadConn(_ context.Context, name string, _ *Message) error {
	b.text("load-conn", name)
	return nil
}

func (b strict) UnloadConn(_ context.Context, name string) error {
	b.text("unload-conn", name)
	return nil
}

func (b strict) LoadAuthority(_ context.Context, name string, _ *Message) error {
	b.text("load-authority", name)
	return nil
}

func (b strict) LoadPool(_ context.Context, name string, _ *Message) error {
	b.text("load-pool", name)
	return nil
}

func (b strict) UnloadKey(_ context.Context, id string) error {
	b.text("unload-key", id)
	return nil
}

func (b strict) LoadShared(_ context.Context, s Shared) error {
	b.text("load-shared", append([]string{s.Type}, s.Owners...)...)
	if len(s.Data) == 0 || len(s.Owners) > maxOwners {
		b.t.Errorf("load-shared: %d octets for %d", len(s.Data), len(s.Owners))
	}
	return nil
}

func (b strict) LoadCert(_ context.Context, c LoadCert) error {
	b.text("load-cert", c.Type)
	if len(c.Data) == 0 || (c.Flag != "") != (c.Type == CertX509) {
		b.t.Errorf("load-cert: %+v", c)
	}
	return nil
}

func (b strict) LoadToken(_ context.Context, t Token) (string, error) {
	b.text("load-token", t.Handle)
	return "", nil
}
