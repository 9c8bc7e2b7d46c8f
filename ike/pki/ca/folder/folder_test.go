package folder

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"esplanade/ike/pki/ca"
)

func now() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

func newCA(t *testing.T) *ca.Authority {
	t.Helper()
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.NewRoot(now(), ca.Root{Validity: 3650 * ca.Day}, key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newFolder makes a folder and opens it for writing.
func newFolder(t *testing.T) *Folder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pki")
	if err := Init(path, newCA(t), []string{"http://example.org/ca.crl"}); err != nil {
		t.Fatal(err)
	}
	f, err := OpenToWrite(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func order(name string, role ca.Role) Order {
	o := Order{Request: ca.Request{Role: role, CommonName: name}, Kind: ca.KindP256}
	if err := o.Request.Names.Add(name); err != nil {
		panic(err)
	}
	return o
}

// TestInit: the folder is there whole, for its owner, and no other one is touched.
func TestInit(t *testing.T) {
	f := newFolder(t)
	for name, want := range map[string]fs.FileMode{"ca.key": 0o600, "ca.crt": 0o644, "revoked.txt": 0o644, ".": fs.ModeDir | 0o700, "issued": fs.ModeDir | 0o700} {
		if info, err := os.Stat(f.file(name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	before, err := os.ReadFile(f.file("ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Init(f.Path(), newCA(t), nil); err == nil || !strings.Contains(err.Error(), "has a CA already") {
		t.Error(err)
	}
	if after, err := os.ReadFile(f.file("ca.key")); err != nil || string(after) != string(before) {
		t.Error("the key is another one")
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Init(other, newCA(t), nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
	if err := Init(t.TempDir(), newCA(t), nil); err != nil {
		t.Error("an empty folder:", err)
	}
	if _, err := Open(other); err == nil || !strings.Contains(err.Error(), "there is no CA in "+other+": make one with `esplanade pki init`") {
		t.Error(err)
	}
}

// TestPair: a pair is written, is not written over, is renewed with its key, and starts again after it was revoked.
func TestPair(t *testing.T) {
	f := newFolder(t)
	first, err := f.Pair(now(), order("vpn.example.org", ca.Server))
	if err != nil || first.OldKey || first.Completed || filepath.Base(first.CertFile) != "vpn.example.org.crt" {
		t.Fatal(first, err)
	}
	if info, err := os.Stat(first.KeyFile); err != nil || info.Mode() != 0o600 {
		t.Error(info, err)
	}
	if got := first.Certificate.CRLDistributionPoints; !slices.Equal(got, []string{"http://example.org/ca.crl"}) {
		t.Error(got)
	}
	if _, err := f.Pair(now(), order("vpn.example.org", ca.Server)); err == nil || !strings.Contains(err.Error(), "is there already; --renew") {
		t.Error(err)
	}
	again := order("vpn.example.org", ca.Server)
	again.Renew = true
	second, err := f.Pair(now().Add(ca.Day), again)
	if err != nil || !second.OldKey || second.Certificate.SerialNumber.Cmp(first.Certificate.SerialNumber) == 0 {
		t.Fatal(second, err)
	}
	key, err := f.key("vpn.example.org")
	if err != nil || !ca.Fits(second.Certificate, key) || !ca.Fits(first.Certificate, key) {
		t.Error("the key is another one", err)
	}
	// Both can prove something, and both go.
	found, err := f.Find(now(), "VPN.example.org")
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	done, err := f.Revoke(now(), found, ca.KeyCompromise)
	if err != nil || len(done) != 2 || f.has("vpn.example.org.crt") || f.has("vpn.example.org.key") {
		t.Error(done, err)
	}
	if done, err := f.Revoke(now(), found, ca.KeyCompromise); err != nil || len(done) != 0 {
		t.Error(done, err)
	}
	if _, err := f.Find(now(), "vpn.example.org"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if found, err := f.Find(now(), ca.FormatSerial(first.Certificate.SerialNumber)); err != nil || len(found) != 1 {
		t.Error(found, err)
	}
	third, err := f.Pair(now(), order("vpn.example.org", ca.Server))
	if err != nil || third.OldKey || ca.Fits(third.Certificate, key) {
		t.Error("the key of a revoked certificate is used again", err)
	}
}

// TestBundleOf: a bundle has the only copy of its key; one of a pair has the pair's.
func TestBundleOf(t *testing.T) {
	f := newFolder(t)
	out, err := f.BundleOf(now(), order("alice", ca.Client), "secret", false)
	if err != nil || f.has("alice.key") {
		t.Fatal(out, err)
	}
	if info, err := os.Stat(out.Bundle); err != nil || info.Mode() != 0o600 {
		t.Error(info, err)
	}
	open := func(file string) *x509.Certificate {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, c, _, err := pkcs12.DecodeChain(data, "secret")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if !open(out.Bundle).Equal(out.Certificate) {
		t.Error("another certificate")
	}
	if _, err := f.BundleOf(now(), order("alice", ca.Client), "secret", false); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Error(err)
	}
	again := order("alice", ca.Client)
	again.Renew = true
	renewed, err := f.BundleOf(now(), again, "secret", true)
	if err != nil || !open(out.Bundle).Equal(renewed.Certificate) || renewed.Certificate.Equal(out.Certificate) {
		t.Error(err)
	}
	if _, err := f.Pair(now(), order("alice", ca.Client)); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Error(err)
	}
	pair, err := f.Pair(now(), order("bob", ca.Client))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := f.BundleOf(now(), order("bob", ca.Client), "secret", false)
	if err != nil || !bob.OldKey || !open(bob.Bundle).Equal(pair.Certificate) {
		t.Error(bob, err)
	}
	found, err := f.Find(now(), "bob")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if _, err := f.Revoke(now(), found, ca.Unspecified); err != nil || f.has("bob.p12") || f.has("bob.key") || f.has("bob.crt") {
		t.Error("something of bob's is left", err)
	}
}

// TestCRLNumbers: the number of a CRL counts up, whatever is lost.
func TestCRLNumbers(t *testing.T) {
	f := newFolder(t)
	for i, lose := range []string{"", "", crlName, numberName, ""} {
		if lose != "" {
			if err := os.Remove(f.file(lose)); err != nil {
				t.Fatal(err)
			}
		}
		l, err := f.Refresh(now(), ca.DefaultCRLValidity)
		if err != nil || l.Number.Int64() != int64(i)+1 || l.CheckSignatureFrom(f.CA()) != nil {
			t.Fatal(i, l.Number, err)
		}
	}
	if err := os.WriteFile(f.file(numberName), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Refresh(now(), ca.DefaultCRLValidity); err == nil || !strings.Contains(err.Error(), "is no number; put back what was there from a backup") {
		t.Error(err)
	}
}

// TestTwoRuns: two that write wait for each other, and none issues what the other has.
func TestTwoRuns(t *testing.T) {
	f := newFolder(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	const runs = 8
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			f, err := OpenToWrite(f.Path())
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if _, err := f.Pair(now(), order(fmt.Sprintf("c%d", i/2), ca.Client)); (err == nil) == (err != nil && strings.Contains(err.Error(), "already")) {
				t.Error(err)
			}
			if _, err := f.Refresh(now(), ca.DefaultCRLValidity); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := f.Issued()
	if err != nil || len(all) != runs/2 {
		t.Error(len(all), err)
	}
	if l, err := f.CRL(); err != nil || l.Number.Int64() != runs {
		t.Error(l.Number, err)
	}
}

// errKilled is how a run ends that is killed.
var errKilled = errors.New("killed")

// TestKilled ends a run before each thing that it does to the disk, one after the other, and starts it again: what was issued is in the
// list, what is there is whole, and the second run does what the first was to do.
func TestKilled(t *testing.T) {
	for _, what := range []string{"pair", "renew", "bundle", "rebundle", "revoke", "crl"} {
		t.Run(what, func(t *testing.T) {
			for at := 0; ; at++ {
				path := filepath.Join(t.TempDir(), "pki")
				if err := Init(path, newCA(t), nil); err != nil {
					t.Fatal(err)
				}
				prepare(t, path, what)
				n, ended := 0, ""
				err := doOnce(path, what, func(s string) error {
					if n++; n > at {
						ended = s
						return errKilled
					}
					return nil
				})
				if err == nil {
					if at < 3 {
						t.Fatalf("it has only %d steps", at)
					}
					return
				}
				if !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				wantWhole(t, path)
				if err := doOnce(path, what, nil); err != nil && !(what == "bundle" && strings.Contains(err.Error(), "already")) {
					t.Errorf("ended before %q, then: %v", ended, err)
				}
				wantDone(t, path, what, ended)
			}
		})
	}
}

// prepare does what is to be there before.
func prepare(t *testing.T, path, what string) {
	t.Helper()
	f, err := OpenToWrite(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	switch what {
	case "renew", "revoke":
		_, err = f.Pair(now(), order("x", ca.Client))
	case "rebundle":
		_, err = f.BundleOf(now(), order("x", ca.Client), "p", false)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func doOnce(path, what string, s step) error {
	f, err := openToWrite(path, s)
	if err != nil {
		return err
	}
	defer f.Close()
	o := order("x", ca.Client)
	o.Renew = what == "renew" || what == "rebundle"
	switch what {
	case "pair", "renew":
		_, err = f.Pair(now(), o)
	case "bundle", "rebundle":
		_, err = f.BundleOf(now(), o, "p", false)
	case "revoke":
		var list []*x509.Certificate
		if list, err = f.Issued(); err == nil {
			_, err = f.Revoke(now(), list, ca.Superseded)
		}
	case "crl":
		_, err = f.Refresh(now(), ca.DefaultCRLValidity)
	}
	return err
}

// wantWhole wants every file to be one, and every certificate that somebody can have to be in the list.
func wantWhole(t *testing.T, path string) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Issued()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Revoked(); err != nil {
		t.Error(err)
	}
	if _, err := f.CRL(); err != nil {
		t.Error(err)
	}
	if c, err := f.certificate("x.crt"); err == nil && !slices.ContainsFunc(all, c.Equal) {
		t.Error("x.crt is not among what was issued")
	}
	if data, err := os.ReadFile(f.file("x.p12")); err == nil {
		if _, c, _, err := pkcs12.DecodeChain(data, "p"); err != nil || !slices.ContainsFunc(all, c.Equal) {
			t.Error("x.p12 is not among what was issued", err)
		}
	}
}

// wantDone wants what a run that was not killed leaves.
func wantDone(t *testing.T, path, what, ended string) {
	t.Helper()
	wantWhole(t, path)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			t.Errorf("ended before %q: %s is left", ended, e.Name())
		}
	}
	switch what {
	case "pair", "renew":
		key, err := f.key("x")
		if err != nil {
			t.Fatalf("ended before %q: %v", ended, err)
		}
		if c, err := f.certificate("x.crt"); err != nil || !ca.Fits(c, key) {
			t.Errorf("ended before %q: %v", ended, err)
		}
	case "bundle", "rebundle":
		data, err := os.ReadFile(f.file("x.p12"))
		if err != nil {
			t.Fatalf("ended before %q: %v", ended, err)
		}
		c, err := f.certificate("x.crt")
		if _, in, _, errIn := pkcs12.DecodeChain(data, "p"); err != nil || errIn != nil || !in.Equal(c) {
			t.Errorf("ended before %q: %v, %v", ended, err, errIn)
		}
	case "revoke":
		r, err := f.Revoked()
		if err != nil || len(r) != 1 || f.has("x.crt") || f.has("x.key") {
			t.Errorf("ended before %q: %v, %v", ended, r, err)
		}
	case "crl":
		if l, err := f.CRL(); err != nil || l == nil {
			t.Errorf("ended before %q: %v", ended, err)
		}
	}
}

// TestFileNames: no name leads out of the folder, hides a file, or takes the place of one of the CA's.
func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"vpn.example.org": "vpn.example.org", "me@example.org": "me@example.org", "../x": "_.._x", "Zoë Ünal": "Zo___nal", "*.example": "_.example", "-r": "_-r", "": "_", "CA": "_CA",
		"issued": "_issued", "a/b\\c": "a_b_c", ".lock": "_.lock",
	} {
		if got := FileName(name); got != want || filepath.Base(got) != got {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestSameFiles: a name whose files are another's is refused, also to be renewed.
func TestSameFiles(t *testing.T) {
	f := newFolder(t)
	for _, do := range []func(Order) error{
		func(o Order) error { _, err := f.Pair(now(), o); return err },
		func(o Order) error { _, err := f.BundleOf(now(), o, "p", false); return err },
	} {
		if _, err := f.Pair(now(), Order{Request: ca.Request{Role: ca.Client, CommonName: "Zoë"}, Kind: ca.KindP256}); err != nil && !strings.Contains(err.Error(), "already") {
			t.Fatal(err)
		}
		err := do(Order{Request: ca.Request{Role: ca.Client, CommonName: "Zoé"}, Kind: ca.KindP256, Renew: true})
		if err == nil || !strings.Contains(err.Error(), `is the certificate of "Zoë", and the files of "Zoé" would have the same names`) {
			t.Error(err)
		}
	}
}

// TestBroken: files that somebody has changed are named, with what to do; nothing is issued beside them.
func TestBroken(t *testing.T) {
	for name, want := range map[string]string{"revoked.txt": "cannot be read: line 1 has 1 fields", "ca.key": "it has no PEM block PRIVATE KEY", "ca.crt": "it has no PEM block CERTIFICATE"} {
		f := newFolder(t)
		if err := os.WriteFile(f.file(name), []byte("junk\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f.Close()
		err := doOnce(f.Path(), "pair", nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "put back what was there from a backup") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFolder(t)
	if err := os.Remove(f.file("ca.key")); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := doOnce(f.Path(), "crl", nil); err == nil || !strings.Contains(err.Error(), "only where its key is") {
		t.Error(err)
	}
	// Another CA's key.
	g := newFolder(t)
	other, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	data, err := ca.EncodeKey(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.file("ca.key"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Authority(); err == nil || !strings.Contains(err.Error(), "is not the key of") {
		t.Error(err)
	}
}
