package swanctl

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
)

// The defaults of strongSwan's that a daemon in its place has.
const (
	// DefaultDaemonFile is where strongswan.conf is unless the environment variable [DaemonFileVariable] names another file.
	DefaultDaemonFile  = "/etc/strongswan.conf"
	DaemonFileVariable = "STRONGSWAN_CONF"
	// DefaultSocket is charon's control socket: swanctl connects there unless it is told otherwise.
	DefaultSocket = "/var/run/charon.vici"
	// defaultNAS is what strongSwan calls itself in requests to RADIUS servers, which may let in nobody else.
	defaultNAS = "strongSwan"
)

// Daemon is what strongswan.conf says of the daemon.
type Daemon struct {
	// File is strongswan.conf, "" if there is none.
	File string
	// Settings are the tables of ours that it comes to: [ike], [control], [log], [radius].
	Settings *tree.Table
	// Warnings are keys that are not taken over, each once.
	Warnings []config.Problem
}

// ReadDaemon reads strongswan.conf. A path of "" stands for the file that strongSwan would read; there need not be one then.
func ReadDaemon(path string) (*Daemon, error) {
	d := &Daemon{File: path, Settings: tree.New(path)}
	if path == "" {
		d.File = DefaultDaemonFile
		if named := os.Getenv(DaemonFileVariable); named != "" {
			d.File = named
		} else if _, err := os.Stat(d.File); err != nil {
			d.File = ""
		}
	}
	root := tree.New(d.File)
	if d.File != "" {
		doc, err := Parse(d.File, Disk{})
		if e := (*Error)(nil); errors.As(err, &e) {
			return nil, config.Errors{problem(e)}
		} else if err != nil {
			return nil, err
		}
		root = doc.Root
		for _, w := range doc.Warnings {
			d.Warnings = append(d.Warnings, problem(w))
		}
	}
	r := &daemonReader{Daemon: d}
	r.read(root)
	if _, ok := r.table("control").Get("socket"); !ok {
		r.table("control").Add("socket", tree.Position{File: d.File}, tree.Text(DefaultSocket))
	}
	return d, nil
}

// daemonReader fills a Daemon.
type daemonReader struct{ *Daemon }

func (r *daemonReader) warnf(at tree.Position, want, format string, args ...any) {
	r.Warnings = append(r.Warnings, config.Problem{Position: at, What: fmt.Sprintf(format, args...), Want: want})
}

// table is one of our tables.
func (r *daemonReader) table(path ...string) *tree.Table {
	t := r.Settings
	for _, name := range path {
		t = t.AddSection(name)
	}
	return t
}

// set sets a key of ours to the value of a key of theirs.
func (r *daemonReader) set(e tree.Entry, value string, path ...string) {
	last := len(path) - 1
	r.table(path[:last]...).AddAt(path[last], e.At, e.Value.At, tree.Text(value))
}

// read takes the sections of the daemon. charon-systemd has what charon has and more; the sections of other programs are theirs.
func (r *daemonReader) read(root *tree.Table) {
	systemd, charon := sub(root, "charon-systemd"), sub(root, "charon")
	r.section(over(systemd, charon), "charon")
	for _, name := range []string{"libtls", "libstrongswan"} {
		for e := range sub(root, name).All() {
			r.unknown(e, name)
		}
	}
}

// sub is a section of a table; nil is an empty one.
func sub(t *tree.Table, name string) *tree.Table {
	e, _ := t.Get(name)
	s, _ := e.Value.Data.(*tree.Table)
	return s
}

// over is a table with the entries of both, in which those of t count; so it is with sections that both have.
func over(t, base *tree.Table) *tree.Table {
	out := t.Over(base)
	for e := range t.All() {
		if s, ok := e.Value.Data.(*tree.Table); ok && sub(base, e.Name) != nil {
			out.AddAt(e.Name, e.At, e.Value.At, over(s, sub(base, e.Name)))
		}
	}
	return out
}

// section takes a section whose path is known.
func (r *daemonReader) section(t *tree.Table, path string) {
	for e := range t.All() {
		name := path + "." + e.Name
		s, isSection := e.Value.Data.(*tree.Table)
		switch {
		case ofTheProcess(name):
		case !isSection:
			r.key(e, name)
		case name == "charon.filelog" || name == "charon.syslog" || name == "charon.journal":
			r.logger(e, s)
		case name == "charon.plugins.eap-radius":
			r.radius(s)
		case name == "charon.plugins.attr":
			r.attributes(s, name)
		case name == "charon.start-scripts" || name == "charon.stop-scripts":
			r.scripts(s)
		default:
			r.section(s, name)
		}
	}
}

