//go:build linux

package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateSwitched = flag.Bool("update-switched", false, "write the table of docs/switched.md")

// switchedDoc is the document with the table of what is carried over.
const switchedDoc = "../docs/switched.md"

// The table stands between these lines.
const (
	tableBegins = "<!-- go test ./integration -run TestSwitchedTable -update-switched -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestSwitchedTable holds docs/switched.md to what import says of each public configuration.
func TestSwitchedTable(t *testing.T) {
	doc, err := os.ReadFile(switchedDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(doc), tableBegins)
	_, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok1 || !ok2 {
		t.Fatalf("%s has not the lines %q and %q", switchedDoc, tableBegins, tableEnds)
	}
	folders, err := filepath.Glob(publicDir + "/*")
	if err != nil || len(folders) != len(publicCases()) {
		t.Errorf("%d folders and %d cases, %v", len(folders), len(publicCases()), err)
	}
	var b strings.Builder
	b.WriteString("| | configuration | source | left out | tunnel with a strongSwan |\n|---|---|---|---|---|\n")
	for _, c := range publicCases() {
		b.WriteString(c.row(t))
	}
	want := before + tableBegins + b.String() + tableEnds + after
	if *updateSwitched {
		if err := os.WriteFile(switchedDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(doc) {
		t.Errorf("the table of %s is not what import says (-update-switched writes it):\n%s", switchedDoc, b.String())
	}
}

// sourceURL is the address in a source.md.
var sourceURL = regexp.MustCompile(`Source: <(https://\S+)>`)

// row is the line of the table.
func (c publicCase) row(t *testing.T) string {
	t.Helper()
	about, err := os.ReadFile(filepath.Join(publicDir, c.dir, "source.md"))
	if err != nil {
		t.Fatal(err)
	}
	url := sourceURL.FindStringSubmatch(string(about))
	if url == nil || !strings.Contains(string(about), "\nReplaced: ") {
		t.Fatalf("%s: source.md says not where it is from, or what was replaced", c.dir)
	}
	dir := t.TempDir()
	source := c.copyTo(t, dir, strings.NewReplacer())
	said := importInto(t, source, filepath.Join(dir, "out.toml"), false)
	what := "nothing"
	if left := leftOut(said, dir); len(left) > 0 {
		for i, l := range left {
			key, why, _ := strings.Cut(l, ": ")
			left[i] = "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(key) + "`: " + strings.NewReplacer("|", `\|`, "<", `\<`).Replace(why)
		}
		what = strings.Join(left, "<br>")
	}
	tunnel, ok := map[string]string{"start": "comes up by itself", "trap": "comes up with the first packet", "command": "comes up by a command", "peer": "the peer brings it up",
		"": "none: " + c.why}[c.brings]
	if !ok {
		t.Fatalf("%s: nobody is %q", c.dir, c.brings)
	}
	if c.after != "" {
		tunnel += ", once the certificates are exported"
	}
	number, _, _ := strings.Cut(c.dir, "-")
	return fmt.Sprintf("| %s | %s: %s | [%s](%s) | %s | %s |\n", number, c.kind(t), c.about, host(url[1]), url[1], what, tunnel)
}

// kind names the format.
func (c publicCase) kind(t *testing.T) string {
	t.Helper()
	switch {
	case !c.ipsecConf():
		return "swanctl.conf"
	case strings.Contains(c.dir, "libreswan"):
		return "libreswan"
	}
	return "ipsec.conf"
}

// host is the host of an address.
func host(url string) string {
	rest := strings.TrimPrefix(url, "https://")
	h, _, _ := strings.Cut(rest, "/")
	return h
}
