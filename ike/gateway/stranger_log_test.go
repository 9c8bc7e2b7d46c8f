package gateway

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// quietLog is a daemon's log as operators have it: without debugging.
func quietLog(l *logBuffer) func(*rigOptions) {
	return func(o *rigOptions) { o.Logger = slog.New(slog.NewTextHandler(l, nil)) }
}

// Whoever has proved nothing is a stranger, whatever connection he resembles: what he does has few and short lines, and does
// not push out what is known of a connection.
func TestStrangersInTheLog(t *testing.T) {
	long := &wire.SA{}
	for i := range 7 {
		p := wire.Proposal{Number: uint8(i + 1), Protocol: wire.ProtocolIKE}
		for j := range 255 {
			p.Transforms = append(p.Transforms, wire.Transform{Type: wire.TransformType(1 + j%4), ID: uint16(20000 + j*7 + i)})
		}
		long.Proposals = append(long.Proposals, p)
	}
	const ike = "aes128gcm16-prfsha256-x25519"
	authRefused := func(ps func(x *caller) []wire.Payload) func(x *caller) {
		return func(x *caller) {
			if !x.begin() {
				x.t.Fatal("no answer to IKE_SA_INIT")
			}
			x.send(x.seal(wire.ExchangeIKEAuth, 1, ps(x)...))
		}
	}
	for name, attack := range map[string]func(x *caller){
		"no proposal fits": func(x *caller) {
			x.send((&wire.Message{Header: wire.Header{SPIi: x.spii, Major: 2, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
				Payloads: []wire.Payload{long, &wire.KE{Group: x.ke.Group(), Data: x.ke.Public()}, &wire.Nonce{Data: x.ni}}}).Append(nil))
		},
		"a bad public value": func(x *caller) {
			x.send((&wire.Message{Header: wire.Header{SPIi: x.spii, Major: 2, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
				Payloads: []wire.Payload{&wire.SA{Proposals: []wire.Proposal{x.ours[0].Wire(1, nil)}},
					&wire.KE{Group: x.ke.Group(), Data: make([]byte, 32)}, &wire.Nonce{Data: x.ni}}}).Append(nil))
		},
		"a ticket of nobody": func(x *caller) {
			x.send((&wire.Message{Header: wire.Header{SPIi: x.spii, Major: 2, Exchange: wire.ExchangeIKESessionResume, Flags: wire.FlagInitiator},
				Payloads: []wire.Payload{&wire.Nonce{Data: x.ni}, &wire.Notify{NotifyType: wire.NotifyTicketOpaque, Data: make([]byte, 400)}}}).Append(nil))
		},
		"another version": func(x *caller) {
			b := x.request()
			b[17] = 0x30
			x.send(b)
		},
		"half-open for too long": func(x *caller) { x.sendInit() },
		"IKE_AUTH without IDi":   authRefused(func(x *caller) []wire.Payload { return nil }),
		"no such identity": authRefused(func(x *caller) []wire.Payload {
			return x.auth(strings.Repeat("x", 4000)+".example", "wrong")
		}),
		"a wrong key": authRefused(func(x *caller) []wire.Payload { return x.auth("a.example", "wrong") }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				c := newCrowd(f)
				any, office := right("none"), right("start")
				any.remote, any.extra = "%any", `proposals = ["`+ike+`"]`+"\nresumption = true"
				office.name, office.remote, office.remoteID, office.extra = "office", "192.0.2.77", "office.example", "keyingtries = 1"
				office.children[0].remote = "10.7.0.0/16"
				log := &logBuffer{}
				b := f.start(addrB, toml("[ike]\nretransmit_tries = 1\nretransmit_timeout = \"300ms\"\nhalf_open_timeout = \"5s\"\n", any, office), quietLog(log))
				settle(5 * time.Second)
				before := b.last("office")
				if before == nil {
					t.Fatal("office has not failed")
				}
				lines := func() int { return strings.Count(log.String(), "\n") }
				had, octets := lines(), len(log.String())
				const n, perSecond = diag.MaxRepeats + 100, 40
				for i := range n {
					x := c.caller(t, netip.AddrPortFrom(crowdAddr(i), 500), b.addr, ike)
					attack(x)
					settle(time.Second / perSecond)
				}
				settle(10 * time.Second)
				most := int(n/perSecond/60+2) * diag.StrangersPerMinute * 2 // what settle adds to each attempt is no more than as much again
				if got := lines() - had; got == 0 || got > most {
					t.Errorf("%d lines about %d attempts, want 1 to %d\n%.2000s", got, n, most, log.String())
				}
				if got := len(log.String()) - octets; got > most*1800 {
					t.Errorf("%d octets about %d attempts", got, n)
				}
				for line := range strings.Lines(log.String()) {
					if len(line) > 1800 && strings.Contains(line, "100.") {
						t.Errorf("a line of %d octets: %s", len(line), line)
						break
					}
				}
				if after := b.last("office"); after == nil || after.Failure != before.Failure {
					t.Errorf("office's failure is forgotten: %v", after)
				}
				if len(b.info().Strangers) == 0 && b.last("a") == nil {
					t.Error("nothing is known of the strangers")
				}
			})
		})
	}
}

// A peer at the address that is configured for it, which has gone on from IKE_SA_INIT, is no stranger: an operator waits for
// it. Forged requests from there are strangers' all the same.
func TestConfiguredPeerIsNoStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := newCrowd(f)
		peer := right("none")
		peer.remote = crowdAddr(0).String()
		log := &logBuffer{}
		b := f.start(addrB, toml("[ike]\nhalf_open_timeout = \"5s\"\n", peer), quietLog(log))
		const ike = "aes256gcm16-prfsha384-ecp384"
		x := c.caller(t, netip.AddrPortFrom(crowdAddr(0), 500), b.addr, ike)
		if !x.begin() {
			t.Fatal("no answer")
		}
		x.send(x.seal(wire.ExchangeIKEAuth, 1, x.auth("a.example", "wrong")...))
		settle(time.Second)
		last := b.last("a")
		if last == nil || last.Failure.Stranger {
			t.Fatalf("the failure of the peer: %v", last)
		}
		for range 5 {
			c.caller(t, x.from, b.addr, ike).sendInit()
			c.caller(t, x.from, b.addr, "aes128-sha1-modp1024").sendInit()
			settle(10 * time.Second)
		}
		if now := b.last("a"); now == nil || now.Failure != last.Failure {
			t.Errorf("it is forgotten: %v", now)
		}
		if !strings.Contains(log.String(), fmt.Sprintf("failure.code=%s", last.Failure.Code)) {
			t.Errorf("no line\n%s", log)
		}
	})
}
