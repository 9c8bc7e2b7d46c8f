package sa

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// firstInit is the IKE_SA_INIT request of a fresh initiator.
func firstInit(t *testing.T, r *rig) flight {
	t.Helper()
	r.a.connect()
	if len(r.wire) != 1 {
		t.Fatalf("%d datagrams", len(r.wire))
	}
	return r.wire[0]
}

// M2: a repeated IKE_SA_INIT request hits the same half-open SA, gets the same answer and costs no second key exchange.
func TestRepeatedInit(t *testing.T) {
	r := newRig(t, 60, nil)
	made := 0
	r.b.env.NewKeyExchange = func(g uint16) (suite.KeyExchange, error) { made++; return suite.NewKeyExchange(g) }
	f := firstInit(t, r)
	r.wire = nil
	for range 3 {
		r.b.receive(f)
	}
	if len(r.wire) != 3 || !bytes.Equal(r.wire[0].data, r.wire[1].data) || !bytes.Equal(r.wire[0].data, r.wire[2].data) {
		t.Errorf("%d answers, or different ones", len(r.wire))
	}
	if len(r.b.all()) != 1 || made != 1 {
		t.Errorf("%d SAs, %d key exchanges", len(r.b.all()), made)
	}
	r.run(time.Second)
	r.wantUp(1)
}

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
			if len(different) > 1+maxCookieRetries+maxInvalidKERetries {
				t.Errorf("%d different requests", len(different))
			}
			if len(r.a.failures) == 0 {
				t.Error("no failure was reported")
			}
			r.a.wantNothing()
		})
	}
}

// M9 and I4: answers in the clear that somebody else may have sent do not keep the real one from being taken.
func TestSpoofedInitAnswers(t *testing.T) {
	for name, p := range map[string]wire.Payload{
		"NO_PROPOSAL_CHOSEN":       &wire.Notify{NotifyType: wire.NotifyNoProposalChosen},
		"INVALID_SYNTAX":           &wire.Notify{NotifyType: wire.NotifyInvalidSyntax},
		"INVALID_MAJOR_VERSION":    &wire.Notify{NotifyType: wire.NotifyInvalidMajorVersion},
		"a group of weak strength": &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, byte(wire.KE_MODP_768)}},
		"a group that is none":     &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, 0}},
		"a group of one octet":     &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{1}},
		"the group in use":         &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, byte(wire.KE_CURVE25519)}},
		"an empty cookie":          &wire.Notify{NotifyType: wire.NotifyCookie},
		"a cookie of 65 octets":    &wire.Notify{NotifyType: wire.NotifyCookie, Data: make([]byte, 65)},
		"nothing":                  &wire.Notify{NotifyType: 40000},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 63, nil)
			f := firstInit(t, r)
			h := headerOf(f.data)
			h.Flags = wire.FlagResponse
			m := wire.Message{Header: h, Payloads: []wire.Payload{p}}
			r.a.receive(flight{to: r.a, path: r.a.path(), data: m.Append(nil)})
			r.run(time.Second)
			r.wantUp(1)
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
	r.b.env.NewKeyExchange = func(uint16) (suite.KeyExchange, error) { t.Error("a key exchange"); return nil, errNoSPI }
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { t.Error("a search for connections"); return nil }
	f := firstInit(t, r)
	for range 50 {
		r.b.receive(f)
	}
	if len(r.b.all()) != 0 {
		t.Errorf("%d SAs", len(r.b.all()))
	}
}

