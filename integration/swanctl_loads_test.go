//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/peer"
)

// swanMore is what a folder has in addition to swanctlA: certificates, users, pools, an authority.
const swanMore = `
connections {
  cert {
    local_addrs = 198.18.0.1
    remote_addrs = 198.18.0.2
    proposals = aes256gcm16-prfsha384-modp3072
    send_cert = always
    local {
      auth = pubkey
      certs = a.pem
      id = "CN=cert.a.example"
    }
    remote {
      auth = pubkey
      cacerts = ca.pem
      id = "CN=cert.b.example"
      revocation = strict
    }
    children {
      cert {
        local_ts = 10.10.6.0/24
        remote_ts = 10.20.6.0/24
        start_action = trap
      }
    }
  }
  rw {
    local_addrs = 198.18.0.1
    pools = rw
    local {
      auth = pubkey
      certs = a.pem
      id = cert.a.example
    }
    remote {
      auth = eap-mschapv2
      eap_id = %any
    }
    children {
      rw {
        local_ts = 10.10.0.0/16
      }
    }
  }
}
secrets {
  eap-alice {
    id = alice
    secret = "wonderland tea party"
  }
}
pools {
  rw {
    addrs = 10.99.0.0/24
    dns = 10.10.0.1
  }
  range {
    addrs = 10.98.0.10-10.98.0.20
  }
}
authorities {
  ca {
    cacert = ca.pem
    crl_uris = http://127.0.0.1:1/ca.crl
    ocsp_uris = http://127.0.0.1:1/ocsp
  }
}
`

// swanFiles are the files beside swanctl.conf, the same in both folders.
func swanFiles(t *testing.T) map[string]string {
	t.Helper()
	ca := newCA(t, "Swan Root", nil)
	leaf := ca.issue("cert.a.example", "p256")
	files := map[string]string{
		"full.conf": swanctlA + swanMore, "start.conf": swanctlA, "empty.conf": "",
		"x509ca/ca.pem": string(pemOf(ca.cert)), "x509/a.pem": string(pemOf(leaf.cert)), "private/a.pem": string(leaf.keyPEM(t)), "x509crl/ca.crl": string(ca.crl()),
	}
	wrong := func(name, keys, local, child string) {
		files[name] = "connections {\n  bad {\n    remote_addrs = 198.18.0.3\n    " + keys + "\n    local {\n      auth = psk\n      " + local +
			"\n    }\n    remote {\n      auth = psk\n    }\n    children {\n      bad {\n        " + child + "\n      }\n    }\n  }\n}\n"
	}
	wrong("unknown-key.conf", "no_such_key = 1", "", "")
	wrong("bad-proposal.conf", "proposals = aes256gcm16-nonsense", "", "")
	wrong("bad-version.conf", "version = 9", "", "")
	wrong("bad-time.conf", "rekey_time = soon", "", "")
	wrong("bad-ts.conf", "", "", "local_ts = 10.0.0.0/99")
	wrong("bad-mode.conf", "", "", "mode = sideways")
	wrong("bad-auth.conf", "", "auth = magic", "")
	wrong("no-cert.conf", "", "certs = nowhere.pem", "")
	wrong("bad-action.conf", "", "", "start_action = perhaps")
	wrong("unknown-child-key.conf", "", "", "no_such_key = 1")
	wrong("unknown-auth-key.conf", "", "no_such_key = 1", "")
	wrong("missing-pool.conf", "pools = nowhere", "", "")
	files["bad-syntax.conf"] = "connections {\n  bad {\n"
	files["bad-pool.conf"] = "pools {\n  bad {\n    addrs = 10.0.0.0/99\n  }\n}\n"
	files["no-pool.conf"] = "pools {\n  bad {\n    dns = 10.0.0.1\n  }\n}\n"
	files["bad-pool-key.conf"] = "pools {\n  bad {\n    addrs = 10.0.0.0/24\n    no_such_key = 1\n  }\n}\n"
	files["bad-authority.conf"] = "authorities {\n  bad {\n    cacert = nowhere.pem\n  }\n}\n"
	files["bad-authority-key.conf"] = "authorities {\n  bad {\n    cacert = ca.pem\n    no_such_key = 1\n  }\n}\n"
	files["bad-secret.conf"] = "secrets {\n  ike-bad {\n    secret = 0xzz\n  }\n}\n"
	return files
}

