package gateway

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// observed are events in words.
type observed []string

func (o *observed) Observe(ev Event) {
	switch ev := ev.(type) {
	case IKEUpdown:
		*o = append(*o, fmt.Sprintf("ike %v %q", ev.Up, ev.Reason))
	case ChildUpdown:
		conf := "none"
		if ev.Conf != nil {
			conf = ev.Conf.Connection + "/" + ev.Conf.Name + " " + ev.Conf.Updown
		}
		*o = append(*o, fmt.Sprintf("child %v %q %s", ev.Up, ev.Reason, conf))
	case AddressLeased:
		*o = append(*o, fmt.Sprintf("leased %s %s %v %v", ev.Connection, ev.Owner, ev.Addresses, ev.Remote))
	case AddressReleased:
		*o = append(*o, fmt.Sprintf("released %s %s %v", ev.Connection, ev.Owner, ev.Addresses))
	}
}

// Observers are told what a CHILD SA is configured as, why SAs have ended, and which addresses a client has: once, however often its IKE SA is
// rekeyed.
func TestWhatObserversAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(observed)
		w := newWarriors(t, officePool, "updown = \"/etc/updown\"\nrekey_time = \"10m\"\nrand_time = \"0s\"", func(o *rigOptions) { o.Observer = seen })
		x := w.client("192.0.2.11", "x", "")
		settle(time.Hour)
		x.stop()
		settle(time.Minute)
		want := []string{
			"leased rw x.clients.example [10.30.0.1] 192.0.2.11:4500", `ike true ""`, `child true "" rw/rw /etc/updown`,
			`child false "deleted by the peer" rw/rw /etc/updown`, "released rw x.clients.example [10.30.0.1]", `ike false "deleted by the peer"`,
		}
		if got := []string(*seen); !slices.Equal(got, want) {
			t.Errorf("told:\n%q\nwant:\n%q", got, want)
		}
	})
}
