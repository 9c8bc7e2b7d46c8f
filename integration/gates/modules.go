package gates

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Use says where a third-party module may be imported.
type Use struct {
	Module string
	In     []string // packages, tests included
	Tests  []string // packages whose tests may import it as well
	Why    string
}

// Modules are the modules that Go files here may import, each where it is good at something. What a module of these needs
// itself is in go.mod as well and isn't for importing.
var Modules = []Use{
	{Module: "golang.zx2c4.com/wireguard", In: []string{"tun/...", "dataplane/...", "cmd/...", "bench/..."},
		Why: "TUN devices of every system; bench also compares with it"},
	{Module: "gvisor.dev/gvisor", In: []string{"tun", "bench/netstack"}, Why: "the TCP/IP stack behind netstack devices"},
	{Module: "golang.org/x/crypto", In: []string{"esp", "ike/..."}, Tests: []string{"dataplane/..."},
		Why: "ciphers and encodings that the standard library doesn't have"},
	{Module: "software.sslmate.com/src/go-pkcs12", In: []string{"ike/pki/files", "ike/pki/ca/...", "cmd/..."}, Why: "PKCS #12 bundles, with the old encryption and the new one"},
	{Module: "github.com/smallstep/pkcs7", In: []string{"config/export"}, Tests: []string{"cmd/..."}, Why: "signed profiles for Apple's systems: CMS, with tagged releases"},
	{Module: "github.com/cloudflare/circl", In: []string{"ike/pki/...", "ike/auth", "ike/credential"}, Tests: []string{"cmd/...", "config", "ike/..."},
		Why: "Ed448"},
	{Module: "golang.org/x/net", In: []string{"tun/...", "dataplane/...", "cmd/...", "bench/...", "integration/..."},
		Why: "batches and control messages of UDP sockets, routes on BSD"},
	{Module: "golang.org/x/sys", In: []string{"tun/...", "dataplane/...", "cmd/...", "config", "ike", "ike/vici", "bench/...", "integration/..."},
		Why: "system calls; never the protocol or the ciphers"},
	{Module: "github.com/google/gopacket", In: []string{"bench/...", "integration/..."}, Tests: []string{"cmd/...", "dataplane/...", "tun/...", "esp", "ike/..."},
		Why: "builds and checks packets in tests, and writes captures; never in the data path"},
	{Module: "github.com/pelletier/go-toml/v2", In: []string{"config/tree"}, Why: "the configuration: it tells where each key is"},
	{Module: "github.com/BurntSushi/toml", Tests: []string{"config/tree"}, Why: "reads configurations too, so that tests can compare"},
	{Module: "github.com/prometheus/client_golang", In: []string{"cmd/..."}, Why: "/metrics"},
	{Module: "github.com/prometheus/common", Tests: []string{"cmd/..."}, Why: "parses /metrics in tests as Prometheus does"},
	{Module: "github.com/prometheus/client_model", Tests: []string{"cmd/..."}, Why: "what that parser returns"},
	{Module: "github.com/spf13/cobra", In: []string{"cmd/...", "bench/..."}, Why: "subcommands and completion"},
	{Module: "github.com/spf13/pflag", In: []string{"cmd/...", "bench/..."}, Why: "cobra's flags"},
	{Module: "github.com/gaissmai/bart", In: []string{"dataplane/...", "tun/...", "cmd/...", "ike/gateway"}, Why: "longest-prefix lookup of policies and routes, and of the networks that peers have"},
	{Module: "go.etcd.io/bbolt", In: []string{"ike/pool/store"}, Why: "leases that survive a crash at any point: copy on write, one file, no daemon"},
	{Module: "filippo.io/bigmod", In: []string{"ike/suite"}, Why: "MODP in constant time"},
	{Module: "github.com/vishvananda/netlink", In: []string{"tun/...", "integration/..."}, Tests: []string{"dataplane/..."},
		Why: "addresses, routes and rules on Linux"},
	{Module: "github.com/vishvananda/netns", Tests: []string{"tun/...", "dataplane/..."}, Why: "namespaces in tests"},
}

// CheckModules holds every import of a third-party package to the table.
func CheckModules(t *Tree, uses []Use) []Violation {
	var all []Violation
	for _, f := range t.Go {
		for _, imported := range f.Imports() {
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			i := slices.IndexFunc(uses, func(u Use) bool { return within(imported, []string{u.Module + "/..."}) })
			if i < 0 {
				all = append(all, Violation{f.Path, "imports " + imported + ", which is of no module in Modules (integration/gates/modules.go)"})
				continue
			}
			in := uses[i].In
			if f.Test() {
				in = slices.Concat(in, uses[i].Tests)
			}
			if !within(f.Dir(), in) {
				all = append(all, Violation{f.Path, fmt.Sprintf("imports %s; %s is used for: %s; in: %s", imported, uses[i].Module, uses[i].Why, orNothing(in))})
			}
		}
	}
	return all
}

// CheckRequired looks for modules of the table that go.mod lacks: a line for a module nobody has any more.
func CheckRequired(t *Tree, uses []Use) []Violation {
	mod, err := fs.ReadFile(t.FS, "go.mod")
	if err != nil {
		return []Violation{{"go.mod", err.Error()}}
	}
	var required []string
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(strings.TrimPrefix(line, "require ")); len(f) >= 2 {
			required = append(required, f[0])
		}
	}
	var all []Violation
	for _, u := range uses {
		if !slices.Contains(required, u.Module) {
			all = append(all, Violation{"go.mod", "doesn't require " + u.Module + ", which Modules has a line for"})
		}
	}
	return all
}
