//go:build linux

package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"esplanade/integration/lab"
)

// MetricsAddr is where an Esplanade in the lab serves its metrics; every host has a loopback of its own.
const MetricsAddr = "127.0.0.1:9700"

// Esplanade is the gateway under test, as the binary an operator would run.
type Esplanade struct {
	site *lab.Site
	gw   Gateway
	path string // of the binary
	run  run
	// folder is the gateway whose files it runs in place of its own, nil for none.
	folder *StrongSwan
	// imported is the file that was made of that folder, and is run in its place; "" for none.
	imported string
}

// newEsplanade writes the configuration of an Esplanade gateway and has "esplanade check" look at it.
func newEsplanade(t testing.TB, site *lab.Site, gw Gateway) *Esplanade {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	e := &Esplanade{site: site, gw: gw, path: path}
	for _, f := range gw.Files {
		e.WriteFile(t, f)
	}
	write(t, e.ConfigPath(), e.config())
	if _, err := site.Run(path, "check", e.ConfigPath()); err != nil {
		t.Fatalf("the configuration isn't accepted: %v\n%s", err, e.config())
	}
	t.Cleanup(func() {
		e.Kill()
		for _, defect := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
			if _, after, found := strings.Cut(e.Log(), defect); found {
				t.Errorf("Esplanade on %s: %s%s", site.Name, defect, head(after, defectLines))
			}
		}
		if t.Failed() {
			t.Logf("Esplanade on %s, end of the log:\n%s", site.Name, tail(e.Log(), 60))
		}
	})
	return e
}

// defectLines is how much of a stack trace is shown: both sides of a data race.
const defectLines = 40

// Kind is "esplanade".
func (e *Esplanade) Kind() string { return KindEsplanade }

// Site is where it runs.
func (e *Esplanade) Site() *lab.Site { return e.site }

// Socket is the path of the control socket.
func (e *Esplanade) Socket() string {
	if e.folder != nil {
		return e.folder.Socket()
	}
	return filepath.Join(e.site.Dir, "vici")
}

// ConfigPath is the path of the configuration file.
func (e *Esplanade) ConfigPath() string { return filepath.Join(e.site.Dir, "gw.toml") }

// FilePath is where a file of the gateway is.
func (e *Esplanade) FilePath(f File) string { return filepath.Join(e.site.Dir, f.Kind, f.Name) }

// WriteFile writes a file of the gateway, or replaces it as a whole, as whoever renews a certificate should.
func (e *Esplanade) WriteFile(t testing.TB, f File) {
	t.Helper()
	path := e.FilePath(f)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, path+".new", string(f.Data))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// ResolvConf is the file that the gateway has as its /etc/resolv.conf, if the configuration has OwnResolver.
func (e *Esplanade) ResolvConf() string { return filepath.Join(e.site.Dir, "resolv.conf") }

// StatePath is where the gateway notes what it has changed of its host.
func (e *Esplanade) StatePath() string { return filepath.Join(e.site.Dir, "host.json") }

// KeysDir is where the gateway writes its keys if the configuration has SaveKeys.
func (e *Esplanade) KeysDir() string { return filepath.Join(e.site.Dir, "keys") }

// Log is what the daemon has written to its standard output and error.
func (e *Esplanade) Log() string {
	p := e.run.process()
	if p == nil {
		return ""
	}
	return p.Log()
}

// Start runs the daemon.
func (e *Esplanade) Start(t testing.TB) {
	t.Helper()
	e.Launch(t)
	waitForControl(t, e, e.run.process())
	wantRunning(t, e, e.run.process())
}

