package main_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// peer is one side of handshakes between machines, without sockets.
type peer struct {
	env *sa.Env
	cfg *sa.Config
}

func newPeer(tb testing.TB, id, other, ike, esp, local, remote string) *peer {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Helper()
			tb.Fatal(err)
		}
	}
	p := &peer{cfg: &sa.Config{
		Fixed:  sa.Fixed{Name: "bench", LocalAuth: policy.AuthPSK, RemoteAuth: policy.AuthPSK, ForceEncap: true, LocalNATPort: 4500, RemoteNATPort: 4500},
		Policy: sa.Policy{Retransmit: sa.Retransmit{Timeout: time.Second, Base: 1, Tries: 1}, HalfOpenTimeout: time.Minute},
	}}
	var err error
	p.cfg.LocalID, err = identity.Parse(id)
	must(err)
	p.cfg.RemoteID, err = identity.Parse(other)
	must(err)
	p.cfg.Proposals, err = proposal.ParseList(wire.ProtocolIKE, []string{ike})
	must(err)
	child := &sa.ChildConfig{ChildFixed: sa.ChildFixed{Name: "net"}}
	child.Proposals, err = proposal.ParseList(wire.ProtocolESP, []string{esp})
	must(err)
	for text, to := range map[string]*[]selector.Selector{local: &child.LocalTS, remote: &child.RemoteTS} {
		s, err := selector.Parse(text)
		must(err)
		*to = []selector.Selector{s}
	}
	p.cfg.Children = []*sa.ChildConfig{child}
	octets := func(n int) []byte {
		b := make([]byte, n)
		rand.Read(b) // never fails, since Go 1.24
		return b
	}
	var ikes, children uint64
	p.env = &sa.Env{
		Nonce: octets, NewSPI: func() wire.SPI { return wire.SPI(binary.BigEndian.Uint64(octets(8)) | 1) },
		AllocateSPI: func() (uint32, error) { return binary.BigEndian.Uint32(octets(4)) | 1<<31, nil }, ReleaseSPI: func(uint32) {},
		NextIKE: func() uint64 { ikes++; return ikes }, NextChild: func() uint64 { children++; return children }, Jitter: func() float64 { return 0 },
		Connections:  func(_, _ netip.Addr) []*sa.Config { return []*sa.Config{p.cfg} },
		Credentials:  func(auth.Query) (auth.Credential, bool) { return auth.Credential{Secret: []byte("secret")}, true },
		FirstContact: func(*sa.Config) bool { return false }, LastInbound: func(uint64) time.Time { return time.Time{} },
	}
	return p
}

// handshake sets up an IKE SA with a CHILD SA and gives both machines.
func handshake(now time.Time, a, b *peer) (i, r *sa.Machine, err error) {
	path := sa.Path{Local: netip.MustParseAddrPort("192.0.2.1:500"), Remote: netip.MustParseAddrPort("192.0.2.2:500")}
	i = sa.NewInitiator(a.env, now, a.cfg, path, a.cfg.Children)
	up := 0
	var toR, toI []sa.Send
	take := func(m *sa.Machine, to *[]sa.Send) error {
		outs := m.Outputs()
		for i := 0; i < len(outs); i++ {
			switch o := outs[i].(type) {
			case sa.Request:
				m.Complete(now, o.ID, o.Want.(sa.Work).CarryOut())
				outs = append(outs, m.Outputs()...)
			case sa.Send:
				*to = append(*to, o)
			case sa.ChildUp:
				up++
			case sa.Failed:
				return o.Failure
			case sa.Closed:
				return fmt.Errorf("closed: %s", o.Reason)
			}
		}
		return nil
	}
	if err := take(i, &toR); err != nil {
		return nil, nil, err
	}
	for up < 2 {
		if len(toR)+len(toI) == 0 {
			return nil, nil, fmt.Errorf("nothing goes on, the machines are %v", i.State())
		}
		for _, s := range toR {
			if r == nil {
				accepted := sa.Accept(b.env, now, s.Datagram, s.Path.Reversed())
				if r = accepted.Machine; r == nil {
					return nil, nil, fmt.Errorf("not accepted: %v", accepted.Failure)
				}
			} else {
				r.Receive(now, s.Datagram, s.Path.Reversed())
			}
			if err := take(r, &toI); err != nil {
				return nil, nil, err
			}
		}
		toR = toR[:0]
		for _, s := range toI {
			i.Receive(now, s.Datagram, s.Path.Reversed())
			if err := take(i, &toR); err != nil {
				return nil, nil, err
			}
		}
		toI = toI[:0]
	}
	return i, r, nil
}

func peers(tb testing.TB, ike string) (a, b *peer) {
	tb.Helper()
	a = newPeer(tb, "a.example", "b.example", ike, "aes128gcm16", "10.10.0.0/24", "10.20.0.0/24")
	return a, newPeer(tb, "b.example", "a.example", ike, "aes128gcm16", "10.20.0.0/24", "10.10.0.0/24")
}

// certify has both sides prove themselves by certificates of one CA, with keys of a kind.
func certify(tb testing.TB, k pkitest.Kind, sides ...*peer) {
	now := time.Now()
	ca := pkitest.CA(tb, now, "CA", k)
	accepted := credential.Accepted{Trust: &pki.Trust{Anchors: ca.Chain()}}
	for _, p := range sides {
		p.cfg.LocalAuth, p.cfg.RemoteAuth, p.cfg.SendCert, p.cfg.SendCertReq = policy.AuthPubkey, policy.AuthPubkey, policy.SendCertAlways, true
		own := []credential.Pair{ca.End(tb, now, p.cfg.LocalID.String(), k).Pair()}
		p.env.Own = func(string, int) []credential.Pair { return own }
		p.env.Accepted = func(string, int) credential.Accepted { return accepted }
	}
}

// BenchmarkCertificates is the same with certificates.
func BenchmarkCertificates(b *testing.B) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.RSA2048, pkitest.Ed25519} {
		b.Run(string(k), func(b *testing.B) {
			i, r := peers(b, "aes128gcm16-prfsha256-x25519")
			certify(b, k, i, r)
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := handshake(now, i, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHandshake is IKE_SA_INIT and IKE_AUTH with a pre-shared key and a CHILD SA, both sides together, from machine to
// machine.
func BenchmarkHandshake(b *testing.B) {
	for _, ike := range []string{"aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"} {
		b.Run(ike, func(b *testing.B) {
			i, r := peers(b, ike)
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := handshake(now, i, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the benchmark measures is a whole handshake.
func TestHandshake(t *testing.T) {
	for _, certificates := range []bool{false, true} {
		i, r := peers(t, "aes128gcm16-prfsha256-x25519")
		if certificates {
			certify(t, pkitest.P256, i, r)
		}
		mi, mr, err := handshake(time.Now(), i, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*sa.Machine{mi, mr} {
			if m.State() != sa.StateEstablished || len(m.Children()) != 1 {
				t.Errorf("%v with %d children", m.State(), len(m.Children()))
			}
		}
	}
}
