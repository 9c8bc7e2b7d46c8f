package config

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestCredentialState: whatever programs do that renew certificates is seen, and nothing is when nothing has changed.
func TestCredentialStateOfLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		do(os.WriteFile(at(name), []byte(text), 0o600))
	}
	link := func(target, name string) {
		t.Helper()
		do(os.Symlink(target, at(name+".new")))
		do(os.Rename(at(name+".new"), at(name)))
	}
	old := time.Now().Add(-time.Hour)
	for _, d := range []string{"archive", "live", "..1", "..2", "folder", "pattern"} {
		do(os.Mkdir(at(d), 0o700))
	}
	for _, name := range []string{"archive/cert1.pem", "archive/cert2.pem", "..1/tls.crt", "..2/tls.crt", "folder/a.pem", "pattern/a.pem", "alone.pem"} {
		write(name, "as long as the others") // and as old: neither the size nor the time tells them apart
		do(os.Chtimes(at(name), old, old))
	}
	link("../archive/cert1.pem", "live/cert.pem") // as certbot has it
	link("..1", "..data")                         // as the kubelet has it
	link("..data/tls.crt", "tls.crt")
	c := &Config{watch: []string{at("live/cert.pem"), at("tls.crt"), at("folder"), at("pattern/*.pem"), at("alone.pem"), at("missing.pem")}}
	seen := c.CredentialState()
	for _, x := range []struct {
		what string
		do   func()
	}{
		{"another target of a link", func() { link("../archive/cert2.pem", "live/cert.pem") }},
		{"another target of a link that a link leads by", func() { link("..2", "..data") }},
		{"a link that leads nowhere", func() { link("../archive/cert3.pem", "live/cert.pem") }},
		{"what it leads to is there", func() { write("archive/cert3.pem", "as long as the others") }},
		{"a file written over, with its time put back", func() {
			write("alone.pem", "as long as the OTHERS")
			do(os.Chtimes(at("alone.pem"), old, old)) // on Linux; elsewhere another byte shows it
			if runtime.GOOS != "linux" {
				write("alone.pem", "longer than all the others")
			}
		}},
		{"a file that is gone", func() { do(os.Remove(at("alone.pem"))) }},
		{"a folder in its place", func() { do(os.Mkdir(at("alone.pem"), 0o700)) }},
		{"a file in that", func() { write("alone.pem/x.pem", "") }},
		{"the file again", func() { do(os.RemoveAll(at("alone.pem"))); write("alone.pem", "as long as the others") }},
		{"another who may read it", func() { do(os.Chmod(at("alone.pem"), 0o644)) }},
		{"one file more in a folder", func() { write("folder/b.pem", "b") }},
		{"one that is called otherwise", func() { do(os.Rename(at("folder/b.pem"), at("folder/c.pem"))) }},
		{"one less", func() { do(os.Remove(at("folder/a.pem"))) }},
		{"one more that matches", func() { write("pattern/b.pem", "b") }},
		{"one that was missing", func() { write("missing.pem", "m") }},
	} {
		if again := c.CredentialState(); again != seen {
			t.Errorf("before %q: it is different without a change", x.what)
		}
		x.do()
		now := c.CredentialState()
		if now == seen {
			t.Errorf("not seen: %s", x.what)
		}
		seen = now
	}
}