// I7: the answer has the number of the accepted proposal, one transform of each type, and the key length as offered.
func TestAnsweredProposal(t *testing.T) {
	r := newRig(t, 66, func(a, b *Config) {
		a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384", "aes128-aes256-sha256-sha512-x25519-ecp256")
		b.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256-sha256-x25519")
	})
	var answer *wire.SA
	r.drop = func(e *end, d []byte) bool {
		if m, err := wire.Parse(d); err == nil && e == r.b && m.Header.Exchange == wire.ExchangeIKESAInit {
			answer, _ = find[*wire.SA](m.Payloads)
		}
		return false
	}
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	if len(answer.Proposals) != 1 || answer.Proposals[0].Number != 2 || len(answer.Proposals[0].SPI) != 0 {
		t.Fatalf("answered with %+v", answer.Proposals)
	}
	seen := map[wire.TransformType]int{}
	for _, x := range answer.Proposals[0].Transforms {
		seen[x.Type]++
		if x.Type == wire.TransformENCR && (x.ID != wire.ENCR_AES_CBC || x.KeyLength != 256) {
			t.Errorf("encryption %d of %d bits", x.ID, x.KeyLength)
		}
	}
	for typ, n := range seen {
		if n != 1 {
			t.Errorf("%d transforms of type %d", n, typ)
		}
	}
}

// I8 and I14: what the hashes of NAT_DETECTION_* say.
func TestNATDetection(t *testing.T) {
	p := Path{Local: netip.MustParseAddrPort("192.0.2.1:500"), Remote: netip.MustParseAddrPort("192.0.2.2:500")}
	src := func(b []byte) wire.Payload { return &wire.Notify{NotifyType: wire.NotifyNATDetectionSourceIP, Data: b} }
	dst := func(b []byte) wire.Payload {
		return &wire.Notify{NotifyType: wire.NotifyNATDetectionDestinationIP, Data: b}
	}
	const i, r = wire.SPI(1), wire.SPI(0)
	hash := func(s string) []byte { return natHash(i, r, netip.MustParseAddrPort(s)) }
	for _, c := range []struct {
		name                     string
		payloads                 []wire.Payload
		supported, local, remote bool
	}{
		{"none", nil, false, false, false},
		{"no NAT", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"peer behind a NAT", []wire.Payload{src(hash("10.0.0.2:500")), dst(hash("192.0.2.1:500"))}, true, false, true},
		{"another port is a NAT", []wire.Payload{src(hash("192.0.2.2:1024")), dst(hash("192.0.2.1:500"))}, true, false, true},
		{"we are", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("10.0.0.1:500"))}, true, true, false},
		{"several sources, one fits", []wire.Payload{src(hash("10.0.0.2:500")), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"a hash of 19 octets is none", []wire.Payload{src(hash("192.0.2.2:500")[:19]), dst(hash("192.0.2.1:500"))}, false, false, false},
		{"a hash of 21 octets beside a good one", []wire.Payload{src(make([]byte, 21)), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"forced by the peer", natPayloads(i, r, p.Reversed(), true), true, false, true},
		{"honest", natPayloads(i, r, p.Reversed(), false), true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n nat
			n.detect(i, r, p, c.payloads)
			if n.supported != c.supported || n.local != c.local || n.remote != c.remote {
				t.Errorf("%+v", n)
			}
		})
	}
}

// I9 and I11: a NAT that rewrites ports, and forgets its mapping between IKE_SA_INIT and IKE_AUTH.
func TestNATRewritesPorts(t *testing.T) {
	r := newRig(t, 67, func(a, b *Config) { a.ForceEncap, b.ForceEncap = false, false })
	outside := netip.MustParseAddr("198.51.100.7")
	r.translate = func(f *flight) {
		if f.to == r.b {
			f.path.Remote = netip.AddrPortFrom(outside, 20000+f.path.Remote.Port()%100)
		} else {
			f.path.Local = r.a.live()[0].Path().Local
		}
	}
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	if !ma.nat.local || !mb.nat.remote || mb.nat.local {
		t.Errorf("a: %+v, b: %+v", ma.nat, mb.nat)
	}
	if got := mb.Path(); got.Local.Port() != 4500 || got.Remote != netip.AddrPortFrom(outside, 20000) {
		t.Errorf("b's path is %s", got)
	}
	if c := mb.Children()[0]; !c.Path.UDP || c.Path.Remote != mb.Path().Remote {
		t.Errorf("ESP goes to %v", c.Path)
	}
}

