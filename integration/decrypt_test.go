//go:build linux

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
	"esplanade/integration/wireshark"
)

// TestTsharkDecrypts captures a whole life of a tunnel (bringing up, traffic in both families, all kinds of rekeying,
// terminating) and has tshark decrypt all of it: once with the keys that Esplanade saves and once, where strongSwan
// is at the other end, with the keys from strongSwan's log.
func TestTsharkDecrypts(t *testing.T) {
	cases := []struct {
		name, ike, esp        string
		outer6, plain, hybrid bool
	}{
		{name: "AEAD", ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384"},
		{name: "CBC and HMAC", ike: "aes128-sha256-modp2048", esp: "aes256-sha256-modp2048", outer6: true},
		{name: "ML-KEM", ike: "aes256gcm16-prfsha384-x25519-ke1_mlkem768", esp: "aes256gcm16-x25519-ke1_mlkem768", outer6: true, hybrid: true},
		{name: "AEAD without UDP", ike: "aes128gcm16-prfsha256-x25519", esp: "aes128gcm12-x25519", plain: true},
	}
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for _, c := range cases {
			if (c.plain || c.hybrid) && k.has(peer.KindStrongSwan) {
				continue // kernel-libipsec has ESP in UDP only, and strongSwan 5.9 no ML-KEM
			}
			t.Run(k.String()+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				lab.NeedRoot(t, "tshark")
				p := newPair(t, k, tunnel{IKE: []string{c.ike}, ESP: []string{c.esp}, Outer6: c.outer6, Encap: !c.plain, SaveKeys: true})
				seen := &spiPairs{}
				capture, err := p.A.StartCapture("tunnel", seen.watch)
				if err != nil {
					t.Fatal(err)
				}
				p.start(t)
				p.initiate(t)
				p.wantPing(t)
				p.wantBulk(t, false, 256<<10)
				p.wantBulk(t, true, 256<<10)
				_, group, _ := cutLast(strings.TrimSuffix(c.esp, "-ke1_mlkem768"), "-")
				for _, end := range p.peers() {
					p.rekeyChild(t, groupName(group), end)
					p.wantPing(t)
					p.rekeyIKE(t, end)
				}
				p.terminate(t)
				if err := capture.Stop(); err != nil {
					t.Fatal(err)
				}
				for _, end := range p.peers() {
					p.wantDecrypted(t, capture.Path, p.profile(t, end, seen.list()), c.plain, c.hybrid)
				}
			})
		}
	}
}

// profile is a Wireshark profile with the keys as one of the ends knows them.
func (p *pair) profile(t *testing.T, end peer.Peer, pairs []wireshark.SPIPair) string {
	t.Helper()
	if e, ok := end.(*peer.Esplanade); ok {
		for _, name := range []string{wireshark.IKETable, wireshark.ESPTable} {
			info, err := os.Stat(filepath.Join(e.KeysDir(), name))
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s has mode %o, want 600: who can read it can read the traffic", name, mode)
			}
		}
		return e.KeysDir()
	}
	keys, err := wireshark.FromCharonLog(end.Log(), pairs)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(end.Site().Dir, "keys")
	if err := keys.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantDecrypted checks that a capture is what it should be. hybrid: the IKE SA has an additional key exchange, so that the messages
// with that have keys of their own.
func (p *pair) wantDecrypted(t *testing.T, pcap, profile string, plain, hybrid bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	frames, err := wireshark.Dissect(ctx, pcap, profile)
	if err != nil {
		t.Fatal(err)
	}
	var outer []string
	for _, s := range []*lab.Site{p.A, p.B} {
		outer = append(outer, s.Outer4.String(), s.Outer6.String())
	}
	least := map[string]int{"34": 2, "35": 2, "36": 8, "37": 8} // requests and responses by IKE exchange type
	if hybrid {
		least["44"] = 2 * 4 // a rekeying of each kind by each end
		_, frames = wireshark.ByExchange(frames, wireshark.ExchangeIntermediate)
		p.wantIntermediate(t, ctx, pcap, profile, outer)
	}
	s := wireshark.Check(frames, outer...)
	t.Logf("keys of %s: %d frames, IKE %v, ESP %v", profile, s.Frames, s.IKE, s.ESP)
	if len(s.Problems) > 0 {
		t.Errorf("%d problems with the keys of %s, the first:\n%s", len(s.Problems), profile, strings.Join(s.Problems[:min(len(s.Problems), 10)], "\n"))
	}
	for exchange, n := range least {
		if s.IKE[exchange] < n {
			t.Errorf("%d messages of IKE exchange type %s in the capture, want at least %d", s.IKE[exchange], exchange, n)
		}
	}
	for _, v6 := range []bool{false, true} {
		a, b := p.ends(v6)
		for _, way := range []string{fmt.Sprintf("%v > %v", a.Addr, b.Addr), fmt.Sprintf("%v > %v", b.Addr, a.Addr)} {
			if s.ESP[way] < 100 {
				t.Errorf("%d ESP packets with %s inside, want at least 100", s.ESP[way], way)
			}
		}
	}
	for stack, n := range s.Protocols {
		if strings.Contains(stack, ":esp:") && plain == strings.Contains(stack, "udpencap") {
			t.Errorf("%d packets %s, want ESP directly in IP: %v", n, stack, plain)
		}
	}
}

// wantIntermediate checks the IKE_INTERMEDIATE exchange of a capture with the keys from before it.
func (p *pair) wantIntermediate(t *testing.T, ctx context.Context, pcap, profile string, outer []string) {
	t.Helper()
	first := filepath.Join(t.TempDir(), "first")
	if err := wireshark.FirstKeys(profile, first); err != nil {
		t.Fatal(err)
	}
	frames, err := wireshark.Dissect(ctx, pcap, first)
	if err != nil {
		t.Fatal(err)
	}
	frames, _ = wireshark.ByExchange(frames, wireshark.ExchangeIntermediate)
	if s := wireshark.Check(frames, outer...); s.Frames < 2 || len(s.Problems) > 0 {
		t.Errorf("%d messages of IKE_INTERMEDIATE with the first keys of %s, problems: %s", s.Frames, profile, strings.Join(s.Problems, "\n"))
	}
}

// spiPairs collects the IKE SAs seen on the wire, in order of appearance.
type spiPairs struct {
	mu   sync.Mutex
	seen []wireshark.SPIPair
}

func (s *spiPairs) watch(frame []byte) {
	m, ok := lab.ParseIKE(frame)
	if !ok || m.SPIr == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := (wireshark.SPIPair{Initiator: m.SPIi, Responder: m.SPIr}); !slices.Contains(s.seen, p) {
		s.seen = append(s.seen, p)
	}
}

func (s *spiPairs) list() []wireshark.SPIPair {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// groupName is how --list-sas names a group that a proposal string names by its keyword.
func groupName(keyword string) string {
	return map[string]string{"ecp384": "ECP_384", "modp2048": "MODP_2048", "x25519": "CURVE_25519"}[keyword]
}
