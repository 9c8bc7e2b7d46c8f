//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// algorithms are pairs of an IKE and an ESP proposal. Together they have every algorithm that can be configured: each
// cipher for IKE and for ESP, each integrity algorithm, PRF and key exchange.
var algorithms = []struct{ ike, esp string }{
	{"aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519"},
	{"aes192gcm16-prfsha384-ecp256", "aes192gcm16-ecp256"},
	{"aes256gcm16-prfsha512-ecp384", "aes256gcm16-ecp384"},
	{"aes128gcm12-prfsha1-ecp521", "aes128gcm12-ecp521"},
	{"aes192gcm12-prfaesxcbc-modp2048", "aes192gcm12-modp2048"},
	{"aes256gcm12-prfaescmac-modp3072", "aes256gcm12-modp3072"},
	{"aes128gcm8-prfsha256-modp4096", "aes128gcm8-modp4096"},
	{"aes192gcm8-prfsha256-modp6144", "aes192gcm8-modp6144"},
	{"aes256gcm8-prfsha256-modp8192", "aes256gcm8-modp8192"},
	{"chacha20poly1305-prfsha256-x25519", "chacha20poly1305-x25519"},
	{"aes128-sha1-modp1024", "aes128-sha1-modp1024"},
	{"aes192-sha256-modp1536", "aes192-sha256-modp1536"},
	{"aes256-sha384-ecp384", "aes256-sha384-ecp384"},
	{"aes128-sha512-x25519", "aes128-sha512-x25519"},
	{"aes128-aesxcbc-prfaesxcbc-x25519", "aes128-aesxcbc-x25519"},
	{"aes128-aescmac-prfaescmac-x25519", "aes256-aescmac-x25519"},
	{"aes128ctr-sha256-x25519", "aes128ctr-sha256-x25519"},
	{"aes192ctr-sha384-x25519", "aes192ctr-sha1-x25519"},
	{"aes256ctr-sha512-x25519", "aes256ctr-sha512-x25519"},
	{"aes256gcm16-prfsha256-x25519", "null-sha256-x25519"},
	{"aes256gcm16-prfsha256-x25519", "aes256gcm16-esn-x25519"},
}

// listed is how --list-sas names what a proposal string names by keywords.
var listed = map[string]string{
	"aes128": "AES_CBC-128", "aes192": "AES_CBC-192", "aes256": "AES_CBC-256",
	"aes128ctr": "AES_CTR-128", "aes192ctr": "AES_CTR-192", "aes256ctr": "AES_CTR-256",
	"aes128gcm16": "AES_GCM_16-128", "aes192gcm16": "AES_GCM_16-192", "aes256gcm16": "AES_GCM_16-256",
	"aes128gcm12": "AES_GCM_12-128", "aes192gcm12": "AES_GCM_12-192", "aes256gcm12": "AES_GCM_12-256",
	"aes128gcm8": "AES_GCM_8-128", "aes192gcm8": "AES_GCM_8-192", "aes256gcm8": "AES_GCM_8-256",
	"chacha20poly1305": "CHACHA20_POLY1305", "null": "NULL",
	"sha1": "HMAC_SHA1_96", "sha256": "HMAC_SHA2_256_128", "sha384": "HMAC_SHA2_384_192", "sha512": "HMAC_SHA2_512_256",
	"aesxcbc": "AES_XCBC_96", "aescmac": "AES_CMAC_96",
	"prfsha1": "PRF_HMAC_SHA1", "prfsha256": "PRF_HMAC_SHA2_256", "prfsha384": "PRF_HMAC_SHA2_384", "prfsha512": "PRF_HMAC_SHA2_512",
	"prfaesxcbc": "PRF_AES128_XCBC", "prfaescmac": "PRF_AES128_CMAC",
	"x25519": "CURVE_25519", "ecp256": "ECP_256", "ecp384": "ECP_384", "ecp521": "ECP_521",
	"modp1024": "MODP_1024", "modp1536": "MODP_1536", "modp2048": "MODP_2048", "modp3072": "MODP_3072",
	"modp4096": "MODP_4096", "modp6144": "MODP_6144", "modp8192": "MODP_8192",
	"esn": "",
}

// withPRF makes explicit what an IKE proposal without a PRF means: that of its integrity algorithm.
func withPRF(proposal string) string {
	if parts := strings.Split(proposal, "-"); len(parts) == 3 && strings.HasPrefix(parts[1], "sha") {
		return strings.Join([]string{parts[0], parts[1], "prf" + parts[1], parts[2]}, "-")
	}
	return proposal
}

// inList translates a proposal.
func inList(t *testing.T, proposal string) string {
	t.Helper()
	var names []string
	for _, keyword := range strings.Split(proposal, "-") {
		name, ok := listed[keyword]
		if !ok {
			t.Fatalf("no name for %q", keyword)
		}
		names = append(names, name)
	}
	return join(names...)
}

