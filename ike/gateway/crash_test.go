package gateway

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/wire"
)

func withCrashSecret(s string) func(*rigOptions) {
	return func(o *rigOptions) { o.CrashSecret = []byte(s) }
}

// The tunnel of a daemon that dies and comes back is replaced as soon as the peer says anything, not when the peer has
// given up. The original responder, which has nothing to start, gets rid of its SAs at once, so that the new initiator finds
// nothing in its way. Without the secret, or with another one, all is as before.
func TestCrashRecovery(t *testing.T) {
	const soon, givenUp = 20 * time.Second, 5 * time.Minute
	for _, c := range []struct {
		name, before, after string
		dies                int // 0: the initiator, 1: the responder
		soon                bool
	}{
		{"the responder", "secret", "secret", 1, true},
		{"the initiator", "secret", "secret", 0, true},
		{"the initiator, no secret", "", "", 0, false},
		{"another secret", "secret", "other", 1, false},
		{"no secret", "", "", 1, false},
		{"no secret any more", "secret", "", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				survivor, victim := left("start"), right("none")
				if c.dies == 0 {
					survivor, victim = right("none"), left("none")
				}
				survivor.extra = `dpd_delay = "10s"`
				tv := toml("", victim)
				first := victim
				if c.dies == 0 {
					first = left("start")
				}
				s := f.start(survivor.local, toml("", survivor))
				v := f.start(victim.local, toml("", first), withCrashSecret(c.before))
				settle(5 * time.Second)
				if paired(t, s, v) == 0 {
					t.Fatal("no tunnel to begin with")
				}
				v.crash()
				v = f.start(victim.local, tv, withCrashSecret(c.after))
				settle(soon)
				if c.dies == 0 {
					if gone := s.ikeSAs() == 0; gone != c.soon {
						t.Fatalf("after %s the IKE SA is gone: %t\n%s", soon, gone, s.log)
					}
					return
				}
				if up := v.ikeSAs() > 0 && paired(t, s, v) > 0; up != c.soon {
					t.Fatalf("after %s the tunnel is up: %t\n%s", soon, up, s.log)
				}
				settle(givenUp)
				if v.ikeSAs() != 1 || paired(t, s, v) == 0 {
					t.Errorf("%d IKE SAs in the end", v.ikeSAs())
				}
				s.stop()
				v.stop()
			})
		})
	}
}

// The token of an IKE SA that exists is never shown, whatever the header says: anybody who has seen the SPIs can write one.
func TestNoTokenOfALiveSA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		s := newStranger(f, "198.51.100.7")
		b := f.start(addrB, toml("", right("none")), withCrashSecret("secret"))
		a := f.start(addrA, toml("", left("start")), withCrashSecret("secret"))
		settle(time.Second)
		var spii, spir wire.SPI
		for _, c := range a.info().Conns {
			for _, x := range c.SAs {
				spii, spir = x.SPIi, x.SPIr
			}
		}
		if spii == 0 || spir == 0 {
			t.Fatal("no IKE SA")
		}
		ask := func(i, r wire.SPI, first wire.PayloadType, flags wire.Flags, x wire.ExchangeType) [][]byte {
			settle(time.Second)
			n := len(s.answers())
			h := wire.Header{SPIi: i, SPIr: r, Major: 2, Exchange: x, Flags: flags, MessageID: 7}
			m := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Unknown{PayloadType: first, Body: bytes.Repeat([]byte{1}, 64)}}}
			s.f.send(s.addr, netip.AddrPortFrom(netip.MustParseAddr(addrB), 500), m.Append(nil))
			settle(100 * time.Millisecond)
			return s.answers()[n:]
		}
		tokens := func(got [][]byte) (n int) {
			for _, d := range got {
				m, err := wire.Parse(d)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range m.Payloads {
					if x, ok := p.(*wire.Notify); ok && x.NotifyType == wire.NotifyQuickCrashDetection {
						n++
					}
				}
			}
			return n
		}
		for _, x := range []wire.ExchangeType{wire.ExchangeIKEAuth, wire.ExchangeCreateChildSA, wire.ExchangeInformational, wire.ExchangeIKESAInit} {
			for _, flags := range []wire.Flags{0, wire.FlagInitiator, wire.FlagResponse, wire.FlagInitiator | wire.FlagResponse} {
				for _, p := range [][2]wire.SPI{{spii, spir}, {spir, spii}, {spii ^ 1, spir}, {spir, spii ^ 1}} {
					if got := ask(p[0], p[1], wire.PayloadSK, flags, x); tokens(got) != 0 {
						t.Errorf("%s with flags %x and SPIs %x: a token", x, flags, p)
					}
				}
			}
		}
		// Of others it is, for a request that looks protected, and seldom.
		const i, r = 0x1111111111111111, 0x2222222222222222
		if n := tokens(ask(i, r, wire.PayloadSK, wire.FlagInitiator, wire.ExchangeInformational)); n != 1 {
			t.Errorf("%d tokens for an IKE SA that is gone", n)
		}
		if n := tokens(ask(i, r, wire.PayloadNotify, wire.FlagInitiator, wire.ExchangeInformational)); n != 0 {
			t.Error("a token for a request in the clear")
		}
		if n := len(ask(i, r, wire.PayloadSK, wire.FlagInitiator|wire.FlagResponse, wire.ExchangeInformational)); n != 0 {
			t.Error("a response was answered")
		}
		settle(time.Second)
		n := len(s.answers())
		h := wire.Header{SPIi: i, SPIr: r, Major: 2, Exchange: wire.ExchangeInformational, Flags: wire.FlagInitiator}
		m := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Unknown{PayloadType: wire.PayloadSK, Body: make([]byte, 64)}}}
		for range 1000 {
			s.send(addrB, m.Append(nil))
		}
		settle(100 * time.Millisecond)
		if n = len(s.answers()) - n; n == 0 || n > statelessOfSource {
			t.Errorf("%d answers to a flood", n)
		}
		if a.ikeSAs() != 1 || b.ikeSAs() != 1 {
			t.Error("the IKE SA is gone")
		}
		a.stop()
		b.stop()
	})
}
