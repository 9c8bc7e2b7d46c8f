//go:build linux

package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// folderConf is the swanctl.conf of a gateway with users and another site, which inherit from one section. %[1]s and %[2]s are the addresses of the two
// gateways, then come the networks behind them.
const folderConf = `
gateway {
  version = 2
  local_addrs = %[1]s
  local {
    auth = pubkey
    certs = a.pem
    id = a.example
  }
}
connections {
  users : gateway {
    pools = four, six
    send_cert = always
    remote {
      auth = eap-mschapv2
      eap_id = %%any
    }
    children {
      inside {
        local_ts = %[3]s,%[4]s
      }
    }
  }
  include conf.d/*.conf
}
pools {
  four {
    addrs = 10.77.0.0/24
    dns = 10.20.0.53
  }
  six {
    addrs = fd77::/112
  }
}
authorities {
  root {
    cacert = root.pem
    crl_uris = http://127.0.0.1:1/root.crl
  }
}
secrets {
  eap-alice {
    id = alice
    secret = "correct horse battery"
  }
  eap-bob {
    id = bob
    secret = "another one for bob"
  }
}
`

// siteConf is the file with the other site.
const siteConf = `
site : gateway {
  remote_addrs = %[2]s
  remote {
    auth = pubkey
    id = b.example
    cacerts = root.pem
  }
  children {
    net {
      local_ts = %[3]s
      remote_ts = %[5]s
      start_action = trap
      rekey_time = %[6]s
    }
  }
}
`

// clientConf is the other end of both.
const clientConf = `
gateway {
  version = 2
  local_addrs = %[2]s
  remote_addrs = %[1]s
  encap = yes
  remote {
    auth = pubkey
    id = a.example
    cacerts = root.pem
  }
}
connections {
  users : gateway {
    vips = 0.0.0.0,::
    local {
      auth = eap-mschapv2
      eap_id = alice
    }
    children {
      inside {
        remote_ts = %[3]s,%[4]s
      }
    }
  }
  site : gateway {
    local {
      auth = pubkey
      certs = b.pem
      id = b.example
    }
    children {
      net {
        local_ts = %[5]s
        remote_ts = %[3]s
      }
    }
  }
}
secrets {
  eap-alice {
    id = alice
    secret = "correct horse battery"
  }
}
`

// folderWorld is a folder of swanctl on a, whoever runs it, and a strongSwan on b that comes as a user and as a site.
type folderWorld struct {
	t     *testing.T
	root  *testCA
	l     *lab.Lab
	owner *peer.StrongSwan // whose folder it is; never started
	b     *peer.StrongSwan
}

func newFolderWorld(t *testing.T) *folderWorld {
	lab.NeedRoot(t, peer.Programs(peer.KindStrongSwan, peer.KindEsplanade)...)
	w := &folderWorld{t: t, root: newCA(t, "Test Root", nil), l: lab.New(t, lab.Options{})}
	files := func(s *lab.Site) []peer.File {
		return append(w.root.issue(s.Name+".example", "p256").files(t, s.Name), w.root.file("root"))
	}
	w.owner = peer.New(t, peer.KindStrongSwan, w.l.A, peer.Gateway{Swanctl: w.text(folderConf, ""), Files: files(w.l.A)}).(*peer.StrongSwan)
	w.site("4h")
	w.b = peer.New(t, peer.KindStrongSwan, w.l.B, peer.Gateway{Swanctl: w.text(clientConf, ""), Files: files(w.l.B), Plugins: eapPlugins}).(*peer.StrongSwan)
	return w
}

// text fills in the addresses.
func (w *folderWorld) text(format, rekey string) string {
	text := fmt.Sprintf(format, w.l.A.Outer4, w.l.B.Outer4, w.l.A.Net4, w.l.A.Net6, w.l.B.Net4, rekey)
	if i := strings.Index(text, "%!(EXTRA"); i >= 0 {
		text = text[:i]
	}
	return text
}

// site writes the other site into the folder, with the time after which its child is rekeyed; "" takes it out.
func (w *folderWorld) site(rekey string) {
	w.t.Helper()
	text := ""
	if rekey != "" {
		text = w.text(siteConf, rekey)
	}
	w.owner.WriteFolder(w.t, "conf.d/site.conf", text)
}

