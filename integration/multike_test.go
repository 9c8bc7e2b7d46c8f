//go:build linux

package integration

import (
	"fmt"
	"strings"
	"testing"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// What the tests of additional key exchanges negotiate: ML-KEM twice for IKE, once for each renewed CHILD SA.
const (
	hybridIKE = "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke2_mlkem1024"
	hybridESP = "aes256gcm16-x25519-ke1_mlkem768"
)

// TestAdditionalKeyExchanges: two gateways with ML-KEM on top of Curve25519 (RFC 9370), over a path that drops IP fragments.
// A public value of ML-KEM-1024 is larger than a packet: IKE cuts the messages itself. Traffic flows, and both kinds of SAs
// are renewed from either side and from both at once.
func TestAdditionalKeyExchanges(t *testing.T) {
	for _, outer6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("outer6 %v", outer6), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, ours, tunnel{IKE: []string{hybridIKE}, ESP: []string{hybridESP}, Router: true, Encap: true, Outer6: outer6})
			dropFragments(t, p)
			for _, err := range []error{p.R.IP("link set rb mtu 1280"), p.B.IP("link set b0 mtu 1280")} {
				if err != nil {
					t.Fatal(err)
				}
			}
			seen := watchIKE(t, p)
			p.start(t)
			p.initiate(t)
			p.wantPing(t)
			for _, ends := range [][]peer.Peer{{p.a}, {p.b}, {p.a, p.b}} {
				p.rekeyChild(t, "CURVE_25519", ends...)
				p.wantPing(t)
				p.rekeyIKE(t, ends...)
				p.wantPing(t)
			}
			p.wantBulk(t, outer6, 1<<20)
			for _, end := range p.peers() {
				out, err := peer.Swanctl(end, "--list-sas", "--raw")
				if err != nil || !strings.Contains(out, "dh-group=CURVE_25519 ake1=ML_KEM_768 ake2=ML_KEM_1024") {
					t.Errorf("--list-sas shows %s, %v", out, err)
				}
				out, err = end.(*peer.Esplanade).Command("status", "--verbose")
				if err != nil || !strings.Contains(out, hybridIKE) || !strings.Contains(out, hybridESP) {
					t.Errorf("status shows %s, %v", out, err)
				}
			}
			p.terminate(t)
			for _, exchange := range []uint8{lab.IKEIntermediate, lab.IKEFollowupKE} {
				for _, response := range []bool{false, true} {
					n := seen.count(func(m lab.IKEMessage) bool {
						return m.Exchange == exchange && m.Response == response && m.First == lab.PayloadEncryptedFragment
					})
					if n < 2 {
						t.Errorf("%d fragments of exchange %d, response %v", n, exchange, response)
					}
				}
			}
		})
	}
}

// TestAdditionalKeyExchangesFallBack: a peer that knows neither IKE_INTERMEDIATE nor ML-KEM gets a tunnel without them by a
// second proposal. In one proposal NONE beside ML-KEM is not enough for it: a transform type that is not understood makes a
// proposal unacceptable (RFC 7296 section 3.3.6).
func TestAdditionalKeyExchangesFallBack(t *testing.T) {
	for _, k := range pairsOf(t, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Edit: func(a, b *peer.Gateway) {
				if k.b == peer.KindEsplanade {
					a = b
				}
				a.Connections[0].Proposals = []string{"aes256gcm16-prfsha384-ecp384-ke1_mlkem768", "aes256gcm16-prfsha384-ecp384"}
				a.Connections[0].Children[0].Proposals = []string{"aes256gcm16-ecp384-ke1_mlkem768-ke1_none", "aes256gcm16-ecp384"}
			}})
			p.start(t)
			p.initiate(t)
			p.wantPing(t)
			for _, end := range p.peers() {
				p.rekeyChild(t, "ECP_384", end)
				p.rekeyIKE(t, end)
			}
			p.wantPing(t)
			p.terminate(t)
		})
	}
	t.Run("not left open", func(t *testing.T) {
		t.Parallel()
		p := newPair(t, toStrong, tunnel{Edit: func(a, _ *peer.Gateway) {
			a.Connections[0].Proposals = []string{"aes256gcm16-prfsha384-ecp384-ke1_mlkem768"}
		}})
		p.start(t)
		out, err := peer.Initiate(p.a, childName)
		if err == nil {
			t.Fatalf("the tunnel came up:\n%s", out)
		}
		p.wantFailure(t, p.a.(*peer.Esplanade), []string{"E-INIT-REFUSED"}, []string{"ke1_mlkem768"}, "swanctl --initiate", func() string { return out })
	})
}
