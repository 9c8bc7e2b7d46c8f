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
	// clears is set if the program takes all secrets and keys away.
	clears bool
}

// viciLibraries are those of strongSwan's own sources, and davici. Neither Debian nor the registries that the tests may use have them, and so
// their requests are recorded.
func viciLibraries() []viciLibrary {
	const plugin = "src/libcharon/plugins/vici/"
	python := func(script string) func(dir, sources, socket string) lab.Command {
		return func(dir, sources, socket string) lab.Command {
			return lab.Command{Args: []string{"python3", filepath.Join(dir, script), socket}, Env: []string{"PYTHONPATH=" + filepath.Join(sources, plugin+"python")}}
		}
	}
	hasPython := []string{"python3", "-c", "import vici"}
	return []viciLibrary{
		{name: "python", source: "vici 6.0 for Python of strongSwan's sources (MIT)", installed: hasPython, run: python("client.py")},
		{name: "ruby", source: "vici for Ruby of strongSwan's sources (MIT)", installed: []string{"ruby", "-e", `require "vici"`},
			run: func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"ruby", "-I", filepath.Join(sources, plugin+"ruby/lib"), filepath.Join(dir, "client.rb"), socket}}
			}},
		{name: "perl", source: "Vici::Session 0.9 for Perl of strongSwan's sources (MIT)", installed: []string{"perl", "-MVici::Session", "-e", "1"},
			run: func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"perl", "-I", filepath.Join(sources, plugin+"perl/Vici-Session/lib"), filepath.Join(dir, "client.pl"), socket}}
			}},
		{name: "davici", source: "davici 1.6 (LGPL)", installed: []string{"sh", "-c", "command -v cc && pkg-config --exists davici"},
			run: func(dir, sources, socket string) lab.Command {
				return lab.Command{Args: []string{"sh", "-c", buildAndRun, "davici", filepath.Join(dir, "client.c"), sources, socket}}
			}},
		{name: "strongman", source: "vici 6.0 for Python of strongSwan's sources (MIT), with the requests of strongMan", installed: hasPython, run: python("strongman.py"), clears: true},
	}
}

// buildAndRun compiles the program $1 with davici of the directory $2, or with the one that is installed, and runs it on the socket $3.
const buildAndRun = `set -e
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
if [ -n "$2" ]; then cc -I "$2" -o "$dir/client" "$1" "$2/davici.c"; else cc -o "$dir/client" "$1" $(pkg-config --cflags --libs davici); fi
"$dir/client" "$3"`

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
			l.restore(t, theirs)
		}
		t.Run(l.name, func(t *testing.T) {
			replay(t, ours.a.Socket(), file)
			l.restore(t, ours)
			if sources == "" && exec.CommandContext(t.Context(), l.installed[0], l.installed[1:]...).Run() != nil {
				t.Logf("ONLY RECORDED REQUESTS TESTED: this machine has no library vici for %s", l.name)
				return
			}
			runClient(t, ours, l.run(dir, sources, ours.a.Socket()))
			l.restore(t, ours)
		})
	}
}

// restore loads again what a program has taken away.
func (l viciLibrary) restore(t *testing.T, w *swanWorld) {
	t.Helper()
	if l.clears {
		w.load(t, "start.conf")
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
