package hostdns

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// host is a host with a resolver file and some commands.
type host struct {
	t        *testing.T
	conf     string
	state    string
	system   string
	commands []string          // that there are
	outputs  map[string]string // of a command line
	fails    string            // a command line that begins so fails
	ran      []string          // with their input
}

func newHost(t *testing.T, commands ...string) *host {
	dir := t.TempDir()
	return &host{t: t, conf: filepath.Join(dir, "resolv.conf"), state: filepath.Join(dir, "state", "host.json"), system: "linux", commands: commands, outputs: map[string]string{}}
}

// resolver is that of another run of the program.
func (h *host) resolver() *Resolver {
	return New(Options{
		ResolvConf: h.conf, State: h.state, System: h.system,
		Run: func(name string, args []string, input string) (string, error) {
			line := name + " " + strings.Join(args, " ")
			h.ran = append(h.ran, strings.TrimSpace(line+"\n"+input))
			if h.fails != "" && strings.HasPrefix(line, h.fails) {
				return "", errors.New("no")
			}
			return h.outputs[line], nil
		},
		Look: func(name string) (string, error) {
			if slices.Contains(h.commands, name) {
				return "/nowhere/" + name, nil
			}
			return "", errors.New("not there")
		},
	})
}

func (h *host) write(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.conf, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) read() string {
	b, err := os.ReadFile(h.conf)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// noted reports whether there is something to take back after a crash.
func (h *host) noted() bool { _, err := os.Stat(h.state); return err == nil }

func (h *host) set(r *Resolver, s Settings, by string) {
	h.t.Helper()
	got, err := r.Set(s)
	if err != nil || got != by {
		h.t.Fatalf("by %q, want %q: %v", got, by, err)
	}
	if h.noted() != (len(s.Servers) > 0) {
		h.t.Errorf("noted: %v", h.noted())
	}
}

func settings(domains ...string) Settings {
	return Settings{Device: "ipsec0", Servers: []netip.Addr{netip.MustParseAddr("10.0.0.53"), netip.MustParseAddr("2001:db8::53")}, Domains: domains}
}

const ours = marker + "ipsec0, which puts back what was here before when it goes down.\nnameserver 10.0.0.53\nnameserver 2001:db8::53\n"

// Each way to set a resolver, for all names and for some, and back.
func TestMethods(t *testing.T) {
	for _, c := range []struct {
		name, system string
		commands     []string
		conf, by     string
		open         bool
		all, split   []string // nil: it can't
		back         []string
	}{
		{
			name: "systemd-resolved", commands: []string{"resolvectl", "resolvconf"}, conf: "nameserver 127.0.0.53\noptions edns0\n", by: "systemd-resolved",
			all: []string{"resolvectl default-route ipsec0 yes", "resolvectl domain ipsec0 ~.", "resolvectl dns ipsec0 10.0.0.53 2001:db8::53", "resolvectl flush-caches"},
			split: []string{"resolvectl default-route ipsec0 no", "resolvectl domain ipsec0 ~corp.example ~b.example", "resolvectl dns ipsec0 10.0.0.53 2001:db8::53",
				"resolvectl flush-caches"},
			back: []string{"resolvectl revert ipsec0", "resolvectl flush-caches"},
		},
		{
			name: "openresolv", commands: []string{"resolvectl", "resolvconf"}, conf: "nameserver 192.0.2.1\n", by: "resolvconf", open: true,
			all:   []string{"resolvconf --version", "resolvconf -m 0 -x -a ipsec0\nnameserver 10.0.0.53\nnameserver 2001:db8::53"},
			split: []string{"resolvconf --version", "resolvconf -p -a ipsec0\nsearch corp.example b.example\nnameserver 10.0.0.53\nnameserver 2001:db8::53"},
			back:  []string{"resolvconf -d ipsec0"},
		},
		{
			name: "Debian's resolvconf", commands: []string{"resolvconf"}, conf: "nameserver 192.0.2.1\n", by: "resolvconf",
			all:  []string{"resolvconf --version", "resolvconf -a ipsec0\nnameserver 10.0.0.53\nnameserver 2001:db8::53"},
			back: []string{"resolvconf -d ipsec0"},
		},
		{
			name: "scutil", system: "darwin", commands: []string{"resolvconf"}, by: "scutil",
			all: []string{"scutil \nd.init\nd.add ServerAddresses * 10.0.0.53 2001:db8::53\nd.add SupplementalMatchDomains * \"\"\nd.add SupplementalMatchDomainsNoSearch # 1\n" +
				"set State:/Network/Service/esplanade-ipsec0/DNS\nquit"},
			split: []string{"scutil \nd.init\nd.add ServerAddresses * 10.0.0.53 2001:db8::53\nd.add SupplementalMatchDomains * corp.example b.example\n" +
				"d.add SupplementalMatchDomainsNoSearch # 1\nset State:/Network/Service/esplanade-ipsec0/DNS\nquit"},
			back: []string{"scutil \nremove State:/Network/Service/esplanade-ipsec0/DNS\nquit"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.commands...)
			if h.write(c.conf); c.system != "" {
				h.system = c.system
			}
			if c.open {
				h.outputs["resolvconf --version"] = "openresolv 3.13.2 (Debian compatible)\n"
			}
			ran := func(want []string) {
				t.Helper()
				if !slices.Equal(h.ran, want) {
					t.Errorf("%q, want %q", h.ran, want)
				}
				h.ran = nil
			}
			r := h.resolver()
			h.set(r, settings(), c.by)
			ran(c.all)
			h.set(r, settings(), c.by) // nothing is different
			ran(nil)
			h.set(r, Settings{}, "")
			ran(c.back)
			if c.split == nil {
				if _, err := r.Set(settings("corp.example", "b.example")); !errors.Is(err, ErrNoSplit) || h.noted() {
					t.Errorf("%v, noted %v", err, h.noted())
				}
			} else {
				h.set(r, settings("corp.example", "b.example"), c.by)
				ran(c.split)
				// The process is killed: the next one takes it back.
				if err := h.resolver().Recover(); err != nil || h.noted() {
					t.Error(err)
				}
				ran(c.back)
			}
			if h.read() != c.conf {
				t.Errorf("resolv.conf is %q", h.read())
			}
		})
	}
}

