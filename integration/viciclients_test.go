//go:build linux

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/gates"
	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// viciSourcesEnv names a directory with the sources of the libraries, as a check-out of strongSwan has them below src/libcharon/plugins/vici,
// and davici.c with davici.h. With it they are run against strongSwan, and what they say is recorded again.
const viciSourcesEnv = "ESPLANADE_VICI_SOURCES"

// viciLibrary is a client library of VICI with a program that uses it.
type viciLibrary struct {
	name, source string
	// installed asks whether the library is on this machine; run runs the program with it, from sources if a directory is given.
	installed []string
	run       func(dir, sources, socket string) lab.Command
}

// viciLibraries are those of strongSwan's own sources. Neither Debian nor the registries that the tests may use have them, and so their
// requests are recorded.
func viciLibraries() []viciLibrary {
	const plugin = "src/libcharon/plugins/vici/"
	return []viciLibrary{
		{"python", "vici 6.0 for Python of strongSwan's sources (MIT), with the commands that strongMan uses", []string{"python3", "-c", "import vici"},
			func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"python3", filepath.Join(dir, "client.py"), socket}, Env: []string{"PYTHONPATH=" + filepath.Join(sources, plugin+"python")}}
			}},
		{"ruby", "vici for Ruby of strongSwan's sources (MIT)", []string{"ruby", "-e", `require "vici"`},
			func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"ruby", "-I", filepath.Join(sources, plugin+"ruby/lib"), filepath.Join(dir, "client.rb"), socket}}
			}},
		{"perl", "Vici::Session 0.9 for Perl of strongSwan's sources (MIT)", []string{"perl", "-MVici::Session", "-e", "1"},
			func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"perl", "-I", filepath.Join(sources, plugin+"perl/Vici-Session/lib"), filepath.Join(dir, "client.pl"), socket}}
			}},
	}
}

// testVICIClients has client libraries work with Esplanade as with strongSwan: those that this machine has themselves, and all of them as
// they were recorded when they spoke to strongSwan.
func testVICIClients(t *testing.T, theirs, ours *swanWorld) {
	root, err := gates.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "integration", "testdata", "vici")
	sources := os.Getenv(viciSourcesEnv)
	for _, l := range viciLibraries() {
		file := filepath.Join(dir, l.name+".txt")
		if sources != "" {
			record(t, theirs, l, dir, sources, file)
		}
		t.Run(l.name, func(t *testing.T) {
			replay(t, ours.a.Socket(), file)
			if sources == "" && exec.CommandContext(t.Context(), l.installed[0], l.installed[1:]...).Run() != nil {
				t.Logf("ONLY RECORDED REQUESTS TESTED: this machine has no library vici for %s", l.name)
				return
			}
			runClient(t, ours, l.run(dir, sources, ours.a.Socket()))
		})
	}
}

// runClient runs a program to its end.
func runClient(t *testing.T, w *swanWorld, c lab.Command) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := w.a.Site().RunContext(ctx, c); err != nil {
		t.Errorf("%s: %v\n%s", w.a.Kind(), err, out)
	}
}

// record has a library speak to strongSwan, and writes down what the two say.
func record(t *testing.T, w *swanWorld, l viciLibrary, dir, sources, file string) {
	t.Helper()
	if w.a.Kind() != peer.KindStrongSwan {
		t.Fatal("what is recorded is strongSwan")
	}
	var r recorder
	socket := filepath.Join(w.a.Site().Dir, l.name+".sock")
	r.listen(t, socket, w.a.Socket())
	runClient(t, w, l.run(dir, sources, socket))
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf("# What a program says with %s, and what strongSwan 5.9.8 answers: the types, names and keys.\n# Recorded with %s.\n%s\n",
		l.source, viciSourcesEnv, strings.Join(r.lines, "\n"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
