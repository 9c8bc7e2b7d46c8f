package diag

import (
	"net/netip"
	"strings"
	"testing"
)

// When the peer has answered IKE_SA_INIT and nothing after it, the fix names what is different since: the port, or the size.
func TestWhatIsDifferentAfterInit(t *testing.T) {
	const port, size = "UDP 500 passes, UDP 4500 does not", "keep fragmentation on"
	for name, c := range map[string]struct {
		remote     string
		sent       Sent
		has, hasNo []string
	}{
		"another port":           {"203.0.113.7:4500", Sent{Size: 300, InitPort: 500}, []string{port}, []string{size}},
		"another port, large":    {"203.0.113.7:4500", Sent{Size: 1900, InitPort: 500}, []string{port, size, "1900 bytes"}, nil},
		"the same port":          {"203.0.113.7:500", Sent{Size: 300, InitPort: 500}, []string{"it is not the port"}, []string{size, "does not"}},
		"the same port, large":   {"203.0.113.7:4500", Sent{Size: 600, InitPort: 4500}, []string{"it is not the port", size, "600 bytes"}, nil},
		"nothing is known of it": {"203.0.113.7:4500", Sent{}, []string{"let UDP 4500 pass", size}, []string{"bytes"}},
	} {
		w := testWhere("IKE_AUTH")
		w.Remote = netip.MustParseAddrPort(c.remote)
		f := Silent(w, true, c.sent)
		if f.Code != CodeTimeoutAuth || !strings.HasSuffix(f.Fix, "read the peer's log.") {
			t.Errorf("%s: %v", name, f)
		}
		for _, x := range c.has {
			if !strings.Contains(f.Fix, x) {
				t.Errorf("%s: no %q in %q", name, x, f.Fix)
			}
		}
		for _, x := range c.hasNo {
			if strings.Contains(f.Fix, x) {
				t.Errorf("%s: %q in %q", name, x, f.Fix)
			}
		}
	}
}
