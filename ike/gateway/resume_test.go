package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

const resumeExtra = "resumption = true\ndpd_delay = \"10s\""

// exchanges counts the requests of a kind that travel, and cuts the line while cut is set.
type exchanges struct {
	f   *fabric
	n   map[wire.ExchangeType]int
	cut bool
}

func (x *exchanges) watch() {
	x.n = map[wire.ExchangeType]int{}
	x.f.setDeliver(func(_, _ netip.AddrPort, b []byte) bool {
		if h, err := wire.ParseHeader(b); err == nil && h.Flags&wire.FlagResponse == 0 {
			x.n[h.Exchange]++
		}
		return !x.cut
	})
}

func (x *exchanges) setCut(cut bool) { x.f.mu.Lock(); x.cut = cut; x.f.mu.Unlock() }

func (x *exchanges) count(t wire.ExchangeType) int {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	return x.n[t]
}

func resumed(n *node) (out []bool) {
	for _, c := range n.info().Conns {
		for _, s := range c.SAs {
			out = append(out, s.Resumed)
		}
	}
	return out
}

// A peer that was lost is taken up again with the ticket, and again; one that has been restarted in between, or that does not
// do this, makes a complete handshake.
func TestResumptionOfDaemons(t *testing.T) {
	for name, c := range map[string]struct {
		restart, off bool
		rekeyedBy    string
	}{
		"lost and back": {}, "restarted": {restart: true}, "peer without": {off: true}, "rekeyed": {rekeyedBy: "a"},
		"rekeyed by the peer": {rekeyedBy: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				x := &exchanges{f: f}
				x.watch()
				l, r := left("start"), right("none")
				l.extra, r.extra = resumeExtra, resumeExtra
				if c.off {
					r.extra = `dpd_delay = "10s"`
				}
				a, b := f.start(addrA, toml("", l)), f.start(addrB, toml("", r))
				settle(time.Second)
				if paired(t, a, b) != 1 {
					t.Fatal("not up")
				}
				for round := range 2 {
					if by := map[string]*node{"a": a, "b": b}[c.rekeyedBy]; by != nil {
						name := map[string]string{"a": "b", "b": "a"}[c.rekeyedBy]
						if n, err := by.d.Rekey(t.Context(), Target{Connection: name}); n != 1 || err != nil {
							t.Fatal(n, err)
						}
						settle(time.Minute)
					}
					inits, presented := x.count(wire.ExchangeIKESAInit), x.count(wire.ExchangeIKESessionResume)
					x.setCut(true)
					if c.restart {
						b.crash()
						b = f.start(addrB, toml("", r))
					}
					for range 300 { // until a gives the peer up
						settle(time.Second)
						if x.count(wire.ExchangeIKESessionResume) > presented || x.count(wire.ExchangeIKESAInit) > inits {
							break
						}
					}
					x.setCut(false)
					settle(time.Minute)
					if paired(t, a, b) != 1 || a.ikeSAs() != 1 || b.ikeSAs() != 1 {
						t.Fatalf("round %d: %d and %d IKE SAs\n%s", round, a.ikeSAs(), b.ikeSAs(), a.log)
					}
					want := !c.restart && !c.off
					for _, n := range []*node{a, b} {
						if got := resumed(n); len(got) != 1 || got[0] != want {
							t.Errorf("round %d: %s: resumed %v, want %v", round, n.addr, got, want)
						}
					}
					if tried := x.count(wire.ExchangeIKESessionResume) > presented; tried == c.off {
						t.Errorf("round %d: a ticket was presented: %v", round, tried)
					}
					if full := x.count(wire.ExchangeIKESAInit) > inits; full == want {
						t.Errorf("round %d: IKE_SA_INIT was made: %v", round, full)
					}
					if got := strings.Contains(a.log.String(), string(diag.CodeResume)); got != c.restart {
						t.Errorf("round %d: a failure to resume is logged: %v", round, got)
					}
				}
				if c.off && x.count(wire.ExchangeIKESessionResume) > 0 {
					t.Error("a ticket was presented")
				}
				a.stop()
				b.stop()
				a.plane.empty(t)
				b.plane.empty(t)
			})
		})
	}
}

// What ended on purpose is not resumed.
func TestTicketsGoWithTheirIKESA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		x := &exchanges{f: f}
		x.watch()
		l, r := left("start"), right("none")
		l.extra, r.extra = resumeExtra, resumeExtra
		a, b := f.start(addrA, toml("", l)), f.start(addrB, toml("", r))
		settle(time.Second)
		if !strings.Contains(a.log.String(), "session ticket received") {
			t.Fatal("no ticket")
		}
		b.stop()
		settle(5 * time.Minute)
		b = f.start(addrB, toml("", r))
		settle(5 * time.Minute)
		if paired(t, a, b) != 1 {
			t.Error("not up again")
		}
		if n := x.count(wire.ExchangeIKESessionResume); n != 0 {
			t.Errorf("%d times a ticket was presented", n)
		}
	})
}

// The network is away for many minutes, the first use that RFC 5723 names: however many attempts come to nothing meanwhile, the IKE SA is
// resumed when it is back. The gateway, which has not missed the client, drops the old one without a word, whatever it thinks of
// several IKE SAs.
func TestResumptionAfterALongTime(t *testing.T) {
	for _, unique := range []string{"replace", "no", "never"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			x := &exchanges{f: f}
			x.watch()
			l, r := left("start"), right("none")
			l.extra, r.extra = resumeExtra, "resumption = true\ndpd_delay = \"0s\"\nunique = \""+unique+"\""
			if unique == "never" {
				l.extra += "\nunique = \"never\"" // and so no INITIAL_CONTACT
			}
			a, b := f.start(addrA, toml("", l)), f.start(addrB, toml("", r))
			settle(time.Second)
			paired(t, a, b)
			x.setCut(true)
			settle(20 * time.Minute)
			if a.ikeSAs() > 1 || x.count(wire.ExchangeIKESessionResume) < 2*4 {
				t.Fatalf("%d IKE SAs, %d requests to resume", a.ikeSAs(), x.count(wire.ExchangeIKESessionResume))
			}
			x.setCut(false)
			settle(5 * time.Minute)
			for _, n := range []*node{a, b} {
				if got := resumed(n); len(got) != 1 || !got[0] {
					t.Errorf("unique = %s: %s: resumed %v", unique, n.addr, got)
				}
			}
			if paired(t, a, b) != 1 {
				t.Error("not up")
			}
			if strings.Contains(b.log.String(), "DELETE") || !strings.Contains(b.log.String(), "dropped") {
				t.Errorf("b: %s", b.log)
			}
			a.stop()
			b.stop()
		})
	}
}