// The resolver's file: what was there comes back, whatever it was.
func TestFile(t *testing.T) {
	const before = "search lan\nnameserver 192.0.2.1\noptions timeout:1\n"
	for _, c := range []struct {
		name  string
		make  func(h *host)
		check func(h *host) bool
	}{
		{"a file", func(h *host) { h.write(before) }, func(h *host) bool { return h.read() == before }},
		{"none", func(*host) {}, func(h *host) bool { _, err := os.Lstat(h.conf); return os.IsNotExist(err) }},
		{"a link", func(h *host) {
			if err := os.WriteFile(h.conf+".nm", []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("resolv.conf.nm", h.conf); err != nil {
				t.Fatal(err)
			}
		}, func(h *host) bool {
			to, _ := os.Readlink(h.conf)
			return to == "resolv.conf.nm" && h.read() == before
		}},
		{"a link to nothing", func(h *host) {
			if err := os.Symlink("/nowhere/at/all", h.conf); err != nil {
				t.Fatal(err)
			}
		}, func(h *host) bool { to, _ := os.Readlink(h.conf); return to == "/nowhere/at/all" }},
	} {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crash %v", c.name, crash), func(t *testing.T) {
				h := newHost(t)
				c.make(h)
				r := h.resolver()
				h.set(r, settings(), "resolv.conf")
				if h.read() != ours {
					t.Fatalf("%q", h.read())
				}
				if i, err := os.Lstat(h.conf); err != nil || i.Mode() != 0o644 {
					t.Errorf("%v, %v", i.Mode(), err)
				}
				// Other servers take the place of those, and what was there at first is still known.
				s := settings()
				s.Servers = s.Servers[:1]
				h.set(r, s, "resolv.conf")
				if strings.Contains(h.read(), "2001:") {
					t.Errorf("%q", h.read())
				}
				if crash {
					if err := h.resolver().Recover(); err != nil {
						t.Fatal(err)
					}
				} else {
					h.set(r, Settings{}, "")
				}
				if !c.check(h) || h.noted() {
					t.Errorf("%q, noted %v", h.read(), h.noted())
				}
				if list, _ := filepath.Glob(filepath.Join(filepath.Dir(h.conf), ".*")); len(list) > 0 {
					t.Errorf("left behind: %v", list)
				}
			})
		}
	}
}

// What somebody else has written meanwhile is theirs: it is kept where the tunnel's servers come back, and left where they go.
func TestFileOfOthers(t *testing.T) {
	h := newHost(t)
	h.write("nameserver 192.0.2.1\n")
	r := h.resolver()
	h.set(r, settings(), "resolv.conf")
	const roamed = "nameserver 198.51.100.1\n"
	h.write(roamed)
	if err := r.Refresh(); err != nil || h.read() != ours {
		t.Fatalf("%v: %q", err, h.read())
	}
	h.set(r, Settings{}, "")
	if h.read() != roamed {
		t.Errorf("%q", h.read())
	}

	h.set(r, settings(), "resolv.conf")
	h.write("nameserver 203.0.113.1\n")
	h.set(r, Settings{}, "")
	if h.read() != "nameserver 203.0.113.1\n" {
		t.Errorf("%q", h.read())
	}

	h.set(r, settings(), "resolv.conf")
	h.write("nameserver 203.0.113.2\n")
	if err := h.resolver().Recover(); err != nil || h.read() != "nameserver 203.0.113.2\n" || h.noted() {
		t.Errorf("%v: %q", err, h.read())
	}
	if err := h.resolver().Refresh(); err != nil || h.read() != "nameserver 203.0.113.2\n" {
		t.Errorf("of a resolver that has set nothing: %v: %q", err, h.read())
	}
}

