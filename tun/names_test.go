package tun

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, c := range []struct {
		goos, name, detail string // detail "" means a good name
	}{
		{"linux", "ipsec0", ""}, {"linux", "a", ""}, {"linux", "fifteen-letters", ""}, {"linux", "a.b_c-d", ""}, {"linux", "utun4", ""},
		{"linux", "", "0 characters"}, {"linux", "sixteen--letters", "16 characters"}, {"linux", ".", "a path"}, {"linux", "..", "a path"},
		{"linux", "a/b", `'/'`}, {"linux", "a:1", `':'`}, {"linux", "a b", `' '`}, {"linux", "ipsec%d", `'%'`}, {"linux", "a\x00", `'\x00'`},
		{"linux", "caf\u00e9", "character"},
		{"freebsd", "ipsec0", ""},
		{"darwin", "utun", ""}, {"darwin", "utun0", ""}, {"darwin", "utun12", ""},
		{"darwin", "ipsec0", "macOS"}, {"darwin", "utun-1", "macOS"}, {"darwin", "utun01", "macOS"}, {"darwin", "utunx", "macOS"}, {"darwin", "utun99999999", "macOS"},
		{"openbsd", "tun", ""}, {"openbsd", "tun3", ""}, {"openbsd", "ipsec0", "OpenBSD"}, {"openbsd", "tap0", "OpenBSD"},
	} {
		detail, fix := checkName(c.goos, c.name)
		if c.detail == "" && (detail != "" || fix != "") || c.detail != "" && (!strings.Contains(detail, c.detail) || fix == "") {
			t.Errorf("checkName(%q, %q) = %q, %q; want %q", c.goos, c.name, detail, fix, c.detail)
		}
	}
}

func TestRequestsAreChecked(t *testing.T) {
	for _, c := range []struct {
		name        string
		mtu, queues int
		reason      error
	}{
		{"a/b", 1400, 1, ErrBadName},
		{"", 575, 1, ErrBadRequest},
		{"", 65536, 1, ErrBadRequest},
		{"", 1400, -1, ErrBadRequest},
		{"", 1400, MaxQueues + 1, ErrBadRequest},
	} {
		_, err := OpenQueues(allFeatures(c.name, c.mtu, c.queues))
		var e *DeviceError
		if !errors.As(err, &e) || !errors.Is(err, c.reason) || e.Fix == "" {
			t.Errorf("OpenQueues(%q, mtu %d, %d queues): %v; want a DeviceError of %v with a fix", c.name, c.mtu, c.queues, err, c.reason)
		}
		if c.queues != 1 {
			continue
		}
		if _, err := Create(c.name, c.mtu); !errors.As(err, &e) || !errors.Is(err, c.reason) {
			t.Errorf("Create(%q, %d): %v; want a DeviceError of %v", c.name, c.mtu, err, c.reason)
		}
	}
}