// load has a gateway take the folder.
func (w *folderWorld) load(a peer.Peer, wants ...string) {
	w.t.Helper()
	out, err := peer.LoadAll(a, w.owner.Folder())
	if err != nil {
		w.t.Errorf("swanctl --load-all: %v", err)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			w.t.Errorf("swanctl --load-all says no %q:\n%s", want, out)
		}
	}
}

// tunnels brings both tunnels up from b, and has traffic in them.
func (w *folderWorld) tunnels(a peer.Peer) {
	w.t.Helper()
	for _, child := range []string{"inside", "net"} {
		if out, err := peer.Initiate(w.b, child); err != nil {
			w.t.Fatalf("%s: %v\n%s\n%s", child, err, out, a.Log())
		}
	}
	for source, to := range map[string]string{"10.77.0.1": w.l.A.Inner4.String(), "fd77::1": w.l.A.Inner6.String(), w.l.B.Inner4.String(): w.l.A.Inner4.String()} {
		lab.Eventually(w.t, 10*time.Second, "a ping from "+source, func() (bool, string) {
			out, err := w.l.B.Run("ping", "-c1", "-W1", "-I", source, to)
			return err == nil, out
		})
	}
}

// ids are the numbers of the IKE SAs of a by connection.
func (w *folderWorld) ids(a peer.Peer) map[string]string {
	w.t.Helper()
	out, err := peer.Swanctl(a, "--list-sas")
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+): #(\d+), ESTABLISHED`).FindAllStringSubmatch(out, -1) {
		ids[m[1]] = m[2]
	}
	return ids
}

// lists are what swanctl says of what is loaded.
func (w *folderWorld) lists(a peer.Peer) string {
	w.t.Helper()
	var all []string
	for _, what := range []string{"--list-conns", "--list-pools", "--list-authorities"} {
		out, err := peer.Swanctl(a, what, "--raw")
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, out)
	}
	return strings.Join(all, "")
}

