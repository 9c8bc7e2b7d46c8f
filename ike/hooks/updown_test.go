package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/identity"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// calledFor is what a fake command has been called for, and lets each call go on when the test says so.
type calledFor struct {
	mu    sync.Mutex
	calls []string
	most  int // at a time
	now   int
	// of are those under way by the network of their peer, and overlap reports that there were two of one at a time.
	of      map[string]int
	overlap bool
	// begun gets a line for each call that has begun; goOn lets one of them end. Without them calls end at once.
	begun chan string
	goOn  chan error
}

func (c *calledFor) run(ctx context.Context, j Job) error {
	vars := map[string]string{}
	for _, v := range j.Env {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	line := fmt.Sprintf("%s %s %s %s", j.Command, vars["PLUTO_VERB"], vars["PLUTO_PEER_CLIENT"], vars["PLUTO_UNIQUEID"])
	c.mu.Lock()
	c.calls = append(c.calls, line)
	c.now++
	c.most = max(c.most, c.now)
	if c.of == nil {
		c.of = map[string]int{}
	}
	key := vars["PLUTO_PEER_CLIENT"]
	c.of[key]++
	c.overlap = c.overlap || c.of[key] > 1
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.now--; c.of[key]--; c.mu.Unlock() }()
	if c.begun == nil {
		return nil
	}
	c.begun <- line
	select {
	case err := <-c.goOn:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *calledFor) wants(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.calls, want) {
		t.Errorf("called:\n%s\nwant:\n%s", strings.Join(c.calls, "\n"), strings.Join(want, "\n"))
	}
}

func newUpdown(c *calledFor, parallel int) *Updown {
	return NewUpdown(UpdownOptions{Log: slog.New(slog.DiscardHandler), Run: c.run, Timeout: time.Minute, Parallel: parallel, Device: "ipsec0"})
}

func parse(t *testing.T, list ...string) (out []selector.Selector) {
	t.Helper()
	for _, s := range list {
		x, err := selector.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

func named(t *testing.T, s string) identity.Identity {
	t.Helper()
	id, err := identity.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// event is the coming up, or the end, of CHILD SA id of a peer.
func event(t *testing.T, up bool, id uint64, peer string, remote ...string) gateway.ChildUpdown {
	t.Helper()
	if len(remote) == 0 {
		remote = []string{"10.2.0.0/24"}
	}
	return gateway.ChildUpdown{
		Up: up, Conf: &config.Child{Updown: "/etc/updown"},
		SA: sa.Snapshot{
			ID: 100 + id, Connection: "gw", LocalID: named(t, "a.example"), RemoteID: named(t, peer),
			Path: sa.Path{Local: netip.MustParseAddrPort("192.0.2.1:4500"), Remote: netip.MustParseAddrPort("192.0.2.2:4500")},
		},
		Child: sa.ChildSnapshot{ID: id, Name: "net", ReqID: 1, TS: selector.Pair{Local: parse(t, "10.1.0.0/24"), Remote: parse(t, remote...)}},
	}
}

// TestUpdown: a CHILD SA is told of for each pair of its selectors when it comes up and when it has gone, and not when it is rekeyed. What is
// called in the end has the command and the variables of the beginning.
func TestUpdown(t *testing.T) {
	c := &calledFor{}
	u := newUpdown(c, 4)
	u.Observe(event(t, true, 1, "b.example", "10.2.0.0/24", "10.3.0.0/24"))
	u.Observe(gateway.ChildRekeyed{Old: sa.ChildSnapshot{ID: 1}, New: sa.ChildSnapshot{ID: 2}})
	u.Observe(gateway.ChildRekeyed{Old: sa.ChildSnapshot{ID: 2}, New: sa.ChildSnapshot{ID: 3}})
	down := event(t, false, 3, "b.example", "10.9.0.0/24")
	down.Conf = &config.Child{Updown: "/etc/another"}
	waitFor(t, u, 2)
	u.Observe(event(t, false, 1, "b.example")) // which has been replaced
	u.Observe(down)
	none := event(t, true, 4, "c.example")
	none.Conf = &config.Child{}
	u.Observe(none)
	none.Conf = nil
	u.Observe(none)
	u.Close(time.Minute)
	c.wants(t, "/etc/updown up-client 10.2.0.0/24 101", "/etc/updown up-client 10.3.0.0/24 101",
		"/etc/updown down-client 10.2.0.0/24 101", "/etc/updown down-client 10.3.0.0/24 101")
	if n := u.Counts(); n != (UpdownCounts{Done: 4}) {
		t.Errorf("counted %+v", n)
	}
	if len(u.lines)+len(u.live) > 0 {
		t.Errorf("%d lines and %d CHILD SAs are left", len(u.lines), len(u.live))
	}
}

// waitFor waits until so many calls are done.
func waitFor(t *testing.T, u *Updown, n uint64) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); u.Counts().Done < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v after 30 s", u.Counts())
		}
	}
}

