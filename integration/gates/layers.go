package gates

import (
	"fmt"
	"slices"
	"strings"
)

// Layer says what a package may import of ours. The first layer whose Dir matches a package is its own.
type Layer struct {
	Dir string // a directory, or "a/..."
	// May are the packages it may import, Tests those that its tests may import as well. A package's own tests may import
	// the package itself.
	May, Tests []string
}

// Layers is the import rule: imports go one way. What comes first knows nothing; cmd sees everything.
var Layers = []Layer{
	// Values, and the engine: nothing of ours, so that each can be read and reused alone.
	{Dir: "ike/wire"},
	{Dir: "ike/selector"},
	{Dir: "ike/identity"},
	{Dir: "ike/diag"},
	{Dir: "ike/ticket"},
	{Dir: "ike/policy"},
	{Dir: "ike/aaa"},
	{Dir: "config/tree"},
	{Dir: "esp", Tests: nil},

	// What is made of these values. suite's tests seal a packet with esp to see that its keys fit.
	{Dir: "ike/proposal", May: []string{"ike/wire"}},
	{Dir: "ike/news", May: []string{"ike/selector"}},
	{Dir: "ike/suite", May: []string{"ike/proposal", "ike/wire"}, Tests: []string{"esp"}},
	// The peer of the tests shares nothing with the machines but these.
	{Dir: "ike/peertest", May: []string{"ike/proposal", "ike/suite", "ike/wire"}},
	// The host of the gateway in tests.
	{Dir: "ike/hosttest", May: []string{"ike/sa", "ike/selector"}},
	// Certificates: what is trusted, what a peer shows and what is known of revocations are pure; what fetches that knows no
	// certificate.
	{Dir: "ike/pki", May: []string{"ike/identity"}},
	{Dir: "ike/pki/ca"},
	{Dir: "ike/pki/ca/folder", May: []string{"ike/pki/ca"}},
	{Dir: "ike/pki/acme", May: []string{"ike/pki/ca"}},
	{Dir: "ike/pki/fetch"},
	{Dir: "ike/pki/cache"},
	{Dir: "ike/pki/files", May: []string{"ike/pki"}},
	{Dir: "ike/pki/revocation", May: []string{"ike/pki", "ike/policy"}},
	{Dir: "ike/credential", May: []string{"ike/pki", "ike/pki/revocation"}, Tests: []string{"ike/pki/pkitest", "ike/policy"}},
	// Certificates for tests and benchmarks.
	{Dir: "ike/pki/pkitest", May: []string{"ike/credential", "ike/identity", "ike/pki"}},
	{Dir: "ike/auth/...", May: []string{"ike/aaa", "ike/auth/...", "ike/credential", "ike/eap", "ike/suite", "ike/identity", "ike/pki", "ike/pki/revocation", "ike/policy", "ike/wire"},
		Tests: []string{"ike/pki/pkitest"}},
	{Dir: "ike/eap/...", May: []string{"ike/aaa", "ike/eap/...", "ike/identity"}, Tests: []string{"ike/pki", "ike/pki/pkitest", "ike/radius/radiustest"}},
	// RADIUS: the packets and transactions are pure; client has the sockets.
	{Dir: "ike/radius", May: []string{"ike/aaa"}, Tests: []string{"ike/radius/radiustest"}},
	{Dir: "ike/radius/radiustest"},
	{Dir: "ike/radius/client", May: []string{"ike/aaa", "ike/radius"}, Tests: []string{"ike/radius/radiustest"}},
	// What the other ends of connections need, as files.
	{Dir: "config/swanctl", May: []string{"config", "config/tree", "ike/pki/files"}, Tests: []string{"ike/vici"}},
	{Dir: "config/export", May: []string{"config", "config/tree", "ike/diag", "ike/identity", "ike/policy", "ike/proposal", "ike/selector"}, Tests: []string{"ike/pki/files"}},
	// What other systems' files become here.
	{Dir: "config/migrate", May: []string{"config/tree"}},
	{Dir: "config/migrate/...", May: []string{"config", "config/migrate", "config/swanctl", "config/tree", "ike/identity", "ike/proposal", "ike/selector", "ike/wire"}, Tests: []string{"config/export", "ike/pki/pkitest"}},
	{Dir: "config", May: []string{"config/tree", "ike/aaa", "ike/eap", "ike/radius", "ike/policy", "ike/pool", "ike/proposal", "ike/selector", "ike/identity", "ike/wire", "ike/credential", "ike/pki/..."}, Tests: []string{"ike/vici"}},

	// The addresses for clients: pure, but for the store of what was given.
	{Dir: "ike/pool", May: []string{"ike/aaa"}},
	{Dir: "ike/pool/store", May: []string{"ike/pool"}},

	// One IKE SA as a machine; the control protocol, which knows its backend as an interface of its own.
	{Dir: "ike/sa", May: []string{"esp", "ike/aaa", "ike/auth/...", "ike/credential", "ike/eap/...", "ike/diag", "ike/identity", "ike/pki", "ike/pki/revocation", "ike/policy", "ike/pool", "ike/proposal", "ike/selector", "ike/suite", "ike/ticket", "ike/wire"},
		Tests: []string{"ike/peertest", "ike/pki/pkitest"}},
	{Dir: "ike/vici", Tests: []string{"ike/diag", "ike/wire"}},

	// All IKE SAs of a gateway, as a machine as well; its face towards the control protocol; the loop that has the input and
	// output; and the simulation: never the packet loop nor devices. The gateway declares what it needs of a data plane.
	{Dir: "ike/gateway", May: []string{"config", "esp", "ike/aaa", "ike/auth", "ike/credential", "ike/diag", "ike/eap", "ike/eap/guess", "ike/identity", "ike/pki/revocation", "ike/policy", "ike/pool", "ike/sa", "ike/selector", "ike/suite", "ike/ticket", "ike/wire"},
		Tests: []string{"config/tree", "ike/auth", "ike/hosttest", "ike/peertest", "ike/pki", "ike/pki/pkitest", "ike/proposal"}},
	{Dir: "ike/control", May: []string{"config", "config/tree", "esp", "ike/aaa", "ike/credential", "ike/diag", "ike/gateway", "ike/identity", "ike/pki", "ike/pki/revocation", "ike/policy", "ike/pool", "ike/proposal", "ike/sa", "ike/selector", "ike/vici", "ike/wire"},
		Tests: []string{"ike/pki/pkitest", "ike/suite"}},
	{Dir: "ike", May: []string{"config", "ike/aaa", "ike/auth", "ike/credential", "ike/diag", "ike/pki", "ike/pki/cache", "ike/pki/fetch", "ike/pki/revocation", "ike/gateway", "ike/news", "ike/pool", "ike/pool/store", "ike/eap", "ike/eap/guess", "ike/radius", "ike/radius/client", "ike/sa", "ike/selector", "ike/suite", "ike/wire"}, Tests: []string{"esp", "ike/control", "ike/hosttest", "ike/identity", "ike/radius/radiustest", "ike/pki/pkitest", "ike/policy"}},
	// What commands and readers outside are told.
	{Dir: "ike/hooks", May: []string{"config", "ike/diag", "ike/gateway", "ike/sa", "ike/selector"}, Tests: []string{"ike/identity"}},
	{Dir: "ike/sim/...", May: []string{"config", "esp", "ike/..."}},

	// The packet loop and devices: never IKE, but for the value package with the selectors.
	{Dir: "tun/...", May: []string{"tun/..."}},
	{Dir: "dataplane/...", May: []string{"esp", "tun", "ike/selector", "dataplane/..."}, Tests: []string{"tun/tuntest"}},

	// What puts it all together, and what measures it.
	{Dir: "cmd/...", May: []string{"cmd/...", "config", "config/export", "config/migrate/...", "config/swanctl", "dataplane", "esp", "ike/...", "tun/..."}, Tests: []string{"dataplane/..."}},
	{Dir: "bench/...", May: []string{"bench/...", "config", "dataplane/...", "esp", "ike/...", "integration/lab", "tun/..."}},

	// The tests from outside see the binary as an operator does.
	{Dir: "integration/...", May: []string{"integration/..."}},
}

// CheckLayers holds every import between packages of the module to the layers.
func CheckLayers(t *Tree, layers []Layer) []Violation {
	var all []Violation
	for _, f := range t.Go {
		i := slices.IndexFunc(layers, func(l Layer) bool { return within(f.Dir(), []string{l.Dir}) })
		if i < 0 {
			all = append(all, Violation{f.Path, "package " + f.Dir() + " has no line in Layers (integration/gates/layers.go), so nothing says what it may import"})
			continue
		}
		may := layers[i].May
		if f.Test() {
			may = slices.Concat(may, layers[i].Tests, []string{f.Dir()})
		}
		for _, imported := range f.Imports() {
			dir, ours := strings.CutPrefix(imported, t.Module+"/")
			if ours && !within(dir, may) {
				all = append(all, Violation{f.Path, fmt.Sprintf("imports %s; of ours, %s may import: %s", dir, f.Dir(), orNothing(may))})
			}
		}
	}
	return all
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
