package vici

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCommands(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	ctx := t.Context()
	m, err := c.Call(ctx, "get-conns", nil)
	if err != nil || !reflect.DeepEqual(m.List("conns"), []string{"office", "lab"}) {
		t.Errorf("get-conns: %v, %v", m, err)
	}
	var events []string
	m, err = c.Stream(ctx, "list-sas", EventListSA, nil, func(m *Message) error {
		for name := range m.Sections() {
			events = append(events, name)
		}
		return nil
	})
	if err != nil || m.Len() != 0 || !reflect.DeepEqual(events, []string{"office", "lab"}) {
		t.Errorf("list-sas: %v, %v, %q", m, err, events)
	}
	// Without registering nothing is streamed.
	if m, err = c.Call(ctx, "list-sas", nil); err != nil || m.Len() != 0 {
		t.Errorf("list-sas without events: %v, %v", m, err)
	}
	// Many commands on one connection, each with its own registration.
	for range 50 {
		if _, err := c.Stream(ctx, "list-conns", EventListConn, nil, func(*Message) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnknown(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	c := dial(t, path)
	for _, cmd := range []string{
		"load-everything", "", strings.Repeat("x", 255),
	} {
		if _, err := c.Call(t.Context(), cmd, new(Message).Set("k", "v")); !errors.Is(err, ErrUnknownCommand) {
			t.Errorf("%.20q: %v", cmd, err)
		}
	}
	if _, err := c.Stream(t.Context(), "version", "list-everything", nil, nil); !errors.Is(err, ErrUnknownEvent) {
		t.Errorf("unknown event: %v", err)
	}
	// The connection goes on.
	if m, err := c.Call(t.Context(), "version", nil); err != nil || m.Get("daemon") != "esplanade" {
		t.Errorf("afterwards: %v, %v", m, err)
	}
	// Streaming an unknown command takes the registration back.
	if _, err := c.Stream(t.Context(), "nonsense", EventLog, nil, nil); !errors.Is(err, ErrUnknownCommand) {
		t.Errorf("unknown command with events: %v", err)
	}
	if s.Listening(EventLog) {
		t.Error("the registration stays")
	}
}

func TestArguments(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	for _, tc := range []struct {
		cmd  string
		req  *Message
		want string // errmsg, "" for success
	}{
		{"initiate", nil, "missing configuration name"},
		{"initiate", new(Message).Set("child", "net").Set("timeout", "soon"), `timeout: "soon" is not a number from -2147483648 to 2147483647`},
		{"initiate", new(Message).Set("child", "net").Set("loglevel", "9"), `loglevel: "9" is not a number from -1 to 4`},
		{"initiate", new(Message).Set("child", "net").Set("init-limits", "some"), `init-limits: "some" is neither yes nor no`},
		{"initiate", new(Message).Set("child", "net").Set("init-limits", "yes"), ""},
		{"terminate", nil, "missing terminate selector"},
		{"terminate", new(Message).Set("ike", "x").Set("force", "perhaps"), `force: "perhaps" is neither yes nor no`},
		{"terminate", new(Message).Set("ike-id", "-1"), `ike-id: "-1" is not a number from 0 to 4294967295`},
		{"rekey", nil, "missing rekey selector"},
		{"rekey", new(Message).Set("child-id", "x"), `child-id: "x" is not a number from 0 to 4294967295`},
		{"redirect", new(Message).Set("gateway", "192.0.2.9"), "missing redirect selector"},
		{"redirect", new(Message).Set("ike", "office"), "missing target gateway"},
		{"redirect", new(Message).Set("ike-id", "x").Set("gateway", "192.0.2.9"), `ike-id: "x" is not a number from 0 to 4294967295`},
		{"list-sas", new(Message).Set("ike-id", "x"), `ike-id: "x" is not a number from 0 to 4294967295`},
		{"get-counters", new(Message).Set("all", "x"), `all: "x" is neither yes nor no`},
		{"reset-counters", new(Message).Set("all", "x"), `all: "x" is neither yes nor no`},
		{"initiate", new(Message).Set("child", "net").Set("timeout", "-1"), ""},
		{"initiate", new(Message).Set("child", "net").Set("timeout", "-1000"), ""},
		{"terminate", new(Message).Set("ike-id", "4294967295"), ""},
	} {
		b.took()
		m, err := c.Call(t.Context(), tc.cmd, tc.req)
		if tc.want == "" {
			if err != nil || m.Get("success") != "yes" {
				t.Errorf("%s %s: %v, %v", tc.cmd, tc.req, m, err)
			}
			continue
		}
		var ce *CommandError
		if !errors.As(err, &ce) || ce.Message != tc.want || ce.Command != tc.cmd || m.Get("success") != "no" {
			t.Errorf("%s %s: %v, %v; want %s", tc.cmd, tc.req, m, err, tc.want)
		}
		if calls := b.took(); len(calls) != 0 {
			t.Errorf("%s %s reaches the backend: %q", tc.cmd, tc.req, calls)
		}
	}
}

func TestTerminateResults(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	for _, tc := range []struct {
		res     TerminateResult
		timeout string
		want    string
	}{
		{TerminateResult{2, 2}, "0", "success=yes matches=2 terminated=2"},
		{TerminateResult{2, 1}, "0", "success=no matches=2 terminated=1 errmsg=not all matching SAs could be terminated"},
		{TerminateResult{2, 0}, "0", "success=no matches=2 terminated=0 errmsg=terminating SA failed"},
		{TerminateResult{2, 0}, "-1", "success=yes matches=2 terminated=2"},
		{TerminateResult{0, 0}, "-1", "success=no matches=0 terminated=0 errmsg=no matching SAs to terminate found"},
	} {
		b.set(func() { b.terminated = tc.res })
		m, _ := c.Call(t.Context(), "terminate", new(Message).Set("ike", "x").Set("timeout", tc.timeout))
		if m.String() != tc.want {
			t.Errorf("%+v: %s, want %s", tc.res, m, tc.want)
		}
	}
	b.set(func() { b.rekeyed = 0 })
	if m, _ := c.Call(t.Context(), "rekey", new(Message).Set("ike", "x")); m.String() != "success=no matches=0 errmsg=no matching SAs to rekey found" {
		t.Errorf("rekey: %s", m)
	}
}

// TestRedirect: every selector reaches the daemon as it was written, and the answer says how many peers were told.
func TestRedirect(t *testing.T) {
	b := newFake()
	b.rekeyed = 2
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	b.took()
	m, err := c.Call(t.Context(), "redirect", new(Message).Set("ike", "office").Set("ike-id", "7").Set("peer-ip", "192.0.2.0/24").
		Set("peer-id", "*.example").Set("gateway", "gw2.example"))
	if err != nil || m.String() != "success=yes matches=2" {
		t.Errorf("answer %s, %v", m, err)
	}
	if got := b.took(); len(got) != 1 || got[0] != "redirect {IKE:office IKEID:7 PeerIP:192.0.2.0/24 PeerID:*.example Gateway:gw2.example}" {
		t.Errorf("the daemon was asked %q", got)
	}
	b.rekeyed = 0
	if m, _ := c.Call(t.Context(), "redirect", new(Message).Set("ike", "x").Set("gateway", "192.0.2.9")); m.String() != "success=no matches=0 errmsg=no matching SAs to redirect found" {
		t.Errorf("nothing to redirect: %s", m)
	}
	b.err = Unusable{errors.New("invalid peer IP selector")}
	if m, _ := c.Call(t.Context(), "redirect", new(Message).Set("peer-ip", "x").Set("gateway", "192.0.2.9")); m.String() != "success=no errmsg=invalid peer IP selector" {
		t.Errorf("a selector that is none: %s", m)
	}
}

// TestHugeAnswer: what does not fit into a segment is cut, which is said.
func TestHugeAnswer(t *testing.T) {
	b := newFake()
	sa := testSA()
	sa.Children[0].LocalTS = slices.Repeat([]string{strings.Repeat("x", 1000)}, 1000)
	b.sas = []IKESA{*sa}
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	var last string
	_, err := c.Stream(t.Context(), "list-sas", EventListSA, nil, func(m *Message) error {
		list := m.List("office", "child-sas", "net-9", "local-ts")
		last = list[len(list)-1]
		return nil
	})
	if err != nil || last != "... 872 more" {
		t.Errorf("error %v, the last selector is %q", err, last)
	}
	// A name that no message can carry is cut rather than refused.
	sa = testSA()
	sa.Name = strings.Repeat("n", 300)
	b.set(func() { b.sas = []IKESA{*sa} })
	n := 0
	if _, err := c.Stream(t.Context(), "list-sas", EventListSA, nil, func(m *Message) error { n = m.Len(); return nil }); err != nil || n != 1 {
		t.Errorf("a long name: %d, %v", n, err)
	}
}

// TestManyChildren: an IKE_SA with many children is streamed in parts, none of which is lost.
func TestManyChildren(t *testing.T) {
	b := newFake()
	sa := testSA()
	child := sa.Children[0]
	sa.Children = nil
	const children = 2000
	for i := range children {
		child.UniqueID = uint32(i)
		sa.Children = append(sa.Children, child)
	}
	b.sas = []IKESA{*sa}
	_, path := startServer(t, b, Options{})
	events, seen := 0, map[string]bool{}
	_, err := dial(t, path).Stream(t.Context(), "list-sas", EventListSA, nil, func(m *Message) error {
		events++
		if m.Get("office", "uniqueid") != "7" {
			t.Error("a part without the IKE_SA")
		}
		for name := range m.Section("office", "child-sas").Sections() {
			seen[name] = true
		}
		return nil
	})
	if err != nil || events < 2 || events > 5 || len(seen) != children {
		t.Errorf("%d events, %d children, %v", events, len(seen), err)
	}
}

// TestControlLog: only the command's client gets its log, only what it asked for, only while it runs.
func TestControlLog(t *testing.T) {
	b := newFake()
	var late LogFunc
	b.initiate = func(_ context.Context, _ InitiateRequest, log LogFunc) error {
		late = log
		log(0, "IKE", "audit")
		log(1, "IKE", "control")
		log(2, "IKE", "more")
		return nil
	}
	s, path := startServer(t, b, Options{})
	bystander := dial(t, path)
	var others []string
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := bystander.Listen(ctx, []string{EventControlLog}, nil, func(string, *Message) error {
			others = append(others, "event")
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	await(t, func() bool { return s.Listening(EventControlLog) })
	c := dial(t, path)
	var got []string
	_, err := c.Stream(t.Context(), "initiate", EventControlLog, new(Message).Set("child", "net"), func(m *Message) error {
		level, group, msg := ControlLog(m)
		got = append(got, fmt.Sprint(level, group, msg))
		return nil
	})
	if want := []string{"0IKEaudit", "1IKEcontrol"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	late(0, "IKE", "too late")
	if _, err := c.Stream(t.Context(), "version", EventControlLog, nil, func(m *Message) error {
		t.Errorf("after the command: %s", m)
		return nil
	}); err != nil {
		t.Error(err)
	}
	cancel()
	wg.Wait()
	if len(others) > 0 {
		t.Errorf("another client got %d", len(others))
	}
}