// layFiles writes the folder that FILE(name) in arguments is in.
func (w *swanWorld) layFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for _, dir := range []string{"conf.d", "x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa", "bliss", "pkcs8", "pkcs12"} {
		if err := os.MkdirAll(filepath.Join(w.folder(), dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.folder(), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *swanWorld) folder() string { return filepath.Join(w.a.Site().Dir, "swanctl") }

// load has swanctl load a configuration of the folder, and nothing else.
func (w *swanWorld) load(t *testing.T, name string) {
	t.Helper()
	if out, err := peer.Swanctl(w.a, "--load-all", "--clear", "--noprompt", "--file", filepath.Join(w.folder(), name)); err != nil {
		t.Fatalf("%s: %v\n%s", w.a.Kind(), err, out)
	}
}

// swanLoads are the commands that load, and those that show what was loaded.
func swanLoads() []swanStep {
	steps := []swanStep{
		{args: "--load-conns --file FILE(full.conf)"},
		{args: "--load-creds --file FILE(full.conf)"},
		{args: "--load-creds --clear --noprompt --file FILE(full.conf)"},
		{args: "--load-pools --file FILE(full.conf)"},
		{args: "--load-authorities --file FILE(full.conf)"},
		{args: "--load-all --file FILE(full.conf)"},
		{args: "--load-all --clear --noprompt --file FILE(full.conf)"},
		{args: "--list-conns"},
		{args: "--list-pols --trap"},
		{args: "--list-pools"},
		{args: "--list-pools --leases"},
		{args: "--list-pools --name range"},
		{args: "--list-authorities"},
		{args: "--list-authorities --name ca"},
		{args: "--list-authorities --name nobody"},
		{args: "--list-certs"},
		{args: "--list-certs --short"},
		{args: "--list-certs --utc"},
		{args: "--list-certs --pem"},
		{args: "--list-certs --type x509"},
		{args: "--list-certs --type x509 --flag ca"},
		{args: "--list-certs --type x509 --flag none"},
		{args: "--list-certs --type x509 --flag any"},
		{args: "--list-certs --type x509_crl"},
		{args: "--list-certs --type ocsp_response"},
		{args: "--list-certs --type pubkey"},
		{args: "--list-certs --subject CN=cert.a.example"},
		{args: "--list-certs --subject cert.a.example"},
		{args: "--list-certs --subject CN=nobody"},
		{args: "--flush-certs"},
		{args: "--flush-certs --type x509_crl"},
	}
	for _, name := range []string{"unknown-key", "bad-proposal", "bad-version", "bad-time", "bad-ts", "bad-mode", "bad-auth", "no-cert", "bad-action", "unknown-child-key",
		"unknown-auth-key", "missing-pool", "bad-syntax", "no-such-file"} {
		steps = append(steps, swanStep{args: "--load-conns --file FILE(" + name + ".conf)", forms: once(plainShown)})
	}
	for _, name := range []string{"bad-pool", "no-pool", "bad-pool-key"} {
		steps = append(steps, swanStep{args: "--load-pools --file FILE(" + name + ".conf)", forms: once(plainShown), before: poolsAgain, after: poolsAgain})
	}
	for _, name := range []string{"bad-authority", "bad-authority-key"} {
		steps = append(steps, swanStep{args: "--load-authorities --file FILE(" + name + ".conf)", forms: once(plainShown)})
	}
	return append(steps,
		swanStep{args: "--load-creds --noprompt --file FILE(bad-secret.conf)", forms: once(plainShown)},
		swanStep{args: "--load-all --noprompt --file FILE(empty.conf)"},
		swanStep{args: "--list-conns"},
		swanStep{args: "--list-authorities"},
		swanStep{args: "--list-pools"},
		swanStep{args: "--load-all --clear --noprompt --file FILE(start.conf)"},
	)
}

// poolsAgain loads the pools of the whole folder, and no others.
func poolsAgain(w *swanWorld) {
	w.t.Helper()
	if out, err := peer.Swanctl(w.a, "--load-pools", "--file", filepath.Join(w.folder(), "full.conf")); err != nil {
		w.t.Errorf("%s: %v\n%s", w.a.Kind(), err, out)
	}
}

// swanGone are commands after the peer has died.
func swanGone() []swanStep {
	dies := func(w *swanWorld) { w.t.Helper(); w.b.Kill() }
	return []swanStep{
		{args: "--list-sas", forms: once(rawShown), before: up, after: dies},
		{args: "--terminate --ike gw --timeout 1", forms: once(rawShown)},
		{args: "--terminate --ike gw --force --timeout 1", forms: once(plainShown)},
		{args: "--list-sas", forms: once(rawShown), before: func(w *swanWorld) { w.t.Helper(); w.wantNone(w.t, 10*time.Second) }},
	}
}

// withoutFolder takes the place of the folder out of what was printed, which is another one for each gateway.
func (w *swanWorld) withoutFolder(out string) string {
	return strings.ReplaceAll(out, w.folder(), "DIR")
}
