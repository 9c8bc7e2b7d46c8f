package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/aaa"
)

// book keeps the records of accounting.
type book struct {
	mu   sync.Mutex
	list []aaa.Record
	// own are those of the gateway, each with how many of sessions came before.
	own   []aaa.Record
	after []int
	n     int
}

func (b *book) add(r aaa.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Status.OfGateway() {
		b.own, b.after = append(b.own, r), append(b.after, b.n)
		return
	}
	b.list = append(b.list, r)
	b.n++
}

// take gives what came since the last time.
func (b *book) take() []aaa.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

const (
	usersGateway = `
[radius]
accounting = %v
accounting_interval = "10m"
[radius.servers.one]
address = "192.0.2.53"
secret = "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[secrets.eap.alice]
id = "alice"
secret = "alices Passwort"
[secrets.ike.gw]
secret = "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
[connections.rw]
local_addrs = "192.0.2.1"
local_ts = "10.2.0.0/24"
remote_ts = "10.1.0.0/24"
rekey_time = "1h"
dpd_delay = "30s"
[connections.rw.local]
auth = "psk"
id = "gw.example"
[connections.rw.remote]
auth = "eap-mschapv2"
`
	usersClient = `
[secrets.eap.alice]
id = "alice"
secret = "alices Passwort"
[secrets.ike.gw]
secret = "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
[connections.gw]
local_addrs = "192.0.2.2"
remote_addrs = "192.0.2.1"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
[connections.gw.local]
auth = "eap-mschapv2"
id = "laptop"
eap_id = "alice"
[connections.gw.remote]
auth = "psk"
id = "gw.example"
`
)

// withUser runs a gateway with accounting and a client of it, in a bubble, until the client is in.
func withUser(t *testing.T, f func(gw, client *node, b *book)) {
	synctest.Test(t, func(t *testing.T) {
		fab, b := newFabric(t), &book{}
		gw := fab.start("192.0.2.1", fmt.Sprintf(usersGateway, true), func(o *rigOptions) { o.Account = b.add })
		c := fab.start("192.0.2.2", usersClient)
		settle(5 * time.Second)
		if n := paired(t, gw, c); n != 1 {
			t.Fatalf("%d CHILD SAs; the log of the gateway:\n%s", n, gw.log)
		}
		f(gw, c, b)
	})
}

// TestAccounting: the session of a user has a record when it begins, in between and when it ends, with all that went through it, also through
// CHILD SAs and IKE SAs that have been rekeyed; the records of one session have one ID.
func TestAccounting(t *testing.T) {
	withUser(t, func(gw, _ *node, b *book) {
		list := b.take()
		if len(list) != 1 || list[0].Status != aaa.Start {
			t.Fatalf("%+v", list)
		}
		first := list[0]
		if first.Session.User.Name != "alice" || first.Session.Connection != "rw" || first.Remote != netip.MustParseAddrPort("192.0.2.2:4500") ||
			first.Local != netip.MustParseAddrPort("192.0.2.1:4500") || len(first.Session.ID) != 16 {
			t.Errorf("%+v", first)
		}
		gw.plane.mu.Lock()
		gw.plane.traffic = Counters{InBytes: 1000, InPackets: 10, OutBytes: 500, OutPackets: 5}
		gw.plane.mu.Unlock()
		settle(10 * time.Minute)
		if list = b.take(); len(list) != 1 || list[0].Status != aaa.Interim || list[0].Volume != (aaa.Volume{InOctets: 1000, OutOctets: 500, InPackets: 10, OutPackets: 5}) {
			t.Fatalf("in between: %+v", list)
		}
		settle(3 * time.Hour) // rekeyed, both the IKE SA and the CHILD SA
		last := aaa.Record{}
		for _, r := range b.take() {
			if r.Status != aaa.Interim || r.Session.ID != first.Session.ID || r.Volume.InOctets < last.Volume.InOctets {
				t.Errorf("%+v after %+v", r, last)
			}
			last = r
		}
		// Each CHILD SA of the rig has carried the same.
		if last.Volume.InOctets < 3000 || last.Volume.InOctets%1000 != 0 || last.Volume.OutPackets*2 != last.Volume.InPackets {
			t.Errorf("the volume is %+v", last.Volume)
		}
		gw.d.turn(func(now time.Time) {
			if n := gw.d.Order(now, aaa.Order{HasSession: true, Session: time.Hour, Which: aaa.Which{SessionID: first.Session.ID}}); n != 1 {
				t.Errorf("an order after rekeying is for %d sessions", n)
			}
		})
		gw.stop()
		list = b.take()
		if len(list) != 1 || list[0].Status != aaa.Stop || list[0].Why != aaa.AdminReboot || list[0].Session.ID != first.Session.ID || list[0].Volume.InOctets < last.Volume.InOctets {
			t.Errorf("at the end: %+v", list)
		}
	})
}