// A crash at any point leaves what the next start puts right: noted and not yet done; done; half undone.
func TestCrashInBetween(t *testing.T) {
	const before = "nameserver 192.0.2.1\n"
	h := newHost(t)
	h.write(before)
	r := h.resolver()
	h.set(r, settings(), "resolv.conf")
	noted, err := os.ReadFile(h.state)
	if err != nil {
		t.Fatal(err)
	}
	for name, conf := range map[string]string{"noted": before, "done": ours} {
		h.write(conf)
		if err := os.WriteFile(h.state, noted, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := h.resolver().Recover(); err != nil || h.read() != before || h.noted() {
			t.Errorf("%s: %v: %q", name, err, h.read())
		}
	}
	// A state file that can't be read changes nothing: what is there may be what is needed.
	h.write(ours)
	if err := os.WriteFile(h.state, noted[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.resolver().Recover(); err == nil || h.read() != ours || !strings.Contains(err.Error(), h.state) {
		t.Errorf("%v: %q", err, h.read())
	}
	if _, err := h.resolver().Set(settings()); err == nil {
		t.Error("it goes on over a state file that it can't read")
	}
	if err := os.WriteFile(h.state, []byte(`{"method":"carrier pigeon"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.resolver().Recover(); err == nil || !strings.Contains(err.Error(), "carrier pigeon") {
		t.Error(err)
	}
}

// What can't be noted is not done, and what fails half-way is taken back.
func TestNothingHalfDone(t *testing.T) {
	h := newHost(t)
	h.write("nameserver 192.0.2.1\n")
	h.state = filepath.Join(h.conf, "below-a-file", "host.json")
	if _, err := h.resolver().Set(settings()); err == nil || h.read() != "nameserver 192.0.2.1\n" {
		t.Errorf("%v: %q", err, h.read())
	}
	h = newHost(t, "resolvectl")
	h.write("nameserver 127.0.0.53\n")
	h.fails = "resolvectl dns"
	if _, err := h.resolver().Set(settings()); err == nil || h.noted() || !slices.Contains(h.ran, "resolvectl revert ipsec0") {
		t.Errorf("%v, ran %q", err, h.ran)
	}
}

// Whatever gets as far as here, nothing but names and addresses goes on.
func TestSettingsAreChecked(t *testing.T) {
	h := newHost(t, "resolvectl")
	h.write("nameserver 127.0.0.53\n")
	for _, d := range []string{"", "a b", "a;b", "$(x)", "a\nnameserver", "-x", ".", "~.", "Ä", strings.Repeat("a", 254)} {
		if _, err := h.resolver().Set(settings(d)); err == nil {
			t.Errorf("%q is taken", d)
		}
	}
	for _, a := range []string{"127.0.0.1", "0.0.0.0", "224.0.0.1", "fe80::1%eth0", "::"} {
		if _, err := h.resolver().Set(Settings{Device: "ipsec0", Servers: []netip.Addr{netip.MustParseAddr(a)}}); err == nil {
			t.Errorf("%s is taken", a)
		}
	}
	if len(h.ran) > 0 || h.noted() {
		t.Errorf("ran %q", h.ran)
	}
}

// Which way a host uses.
func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name, system, conf string
		commands           []string
		want               string
	}{
		{"the stub of systemd-resolved", "linux", "nameserver 127.0.0.53\n", []string{"resolvectl"}, "systemd-resolved"},
		{"systemd-resolved that nobody asks", "linux", "nameserver 192.0.2.1\n", []string{"resolvectl"}, "resolv.conf"},
		{"it and another", "linux", "nameserver 127.0.0.53\nnameserver 192.0.2.1\n", []string{"resolvectl"}, "resolv.conf"},
		{"no resolvectl", "linux", "nameserver 127.0.0.53\n", nil, "resolv.conf"},
		{"resolvconf", "linux", "", []string{"resolvconf"}, "resolvconf"},
		{"FreeBSD", "freebsd", "nameserver 127.0.0.53\n", []string{"resolvconf", "resolvectl"}, "resolvconf"},
		{"OpenBSD", "openbsd", "", nil, "resolv.conf"},
		{"macOS", "darwin", "", []string{"resolvconf"}, "scutil"},
	} {
		h := newHost(t, c.commands...)
		h.write(c.conf)
		h.system = c.system
		if got := h.resolver().choose().name(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	h := newHost(t)
	if err := os.Symlink("/run/systemd/resolve/stub-resolv.conf", h.conf); err != nil {
		t.Fatal(err)
	}
	h.commands = []string{"resolvectl"}
	if got := h.resolver().choose().name(); got == "systemd-resolved" && !exists("/run/systemd/resolve/stub-resolv.conf") {
		t.Error("a link to a file that is not there")
	}
}

func exists(name string) bool { _, err := os.Stat(name); return err == nil }

// A real command that fails says what it has said.
func TestRun(t *testing.T) {
	out, err := run("cat", nil, "a\nb")
	if err != nil || out != "a\nb" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err = run("cat", []string{"/nowhere"}, ""); err == nil || !strings.Contains(err.Error(), "cat /nowhere") || !strings.Contains(err.Error(), "No such file") {
		t.Error(err)
	}
}