// key takes a key.
func (r *daemonReader) key(e tree.Entry, name string) {
	value := strings.TrimSpace(string(e.Value.Data.(tree.Text)))
	if path, ok := taken[name]; ok {
		r.set(e, value, path...)
		return
	}
	if def, ok := neutral[name]; ok && same(value, def) {
		return
	}
	switch name {
	case "charon.retransmit_timeout", "charon.retransmit_limit", "charon.half_open_timeout", "charon.keep_alive":
		r.set(e, seconds(value), "ike", e.Name)
	case "charon.init_limit_half_open":
		r.limit(e, value, "half_open_limit")
	case "charon.ikesa_limit":
		r.limit(e, value, "ike_sa_limit")
	case "charon.block_threshold":
		r.limit(e, value, "block_threshold")
	case "charon.group":
		r.set(e, value, "control", "group")
	case "charon.plugins.vici.socket":
		if path, ok := strings.CutPrefix(value, "unix://"); ok {
			r.set(e, path, "control", "socket")
			return
		}
		r.warnf(e.Value.At, "write unix:// and the path of a socket", "charon.plugins.vici.socket is left out: commands come over a unix socket only")
	case "charon.install_routes":
		r.warnf(e.At, "if you set the routes to the device of the tunnels yourself, write install_routes = false into [ike] of a file that is given with -c",
			"charon.install_routes is left out: without routes no packet gets into a tunnel, since there are no policies in the kernel")
	case "charon.dns1", "charon.dns2", "charon.nbns1", "charon.nbns2":
		r.warnf(e.At, "write dns = … or nbns = … into the pools in swanctl.conf", "%s is left out", name)
	default:
		r.unknown(e, name[:strings.LastIndexByte(name, '.')])
	}
}

// limit takes a limit of which 0 is none, and ours is left.
func (r *daemonReader) limit(e tree.Entry, value, key string) {
	if same(value, "0") {
		return
	}
	r.set(e, value, "ike", key)
}

// unknown warns of a key that nothing is made of, and that has not strongSwan's default.
func (r *daemonReader) unknown(e tree.Entry, path string) {
	name := path + "." + e.Name
	if s, ok := e.Value.Data.(*tree.Table); ok {
		for below := range s.All() {
			r.unknown(below, name)
		}
		return
	}
	r.warnf(e.At, elsewhere[name], "%s is left out", name)
}

// seconds is a time of strongSwan's with its unit, which is seconds if none is written.
func seconds(value string) string {
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return value + "s"
	}
	return value
}

// same reports whether two values of a key mean the same: words for yes and no, numbers however they are written, times.
func same(a, b string) bool {
	return plain(a) == plain(b)
}

// plain is one way to write a value.
func plain(value string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	switch value {
	case "yes", "true", "enabled":
		return "yes"
	case "no", "false", "disabled":
		return "no"
	}
	if f, err := strconv.ParseFloat(strings.TrimSuffix(value, "s"), 64); err == nil {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	if n, err := strconv.ParseUint(value, 0, 64); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return value
}

// scripts warns of the scripts of charon-systemd, but for those that load what the folder has anyway.
func (r *daemonReader) scripts(s *tree.Table) {
	for e := range s.All() {
		text, _ := e.Value.Data.(tree.Text)
		words := strings.Fields(string(text))
		if len(words) > 1 && strings.HasSuffix(words[0], "swanctl") && !slices.ContainsFunc(words[1:], func(w string) bool {
			return !strings.HasPrefix(w, "--load-") && w != "--noprompt" && w != "-q"
		}) {
			continue
		}
		r.warnf(e.At, "have the service manager run it", "the script %s is left out", e.Name)
	}
}

// attributes warns of what the plugin attr sends to every client.
func (r *daemonReader) attributes(s *tree.Table, path string) {
	for e := range s.All() {
		if e.Name != "load" {
			r.warnf(e.At, "write it into the pools in swanctl.conf: dns, nbns, split_include and others", "%s.%s is left out", path, e.Name)
		}
	}
}
