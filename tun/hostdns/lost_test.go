package hostdns

import (
	"os"
	"strings"
	"testing"
)

// When somebody removes the state file, this run still knows what was there. The next one does not: it never takes what a tunnel has left for the
// host's own, and says so.
func TestStateFileIsLost(t *testing.T) {
	const before = "nameserver 192.0.2.1\n"
	lose := func() (*host, *Resolver) {
		h := newHost(t)
		h.write(before)
		r := h.resolver()
		h.set(r, settings(), "resolv.conf")
		if err := os.Remove(h.state); err != nil {
			t.Fatal(err)
		}
		return h, r
	}
	h, r := lose()
	other := settings()
	other.Servers = other.Servers[:1]
	h.set(r, other, "resolv.conf")
	h.set(r, Settings{}, "")
	if h.read() != before {
		t.Errorf("%q", h.read())
	}
	h, r = lose()
	h.set(r, Settings{}, "")
	if h.read() != before {
		t.Errorf("%q", h.read())
	}
	h, _ = lose()
	r = h.resolver()
	if err := r.Recover(); err != nil {
		t.Error(err)
	}
	if _, err := r.Set(settings()); err == nil || !strings.Contains(err.Error(), "what was there before") || h.noted() {
		t.Errorf("%v, noted %v", err, h.noted())
	}
	h.write(before)
	h.set(r, settings(), "resolv.conf")
	h.set(r, Settings{}, "")
	if h.read() != before {
		t.Errorf("%q", h.read())
	}
}

// What could not be taken back is taken back later, and never put in place again.
func TestTakenBackLater(t *testing.T) {
	h := newHost(t, "resolvconf")
	h.write("nameserver 192.0.2.1\n")
	r := h.resolver()
	h.set(r, settings(), "resolvconf")
	h.fails = "resolvconf -d"
	if _, err := r.Set(Settings{}); err == nil {
		t.Fatal("no error")
	}
	if err := r.Refresh(); err == nil || !h.noted() {
		t.Errorf("%v, noted %v", err, h.noted())
	}
	h.fails, h.ran = "", nil
	if err := r.Refresh(); err != nil || h.noted() || len(h.ran) != 1 || h.ran[0] != "resolvconf -d ipsec0" {
		t.Errorf("%v, noted %v, ran %q", err, h.noted(), h.ran)
	}
	h.ran = nil
	if err := r.Refresh(); err != nil || len(h.ran) > 0 {
		t.Errorf("%v, ran %q", err, h.ran)
	}
	h.set(r, settings(), "resolvconf")
	h.ran = nil
	if err := r.Refresh(); err != nil || len(h.ran) > 0 {
		t.Errorf("%v, ran %q", err, h.ran)
	}
}

// A crash between the note of other servers and the file: what is there is still ours, and what was before it comes back.
func TestCrashBetweenServers(t *testing.T) {
	const before = "nameserver 192.0.2.1\n"
	h := newHost(t)
	h.write(before)
	r := h.resolver()
	h.set(r, settings(), "resolv.conf")
	other := settings()
	other.Servers = other.Servers[:1]
	h.set(r, other, "resolv.conf")
	h.write(ours) // as it was before the second
	if err := h.resolver().Recover(); err != nil || h.read() != before || h.noted() {
		t.Errorf("%v: %q", err, h.read())
	}
}
