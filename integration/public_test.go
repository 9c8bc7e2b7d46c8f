//go:build linux

package integration

import (
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// publicDir has the configurations.
const publicDir = "testdata/public"

// exitPartly is what import ends with if something was left out.
const exitPartly = 3

// translation has the addresses of the lab for those of a source.
func (c publicCase) translation(t *testing.T) *strings.Replacer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(publicDir, c.dir, "lab"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.NewReplacer(strings.Fields(string(text))...)
}

// copyTo copies what is imported to a folder, with other addresses, and returns what import is to be called with.
func (c publicCase) copyTo(t *testing.T, dir string, tr *strings.Replacer) (source string) {
	t.Helper()
	from := filepath.Join(publicDir, c.dir, "here")
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, []byte(tr.Replace(string(text))), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if source = filepath.Join(dir, "ipsec.conf"); c.ipsecConf() {
		return source
	}
	return filepath.Join(dir, "swanctl")
}

// ipsecConf reports whether it is an ipsec.conf.
func (c publicCase) ipsecConf() bool {
	_, err := os.Stat(filepath.Join(publicDir, c.dir, "here", "ipsec.conf"))
	return err == nil
}

// writeCerts makes the certificates of a case: this side's in the folders of its kind, those of the peer as files of it.
func (c publicCase) writeCerts(t *testing.T, dir string) (files []peer.File) {
	t.Helper()
	if len(c.certs) == 0 {
		return nil
	}
	certs, keys, cas := filepath.Join(dir, "swanctl", "x509"), filepath.Join(dir, "swanctl", "private"), filepath.Join(dir, "swanctl", "x509ca")
	if c.ipsecConf() {
		certs, keys, cas = filepath.Join(dir, "ipsec.d", "certs"), filepath.Join(dir, "ipsec.d", "private"), filepath.Join(dir, "ipsec.d", "cacerts")
	}
	write := func(dir, name string, data []byte) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root := newCA(t, "strongSwan Root CA", nil)
	write(cas, "strongswanCert.pem", pemOf(root.cert))
	files = append(files, root.file("strongswanCert"))
	for _, x := range c.certs {
		l := root.issue("", x.kind, func(cert *x509.Certificate) { cert.Subject = x.name() }, x.names)
		if x.peer {
			files = append(files, peer.File{Kind: peer.X509, Name: x.cert, Data: pemOf(l.cert)}, peer.File{Kind: peer.Private, Name: x.key, Data: l.keyPEM(t)})
			continue
		}
		write(certs, x.cert, pemOf(l.cert))
		write(keys, x.key, l.keyPEM(t))
	}
	return files
}

// importInto imports a source, and returns what import says. A configuration that is not valid is an error if valid is set.
func importInto(t *testing.T, source, out string, valid bool) (said string) {
	t.Helper()
	binary, err := peer.Binary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(binary, "import", source, "-o", out).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && (exit.ExitCode() == exitPartly || !valid && exit.ExitCode() == 1):
	default:
		t.Fatalf("%v\n%s", err, text)
	}
	return string(text)
}

// TestPublic: configurations that were published are imported, and those of them that have a tunnel carry traffic to a strongSwan that has the
// mirror of the original, brought up as the original says.
func TestPublic(t *testing.T) {
	lab.NeedRoot(t, peer.Programs(peer.KindStrongSwan, peer.KindEsplanade)...)
	t.Parallel()
	for _, c := range publicCases() {
		if c.brings == "" {
			continue
		}
		t.Run(c.dir, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

// run brings a tunnel up and has each of its children carry a ping.
func (c publicCase) run(t *testing.T) {
	l := lab.New(t, lab.Options{})
	for _, ip := range []struct {
		site *lab.Site
		addr string
	}{{l.A, "10.11.0.1"}, {l.B, "10.21.0.1"}} {
		if err := ip.site.IP("addr add " + ip.addr + "/32 dev lo"); err != nil {
			t.Fatal(err)
		}
	}
	tr := c.translation(t)
	source := c.copyTo(t, l.A.Dir, tr)
	files := c.writeCerts(t, l.A.Dir)
	out := filepath.Join(l.A.Dir, "imported.toml")
	said := importInto(t, source, out, c.after == "")
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(publicDir, c.dir, "peer.conf"))
	if err != nil {
		t.Fatal(err)
	}
	a := peer.New(t, peer.KindEsplanade, l.A, peer.Gateway{More: string(text) + "\n" + strings.ReplaceAll(c.after, "@", l.A.Dir)})
	b := peer.New(t, peer.KindStrongSwan, l.B, peer.Gateway{More: tr.Replace(string(conf)), Files: files, Plugins: eapPlugins})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("import says:\n%s\nand makes:\n%s", said, text)
		}
	})
	b.Start(t)
	a.Start(t)
	switch from := map[string]peer.Peer{"command": a, "peer": b}[c.brings]; from {
	case nil:
	default:
		if out, err := peer.Initiate(from, c.child); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	pings := c.pings
	if len(pings) == 0 {
		pings = []publicPing{{}}
	}
	for _, p := range pings {
		here, there := siteAddress(l.A, p.here), siteAddress(l.B, p.there)
		lab.Eventually(t, 20*time.Second, "a ping from "+here+" to "+there, func() (bool, string) {
			out, err := l.A.Run("ping", "-c1", "-W1", "-I", here, there)
			return err == nil, out
		})
	}
	// The pings went through tunnels, and not past them.
	lab.Eventually(t, 10*time.Second, "each ping has its CHILD SA", func() (bool, string) {
		sas, err := peer.SAs(a)
		if err != nil {
			return false, err.Error()
		}
		used := 0
		for _, ike := range sas {
			for _, child := range ike.Children {
				if child.BytesIn != "0" && child.BytesOut != "0" {
					used += max(1, len(child.LocalTS)*len(child.RemoteTS))
				}
			}
		}
		return used >= len(pings), peer.DescribeSAs(a)
	})
}

// siteAddress is an address of a ping.
func siteAddress(s *lab.Site, name string) string {
	switch name {
	case "":
		return s.Inner4.String()
	case "outer":
		return s.Outer4.String()
	}
	return name
}

// leftOut are the lines of what import says that are about what is not carried over, without the place of the files.
func leftOut(said, dir string) (out []string) {
	for line := range strings.Lines(said) {
		if what, ok := strings.CutPrefix(strings.TrimSpace(line), "not carried over: "); ok {
			what = strings.TrimPrefix(strings.ReplaceAll(what, dir+"/", ""), "swanctl/")
			if _, rest, ok := strings.Cut(what, ": "); ok && !slices.Contains(out, rest) {
				out = append(out, rest)
			}
		}
	}
	return out
}
