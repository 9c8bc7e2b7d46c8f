//go:build linux

package integration

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// testMonitors has the same happen to both gateways while swanctl listens: the same events come in the same order, with the IKE SA and the CHILD SA in
// the same state, and lines of the log have the same keys.
func testMonitors(t *testing.T, theirs, ours *swanWorld) {
	var events, keys [2][]string
	var wg sync.WaitGroup
	for i, w := range []*swanWorld{theirs, ours} {
		wg.Go(func() { events[i], keys[i] = w.monitored() })
	}
	wg.Wait()
	if !slices.Equal(events[0], events[1]) {
		t.Errorf("--monitor-sa: strongSwan says\n  %s\nEsplanade says\n  %s", strings.Join(events[0], "\n  "), strings.Join(events[1], "\n  "))
	}
	if !slices.Equal(keys[0], keys[1]) {
		t.Errorf("--log: strongSwan's lines have %q, Esplanade's %q", keys[0], keys[1])
	}
}

// monitored is what listeners see while SAs come, are rekeyed and go, by a command here and by one of the peer.
func (w *swanWorld) monitored() (events, keys []string) {
	w.t.Helper()
	down(w)
	monitor, log := peer.Watch(w.t, w.a, "--monitor-sa", rawShown), peer.Watch(w.t, w.a, "--log", rawShown)
	command("--initiate", "--child", "net")(w)
	for _, args := range [][]string{{"--rekey", "--child", "net"}, {"--rekey", "--ike", "gw"}} {
		mark(w)
		command(args...)(w)
		renewed(w)
	}
	command("--initiate", "--child", "web")(w)
	command("--terminate", "--child", "web")(w)
	command("--terminate", "--ike", "gw")(w)
	command("--initiate", "--child", "net")(w)
	if out, err := peer.Swanctl(w.b, "--terminate", "--ike", "gw"); err != nil {
		w.t.Errorf("%v\n%s", err, out)
	}
	w.wantNone(w.t, 15*time.Second)
	lab.Eventually(w.t, 15*time.Second, "the last events are there", func() (bool, string) {
		return strings.Count(monitor.Log(), "ike-updown event {gw") == 2 && strings.Count(monitor.Log(), "child-updown event {gw") == 3, monitor.Log()
	})
	for line := range strings.Lines(monitor.Log()) {
		if event, is := eventOf(line); is {
			events = append(events, event)
		}
	}
	for line := range strings.Lines(log.Log()) {
		for _, m := range logKey.FindAllStringSubmatch(line, -1) {
			if !slices.Contains(keys, m[1]) {
				keys = append(keys, m[1])
			}
		}
	}
	slices.Sort(keys)
	return events, keys
}

var (
	logKey     = regexp.MustCompile(`[{ ](group|level|thread|ikesa-name|ikesa-uniqueid|msg)=`)
	eventName  = regexp.MustCompile(`^([a-z]+-[a-z]+) event \{(up=yes )?`)
	eventState = regexp.MustCompile(`(?:([a-z]+)-[0-9]+ \{|\b(old|new) \{)|\bstate=([A-Z]+)`)
)

// eventOf is an event with the states of the SAs in it, in their order.
func eventOf(line string) (event string, is bool) {
	m := eventName.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	event = strings.TrimSpace(m[1] + " " + m[2])
	for _, s := range eventState.FindAllStringSubmatch(line, -1) {
		event += " " + s[1] + s[2] + s[3]
	}
	return event, true
}