// I16: SPIs that cannot be.
func TestImpossibleSPIs(t *testing.T) {
	r := newRig(t, 68, nil)
	f := firstInit(t, r)
	for name, edit := range map[string]func(b []byte){
		"SPIi zero":              func(b []byte) { copy(b[0:8], make([]byte, 8)) },
		"SPIr not zero":          func(b []byte) { b[15] = 1 },
		"swapped":                func(b []byte) { copy(b[8:16], b[0:8]); copy(b[0:8], make([]byte, 8)) },
		"not from the initiator": func(b []byte) { b[19] &^= byte(wire.FlagInitiator) },
		"a response":             func(b []byte) { b[19] |= byte(wire.FlagResponse) },
		"id 1":                   func(b []byte) { b[23] = 1 },
	} {
		b := slices.Clone(f.data)
		edit(b)
		if acc := Accept(r.b.env, r.now, b, f.path, false, r.b.cookies); acc.Machine != nil || acc.Response != nil {
			t.Errorf("%s: accepted or answered", name)
		}
	}
	// An answer without the responder's SPI is no answer.
	h := headerOf(f.data)
	h.Flags = wire.FlagResponse
	msg, _ := wire.Parse(f.data)
	m := wire.Message{Header: h, Payloads: msg.Payloads}
	r.a.receive(flight{to: r.a, path: r.a.path(), data: m.Append(nil)})
	r.run(time.Second)
	r.wantUp(1)
}

// Every prefix of an IKE_SA_INIT request, and every request with one payload left out, is dropped.
func TestIncompleteInit(t *testing.T) {
	r := newRig(t, 69, nil)
	f := firstInit(t, r)
	for n := range f.data {
		if acc := Accept(r.b.env, r.now, f.data[:n], f.path, false, r.b.cookies); acc.Machine != nil || acc.Response != nil {
			t.Errorf("%d octets: accepted or answered", n)
		}
	}
	msg, _ := wire.Parse(f.data)
	for i := range 3 {
		m := wire.Message{Header: msg.Header, Payloads: slices.Delete(slices.Clone(msg.Payloads), i, i+1)}
		if acc := Accept(r.b.env, r.now, m.Append(nil), f.path, false, r.b.cookies); acc.Machine != nil {
			t.Errorf("without payload %d: accepted", i)
		}
	}
}