// Launch starts the daemon's process and doesn't wait until it answers.
func (e *Esplanade) Launch(t testing.TB) {
	t.Helper()
	c := lab.Command{Args: append([]string{e.path}, e.arguments()...), Dir: e.site.Dir}
	if e.gw.OwnResolver {
		c.OwnMounts = true
		c.Args = append([]string{"sh", "-c", `mount --make-rprivate / && mount --bind "$0" /etc/resolv.conf && exec "$@"`, e.ResolvConf()}, c.Args...)
	}
	if _, err := e.run.start(e.site, "esplanade", c); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the daemon, which deletes its SAs and removes what it has set up; it must end with status 0.
func (e *Esplanade) Stop(t testing.TB) {
	t.Helper()
	if err := e.run.process().Stop(stopGrace); err != nil {
		t.Error(err)
	}
}

// Kill ends the daemon without a word to its peers, and without a chance to tidy up. It may be called again.
func (e *Esplanade) Kill() { e.run.kill() }

// Configure writes another configuration, which a running daemon reads with HangUp or Reload. It never sees half of one.
func (e *Esplanade) Configure(t testing.TB, gw Gateway) {
	t.Helper()
	e.gw = gw
	fresh := e.ConfigPath() + ".new"
	write(t, fresh, e.config())
	if err := os.Rename(fresh, e.ConfigPath()); err != nil {
		t.Fatal(err)
	}
}

// HangUp has the daemon read its configuration again, and does not wait.
func (e *Esplanade) HangUp(t testing.TB) {
	t.Helper()
	if err := unix.Kill(e.run.process().PID(), unix.SIGHUP); err != nil {
		t.Error(err)
	}
}

// Reload has the daemon read its configuration again, and waits until it has.
func (e *Esplanade) Reload(t testing.TB) {
	t.Helper()
	loaded := func() int { return strings.Count(e.Log(), "configuration loaded") }
	before := loaded()
	e.HangUp(t)
	lab.Eventually(t, 20*time.Second, "the configuration is loaded", func() (bool, string) {
		return loaded() > before, ""
	})
}

// Command runs a subcommand of the binary that talks to the daemon.
func (e *Esplanade) Command(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	return e.site.RunContext(ctx, lab.Command{Args: append(append([]string{e.path}, args...), "--socket", e.Socket()),
		Env: []string{"COLUMNS=5000"}}) // no text is broken into lines
}

// Offline runs a subcommand of the binary that needs no daemon, in the directory of the configuration. It gives what that prints.
func (e *Esplanade) Offline(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	return e.site.RunContext(ctx, lab.Command{Args: append([]string{e.path}, args...), Dir: e.site.Dir})
}

// StatusAll is what "esplanade status --json" says.
func (e *Esplanade) StatusAll() (Status, error) {
	var s Status
	out, err := e.Command("status", "--json")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return s, fmt.Errorf("esplanade status --json: %w\n%s", err, out)
	}
	return s, nil
}

// Status is the part of StatusAll about one connection; the zero ConnStatus if it has none.
func (e *Esplanade) Status(connection string) (ConnStatus, error) {
	s, err := e.StatusAll()
	for _, c := range s.Connections {
		if c.Name == connection {
			return c, err
		}
	}
	return ConnStatus{}, err
}

// Status is "esplanade status --json". The tests rely on these keys.
type Status struct {
	Gateway struct {
		DataPath struct {
			Features []Feature `json:"features"`
		} `json:"data_path"`
		Drops []Drop `json:"drops"`
	} `json:"gateway"`
	Connections []ConnStatus `json:"connections"`
	// Unmatched are failures that belong to no connection, such as that none is configured for a peer.
	Unmatched []FailureStatus `json:"unmatched"`
}

// Feature is a facility of the kernel, which the packet loop uses or not.
type Feature struct {
	Name   string `json:"name"`
	Used   bool   `json:"used"`
	Reason string `json:"reason"`
}

// Drop is how many packets were dropped for a reason.
type Drop struct {
	Direction string `json:"direction"`
	Reason    string `json:"reason"`
	Packets   uint64 `json:"packets"`
}

// Failures are all failures in a status.
func (s Status) Failures() []FailureStatus {
	all := slices.Clone(s.Unmatched)
	for _, c := range s.Connections {
		for _, state := range append([]StateStatus{c.StateStatus}, c.Children...) {
			if state.Failure != nil {
				all = append(all, *state.Failure)
			}
		}
	}
	return all
}