// TestUpdownOrder: while a call runs, what comes and goes for the same child of the same peer waits in its order, and what has gone before
// its turn is called for neither way. Another peer of the child does not wait.
func TestUpdownOrder(t *testing.T) {
	c := &calledFor{begun: make(chan string, 10), goOn: make(chan error, 10)}
	u := newUpdown(c, 4)
	u.Observe(event(t, true, 1, "b.example"))
	<-c.begun
	u.Observe(event(t, false, 1, "b.example"))
	u.Observe(event(t, true, 2, "b.example"))
	u.Observe(event(t, false, 2, "b.example"))
	u.Observe(event(t, true, 3, "b.example"))
	u.Observe(event(t, true, 4, "other.example", "10.4.0.0/24"))
	if got := <-c.begun; got != "/etc/updown up-client 10.4.0.0/24 104" {
		t.Fatalf("called %q while b.example's runs", got)
	}
	if n := u.Waiting(); n != 2 {
		t.Errorf("%d wait", n)
	}
	for range 10 {
		c.goOn <- nil
	}
	for got := ""; got != "/etc/updown up-client 10.2.0.0/24 103"; {
		got = <-c.begun
	}
	u.Close(time.Minute)
	c.mu.Lock()
	c.calls = slices.DeleteFunc(c.calls, func(s string) bool { return strings.Contains(s, " 10.4.") })
	c.mu.Unlock()
	c.wants(t, "/etc/updown up-client 10.2.0.0/24 101", "/etc/updown down-client 10.2.0.0/24 101",
		"/etc/updown up-client 10.2.0.0/24 103", "/etc/updown down-client 10.2.0.0/24 103")
	if n := u.Counts(); n.Needless != 1 || n.Done != 6 {
		t.Errorf("counted %+v", n)
	}
}

// TestUpdownParallel: no more run at a time than allowed, each up is followed by its down, and nothing is lost, whatever comes.
func TestUpdownParallel(t *testing.T) {
	c := &calledFor{}
	u := newUpdown(c, 3)
	const peers, rounds = 50, 20
	for round := range rounds {
		for p := range peers {
			id := uint64(round*peers + p + 1)
			u.Observe(event(t, true, id, fmt.Sprintf("p%d.example", p), fmt.Sprintf("10.7.%d.0/24", p)))
			if round < rounds-1 {
				u.Observe(event(t, false, id, fmt.Sprintf("p%d.example", p)))
			}
		}
	}
	u.Close(time.Minute)
	up := map[string]int{}
	for _, call := range c.calls {
		f := strings.Fields(call)
		switch key := f[2]; f[1] {
		case "up-client":
			if up[key]++; up[key] != 1 {
				t.Fatalf("%s came up twice", key)
			}
		case "down-client":
			if up[key]--; up[key] != 0 {
				t.Fatalf("%s went without having come", key)
			}
		}
	}
	n := u.Counts()
	if n.Done != uint64(len(c.calls)) || n.Done/2+n.Needless != peers*rounds {
		t.Errorf("counted %+v of %d", n, peers*rounds)
	}
	for key, k := range up {
		if k != 0 {
			t.Errorf("%s is still up", key)
		}
	}
	if c.most > 3 || c.overlap {
		t.Errorf("%d at a time, of one peer: %v", c.most, c.overlap)
	}
	if len(u.lines) > 0 {
		t.Errorf("%d lines are left", len(u.lines))
	}
}

