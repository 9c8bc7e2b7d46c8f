package gateway

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// tenLines is the gateway of docs/examples/roadwarriors.toml, with a certificate of a file in the place of one that Let's Encrypt would issue.
func tenLines(t *testing.T) string {
	t.Helper()
	example, err := os.ReadFile("../../docs/examples/roadwarriors.toml")
	if err != nil {
		t.Fatal(err)
	}
	_, certificate, _ := strings.Cut(roadWarriors(t), "certs = \"")
	certificate, _, _ = strings.Cut(certificate, "\"")
	dir := filepath.Dir(certificate)
	if err := os.WriteFile(filepath.Join(dir, "users.toml"), []byte("alice = \"alices password\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	acme := "[credentials.acme]\ndomains        = [\"vpn.example.org\"]\nagree_to_terms = true\n"
	text := string(example)
	for _, part := range []string{acme, "users.toml", "[connections.people]"} {
		if strings.Count(text, part) != 1 {
			t.Fatalf("the example has no %q", part)
		}
	}
	return strings.NewReplacer(acme, "[credentials]\nx509 = \""+certificate+"\"\nprivate = \""+filepath.Join(dir, "gw.key")+"\"\n",
		"users.toml", filepath.Join(dir, "users.toml"), "[connections.people]", "[connections.known]").Replace(text)
}

// TestKnownClientsTenLines: ten lines of configuration let each client's user in, with an address of the pool and nothing else.
func TestKnownClientsTenLines(t *testing.T) {
	for name, l := range users() {
		t.Run(name, func(t *testing.T) {
			text := tenLines(t)
			synctest.Test(t, func(t *testing.T) {
				p := meetWith(t, peertest.KnownAs(name), text)
				l.password = "alices password"
				if !p.comesIn(l) {
					t.Fatalf("the user is refused\n%s", p.n.log)
				}
				p.up()
				cp := peertest.Find[*wire.CP](p.got)
				if cp == nil || cp.CfgType != wire.CfgReply {
					t.Fatalf("no addresses: %s\n%s", wire.Summary(p.h, p.got), p.n.log)
				}
				pool := netip.MustParsePrefix("10.30.0.0/24")
				var own netip.Addr
				for _, a := range cp.Attributes {
					if a.Type == wire.CfgInternalIP4Address && len(a.Value) == 4 {
						own = netip.AddrFrom4([4]byte(a.Value))
					}
				}
				if !pool.Contains(own) {
					t.Errorf("the address is %s: %v", own, cp.Attributes)
				}
				tsi, tsr := peertest.TS(p.got, false), peertest.TS(p.got, true)
				if tsi == nil || len(tsi.Selectors) != 1 || tsi.Selectors[0].Start != own || tsi.Selectors[0].End != own {
					t.Errorf("it may send as %v, and is %s", tsi, own)
				}
				if tsr == nil || len(tsr.Selectors) == 0 || tsr.Selectors[0].End != netip.MustParseAddr("255.255.255.255") {
					t.Errorf("it may send to %v", tsr)
				}
				if f := p.n.last("known"); f != nil {
					t.Errorf("a failure: %v", f)
				}
				p.quiet()
			})
		})
	}
}
