//go:build linux

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// updownScript notes each call, and its variables in a file that is named by the verb.
const updownScript = `#!/bin/sh
dir=$(dirname "$0")
env > "$dir/$PLUTO_VERB.new"
mv "$dir/$PLUTO_VERB.new" "$dir/$PLUTO_VERB"
echo "$PLUTO_VERB" >> "$dir/calls"
`

// calledUpdown is what the script of a gateway was called with: the variables by verb.
type calledUpdown map[string]map[string]string

// TestUpdown: the script of a child is called with the variables that strongSwan's has in the same situation, as a client that is given
// addresses and as the gateway of users; a rekeying calls nothing, and each call for what comes up has its other half.
func TestUpdown(t *testing.T) {
	t.Parallel()
	ca := newCA(t, "updown test CA", nil)
	clients, gateways := map[string]calledUpdown{}, map[string]calledUpdown{}
	for _, k := range []kinds{{peer.KindStrongSwan, peer.KindEsplanade}, {peer.KindEsplanade, peer.KindStrongSwan}} {
		clients[k.a], gateways[k.b] = updownOf(t, ca, k)
	}
	for _, role := range []struct {
		name string
		of   map[string]calledUpdown
	}{{"client", clients}, {"gateway", gateways}} {
		compareUpdown(t, role.name, role.of[peer.KindEsplanade], role.of[peer.KindStrongSwan])
	}
}

// updownVerbs are the calls in either direction: for the networks of IPv4 and of IPv6.
func updownVerbs(what string) []string { return []string{what + "-client", what + "-client-v6"} }

// updownOf brings a tunnel of a user up, rekeys its child and takes it down.
func updownOf(t *testing.T, ca *testCA, k kinds) (client, gateway calledUpdown) {
	const user, password = "alice", "correct horse battery"
	var atA, atB string
	p := newPair(t, k, tunnel{Edit: func(a, b *peer.Gateway) {
		for _, x := range []struct {
			g    *peer.Gateway
			kind string
			dir  *string
		}{{a, k.a, &atA}, {b, k.b, &atB}} {
			*x.dir = t.TempDir()
			child(x.g).Updown = filepath.Join(*x.dir, "script")
			if err := os.WriteFile(child(x.g).Updown, []byte(updownScript), 0o755); err != nil {
				t.Fatal(err)
			}
			x.g.Plugins, x.g.PluginConf = eapPlugins, "updown {\n      dns_handler = yes\n    }"
			if x.g.More = userSecrets(user, password); x.kind == peer.KindEsplanade {
				x.g.More = fmt.Sprintf("[secrets.eap.alice]\nid = %q\nsecret = %q\n", user, password)
			}
		}
		a.Files = append(a.Files, ca.file("updown"))
		if k.a == peer.KindEsplanade {
			a.Connections[0].Extra = map[string]string{"install_dns": "no"} // the resolver of this machine is everybody's
		}
		a.Connections[0].VIPs = []string{"0.0.0.0", "::"}
		a.Connections[0].LocalAuth = peer.Auth{Method: "eap-mschapv2", Extra: map[string]string{"eap_id": user}}
		a.Connections[0].RemoteAuth = peer.Auth{Method: "pubkey", CACerts: []string{"updown.pem"}}
		child(a).LocalTS, child(b).RemoteTS = []string{"dynamic"}, []string{"dynamic"}
		b.Files = ca.issue("b.example", "p256").files(t, "b")
		b.Connections[0].LocalAuth = peer.Auth{Method: "pubkey", Certs: []string{"b.pem"}}
		b.Connections[0].RemoteAuth = peer.Auth{Method: "eap-mschapv2"}
		if k.b == peer.KindEsplanade {
			b.Connections[0].Pools = []string{"four", "six"}
			b.More += "[pools.four]\naddrs = \"10.77.0.0/28\"\ndns = \"10.77.0.53\"\n[pools.six]\naddrs = \"2001:db8:77::/120\"\n"
			return
		}
		b.Connections[0].RemoteAuth.Extra = map[string]string{"eap_id": "%any"}
		b.Connections[0].Extra = map[string]string{"pools": "four, six"}
		b.More += "pools {\n  four {\n    addrs = 10.77.0.0/28\n    dns = 10.77.0.53\n  }\n  six {\n    addrs = 2001:db8:77::/120\n  }\n}\n"
	}})
	p.start(t)
	if out, err := peer.Initiate(p.a, childName); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, p.b.Log())
	}
	await := func(what string) {
		t.Helper()
		lab.Eventually(t, 10*time.Second, what+" is called at both ends", func() (bool, string) {
			for _, dir := range []string{atA, atB} {
				for _, verb := range updownVerbs(what) {
					if _, err := os.Stat(filepath.Join(dir, verb)); err != nil {
						return false, err.Error()
					}
				}
			}
			return true, ""
		})
	}
	await("up")
	if out, err := peer.Swanctl(p.a, "--rekey", "--child", childName); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lab.Eventually(t, 10*time.Second, "the child is rekeyed", func() (bool, string) {
		out, err := peer.Swanctl(p.b, "--list-sas")
		return err == nil && strings.Contains(out, "#2, reqid"), out
	})
	if out, err := peer.Swanctl(p.a, "--terminate", "--ike", connName); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	await("down")
	return readUpdown(t, k.a, atA), readUpdown(t, k.b, atB)
}

// readUpdown reads what a script was called with.
func readUpdown(t *testing.T, kind, dir string) calledUpdown {
	t.Helper()
	called := calledUpdown{}
	b, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Fields(string(b))
	if want := append(updownVerbs("up"), updownVerbs("down")...); !slices.Equal(calls, want) {
		t.Errorf("%s has called %q, want %q", kind, calls, want)
	}
	for _, verb := range calls {
		b, err := os.ReadFile(filepath.Join(dir, verb))
		if err != nil {
			t.Fatal(err)
		}
		called[verb] = map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			name, value, _ := strings.Cut(line, "=")
			if !slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_"}, name) { // the shell's own
				called[verb][name] = value
			}
		}
	}
	return called
}

// compareUpdown holds each variable of ours to strongSwan's. What differs by intent is in docs/hooks.md.
func compareUpdown(t *testing.T, role string, ours, theirs calledUpdown) {
	t.Helper()
	for verb, want := range theirs {
		got := ours[verb]
		for name, value := range want {
			switch {
			case name == "PATH" || name == "PLUTO_INTERFACE":
				if got[name] == "" || name == "PLUTO_INTERFACE" && got[name] == "unknown" {
					t.Errorf("%s, %s: %s is %q", role, verb, name, got[name])
				}
			case got[name] != value:
				t.Errorf("%s, %s: %s is %q, strongSwan's %q", role, verb, name, got[name], value)
			}
		}
		for name, value := range got {
			if _, ok := want[name]; !ok && name != "ESPLANADE_CONNECTION" {
				t.Errorf("%s, %s: strongSwan has no %s, which is %q", role, verb, name, value)
			}
		}
	}
	for _, verb := range updownVerbs("up") {
		down := ours[strings.Replace(verb, "up", "down", 1)]
		for name, value := range ours[verb] {
			if name != "PLUTO_VERB" && down[name] != value {
				t.Errorf("%s, %s: %s is %q, and in the end %q", role, verb, name, value, down[name])
			}
		}
	}
}
