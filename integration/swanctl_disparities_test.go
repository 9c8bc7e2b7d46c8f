//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/integration/gates"
)

// disparity is something that Esplanade says in another way than strongSwan.
type disparity struct {
	// commands are the verbs of swanctl where it occurs, or one whole command line.
	commands string
	// theirs and ours are lines that only one of the two prints, * standing for anything: of --raw and --pretty with the path of the
	// sections, of the plain form as they are. What begins with [more] stands behind strongSwan's line.
	theirs, ours string
	why          string
}

// more begins what Esplanade adds at the end of strongSwan's line.
const more = "…"

// concerns reports whether a row is about a step.
func (d disparity) concerns(s swanStep) bool {
	return d.commands == s.args || !strings.HasPrefix(d.commands, "--") && slices.Contains(strings.Fields(d.commands), s.verb())
}

// disparities is the table of docs/swanctl.md.
func disparities() []disparity {
	const (
		cause = "strongSwan says that it failed; Esplanade goes on with the code, what both sides have, and the fix"
		own   = "each says what it has"
	)
	return []disparity{
		{"initiate terminate rekey redirect install uninstall counters", "", "…: E-*", cause},
		{"terminate", "", "…: 0 of 1 are gone: *", cause},
		{"initiate", "", "…: silent is not up yet: *", cause},
		{"redirect", "", "…: peer-ip is *", cause},
		{"initiate terminate", "log {}\nlog > *\n[*] *", "log {}\nlog > *\n[*] *", "the log of what goes on is each daemon's own; the groups are strongSwan's"},
		{"version", "strongSwan 5.9.8 charon-systemd (*)", "strongSwan 0.1.0* esplanade (*)", own},
		{"version", "version reply > daemon=charon-systemd\nversion reply > version=5.9.8", "version reply > daemon=esplanade\nversion reply > version=0.1.0*", own},
		{"stats", "stats reply > workers > *\nworker threads: *", "stats reply > workers > *\nworker threads: *", "one thread for all IKE SAs, and workers for what takes long"},
		{"stats", "stats reply > queues > *\nstats reply > scheduled=*\njob*", "stats reply > queues > *\nstats reply > scheduled=*\njob*", own},
		{"stats", "stats reply > plugins=*\nloaded plugins: *", "stats reply > plugins=*\nloaded plugins: *", "there are no plugins; what the kernel does for the packet loop stands there"},
		{"stats", "stats reply > mallinfo > *\nmallinfo: *", "stats reply > mallinfo > *\nmallinfo: *", "the memory of Go in the words of the C library"},
		{"list-conns", "list-conn event > * > version=IKEv1/2", "list-conn event > * > version=IKEv2", "there is no IKEv1; version = 0 means IKEv2"},
		{"list-conns", "list-conn event > rw > remote-N > eap_id=%any\n    eap_id: %any", "", "any is what it means not to say it"},
		{"list-conns", "*: IKEv1/2, *", "*: IKEv2, *", "likewise"},
		{"list-conns", "", "list-conn event > * > local_port=500\nlist-conn event > * > remote_port=500", "strongSwan has them from 6.0 on"},
		{"list-pols", "", "list-policy event {}; *mode=DROP*\n*, DROP; local:*", "what Esplanade refuses while it has no SA for it, which strongSwan lets pass in the clear"},
		{"list-algs", "get-algorithms reply > *\n  *[*]\n*:", "get-algorithms reply > *\n  *[*]\n*:", "all that a proposal can be written with; they come from no plugins"},
		{"counters", "counters reply > success=no\ncounters reply > errmsg=no counters found for this connection\nget-counters failed: *\nexit 1",
			"counters reply > counters > gw*\ncounters reply > success=yes\ngw:\n  *: 0\nexit 0",
			"a connection has counters from the start; strongSwan has none before something was counted, nor after --reset"},
		{"reload-settings", "", "reload-settings reply > changes=*", "what the reload has changed"},
		{"--initiate --child net --timeout 7", "initiate reply > success=no\ninitiate reply > errmsg=*\ninitiate failed: *\nexit 1",
			"initiate reply > success=yes\ninitiate completed successfully\nexit 0", "a child that is up is left alone; strongSwan makes a second one, or fails"},
		{"load-creds load-all", "get-shared reply > keys=*", "get-shared reply > keys=*", "the same names in the order in which they were loaded; strongSwan begins with the last"},
		{"load-conns load-pools load-authorities", "loading * 'bad' failed: *", "loading * 'bad' failed: *", "the key with its table, and what it may be"},
		{"--load-conns --file FILE(bad-version.conf)", "loaded connection 'bad'\nsuccessfully loaded 1 connections, 0 unloaded\nexit 0",
			"loading connection 'bad' failed: *\nloaded 0 of 1 connections, 1 failed to load, 0 unloaded\nexit 22", "strongSwan takes version = 9"},
		{"--load-conns --file FILE(bad-ts.conf)", "loaded connection 'bad'\nsuccessfully loaded 1 connections, 0 unloaded\nexit 0",
			"loading connection 'bad' failed: *\nloaded 0 of 1 connections, 1 failed to load, 0 unloaded\nexit 22", "strongSwan takes local_ts = 10.0.0.0/99"},
		{"--load-pools --file FILE(bad-pool.conf)", "loaded pool 'bad'\nsuccessfully loaded 1 pools, 2 unloaded\nexit 0",
			"loading pool 'bad' failed: *\nloaded 0 of 1 pools, 1 failed to load, 2 unloaded\nexit 22", "strongSwan takes addrs = 10.0.0.0/99"},
		{"list-sas", "", "list-sa event > * > child-sas > *-N > state=DELETED", "a CHILD SA that was terminated is shown for 5 seconds more, in which it takes what is still on its way"},
	}
}

// documented is the table as docs/swanctl.md has it.
func documented() string {
	cell := func(pattern string) string {
		if pattern == "" {
			return "nothing"
		}
		return "`" + strings.Join(strings.Split(pattern, "\n"), "`<br>`") + "`"
	}
	var b strings.Builder
	b.WriteString("| command | strongSwan 5.9.8 | Esplanade | why |\n|---|---|---|---|\n")
	for _, d := range disparities() {
		commands := d.commands
		if !strings.HasPrefix(commands, "--") {
			commands = "--" + strings.ReplaceAll(commands, " ", " --")
		}
		b.WriteString("| `" + commands + "` | " + cell(d.theirs) + " | " + cell(d.ours) + " | " + d.why + " |\n")
	}
	return b.String()
}

// TestDisparitiesAreDocumented: what TestSwanctlIsStrongSwans allows is what docs/swanctl.md says, row by row.
func TestDisparitiesAreDocumented(t *testing.T) {
	root, err := gates.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "swanctl.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "\n\n"+documented()+"\n") {
		t.Errorf("docs/swanctl.md has another table than this:\n%s", documented())
	}
}
