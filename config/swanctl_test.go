package config

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/config/tree"
	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// recorded are the packets that a swanctl has sent, each behind its length, as they are on the socket. What was run is in
// testdata/swanctl/README.md.
func recorded(t *testing.T, name string) (out []vici.Packet) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "swanctl", name))
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := binary.BigEndian.Uint32(data)
		p, err := vici.ParsePacket(data[4 : 4+n])
		if err != nil {
			t.Fatal(err)
		}
		out, data = append(out, p), data[4+n:]
	}
	return out
}

// play loads what packets say. Errors are the lines that whoever sent them would see.
func play(t *testing.T, l *Loaded, packets []vici.Packet) (*Loaded, []string) {
	t.Helper()
	var errs []string
	here := Position{File: OriginVICI}
	for _, p := range packets {
		var err error
		value := func(key string) string { return p.Message.Get(key) }
		each := func(add func(Section) (*Loaded, error)) {
			for e := range p.Message.All() {
				l, err = add(Section{Name: e.Name, At: here, Table: fill(tree.New(OriginVICI), e.Section)})
			}
		}
		switch p.Name {
		case "load-conn":
			each(l.WithConnection)
		case "load-pool":
			each(l.WithPool)
		case "load-authority":
			each(l.WithAuthority)
		case "load-cert":
			l, err = l.WithCertificate(Certificate{Type: value("type"), Flag: CertificateFlag(value("flag")), Data: []byte(value("data")), At: here})
		case "load-key":
			l, _, err = l.WithKey([]byte(value("data")), nil, here)
		case "load-shared":
			l, err = l.WithShared(Shared{ID: value("id"), Kind: value("type"), Data: NewSecret([]byte(value("data"))), Owners: p.Message.List("owners"), At: here})
		}
		if err != nil {
			errs = append(errs, p.Name+": "+err.Error())
		}
	}
	return l, errs
}

// TestRecorded: what a real swanctl sends is taken, or refused for a reason that can be acted on; the ids of keys are strongSwan's.
func TestRecorded(t *testing.T) {
	file, err := Parse("x.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	l, errs := play(t, nil, recorded(t, "everything.vici"))
	sameLists(t, "errors of single things", errs, []string{
		"load-cert: the file is some other text, not a certificate", // ca.srl, which openssl has put beside the CA
		"load-cert: the file has a revocation list that can't be read: unsupported crl version (line 1)",
		"load-shared: secrets of XAuth belong to IKEv1, which is not supported; write eap for users of IKEv2",
	})
	// As `openssl pkey -pubout` and SHA-1 of the bits have them.
	sameLists(t, "keys", l.KeyIDs(), []string{"6cb08ee007723975f6f34d91a6a12f9eb28c4f0b", "01746c7d6db3555be19feab382ceeff409fc1446", "e3634fcf6c300399a828b7b2a36d0de365b37719"})
	sameLists(t, "secrets", l.SharedIDs(), []string{"ike-1", "ike-two", "ike", "eap-carol", "ntlm-y", "ppk-z"})
	sameLists(t, "pools", l.Pools(), []string{"p4", "p6"})
	sameLists(t, "authorities", l.Authorities(), []string{"ca1"})
	sameLists(t, "connections", l.Connections(), []string{"gw", "empty"})
	_, problems := file.With(l)
	var what []string
	for _, p := range problems {
		what = append(what, p.What)
	}
	sameLists(t, "what can't be honoured", what, []string{
		"unknown key pools.p4.25",
		"authorities.ca1.cert_uri_base is not supported by this version (hash and URL)",
		`connections.gw.remote.auth = "rsa-2048-ecdsa-256-sha256-sha384-ike:pubkey-sha256" is not supported by this version`,
	})
}

func sameLists[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v\nwant %v", what, got, want)
	}
}