// TestAccountingCauses: why a session has ended, by whose doing.
func TestAccountingCauses(t *testing.T) {
	for why, x := range map[string]struct {
		end  func(gw, c *node)
		want aaa.Cause
	}{
		"the user goes":    {func(_, c *node) { c.stop() }, aaa.UserRequest},
		"the user is lost": {func(_, c *node) { c.crash() }, aaa.LostCarrier},
		"a command": {func(gw, _ *node) {
			must(gw.d.Terminate(context.Background(), Target{Connection: "rw"}, false, true))
		}, aaa.AdminReset},
		"an order": {func(gw, _ *node) {
			gw.d.turn(func(now time.Time) {
				if n := gw.d.Order(now, aaa.Order{Disconnect: true, Which: aaa.Which{User: "alice"}, From: "one"}); n != 1 {
					t.Errorf("an order ends %d sessions", n)
				}
				if n := gw.d.Order(now, aaa.Order{Disconnect: true, Which: aaa.Which{User: "alice"}, From: "one"}); n != 0 {
					t.Errorf("the same again ends %d sessions", n)
				}
			})
		}, aaa.AdminReset},
		"a session that is limited, and a client that does not heed it": {func(gw, c *node) {
			gw.d.turn(func(now time.Time) {
				for _, w := range []aaa.Which{{}, {User: "bob"}, {Connection: "rw"}} {
					if n := gw.d.Order(now, aaa.Order{HasSession: true, Session: time.Second, Which: w}); n != 0 {
						t.Errorf("an order for %+v is for %d sessions", w, n)
					}
				}
			})
			gw.d.turn(func(now time.Time) {
				gw.d.Order(now, aaa.Order{HasSession: true, Session: 2 * time.Second, Which: aaa.Which{User: "alice"}})
			})
		}, aaa.SessionTimeout},
	} {
		t.Run(why, func(t *testing.T) {
			withUser(t, func(gw, c *node, b *book) {
				b.take()
				x.end(gw, c)
				settle(20 * time.Minute)
				for _, r := range b.take() {
					if r.Status == aaa.Stop {
						if r.Why != x.want {
							t.Errorf("the cause is %v", r.Why)
						}
						return
					}
				}
				t.Errorf("it does not end; the log of the gateway:\n%s", gw.log)
			})
		})
	}
}

// TestLimitSession: a client is told that its session is limited, and comes again in time: another session takes the place of the first, and the
// tunnel stays up.
func TestLimitSession(t *testing.T) {
	withUser(t, func(gw, c *node, b *book) {
		first := b.take()[0]
		gw.d.turn(func(now time.Time) {
			if n := gw.d.Order(now, aaa.Order{HasSession: true, Session: 5 * time.Minute, Which: aaa.Which{SessionID: first.Session.ID}, From: "one"}); n != 1 {
				t.Errorf("it is for %d sessions", n)
			}
		})
		settle(5*time.Minute + 20*time.Second)
		var begun, ended []string
		for _, r := range b.take() {
			switch r.Status {
			case aaa.Start:
				begun = append(begun, r.Session.ID)
			case aaa.Stop:
				ended = append(ended, r.Session.ID)
			case aaa.Interim, aaa.On, aaa.Off:
			}
		}
		if len(begun) != 1 || len(ended) != 1 || ended[0] != first.Session.ID || begun[0] == ended[0] {
			t.Errorf("begun %v, ended %v", begun, ended)
		}
		if n := paired(t, gw, c); n != 1 || gw.ikeSAs() != 1 {
			t.Errorf("%d CHILD SAs, %d IKE SAs", n, gw.ikeSAs())
		}
		if strings.Contains(gw.log.String(), "nobody has authenticated again") {
			t.Error("the client came too late")
		}
	})
}

// TestAccountingReload: accounting that is turned on by a reload begins for the sessions that there are; one that is turned off is told the end
// of those that it knows.
func TestAccountingReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fab, b := newFabric(t), &book{}
		gw := fab.start("192.0.2.1", fmt.Sprintf(usersGateway, false), func(o *rigOptions) { o.Account = b.add })
		c := fab.start("192.0.2.2", usersClient)
		settle(time.Hour)
		if list := b.take(); len(list) != 0 {
			t.Fatalf("nobody has asked for %+v", list)
		}
		must(gw.d.Reload(context.Background(), parse(t, fmt.Sprintf(usersGateway, true))))
		settle(11 * time.Minute)
		if list := b.take(); len(list) != 2 || list[0].Status != aaa.Start || list[1].Status != aaa.Interim || list[1].At.Sub(list[1].Session.Began) < time.Hour {
			t.Fatalf("%+v", list)
		}
		must(gw.d.Reload(context.Background(), parse(t, fmt.Sprintf(usersGateway, false))))
		settle(time.Hour)
		c.stop()
		settle(time.Minute)
		if list := b.take(); len(list) != 1 || list[0].Status != aaa.Stop {
			t.Errorf("%+v", list)
		}
	})
}

// TestAccountingOfTheGateway: accounting is told that the gateway has begun before it is told of any session, and that it ends after all of them; with accounting that comes
// with a reload, then. It has the gateway's address, by which servers know whose sessions are meant.
func TestAccountingOfTheGateway(t *testing.T) {
	for _, reload := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			fab, b := newFabric(t), &book{}
			gw := fab.start("192.0.2.1", fmt.Sprintf(usersGateway, !reload), func(o *rigOptions) { o.Account = b.add })
			fab.start("192.0.2.2", usersClient)
			settle(5 * time.Second)
			for range 2 { // the second time there is nothing to say of the gateway
				if reload {
					must(gw.d.Reload(context.Background(), parse(t, fmt.Sprintf(usersGateway, true))))
				}
				settle(5 * time.Second)
			}
			gw.stop()
			settle(time.Minute)
			list := b.take()
			if len(list) != 2 || list[1].Status != aaa.Stop || list[1].Why != aaa.AdminReboot {
				t.Fatalf("%+v", list)
			}
			if len(b.own) != 2 || b.own[0].Status != aaa.On || b.after[0] != 0 || b.own[1].Status != aaa.Off || b.after[1] != 2 {
				t.Fatalf("%+v after %v", b.own, b.after)
			}
			for _, r := range b.own {
				if r.Local.Addr() != gw.addr || r.Session.ID == "" || r.At.IsZero() {
					t.Errorf("%+v", r)
				}
			}
			if b.own[0].Session.ID == b.own[1].Session.ID {
				t.Error("both have one ID")
			}
		})
	}
}