// connections are the names of those that are loaded.
func (w *folderWorld) connections(a peer.Peer) []string {
	w.t.Helper()
	out, err := peer.Swanctl(a, "--list-conns")
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^(\w+): `).FindAllStringSubmatch(out, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// offline are addresses of clients that are not there, which the gateway remembers.
var offline = regexp.MustCompile(`offline=\d+`)

// TestSwanctlFolder: a folder with users, pools, a CA and another site is loaded by `swanctl --load-all` into a gateway that has nothing else, and is
// run by `esplanade run --swanctl`, and imported to a file in TOML: the same is there, and carries traffic. What is loaded or read again touches only what has changed, and what is taken away
// is gone.
func TestSwanctlFolder(t *testing.T) {
	t.Parallel()
	w := newFolderWorld(t)
	w.b.Start(t)
	empty := peer.New(t, peer.KindEsplanade, w.l.A, peer.Gateway{}).(*peer.Esplanade)
	empty.Start(t)
	w.load(empty, "loaded connection 'users'", "loaded connection 'site'", "loaded pool 'four'", "loaded authority 'root'", "loaded eap secret 'eap-alice'", "loaded private key from")
	lists := w.lists(empty)
	w.tunnels(empty)
	before := w.ids(empty)
	if len(before) != 2 {
		t.Fatalf("the IKE SAs are %v", before)
	}
	w.load(empty)
	if after := w.ids(empty); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("to load the same again has changed the IKE SAs: %v, and %v before", after, before)
	}
	w.site("3h")
	w.load(empty)
	if after := w.ids(empty); after["users"] != before["users"] {
		t.Errorf("another connection has changed, and users has another IKE SA: %v, and %v before", after, before)
	}
	w.site("")
	w.load(empty)
	if names := w.connections(empty); !slices.Equal(names, []string{"users"}) {
		t.Errorf("there are %v", names)
	}
	if out, err := peer.Initiate(w.b, "net"); err == nil {
		t.Errorf("the connection that was unloaded is still there: %s", out)
	}
	empty.Stop(t)

	// The same folder without swanctl.
	w.site("4h")
	ours := peer.OnFolder(t, w.owner)
	ours.Start(t)
	if got := w.lists(ours); offline.ReplaceAllString(got, "offline=0") != lists {
		t.Errorf("run --swanctl has\n%s\nand --load-all\n%s", got, lists)
	}
	w.tunnels(ours)
	before = w.ids(ours)
	w.load(ours)
	if after := w.ids(ours); fmt.Sprint(after) != fmt.Sprint(before) || len(after) != 2 {
		t.Errorf("--load-all of the same folder has changed the IKE SAs: %v, and %v before", after, before)
	}
	// Addresses in use are not taken away.
	w.owner.WriteFolder(t, "swanctl.conf", strings.Replace(w.text(folderConf, ""), "10.77.0.0/24", "10.78.0.0/24", 1))
	if out, err := peer.LoadAll(ours, w.owner.Folder()); err == nil || !strings.Contains(err.Error()+out, "pool 'four' has 1 online leases") {
		t.Errorf("another pool in the place of one in use: %v\n%s", err, out)
	}
	w.owner.WriteFolder(t, "swanctl.conf", w.text(folderConf, ""))
	w.site("3h")
	ours.Reload(t)
	if after := w.ids(ours); after["users"] != before["users"] {
		t.Errorf("another connection has changed, and users has another IKE SA: %v, and %v before", after, before)
	}
	if got := w.lists(ours); !strings.Contains(got, "rekey_time=10800") {
		t.Errorf("the changed folder is not in force:\n%s", got)
	}
	before = w.ids(ours)

	// A certificate is renewed, with another key: what is up stays, and what comes next sees it.
	for _, f := range w.root.issue("a.example", "p384").files(t, "a") {
		w.owner.WriteFolder(t, f.Kind+"/"+f.Name, string(f.Data))
	}
	ours.Reload(t)
	if after := w.ids(ours); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("another certificate has changed the IKE SAs: %v, and %v before", after, before)
	}
	if out, err := peer.Swanctl(w.b, "--terminate", "--ike", "users"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := peer.Initiate(w.b, "inside"); err != nil {
		t.Errorf("with the new certificate: %v\n%s", err, out)
	}
	if want := "authentication of 'a.example' with ECDSA_WITH_SHA384_DER successful"; !strings.Contains(w.b.Log(), want) {
		t.Errorf("the new certificate is not shown: no %q", want)
	}

	// What is wrong changes nothing.
	w.owner.WriteFolder(t, "conf.d/site.conf", "site {\n")
	if out, err := peer.Swanctl(ours, "--reload-settings"); err == nil {
		t.Errorf("a folder with an error is taken: %s", out)
	}
	if names := w.connections(ours); !slices.Equal(names, []string{"site", "users"}) {
		t.Errorf("there are %v", names)
	}
	w.site("")
	if out, err := peer.Swanctl(ours, "--reload-settings"); err != nil {
		t.Errorf("--reload-settings: %v\n%s", err, out)
	}
	lab.Eventually(t, 10*time.Second, "the connection is gone", func() (bool, string) {
		names := w.connections(ours)
		return slices.Equal(names, []string{"users"}), fmt.Sprint(names)
	})
	ours.Stop(t)

	// The same folder as a file in TOML.
	w.site("4h")
	imported, err := peer.OnImported(t, w.owner)
	if err != nil {
		t.Fatal(err)
	}
	imported.Start(t)
	if got := w.lists(imported); offline.ReplaceAllString(got, "offline=0") != lists {
		t.Errorf("the imported folder has\n%s\nand --load-all\n%s", got, lists)
	}
	w.tunnels(imported)
	back := imported.Exported(t)
	imported.Stop(t)

	// And back: a folder that export makes of that.
	empty.Start(t)
	if out, err := peer.LoadAll(empty, back); err != nil {
		t.Errorf("swanctl --load-all: %v\n%s", err, out)
	}
	if got := w.lists(empty); offline.ReplaceAllString(got, "offline=0") != lists {
		t.Errorf("the exported folder has\n%s\nand the one it comes from\n%s", got, lists)
	}
	w.tunnels(empty)
	empty.Stop(t)
}