// TestAlgorithms brings up a tunnel with each algorithm, sends packets through it, renews its CHILD SA with a key exchange
// of its own, and sends packets again. The responder accepts all and the initiator has a connection for each.
func TestAlgorithms(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			var ike, esp []string
			for _, c := range algorithms {
				ike, esp = append(ike, c.ike), append(esp, c.esp)
			}
			p := newPair(t, k, tunnel{IKE: ike, ESP: esp, Edit: func(a, _ *peer.Gateway) {
				all := a.Connections[0]
				a.Connections = nil
				for i, c := range algorithms {
					one := all
					one.Name, one.Proposals = fmt.Sprintf("t%d", i), []string{c.ike}
					one.Children = []peer.Child{{
						Name: fmt.Sprintf("net%d", i), Proposals: []string{c.esp},
						LocalTS: []string{algorithmAddr(i).String() + "/32"}, RemoteTS: all.Children[0].RemoteTS[:1],
					}}
					a.Connections = append(a.Connections, one)
				}
			}})
			for i := range algorithms {
				if err := p.A.IP("addr add " + algorithmAddr(i).String() + "/32 dev lo"); err != nil {
					t.Fatal(err)
				}
			}
			p.start(t)
			for i, c := range algorithms {
				if strings.Contains(c.esp, "esn") && k.has(peer.KindStrongSwan) {
					continue // kernel-libipsec has 32-bit sequence numbers only
				}
				if !t.Run(c.ike+" "+c.esp, func(t *testing.T) { p.tryAlgorithms(t, i, c.ike, c.esp) }) {
					_, _ = peer.Swanctl(p.a, "--terminate", "--ike", fmt.Sprintf("t%d", i), "--force") // the next one begins again
				}
			}
		})
	}
}

// algorithmAddr is the address behind a that has a connection of its own with a pair of proposals.
func algorithmAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 10, 0, byte(100 + i)}) }

func (p *pair) tryAlgorithms(t *testing.T, i int, ike, esp string) {
	if _, err := peer.Initiate(p.a, fmt.Sprintf("net%d", i)); err != nil {
		t.Fatal(err)
	}
	first := p.wantUp(t, 10*time.Second)
	wantIKE := inList(t, withPRF(ike))
	wantESP, wantKE, _ := cutLast(inList(t, esp), " ")
	for _, sa := range []peer.IKESA{first.ikeA, first.ikeB} {
		if got := join(sa.Encr, sa.Integ, sa.PRF, sa.DH); got != wantIKE {
			t.Errorf("IKE SA at %s uses %q, want %q", sa.LocalID, got, wantIKE)
		}
	}
	from := lab.Endpoint{Host: p.A.Host, Addr: algorithmAddr(i)}
	to := lab.Endpoint{Host: p.B.Host, Addr: p.B.Inner4}
	p.wantSizes(t, from, to)
	if _, err := peer.Swanctl(p.a, "--rekey", "--child", fmt.Sprintf("net%d", i)); err != nil {
		t.Fatal(err)
	}
	var second state
	lab.Eventually(t, 10*time.Second, "a new CHILD SA", func() (bool, string) {
		var problem string
		second, problem = p.look()
		return problem == "" && second.childA.SPIIn != first.childA.SPIIn, problem
	})
	for _, c := range []peer.ChildSA{second.childA, second.childB} {
		if got := join(c.Encr, c.Integ); got != wantESP || c.DH != wantKE {
			t.Errorf("CHILD SA uses %q with key exchange %q, want %q with %q", got, c.DH, wantESP, wantKE)
		}
		if got, want := c.Section.Values["esn"] == "1", strings.Contains(esp, "esn"); got != want {
			t.Errorf("CHILD SA has extended sequence numbers: %v, want %v", got, want)
		}
	}
	p.wantSizes(t, from, to)
	if _, err := peer.Swanctl(p.a, "--terminate", "--ike", fmt.Sprintf("t%d", i), "--timeout", "10"); err != nil {
		t.Fatal(err)
	}
	p.wantNoState(t, 10*time.Second)
}

// wantSizes pings both ways with packets that leave every remainder modulo the largest cipher block.
func (p *pair) wantSizes(t *testing.T, a, b lab.Endpoint) {
	t.Helper()
	for size := 56; size < 56+16; size += 5 {
		for _, way := range [][2]lab.Endpoint{{a, b}, {b, a}} {
			r, err := lab.Ping(way[0], way[1], lab.PingOptions{Size: size})
			if err != nil {
				t.Fatal(err)
			}
			if r.Lost() != 0 {
				t.Error(r)
			}
		}
	}
}
