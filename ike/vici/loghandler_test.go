package vici

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// listen collects a client's events as text until the returned function is called, which waits for n of them.
func listen(t *testing.T, s *Server, path string, events ...string) func(n int) []string {
	t.Helper()
	var mu sync.Mutex
	var got []string
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := dial(t, path)
	go func() {
		done <- c.Listen(ctx, events, nil, func(event string, m *Message) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, event+" "+m.String())
			return nil
		})
	}()
	for _, e := range events {
		await(t, func() bool { return s.Listening(e) })
	}
	return func(n int) []string {
		t.Helper()
		await(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= n })
		cancel()
		if err := <-done; err != nil {
			t.Errorf("listening: %v", err)
		}
		return got
	}
}

// expect compares texts one by one.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestLogHandler(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	l := slog.New(NewLogHandler(s))
	l.Info("nobody listens")
	if l.Enabled(t.Context(), slog.LevelError) {
		t.Error("enabled while nobody listens")
	}
	collected := listen(t, s, path, EventLog)
	if !l.Enabled(t.Context(), slog.LevelInfo) || l.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("levels")
	}
	l.Info("plain")
	l.Debug("not sent")
	sa := l.With(AttrConnection, "office", AttrUniqueID, 7, AttrThread, 2, AttrGroup, "net")
	sa.Warn("slow", "rtt", "1.5s", "what", "two words", "empty", "")
	sa.With("k", 1).WithGroup("g").Info("grouped", "a", 1, slog.Group("h", "b", true), AttrGroup, "inner")
	sa.WithGroup("").Info("after", "n", 3) // what was derived from sa must not have changed it
	l.Error("failed", "failure", testFailure())
	l.Info("error", "error", errors.New("two\nlines"))
	l.Info("made", "took", 385*time.Microsecond)
	l.Info("thread", AttrThread, "not a number")
	l.Info("none", slog.Attr{}, slog.Any("nothing", nil))
	got := collected(9)
	expect(t, got,
		`log group=IKE level=1 thread=0 msg=plain`,
		`log group=NET level=0 thread=2 ikesa-name=office ikesa-uniqueid=7 msg=slow connection=office rtt=1.5s what="two words" empty=""`,
		`log group=NET level=1 thread=2 ikesa-name=office ikesa-uniqueid=7 msg=grouped connection=office k=1 g.a=1 g.h.b=true g.group=inner`,
		`log group=NET level=1 thread=2 ikesa-name=office ikesa-uniqueid=7 msg=after connection=office n=3`,
		`log group=IKE level=0 thread=0 msg=failed failure=`+quoteText(testFailure().Error()),
		`log group=IKE level=1 thread=0 msg=error error="two\nlines"`,
		`log group=IKE level=1 thread=0 msg=made took=385us`,
		`log group=IKE level=1 thread=0 msg=thread loop="not a number"`,
		`log group=IKE level=1 thread=0 msg=none nothing=<nil>`,
	)
}

func TestEvents(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	sa, old := testSA(), testSA()
	s.IKEUpdown(true, *sa) // nobody listens yet
	collected := listen(t, s, path, EventIKEUpdown, EventIKERekey, EventIKEUpdate, EventChildUpdown, EventChildRekey, EventAlert)
	old.UniqueID, old.State = 6, IKERekeyed
	oldChild := sa.Children[0]
	oldChild.UniqueID = 8
	s.IKEUpdown(true, *sa)
	s.IKEUpdown(false, *sa)
	s.IKERekey(*old, *sa)
	s.IKEUpdate(*sa, netip.MustParseAddrPort("192.0.2.7:4500"), sa.Remote)
	s.ChildUpdown(true, *sa, sa.Children[0])
	s.ChildRekey(*sa, oldChild, sa.Children[0])
	s.Alert(testFailure().Alert(), sa)
	s.Alert("peer-init-unreachable", nil)
	s.Alert("", sa)
	s.Log(LogEntry{Msg: "not registered for"})
	got := collected(8)
	ike := new(Message)
	sa.fill(ike, testNow)
	ikeOld := new(Message)
	old.fill(ikeOld, testNow)
	child, childOld := new(Message), new(Message)
	sa.Children[0].fill(child, testNow)
	oldChild.fill(childOld, testNow)
	expect(t, got,
		"ike-updown up=yes office {"+ike.String()+"}",
		"ike-updown office {"+ike.String()+"}",
		"ike-rekey office {old {"+ikeOld.String()+"} new {"+ike.String()+"}}",
		"ike-update local-host=192.0.2.7 local-port=4500 remote-host=198.51.100.20 remote-port=4500 office {"+ike.String()+"}",
		"child-updown up=yes office {"+ike.String()+" child-sas {net-9 {"+child.String()+"}}}",
		"child-rekey office {"+ike.String()+" child-sas {net {old {"+childOld.String()+"} new {"+child.String()+"}}}}",
		"alert type=proposal-mismatch-ike ike-sa {office {"+ike.String()+"}}",
		"alert type=peer-init-unreachable",
	)
	if strings.Contains(got[0], "child-sas") || !strings.Contains(got[2], "old {uniqueid=6 version=2 state=REKEYED ") {
		t.Errorf("wrong SAs: %s\n%s", got[0], got[2])
	}
	if !slices.Contains(Events(), EventStatusConn) || s.Listening("nonsense") {
		t.Error("the list of events")
	}
}