// TestRecordedArticle: the configuration that articles show, and one for users, are loaded as they are sent.
func TestRecordedArticle(t *testing.T) {
	file, err := Parse("x.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	l, errs := play(t, nil, recorded(t, "article.vici"))
	c, problems := file.With(l)
	if len(errs)+len(problems) > 0 {
		t.Fatal(errs, problems)
	}
	// The one that there is was not made for Windows.
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].What, "extendedKeyUsage") {
		t.Error(c.Warnings)
	}
	own, accepted := c.Set.Own("net-net", 0), c.Set.Accepted("net-net", 0)
	if len(own) != 1 || len(own[0].Chain) != 1 || accepted.Trust == nil || len(accepted.Trust.Anchors) != 2 || len(accepted.Rules.Authorities) != 1 {
		t.Errorf("net-net proves itself with %d pairs, and accepts %+v", len(own), accepted)
	}
	if s, ok := c.EAP.Server("rw", 0); !ok || s.Config == nil {
		t.Error("nothing checks the users")
	}
	for _, name := range []string{"carol", "dave", "David"} {
		if _, ok := c.Users.Directory.Find(name); !ok {
			t.Errorf("there is no %s", name)
		}
	}
	if len(c.Pools) != 1 || c.Pools[0].Name != "rw_pool" || c.Connection("rw").SendCert != policy.SendCertAlways || c.Connection("rw").SendCertReq {
		t.Errorf("pools %v, and rw %+v", c.Pools, c.Connection("rw"))
	}
}

// TestEmptyFolder: where connections are those of a folder of swanctl, the warning that there is none says what to write there.
func TestEmptyFolder(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "gw.toml")} {
		if path != "" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := LoadOver(path, "/etc/swanctl", &tree.Table{})
		if err != nil || len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0].Want, "write a section connections {") {
			t.Errorf("%q: %v, %v", path, c, err)
		}
	}
}

// TestLoadOrder: in whatever order things are loaded, and whatever was loaded and unloaded meanwhile, the same comes of it; and without
// them it is the file again.
func TestLoadOrder(t *testing.T) {
	file, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		t.Fatal(err)
	}
	const seed = 13
	r := rand.New(rand.NewPCG(seed, 3))
	packets := slices.DeleteFunc(recorded(t, "article.vici"), func(p vici.Packet) bool { return !strings.HasPrefix(p.Name, "load-") })
	for i := range 6 {
		m := new(vici.Message)
		n := m.Sub(fmt.Sprint("t", i)).SetList("remote_addrs", fmt.Sprint("198.51.100.", i+1))
		n.Sub("local").Set("auth", "psk").Set("id", "gw.example")
		n.Sub("remote").Set("auth", "psk").Set("id", fmt.Sprint("p", i, ".example"))
		packets = append(packets, vici.Packet{Name: "load-conn", Message: m},
			vici.Packet{Name: "load-shared", Message: new(vici.Message).Set("id", fmt.Sprint("ike-", i)).Set("type", "ike").Set("data", fmt.Sprint("Zp3kQ9vB", i)).SetList("owners", fmt.Sprint("p", i, ".example"))})
	}
	first := ""
	for round := range 30 {
		r.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
		c := file
		for _, p := range packets {
			l, errs := play(t, c.Loaded(), []vici.Packet{p})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			next, problems := c.With(l)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if c = next; r.IntN(4) == 0 { // something else comes and goes
				l, err := c.Loaded().WithConnection(section("guest", "version", "2"))
				if err != nil {
					t.Fatal(err)
				}
				with, problems := c.With(l)
				l, _ = l.WithoutConnection("guest")
				without, more := with.With(l)
				if names, all := without.Differences(c); len(problems)+len(more)+len(names) > 0 || all {
					t.Fatalf("what has gone has left %v, %v, %v", names, problems, more)
				}
				c = without
			}
		}
		if is := outline(c); first == "" {
			first = is
		} else if is != first {
			t.Fatalf("round %d has come to something else (seed %d):\n%s\nfirst it was\n%s", round, seed, is, first)
		}
		if back, errs := c.With(nil); back != file || len(errs) > 0 {
			t.Fatal("without anything it is not the file")
		}
	}
}

// outline is what a configuration comes to, without the order of things.
func outline(c *Config) string {
	var lines []string
	for _, n := range c.Connections {
		s, _ := c.Credential(n.Name, n.Local.ID, n.Remote.ID, true)
		key := ""
		if s != nil && n.usesPSK() {
			key = s.FullName()
		}
		_, users := c.EAP.Server(n.Name, 0)
		lines = append(lines, fmt.Sprintf("%s %s %s %d key %q users %v\n  own %d accepts %x", n.Name, n.Local.ID, n.Remote.ID, len(n.Children), key, users, len(c.Set.Own(n.Name, 0)), len(c.Set.Accepted(n.Name, 0).Rules.Authorities)))
	}
	for _, p := range c.Pools {
		lines = append(lines, "pool "+p.Name)
	}
	for e := range c.Users.Directory.All() {
		lines = append(lines, "user "+e.User.Name)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
