//go:build linux

package integration

import (
	"strings"
	"testing"
	"time"

	"esplanade/integration/peer"
)

// Two post-quantum preshared keys.
const (
	ppkOne = "first post-quantum key, with some more octets than that"
	ppkTwo = "second post-quantum key, with some more octets than that"
)

// givePPK gives a gateway a key under a name, and lets its connection use it.
func givePPK(g *peer.Gateway, id, key string, required bool) {
	g.PPKs = []peer.PPK{{ID: id, Key: key}}
	g.Connections[0].PPKID, g.Connections[0].PPKRequired = id, required
}

// TestPPK: a post-quantum preshared key (RFC 8784) between two gateways, in both roles with strongSwan: whether it is in use, and
// what an operator is told when it can't be.
func TestPPK(t *testing.T) {
	const id = "office-2026"
	for _, c := range []struct {
		name string
		edit func(a, b *peer.Gateway)
		used bool
	}{
		{"optional", func(a, b *peer.Gateway) { givePPK(a, id, ppkOne, false); givePPK(b, id, ppkOne, false) }, true},
		{"mandatory", func(a, b *peer.Gateway) { givePPK(a, id, ppkOne, true); givePPK(b, id, ppkOne, true) }, true},
		{"an id like an address", func(a, b *peer.Gateway) {
			givePPK(a, "carol@example.org", ppkOne, false)
			givePPK(b, "carol@example.org", ppkOne, true)
		}, true},
		{"the responder takes any", func(a, b *peer.Gateway) {
			givePPK(a, id, ppkOne, true)
			b.PPKs = a.PPKs
		}, true},
		{"the responder has none", func(a, _ *peer.Gateway) { givePPK(a, id, ppkOne, false) }, false},
		{"the initiator has none", func(_, b *peer.Gateway) { givePPK(b, id, ppkOne, false) }, false},
		// With a ppk_id of its own, strongSwan as a responder refuses every other, NO_PPK_AUTH or not.
		{"the responder has another", func(a, b *peer.Gateway) {
			givePPK(a, id, ppkOne, false)
			b.PPKs = []peer.PPK{{ID: "other", Key: ppkTwo}}
		}, false},
	} {
		for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
			t.Run(k.String()+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Edit: c.edit})
				p.start(t)
				p.initiate(t)
				p.wantPing(t)
				want := func(when string) {
					t.Helper()
					for _, end := range p.peers() {
						out, err := peer.Swanctl(end, "--list-sas", "--raw")
						if err != nil || strings.Contains(out, "ppk=yes") != c.used {
							t.Errorf("%s, --list-sas of %s shows %s, %v", when, end.Kind(), out, err)
						}
						if e, ok := end.(*peer.Esplanade); ok {
							out, err := e.Command("status", "--verbose")
							if err != nil || strings.Contains(out, "post-quantum preshared key") != c.used {
								t.Errorf("%s, status shows %s, %v", when, out, err)
							}
						}
					}
				}
				want("at first")
				for _, end := range p.peers() {
					p.rekeyChild(t, "ECP_384", end)
					p.wantPing(t)
					p.rekeyIKE(t, end)
					p.wantPing(t)
				}
				want("after rekeying")
				p.terminate(t)
			})
		}
	}
}

// TestPPKFailures: what the two sides do not agree on, either of them can say.
func TestPPKFailures(t *testing.T) {
	const id = "office-2026"
	for _, f := range []failure{
		{
			name:      "wrong PPK, optional",
			edit:      func(a, b *peer.Gateway) { givePPK(a, id, ppkOne, false); givePPK(b, id, ppkTwo, false) },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-PPK"},
			initiatorSides: []string{id}, responderSides: []string{"another key as PPK", id},
		}, {
			name:      "wrong PPK, mandatory",
			edit:      func(a, b *peer.Gateway) { givePPK(a, id, ppkOne, true); givePPK(b, id, ppkTwo, true) },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-AUTH-PSK"},
			initiatorSides: []string{id}, responderSides: []string{id},
		}, {
			name:      "mandatory, and the responder has none",
			edit:      func(a, _ *peer.Gateway) { givePPK(a, id, ppkOne, true) },
			initiator: []string{"E-PPK"}, initiatorSides: []string{id, "no USE_PPK"},
		}, {
			name:      "mandatory, and the initiator has none",
			edit:      func(_, b *peer.Gateway) { givePPK(b, id, ppkOne, true) },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-PPK"}, responderSides: []string{id, "no USE_PPK", "a.example"},
		}, {
			name:      "mandatory, and the responder has another id",
			edit:      func(a, b *peer.Gateway) { givePPK(a, id, ppkOne, true); givePPK(b, "other", ppkOne, false) },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-PPK"},
			initiatorSides: []string{id}, responderSides: []string{id, "other"},
		},
	} {
		for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
			if k.a != peer.KindEsplanade && f.responder == nil {
				continue // the responder has nothing to notice
			}
			t.Run(k.String()+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Edit: func(a, b *peer.Gateway) {
					b.IKE = map[string]string{"half_open_timeout": `"3s"`} // who aborts in IKE_SA_INIT leaves half an SA
					f.edit(a, b)
				}})
				p.start(t)
				watch := peer.Watch(t, p.b, "--log")
				out, err := peer.Initiate(p.a, childName)
				if err == nil {
					t.Fatalf("the tunnel came up:\n%s", out)
				}
				if e, ok := p.a.(*peer.Esplanade); ok {
					p.wantFailure(t, e, f.initiator, f.initiatorSides, "swanctl --initiate", func() string { return out })
				}
				if e, ok := p.b.(*peer.Esplanade); ok && f.responder != nil {
					p.wantFailure(t, e, f.responder, f.responderSides, "swanctl --log", watch.Log)
				}
				for _, end := range p.peers() {
					if log := end.Log(); strings.Contains(log, ppkOne) || strings.Contains(log, ppkTwo) {
						t.Errorf("a key is in the log of %s", end.Kind())
					}
				}
				p.wantNoState(t, 10*time.Second)
			})
		}
	}
}
