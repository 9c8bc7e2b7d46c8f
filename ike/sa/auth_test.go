package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

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
		r.a.wantFailure(diag.CodeAuthRefused)
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
	c, _ := m.env.Credentials(auth.Query{Local: m.localID, Remote: m.cfg.RemoteID})
	octets := auth.SignedOctets(m.prf, auth.FullTranscript(m.init.peerMessage, m.init.ownMessage), m.init.nr, m.ownP(), id.AppendBody(nil))
	o := task.child
	h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeIKEAuth, Flags: m.flags(), MessageID: 1}
	return m.seal(h, []wire.Payload{
		id, &wire.Auth{Method: wire.AuthSharedKey, Data: auth.PSK(m.prf, c.Secret, octets)}, o.sa(), toWireTS(false, o.ts.Local), toWireTS(true, o.ts.Remote),
	})[0]
}