// ConnStatus is one connection.
type ConnStatus struct {
	StateStatus
	Resumed  bool          `json:"resumed"`
	Children []StateStatus `json:"children"`
}

// StateStatus is what is wanted of a connection or child, what is, since when, and why it isn't up.
type StateStatus struct {
	Name    string         `json:"name"`
	Desired string         `json:"desired"` // "up", "on traffic", "on command"
	State   string         `json:"state"`   // "up", "connecting", "waiting", "trapped", "down"
	Since   string         `json:"since"`   // RFC 3339
	Failure *FailureStatus `json:"failure"` // the last one, until it is up again
	// Silence is a request without an answer, from the second repetition on.
	Silence *SilenceStatus `json:"silence"`
	// Remarks are troubles that last, Path what is known of the path; for a child.
	Remarks []FailureStatus `json:"remarks"`
	Path    *PathStatus     `json:"path"`
}

// SilenceStatus is a request without an answer, and what it comes to if none comes.
type SilenceStatus struct {
	Request string        `json:"request"`
	Failure FailureStatus `json:"failure"`
}

// PathStatus is the MTU of a path, and how it was found out that it is lowered: "icmp", "black hole" or "".
type PathStatus struct {
	MTU       int    `json:"mtu"`
	LoweredBy string `json:"lowered_by"`
}

// FailureStatus is a failure value in JSON.
type FailureStatus struct {
	Code    string `json:"code"`
	Message string `json:"message"` // the line that the log and swanctl show
	Fix     string `json:"fix"`
}

func (f FailureStatus) String() string { return f.Message + " Fix: " + f.Fix }

// config is the configuration in TOML.
func (e *Esplanade) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[control]\nsocket = %q\n\n[metrics]\nlisten = %q\n\n[log]\nlevel = \"debug\"\n\n", e.Socket(), MetricsAddr)
	if e.gw.OwnResolver {
		fmt.Fprintf(&b, "[tun]\nstate_file = %q\n\n", e.StatePath())
	}
	ike := map[string]string{"retransmit_timeout": `"500ms"`, "retransmit_base": "1.0", "retransmit_tries": "4", "lease_file": strconv.Quote(filepath.Join(e.site.Dir, "leases.db"))}
	maps.Copy(ike, e.gw.IKE)
	fmt.Fprintf(&b, "[ike]\n%s\n[dataplane]\n%s\n", lines("", ike), lines("", e.gw.Dataplane))
	if e.gw.SaveKeys {
		fmt.Fprintf(&b, "[debug]\nsave_keys = %q\n\n", e.KeysDir())
	}
	for _, c := range e.gw.Connections {
		fmt.Fprintf(&b, "[connections.%s]\n%s", c.Name, lines("", e.connectionKeys(c)))
		for _, side := range []struct {
			name, id string
			rounds   []Auth
		}{{"local", c.LocalID, append([]Auth{c.LocalAuth}, c.LocalRounds...)}, {"remote", c.RemoteID, append([]Auth{c.RemoteAuth}, c.RemoteRounds...)}} {
			for i, a := range side.rounds {
				name := side.name
				if i > 0 {
					name, side.id = fmt.Sprintf("%s-%d", name, i+1), a.ID
				}
				fmt.Fprintf(&b, "[connections.%s.%s]\n%s", c.Name, name, lines("", authKeys(a, side.id)))
			}
		}
		for _, ch := range c.Children {
			fmt.Fprintf(&b, "[connections.%s.children.%s]\n%s\n", c.Name, ch.Name, lines("", e.childKeys(ch)))
		}
	}
	if keys := folders(e.gw.Files); len(keys) > 0 {
		fmt.Fprintf(&b, "[credentials]\n%s\n", lines("", keys))
	}
	for i, s := range e.gw.PPKs {
		fmt.Fprintf(&b, "[secrets.ppk.s%d]\nid = %q\nsecret = %q\n\n", i, s.ID, s.Key)
	}
	for i, s := range e.gw.Secrets {
		fmt.Fprintf(&b, "[secrets.ike.s%d]\nid = %s\nsecret = %q\n\n", i, array(s.IDs), s.Key)
	}
	b.WriteString(e.gw.More)
	return b.String()
}

