package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"esplanade/ike/diag"
)

// shown finds command lines in documents: behind a shell's indentation, in quotes, and in a unit of systemd.
var shown = regexp.MustCompile("(?m)(?:^ {4}(?:docker exec esplanade )?|`|^ExecStart=/usr/local/bin/|&& )/?esplanade ([a-z][^`#\n]*)")

// TestDocumentedCommandLines: the command lines that the documents show are ones, with flags that there are and as many
// arguments as the command takes. What is in capitals stands for something.
func TestDocumentedCommandLines(t *testing.T) {
	n := 0
	for _, file := range []string{"README.md", "docs/configuration.md", "docs/operations.md", "docs/containers.md", "docs/other-systems.md", "docs/certificates.md", "docs/systemd/esplanade.service", "docs/systemd/swanctl.conf", "docs/swanctl.md"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			args := strings.Fields(strings.ReplaceAll(strings.TrimSpace(m[1]), `"`, ""))
			c, rest, err := newRoot(io.Discard, io.Discard).Find(args)
			if err != nil || !c.HasParent() {
				t.Errorf("%s: there is no %q", file, m[0])
				continue
			}
			n++
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", file, m[0], err)
				continue
			}
			// A document may name a command without its arguments, but not with wrong ones.
			if given := c.Flags().Args(); len(given) > 0 && c.Args != nil {
				if err := c.Args(c, given); err != nil {
					t.Errorf("%s: %q: %v", file, m[0], err)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d command lines are documented", n)
	}
}

// TestEveryCommandIsDocumented: docs/operations.md has every command, and every flag says what it is.
func TestEveryCommandIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range newRoot(io.Discard, io.Discard).Commands() {
		if c.Name() != "help" && !strings.Contains(string(text), "`"+c.CommandPath()) {
			t.Errorf("%s is not in docs/operations.md", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s does not say what it is", c.CommandPath(), f.Name)
			}
		})
	}
}

// TestDocumentedFailures: the rows of docs/operations.md say the same as the program.
func TestDocumentedFailures(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| code | what it means | what to do |\n|---|---|---|\n")
	for _, code := range diag.Codes() {
		x, _ := diag.Explain(code)
		row := fmt.Sprintf("| `%s` | %s | %s |\n", code, x.Title, strings.TrimSuffix(x.Fix, "."))
		if !strings.Contains(string(text), "\n"+row) {
			t.Errorf("docs/operations.md has no row like this:\n%s", row)
		}
		want.WriteString(row)
	}
	if !strings.Contains(string(text), "\n"+want.String()+"\n") {
		t.Errorf("the table of failures in docs/operations.md is not this one:\n%s", want.String())
	}
}

// TestUnit: what the unit of systemd says fits the program.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../docs/systemd/esplanade.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, want := range []string{
		"Type=notify",                        // supervisor.go
		"ExecReload=/bin/kill -HUP $MAINPID", // run.go
		"RestartPreventExitStatus=2",         // exitUsage
		"RuntimeDirectory=esplanade",         // config.DefaultSocket
		"DeviceAllow=/dev/net/tun rw",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("there is no line %s", want)
		}
	}
}

// TestServiceFiles: what launchd and the two rc systems are given is well formed, and starts the gateway as it wants to be started.
func TestServiceFiles(t *testing.T) {
	plist, err := os.ReadFile("../../docs/launchd/org.esplanade.gateway.plist")
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(plist))
	var words []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			words = append(words, strings.TrimSpace(string(text)))
		}
	}
	if text := strings.Join(words, " "); !strings.Contains(text, "ProgramArguments /usr/local/bin/esplanade run -c /usr/local/etc/esplanade/esplanade.toml") {
		t.Errorf("launchd starts something else: %s", text)
	}
	for _, name := range []string{"freebsd", "openbsd"} {
		file := "../../docs/rc.d/esplanade." + name
		if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"run -c ", " check ", "reload"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
	}
}
