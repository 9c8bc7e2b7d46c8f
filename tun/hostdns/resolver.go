package hostdns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Settings are what the resolver of this host is to do. The zero value is nothing.
type Settings struct {
	// Device is the tunnel's interface.
	Device string
	// Servers are asked, the best first.
	Servers []netip.Addr
	// Domains are the names that they are asked for, with all below them, in lower case and without a dot at the end. None: all names.
	Domains []string
}

func (s Settings) none() bool { return len(s.Servers) == 0 }

func (s Settings) equal(o Settings) bool {
	return s.Device == o.Device && slices.Equal(s.Servers, o.Servers) && slices.Equal(s.Domains, o.Domains)
}

// check finds what must not get to a resolver. Whoever makes settings has checked them; this is what keeps a fault there from becoming one
// here.
func (s Settings) check() error {
	for _, a := range s.Servers {
		if !a.IsValid() || a.Zone() != "" || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() {
			return fmt.Errorf("%s is no DNS server", a)
		}
	}
	for _, d := range s.Domains {
		if d == "" || len(d) > 253 || d[0] == '-' || d[0] == '.' || strings.Trim(d, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			return fmt.Errorf("%q is no domain", d)
		}
	}
	return nil
}

// ErrNoSplit is what a method can't do: to ask some servers for some names only.
var ErrNoSplit = errors.New("the DNS servers are for some domains only, and this host's resolver can't ask servers for some names only: " +
	"systemd-resolved or openresolv can; install_dns = \"all\" has it ask them for all names")

// Options say how a [Resolver] works. The zero value is for this host.
type Options struct {
	// ResolvConf is the file of the resolver, "/etc/resolv.conf" if it is empty. State is where it is noted what is in place; empty notes
	// nothing, so that nothing is taken back after a crash.
	ResolvConf, State string
	// System is the operating system, runtime.GOOS if it is empty.
	System string
	// Run runs a command with an input and gives its output; nil runs it on this host. Look finds a command; nil looks for it here.
	Run  func(name string, args []string, input string) (output string, err error)
	Look func(name string) (path string, err error)
	Log  *slog.Logger
}

// Resolver is the resolver of this host.
type Resolver struct {
	o Options

	mu sync.Mutex
	// now is what is in place, and by which method; nil for nothing.
	now Settings
	by  method
	// memory is the record of this run, for when no state file is kept or somebody has removed it.
	memory *record
	// leaving: nothing is wanted any more, and what was in place could not be taken back yet.
	leaving bool
}

// method is a way to set the resolver of a host. What it needs to take it back is in the record.
type method interface {
	// name is for people: "systemd-resolved".
	name() string
	// prepare gives what has to be noted before set. old is what is noted of the settings of before, which these take the place of; nil for
	// none.
	prepare(s Settings, old *record) (record, error)
	set(s Settings, r record) error
	// undo takes back what a record says, as far as it is still there.
	undo(r record) error
	// changed reports whether somebody else has changed what is in place.
	changed(r record) bool
}

// New makes the resolver. Nothing is changed before [Resolver.Set].
func New(o Options) *Resolver {
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	if o.System == "" {
		o.System = runtime.GOOS
	}
	if o.Run == nil {
		o.Run = run
	}
	if o.Look == nil {
		o.Look = exec.LookPath
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Resolver{o: o}
}

// Set brings settings about, in the place of those of before, and gives the name of the method; without servers the resolver is as it was
// without the tunnel. To ask for the same again repairs what somebody else has changed.
func (r *Resolver) Set(s Settings) (by string, err error) {
	if err := s.check(); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving = s.none()
	if s.none() {
		err := r.undo()
		if err != nil {
			r.o.Log.Warn("cannot put back the resolver of this host", "error", err)
		}
		return "", err
	}
	return r.set(s)
}

// Refresh repairs what somebody else has changed since [Resolver.Set], as when the host has come to another network, and tries again to take
// back what it could not.
func (r *Resolver) Refresh() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaving {
		return r.undo()
	}
	if r.by == nil {
		return nil
	}
	_, err := r.set(r.now)
	return err
}

// set brings settings about. The mutex is held.
func (r *Resolver) set(s Settings) (string, error) {
	old, noted, err := r.noted()
	if err != nil {
		return "", err
	}
	if r.by != nil && noted && s.equal(r.now) && !r.by.changed(old) {
		return r.by.name(), nil
	}
	m, before := r.by, &old
	if m == nil || s.Device != old.Device || !noted {
		if noted {
			if err := r.undo(); err != nil {
				return "", err
			}
		}
		m, before = r.choose(), nil
	}
	// At no moment is it as without the tunnel, while one takes the place of the other.
	rec, err := m.prepare(s, before)
	if err != nil {
		return "", errors.Join(err, r.undo())
	}
	rec.Method, rec.Device = m.name(), s.Device
	if err := r.note(rec); err != nil {
		return "", err
	}
	// From here on there may be something to take back, whatever comes of it.
	r.now, r.by = s, m
	if err := m.set(s, rec); err != nil {
		err = fmt.Errorf("%s: %w", m.name(), err)
		return "", errors.Join(err, r.undo())
	}
	return m.name(), nil
}

// Recover takes back what an earlier run has left in place.
func (r *Resolver) Recover() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, there, err := r.noted()
	if err != nil || !there {
		return err
	}
	r.o.Log.Warn("an earlier run has left DNS servers of a tunnel in the resolver of this host: they are taken out", "by", rec.Method, "device", rec.Device)
	return r.undo()
}

// undo takes back what is noted. The mutex is held.
func (r *Resolver) undo() error {
	rec, there, err := r.noted()
	if err != nil {
		return err
	}
	if there {
		m := r.named(rec.Method)
		if m == nil {
			return fmt.Errorf("%s says that %q has set the resolver, which this version does not know", r.o.State, rec.Method)
		}
		if err := m.undo(rec); err != nil {
			return fmt.Errorf("%s: %w", m.name(), err)
		}
		if err := r.forget(); err != nil {
			return err
		}
	}
	r.now, r.by = Settings{}, nil
	return nil
}

// commandTime is how long a command may take.
const commandTime = 5 * time.Second

// maxOutput bounds what of a command's output gets into an error.
const maxOutput = 200

// run runs a command of this host.
func run(name string, args []string, input string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(input)
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		text := strings.Join(strings.Fields(string(out)), " ")
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text[:min(len(text), maxOutput)])
	}
	return string(out), err
}
