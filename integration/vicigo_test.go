//go:build linux

package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"esplanade/integration/gates"
	"esplanade/integration/lab"
)

// goviciVersion is that of the Go library that is tried. Version 0.8.0 loses events of lists, of strongSwan as well.
const goviciVersion = "v0.8.2"

// testGovici builds a program with govici, which the exporters for Prometheus use, in a module of its own, and runs it against both gateways,
// each with one tunnel.
func testGovici(t *testing.T, worlds ...*swanWorld) {
	root, err := gates.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "integration", "testdata", "vici", "exporter.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"go.mod": []byte("module exporter\n\ngo 1.24\n\nrequire github.com/strongswan/govici " + goviciVersion + "\n"), "main.go": text} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	build := func(args ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, "go", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		return c.CombinedOutput()
	}
	if out, err := build("mod", "download", "github.com/strongswan/govici"); err != nil {
		t.Skipf("TEST NOT RUN: govici %s cannot be had: %v\n%s", goviciVersion, err, out)
	}
	if out, err := build("build", "-buildvcs=false", "-o", "exporter", "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, w := range worlds {
		up(w)
		runClient(t, w, lab.Command{Args: []string{filepath.Join(dir, "exporter"), w.a.Socket()}})
	}
}