// A16, CVE-2024-2357: a secret that is missing, or goes missing, fails cleanly.
func TestMissingSecret(t *testing.T) {
	t.Run("initiator", func(t *testing.T) {
		r := newRig(t, 70, nil)
		r.a.psk = nil
		r.a.connect()
		r.run(time.Minute)
		r.a.wantFailure(diag.CodeNoSecret)
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("responder", func(t *testing.T) {
		r := newRig(t, 71, nil)
		r.b.psk = nil
		r.a.connect()
		r.run(time.Minute)
		r.b.wantFailure(diag.CodeNoSecret)
		r.a.wantFailure(diag.CodeAuthPSK)
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("while IKE_AUTH is in flight", func(t *testing.T) {
		r := newRig(t, 72, nil)
		r.drop = func(e *end, d []byte) bool {
			if headerOf(d).Exchange == wire.ExchangeIKEAuth && e == r.a {
				r.a.psk = nil
			}
			return false
		}
		r.a.connect()
		r.run(time.Minute)
		r.a.wantFailure(diag.CodeNoSecret)
		r.a.wantNothing()
		r.b.wantNothing()
	})
}

// A7: IDr in the request is a wish; the identity that counts is the one in the answer.
func TestResponderHasAnotherIdentity(t *testing.T) {
	r := newRig(t, 73, func(a, b *Config) { a.RemoteID = mustID(t, "*.example.org") })
	r.a.connect()
	r.run(time.Minute)
	if f := r.a.wantFailure(diag.CodeAuthID); f.PeerID != "b.example" {
		t.Errorf("the failure names %q", f.PeerID)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

// A17: the first CHILD SA has no key exchange of its own: its proposals come without one, in the request and the answer.
func TestFirstChildHasNoKE(t *testing.T) {
	r := newRig(t, 74, nil)
	checked := 0
	r.drop = func(e *end, d []byte) bool {
		m, err := wire.Parse(d)
		if err != nil || m.Header.Exchange != wire.ExchangeIKEAuth {
			return false
		}
		plain, err := r.other(e).all()[0].opener.Open(slices.Clone(d), m.Encrypted.AADLen)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := wire.ParsePayloads(m.Encrypted.First, plain, 0)
		if err != nil {
			t.Fatal(err)
		}
		sa, _ := find[*wire.SA](ps)
		for _, p := range sa.Proposals {
			esn := false
			for _, x := range p.Transforms {
				if x.Type == wire.TransformKE && x.ID != wire.KE_NONE {
					t.Errorf("a KE transform in %s", m.Header.Exchange)
				}
				esn = esn || x.Type == wire.TransformESN
			}
			if !esn {
				t.Error("no ESN transform")
			}
		}
		checked++
		return false
	}
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	if checked != 2 {
		t.Errorf("%d messages were checked", checked)
	}
}

// A1: AUTH covers the ID payload as it was sent, reserved octets included.
func TestReservedOctetsOfID(t *testing.T) {
	r := newRig(t, 75, nil)
	r.a.connect()
	m := r.a.all()[0]
	r.drop = func(e *end, d []byte) bool {
		if h := headerOf(d); e == r.a && h.Exchange == wire.ExchangeIKEAuth {
			// The same request, with reserved octets that are not zero and an AUTH value that covers them.
			r.drop = nil
			task := m.pending.task.(*authTask)
			r.wire = append(r.wire, flight{to: r.b, path: m.path.Reversed(), data: reservedID(t, m, task), at: r.now.Add(r.delay)})
			return true
		}
		return false
	}
	r.run(time.Second)
	r.wantUp(1)
}

// reservedID makes the IKE_AUTH request of an initiator that fills the reserved octets of its ID payload.
func reservedID(t *testing.T, m *Machine, task *authTask) []byte {
	t.Helper()
	id := &wire.ID{IDType: wire.IDType(m.localID.Type), Reserved: [3]byte{1, 2, 3}, Data: m.localID.Data}
	secret, _ := m.env.PSK(m.localID, m.cfg.RemoteID)
	octets := auth.SignedOctets(m.prf, m.init.ownMessage, m.init.nr, m.ownP(), id.AppendBody(nil))
	o := task.child
	h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeIKEAuth, Flags: m.flags(), MessageID: 1}
	return m.seal(h, []wire.Payload{
		id, &wire.Auth{Method: wire.AuthSharedKey, Data: auth.PSK(m.prf, secret, octets)}, o.sa(), toWireTS(false, o.ts.Local), toWireTS(true, o.ts.Remote),
	})[0]
}

// CVE-2014-9221: groups that nobody has, in the KE payload alone or in the proposal as well.
func TestUnknownGroups(t *testing.T) {
	for _, group := range []uint16{0, 3, 255, 1024, 1025, 65535} {
		for _, offered := range []bool{false, true} {
			r := newRig(t, 76, nil)
			f := firstInit(t, r)
			msg, err := wire.Parse(f.data)
			if err != nil {
				t.Fatal(err)
			}
			ke, _ := find[*wire.KE](msg.Payloads)
			ke.Group = group
			if offered {
				sa, _ := find[*wire.SA](msg.Payloads)
				for i, x := range sa.Proposals[0].Transforms {
					if x.Type == wire.TransformKE {
						sa.Proposals[0].Transforms[i].ID = group
					}
				}
			}
			m := wire.Message{Header: msg.Header, Payloads: msg.Payloads}
			acc := Accept(r.b.env, r.now, m.Append(nil), f.path, false, r.b.cookies)
			if acc.Machine != nil || acc.Response == nil {
				t.Fatalf("group %d: a machine, or no answer", group)
			}
			answer, err := wire.Parse(acc.Response)
			if err != nil {
				t.Fatal(err)
			}
			want := wire.NotifyInvalidKEPayload
			if offered {
				want = wire.NotifyNoProposalChosen
			}
			if notify(answer.Payloads, want) == nil {
				t.Errorf("group %d, offered %v: answered with %s", group, offered, wire.Summary(answer.Header, answer.Payloads))
			}
		}
	}
}
