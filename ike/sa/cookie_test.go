package sa

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// M5 and I2: COOKIE and INVALID_KE_PAYLOAD in either order. The cookie is the first payload of the retry, the rest of the
// message stays as it was, a later INVALID_KE_PAYLOAD keeps the cookie, and AUTH covers the message that was answered.
func TestCookieAndInvalidKE(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  bool // cookies from the first request on, or only after the first answer
		groups bool
		sent   int
	}{
		{"cookie", true, false, 2},
		{"cookie, then INVALID_KE", true, true, 3},
		{"INVALID_KE, then cookie", false, true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 61, func(a, b *Config) {
				if c.groups {
					a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
				}
			})
			r.b.cookie = c.first
			var sent []*wire.Message
			r.drop = func(e *end, d []byte) bool {
				if h := headerOf(d); h.Exchange == wire.ExchangeIKESAInit && e == r.a {
					m, err := wire.Parse(d)
					if err != nil {
						t.Fatal(err)
					}
					if h.MessageID != 0 || h.SPIr != 0 {
						t.Errorf("id %d, SPIr %s", h.MessageID, h.SPIr)
					}
					sent = append(sent, m)
					r.b.cookie = r.b.cookie || len(sent) > 1
				}
				return false
			}
			r.a.connect()
			r.run(time.Second)
			r.wantUp(1)
			if len(sent) != c.sent {
				t.Fatalf("%d requests, want %d", len(sent), c.sent)
			}
			for i, m := range sent {
				n := notify(m.Payloads, wire.NotifyCookie)
				if n != nil && m.Payloads[0] != wire.Payload(n) {
					t.Errorf("request %d: the cookie is not the first payload", i)
				}
				if i > 0 && notify(sent[i-1].Payloads, wire.NotifyCookie) != nil && n == nil {
					t.Errorf("request %d has lost the cookie", i)
				}
				ni, _ := find[*wire.Nonce](m.Payloads)
				n0, _ := find[*wire.Nonce](sent[0].Payloads)
				sa, _ := find[*wire.SA](m.Payloads)
				sa0, _ := find[*wire.SA](sent[0].Payloads)
				if !bytes.Equal(ni.Data, n0.Data) || !bytes.Equal(sa.AppendBody(nil), sa0.AppendBody(nil)) || m.Header.SPIi != sent[0].Header.SPIi {
					t.Errorf("request %d: nonce, proposals or SPI have changed", i)
				}
			}
		})
	}
}

// M5: whoever answers every request with another demand is not followed for ever.
func TestEndlessDemands(t *testing.T) {
	for name, demand := range map[string]func(n int) wire.Payload{
		"COOKIE": func(n int) wire.Payload {
			return &wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte{byte(n), 1, 2, 3}}
		},
		"INVALID_KE_PAYLOAD": func(n int) wire.Payload {
			return &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, []byte{19, 31, 20, 14}[n%4]}}
		},
		"both": func(n int) wire.Payload {
			if n%2 == 0 {
				return &wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte{byte(n), 1, 2, 3}}
			}
			return &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, []byte{19, 31, 20, 14}[n/2%4]}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 62, func(a, b *Config) {
				a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256-ecp384-modp2048")
			})
			n := 0
			different := map[string]bool{}
			r.drop = func(e *end, d []byte) bool {
				if e == r.a {
					different[string(d)] = true
					h := headerOf(d)
					h.Flags = wire.FlagResponse
					m := wire.Message{Header: h, Payloads: []wire.Payload{demand(n)}}
					n++
					r.wire = append(r.wire, flight{to: r.a, path: r.a.path(), data: m.Append(nil), at: r.now.Add(r.delay)})
				}
				return true
			}
			r.a.connect()
			r.run(5 * time.Minute)
			if len(different) > 1+maxCookieRetries+maxInvalidKERetries+DefaultRetransmitTries {
				t.Errorf("%d different requests", len(different))
			}
			if len(r.a.failures) == 0 {
				t.Error("no failure was reported")
			}
			if name == "COOKIE" && !r.a.hasFailure(diag.CodeInitLoop) {
				t.Errorf("it failed with %v", r.a.failures)
			}
			r.a.wantNothing()
		})
	}
}

// I1: a cookie is bound to the nonce, the SPI and the address, not to the port, and to a secret that is changed.
func TestCookies(t *testing.T) {
	r := newRig(t, 64, nil)
	ni, addr, spi := []byte("a nonce of sixteen"), netip.MustParseAddr("192.0.2.9"), wire.SPI(77)
	c := r.b.cookies
	cookie := c.Make(r.now, ni, addr, spi)
	if len(cookie) > maxCookieLen {
		t.Errorf("%d octets", len(cookie))
	}
	valid := func(now time.Time, cookie, ni []byte, addr netip.Addr, spi wire.SPI) bool {
		return c.Valid(now, cookie, ni, addr, spi)
	}
	if !valid(r.now, cookie, ni, addr, spi) {
		t.Error("not valid at once")
	}
	for name, ok := range map[string]bool{
		"another nonce":   valid(r.now, cookie, []byte("another nonce of sixteen"), addr, spi),
		"another address": valid(r.now, cookie, ni, addr.Next(), spi),
		"another SPI":     valid(r.now, cookie, ni, addr, spi+1),
		"nothing":         valid(r.now, nil, ni, addr, spi),
		"shortened":       valid(r.now, cookie[:len(cookie)-1], ni, addr, spi),
	} {
		if ok {
			t.Errorf("%s: valid", name)
		}
	}
	for i := range cookie {
		b := slices.Clone(cookie)
		b[i] ^= 1
		if valid(r.now, b, ni, addr, spi) {
			t.Errorf("valid with octet %d changed", i)
		}
	}
	// One change of the secret later it still is, two later it is not.
	if !valid(r.now.Add(cookieSecretLife), cookie, ni, addr, spi) {
		t.Error("not valid after one change of the secret")
	}
	if valid(r.now.Add(2*cookieSecretLife), cookie, ni, addr, spi) {
		t.Error("valid after two changes of the secret")
	}
}

// I1: until the cookie comes nothing is kept and nothing computed.
func TestCookieKeepsNoState(t *testing.T) {
	r := newRig(t, 65, nil)
	r.b.cookie = true
	r.b.desk.carryOut = func(KeyExchange) Result { t.Error("a key exchange"); return Unfulfilled{errNoSPI} }
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { t.Error("a search for connections"); return nil }
	f := firstInit(t, r)
	for range 50 {
		r.b.receive(f)
	}
	if len(r.b.all()) != 0 {
		t.Errorf("%d SAs", len(r.b.all()))
	}
}
