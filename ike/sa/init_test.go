package sa

import (
	"bytes"
	"slices"
	"testing"
	"time"

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
	r.b.desk.carryOut = func(k KeyExchange) Result { made++; return k.CarryOut() }
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
		if acc := Accept(r.b.env, r.now, b, f.path); acc.Machine != nil || acc.Response != nil {
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
		if acc := Accept(r.b.env, r.now, f.data[:n], f.path); acc.Machine != nil || acc.Response != nil {
			t.Errorf("%d octets: accepted or answered", n)
		}
	}
	msg, _ := wire.Parse(f.data)
	for i := range 3 {
		m := wire.Message{Header: msg.Header, Payloads: slices.Delete(slices.Clone(msg.Payloads), i, i+1)}
		if acc := Accept(r.b.env, r.now, m.Append(nil), f.path); acc.Machine != nil {
			t.Errorf("without payload %d: accepted", i)
		}
	}
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
			acc := Accept(r.b.env, r.now, m.Append(nil), f.path)
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