// TestUpdownOneAtATime: what waits for its turn, goes and comes again has one turn, and so its calls are never made at the same time. No
// more calls begin than may.
func TestUpdownOneAtATime(t *testing.T) {
	c := &calledFor{begun: make(chan string, 10), goOn: make(chan error, 10)}
	u := newUpdown(c, 2)
	u.Observe(event(t, true, 1, "a.example", "10.3.0.0/24"))
	u.Observe(event(t, true, 2, "b.example", "10.4.0.0/24"))
	<-c.begun
	<-c.begun
	u.Observe(event(t, true, 3, "x.example"))
	u.Observe(event(t, false, 3, "x.example"))
	u.Observe(event(t, true, 4, "x.example"))
	u.mu.Lock()
	if u.active != 2 || len(u.ready) != 1 {
		t.Errorf("%d are called, and %d wait for a turn", u.active, len(u.ready))
	}
	u.mu.Unlock()
	c.goOn <- nil
	if got := <-c.begun; got != "/etc/updown up-client 10.2.0.0/24 104" {
		t.Fatalf("called %q", got)
	}
	u.Observe(event(t, false, 4, "x.example"))
	for range 10 {
		c.goOn <- nil
	}
	u.Close(time.Minute)
	if c.overlap {
		t.Error("two calls for one peer at a time")
	}
}

// TestUpdownEnds: the end of the daemon does not wait for longer than it may, kills what runs, and says what was not called.
func TestUpdownEnds(t *testing.T) {
	c := &calledFor{begun: make(chan string, 10), goOn: make(chan error)}
	u := newUpdown(c, 1)
	u.Observe(event(t, true, 1, "b.example"))
	<-c.begun
	u.Observe(event(t, true, 2, "other.example", "10.4.0.0/24"))
	u.Close(time.Millisecond) // the down call of 1 has no time, and 2 needs none
	if n := u.Counts(); n != (UpdownCounts{Lost: 2, Needless: 1}) {
		t.Errorf("counted %+v", n)
	}
	c.wants(t, "/etc/updown up-client 10.2.0.0/24 101")
}

// TestUpdownFails: what fails is counted, and what comes next is called all the same.
func TestUpdownFails(t *testing.T) {
	c := &calledFor{begun: make(chan string, 10), goOn: make(chan error, 10)}
	u := newUpdown(c, 1)
	u.Observe(event(t, true, 1, "b.example"))
	<-c.begun
	c.goOn <- errors.New("exit status 1")
	c.goOn <- nil
	u.Close(time.Minute)
	if n := u.Counts(); n != (UpdownCounts{Done: 1, Failed: 1}) {
		t.Errorf("counted %+v", n)
	}
}

// TestUpdownPairs: the number of calls for one CHILD SA is bounded.
func TestUpdownPairs(t *testing.T) {
	var local, remote []string
	for i := range 20 {
		local, remote = append(local, fmt.Sprintf("10.1.%d.0/24", i)), append(remote, fmt.Sprintf("10.2.%d.0/24", i))
	}
	pairs, left := pairsOf(selector.Pair{Local: parse(t, local...), Remote: parse(t, remote...)})
	if len(pairs) != maxPairs || left != 400-maxPairs {
		t.Errorf("%d pairs, %d left out", len(pairs), left)
	}
	pairs, _ = pairsOf(selector.Pair{Local: parse(t, "10.1.0.0/24[tcp]", "fd01::/64", "10.3.0.0/24"), Remote: parse(t, "10.2.0.0/24[udp]", "fd02::/64")})
	if len(pairs) != 2 { // tcp with udp carries nothing, and neither do two families
		t.Errorf("pairs %v", pairs)
	}
}