// folders are those of files that hold for all connections, by the key that names them. Own certificates, CAs and public keys are named
// where they are meant.
func folders(files []File) map[string]string {
	keys := map[string]string{}
	for _, f := range files {
		switch f.Kind {
		case Private, X509CRL:
			keys[f.Kind] = strconv.Quote(f.Kind)
		case X509Between:
			keys[X509] = strconv.Quote(f.Kind)
		}
	}
	return keys
}

// authKeys are the keys of a table local or remote.
func authKeys(a Auth, id string) map[string]string {
	keys := map[string]string{"auth": strconv.Quote(a.method()), "id": strconv.Quote(id)}
	for key, list := range map[string][]string{"certs": under(X509, a.Certs), "cacerts": under(X509CA, a.CACerts), "pubkeys": under(PubKeys, a.Pubkeys)} {
		if len(list) > 0 {
			keys[key] = array(list)
		}
	}
	for k, v := range a.Extra {
		keys[k] = strconv.Quote(v)
	}
	return keys
}

// under are the paths of files of a kind, relative to the configuration.
func under(kind string, names []string) (list []string) {
	for _, n := range names {
		list = append(list, filepath.Join(kind, n))
	}
	return list
}

func (e *Esplanade) connectionKeys(c Connection) map[string]string {
	keys := map[string]string{
		"local_addrs": array([]string{anyAddr(c.Local)}), "remote_addrs": array([]string{anyAddr(c.Remote)}),
		"encap": strconv.FormatBool(!c.NoEncap),
	}
	if !c.keepUp() {
		keys["keyingtries"] = "1" // initiate gives up after one sequence of retransmissions
	}
	if len(c.Proposals) > 0 {
		keys["proposals"] = array(c.Proposals)
	}
	if c.NoMOBIKE {
		keys["mobike"] = "false"
	}
	if c.NoFragmentation {
		keys["fragmentation"] = "false"
	}
	if c.DPDDelay > 0 {
		keys["dpd_delay"] = strconv.Quote(seconds(c.DPDDelay))
	}
	if c.RekeyTime > 0 {
		keys["rekey_time"] = strconv.Quote(seconds(c.RekeyTime))
	}
	if c.PPKID != "" {
		keys["ppk_id"] = strconv.Quote(c.PPKID)
	}
	if c.PPKRequired {
		keys["ppk_required"] = "true"
	}
	if c.Resumption {
		keys["resumption"] = "true"
	}
	if len(c.VIPs) > 0 {
		keys["vips"] = array(c.VIPs)
	}
	for k, v := range c.Extra {
		keys[k] = strconv.Quote(v)
	}
	if len(c.Pools) > 0 {
		keys["pools"] = array(c.Pools)
	}
	return keys
}

func (e *Esplanade) childKeys(c Child) map[string]string {
	start := c.StartAction
	if start == "" {
		start = "none"
	}
	keys := map[string]string{"local_ts": array(c.LocalTS), "remote_ts": array(c.RemoteTS), "start_action": strconv.Quote(start)}
	if len(c.Proposals) > 0 {
		keys["esp_proposals"] = array(c.Proposals)
	}
	if c.RekeyTime > 0 {
		keys["rekey_time"] = strconv.Quote(seconds(c.RekeyTime))
	}
	if c.Updown != "" {
		keys["updown"] = strconv.Quote(c.Updown)
	}
	return keys
}

// array writes a TOML array of strings.
func array(v []string) string {
	quoted := make([]string, len(v))
	for i, s := range v {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// PID is the process id of the daemon's present or last run.
func (e *Esplanade) PID() int { return e.run.process().PID() }
