package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config/tree"
)

// TestLoadedLeavesTheFileAlone: what commands load opens no connection of the file: neither other CAs and certificates, for those that say which
// they accept and for those that do not, nor other keys of this gateway, nor another pre-shared key for a peer that has one in the file.
func TestLoadedLeavesTheFileAlone(t *testing.T) {
	w := newWorld(t)
	const head = "remote_addrs = \"198.51.100.20\"\nlocal_ts = \"10.1.0.0/24\"\n"
	file := w.good(`[credentials]
x509 = "gw.pem"
x509ca = "ca.pem"
private = "gw.key"
[connections.all]
` + head + `remote_ts = "10.2.0.0/24"
local = { auth = "pubkey", id = "gw.example" }
remote = { auth = "pubkey" }
[connections.own]
` + head + `remote_ts = "10.3.0.0/24"
local = { auth = "pubkey", id = "gw.example" }
remote = { auth = "pubkey", cacerts = "sub.pem" }
[connections.psk]
` + head + `remote_ts = "10.4.0.0/24"
local = { auth = "psk", id = "gw.example" }
remote = { auth = "psk", id = "peer.example" }
[secrets.ike.peer]
id = ["peer.example"]
secret = "Ahgh7Eikae6phei2loo4Ek"
`)
	at := Position{File: OriginVICI}
	strange := w.issue(nil, "strange CA", nil, isCA)
	own := w.issue(strange, "gw", nil, names("gw.example"))
	var l *Loaded
	var err error
	for _, c := range []Certificate{
		{Type: TypeX509, Flag: FlagCA, Data: strange.cert.Raw}, {Type: TypeX509, Flag: FlagNone, Data: own.cert.Raw}, {Type: TypeX509, Flag: FlagOCSP, Data: own.cert.Raw},
	} {
		c.At = at
		if l, err = l.WithCertificate(c); err != nil {
			t.Fatal(err)
		}
	}
	if l, _, err = l.WithKey([]byte(own.keyPEM(t)), nil, at); err != nil {
		t.Fatal(err)
	}
	if l, err = l.WithAuthority(Section{Name: "strange", At: at, Table: fillText("cacert", strange.pem())}); err != nil {
		t.Fatal(err)
	}
	for i, owners := range [][]string{nil, {"peer.example"}, {"gw.example"}, {"gw.example", "peer.example"}, {"%any"}} {
		if l, err = l.WithShared(Shared{ID: fmt.Sprint(i), At: at, Kind: "ike", Data: NewSecret([]byte("wrong-and-loaded")), Owners: owners}); err != nil {
			t.Fatal(err)
		}
	}
	c, errs := file.With(l)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, name := range []string{"all", "own"} {
		old, fresh := file.Set.Accepted(name, 0), c.Set.Accepted(name, 0)
		if a, b := commonNames(old.Trust.Anchors), commonNames(fresh.Trust.Anchors); a != b || len(fresh.Trust.Pinned) > 0 || len(fresh.Rules.Responders) > 0 || len(fresh.Rules.Authorities) > 0 {
			t.Errorf("%s accepts %s, and with what was loaded %s, %d certificates, %d responders", name, a, b, len(fresh.Trust.Pinned), len(fresh.Rules.Responders))
		}
		if own := c.Set.Own(name, 0); len(own) != 1 || own[0].Name != filepath.Join(w.dir, "gw.pem") {
			t.Errorf("%s proves itself with %d pairs: %v", name, len(own), own)
		}
	}
	n := c.Connection("psk")
	for _, guess := range []bool{true, false} {
		if s, ok := c.Credential("psk", n.Local.ID, n.Remote.ID, guess); !ok || s.Name != "peer" {
			t.Errorf("psk has the key %v", s)
		}
	}
	if keys := c.PeerKeys(n); len(keys) != 1 || keys[0].Name != "peer" {
		t.Errorf("peers of psk have %d keys", len(keys))
	}
}

// fillText is a table of one text.
func fillText(key, text string) *tree.Table {
	t := tree.New(OriginVICI)
	t.AddText(key, text)
	return t
}

// TestCommandsNameNoFiles: a command has the daemon read no file, which it would do with its own rights, and learns of none. What was to be a
// certificate, and is none, is not shown: it may be a key.
func TestCommandsNameNoFiles(t *testing.T) {
	w := newWorld(t)
	w.write("hidden.psk", "Ahgh7Eikae6phei2loo4Ek")
	file := w.good("[credentials]\nprivate = \"gw.key\"\n")
	at := Position{File: OriginVICI}
	for _, name := range []string{"hidden.psk", filepath.Join(w.dir, "hidden.psk"), filepath.Join(w.dir, "hidden.ps"), w.dir, w.dir + "/*", "ca.pem", filepath.Join(w.dir, "ca.pem"), "\x30\x03garbage\x00"} {
		for _, x := range []struct{ side, key string }{{"local", "certs"}, {"local", "pubkeys"}, {"remote", "certs"}, {"remote", "cacerts"}, {"remote", "pubkeys"}, {"", "secret_file"}} {
			section := tree.New(OriginVICI)
			section.AddTexts("remote_addrs", []string{"198.51.100.20"})
			for _, side := range []string{"local", "remote"} {
				sub := section.AddSection(side)
				sub.AddText("auth", map[bool]string{true: "psk", false: "pubkey"}[x.side == ""])
				sub.AddText("id", side+".example")
				if side == x.side {
					sub.AddTexts(x.key, []string{name})
				}
			}
			if x.side == "" {
				section.AddText(x.key, name)
			}
			l, err := (*Loaded)(nil).WithConnection(Section{Name: "a", At: at, Table: section})
			if err != nil {
				t.Fatal(err)
			}
			c, errs := file.With(l)
			want := map[bool]string{true: "names a file: a command brings the key itself", false: "is no certificate or key in PEM or DER: a command brings that itself"}[x.side == ""]
			if text := errs.Error(); len(errs) != 1 || !strings.Contains(text, want) || strings.Contains(text, "hidden") || strings.Contains(text, "garbage") || strings.Contains(text, w.dir) {
				t.Errorf("%s.%s = %q: %v", x.side, x.key, name, errs)
			}
			if n := c.Connection("a"); n != nil && n.Key.Len() > 0 {
				t.Errorf("%s.%s = %q was read", x.side, x.key, name)
			}
		}
		l, err := (*Loaded)(nil).WithAuthority(Section{Name: "a", At: at, Table: fillText("cacert", name)})
		if err != nil {
			t.Fatal(err)
		}
		if _, errs := file.With(l); len(errs) != 1 || strings.Contains(errs.Error(), "hidden") || strings.Contains(errs.Error(), "garbage") {
			t.Errorf("authorities.a.cacert = %q: %v", name, errs)
		}
	}
}
