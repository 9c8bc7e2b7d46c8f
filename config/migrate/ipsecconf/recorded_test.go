package ipsecconf

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// TestRecorded: made-up conns mean here what they mean for strongSwan. testdata/recorded has what "swanctl --list-conns" said of each file, in
// strongSwan 5.9.8, after its starter had read the file on a host with the address 192.0.2.1.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no recordings", err)
	}
	for _, file := range files {
		want, err := os.ReadFile(strings.TrimSuffix(file, ".conf") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		res, err := Read(file, Options{Options: migrate.Options{Files: recordings{}, Here: []string{"192.0.2.1"}}, Dialect: StrongSwan})
		if err != nil {
			t.Fatal(err)
		}
		theirs, ours := paragraphs(string(want)), paragraphs(listConns(t, res.Config))
		if len(theirs) != len(ours) {
			t.Errorf("%s: %d connections, want %d", file, len(ours), len(theirs))
		}
		for name, w := range theirs {
			if !slices.Equal(ours[name], w) {
				t.Errorf("%s: %s is\n%s\nwant\n%s", file, name, strings.Join(ours[name], "\n"), strings.Join(w, "\n"))
			}
		}
	}
}

// recordings reads files from the directory of the test.
type recordings struct{}

func (recordings) ReadFile(name string, limit int64) ([]byte, error) { return os.ReadFile(name) }
func (recordings) Glob(pattern string) ([]string, error)             { return nil, nil }

// What strongSwan writes in another way, and what it does not say.
var (
	singleRemote = regexp.MustCompile(`^  remote: [0-9a-f.:]+$`)
	dpdAction    = regexp.MustCompile(`, dpd action is .*`)
	hostLength   = regexp.MustCompile(`\b(\d+\.\d+\.\d+\.\d+)/32\b`)
	otherNames   = strings.NewReplacer(", dpd action is none", "", "tcp/http", "tcp/80", "udp/snmp", "udp/161", "udp/domain", "udp/53", "udp/l2f", "udp/1701", "udp/l2tp", "udp/1701",
		"17/1701", "udp/1701", "%any4", "0.0.0.0/0", "%any6", "::/0", "..", "-", "#0a0b", "0a:0b")
)

// paragraphs are the lines about each connection, one for each address.
func paragraphs(text string) map[string][]string {
	out, name := map[string][]string{}, ""
	own := false // the line before is about how this side proves itself
	for line := range strings.Lines(text) {
		if own && strings.HasPrefix(line, "    id: ") && strings.ContainsAny(line, "*/-") {
			continue // a pattern, which this side cannot be
		}
		own = strings.HasPrefix(line, "  local ")
		line = hostLength.ReplaceAllString(otherNames.Replace(strings.TrimRight(line, "\n")), "$1")
		if !strings.HasPrefix(line, " ") {
			name, _, _ = strings.Cut(line, ":")
		}
		if key, list, ok := strings.Cut(line, ":  "); ok && (key == "  local" || key == "  remote") {
			for _, a := range strings.Fields(list) {
				out[name] = append(out[name], key+": "+a)
			}
			continue
		}
		if list, ok := strings.CutPrefix(line, "  remote: "); ok {
			for _, a := range strings.Fields(list) {
				out[name] = append(out[name], "  remote: "+a)
			}
			continue
		}
		out[name] = append(out[name], line)
	}
	for name, lines := range out {
		if !slices.ContainsFunc(lines, singleRemote.MatchString) { // who cannot be called is not called again
			for i := range lines {
				lines[i] = dpdAction.ReplaceAllString(lines[i], "")
			}
		}
		// Anybody, and everybody besides, is anybody.
		for _, side := range []string{"  local: ", "  remote: "} {
			if slices.Contains(lines, side+"%any") {
				out[name] = slices.DeleteFunc(out[name], func(l string) bool { return l == side+"0.0.0.0/0" || l == side+"::/0" })
			}
		}
	}
	return out
}

// listConns writes connections of ours as swanctl --list-conns does those of strongSwan.
func listConns(t *testing.T, root *tree.Table) string {
	t.Helper()
	var b strings.Builder
	every := func(what, v string) string {
		if d, ok := duration(v); ok && d > 0 {
			return fmt.Sprintf("%s every %ds", what, int(d.Seconds()))
		}
		return "no " + what
	}
	for name, x := range sections(t, root, "connections") {
		dpd := ""
		if v := text(x, "dpd_delay"); v != "0s" {
			d, _ := duration(v)
			dpd = fmt.Sprintf(", dpd delay %ds", int(d.Seconds()))
		}
		fmt.Fprintf(&b, "%s: IKEv2, %s, %s%s\n", name, every("reauthentication", text(x, "reauth_time")), every("rekeying", text(x, "rekey_time")), dpd)
		for _, side := range []string{"local", "remote"} {
			addrs := text(x, side+"_addrs")
			if addrs == "" {
				addrs = "%any"
			}
			fmt.Fprintf(&b, "  %-8s%s\n", side+":", addrs)
		}
		for _, side := range []string{"local", "remote"} {
			e, _ := x.Get(side)
			a := e.Value.Data.(*tree.Table)
			fmt.Fprintf(&b, "  %s %s authentication:\n", side, map[string]string{"psk": "pre-shared key", "pubkey": "public key"}[text(a, "auth")])
			if id := text(a, "id"); id != "" {
				fmt.Fprintf(&b, "    id: %s\n", strings.TrimPrefix(strings.TrimPrefix(id, "@"), "fqdn:"))
			}
		}
		for child, y := range sections(t, x, "children") {
			action := ""
			if a := text(y, "dpd_action"); a != "" {
				action = ", dpd action is " + a
			}
			fmt.Fprintf(&b, "  %s: TUNNEL, %s%s\n    local:  %s\n    remote: %s\n", child, every("rekeying", text(y, "rekey_time")), action, text(y, "local_ts"), text(y, "remote_ts"))
		}
	}
	return b.String()
}

// sections are the tables below one, in their order.
func sections(t *testing.T, of *tree.Table, name string) func(func(string, *tree.Table) bool) {
	t.Helper()
	e, ok := of.Get(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return func(yield func(string, *tree.Table) bool) {
		for s := range e.Value.Data.(*tree.Table).All() {
			if !yield(s.Name, s.Value.Data.(*tree.Table)) {
				return
			}
		}
	}
}

// text is a value, with spaces between the elements of a list.
func text(t *tree.Table, key string) string {
	e, _ := t.Get(key)
	switch x := e.Value.Data.(type) {
	case string:
		return x
	case tree.List:
		var out []string
		for _, v := range x {
			out = append(out, v.Data.(string))
		}
		return strings.Join(out, " ")
	}
	return ""
}
