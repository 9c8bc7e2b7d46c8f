package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"30s", 30 * time.Second, true}, {"4h", 4 * time.Hour, true}, {"1h30m", 90 * time.Minute, true}, {"1d", day, true},
		{"1d12h", 36 * time.Hour, true}, {"100ms", 100 * time.Millisecond, true}, {"0s", 0, true}, {"0", 0, true}, {" 5m ", 5 * time.Minute, true},
		{"1.5h", 90 * time.Minute, true},
		{"", 0, false}, {"30", 0, false}, {"1.5", 0, false}, {"-1s", 0, false}, {"1x", 0, false}, {"d", 0, false}, {"-1d", 0, false},
		{"1d2d", 0, false}, {"h", 0, false}, {"4 hours", 0, false}, {"99999999999d", 0, false}, {"1d5", 0, false},
	} {
		d, err := parseDuration(tt.text)
		if (err == nil) != tt.ok || d != tt.want {
			t.Errorf("%q: %v, %v", tt.text, d, err)
		}
	}
	// The longest that can be written does not overflow.
	if d, err := parseDuration("65535d2000000h"); err != nil || d < forever {
		t.Errorf("%v, %v", d, err)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		4 * time.Hour: "4h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 0: "0s", 2 * day: "2d", 66 * time.Minute: "1h6m",
		100 * time.Millisecond: "100ms", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
		if back, err := parseDuration(want); err != nil || back != d {
			t.Errorf("%q: %v, %v", want, back, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want uint64
		ok   bool
	}{
		{"0", 0, true}, {"1000", 1000, true}, {"1B", 1, true}, {"1kB", 1000, true}, {"1KiB", 1024, true}, {"1k", 1024, true}, {"2 MiB", 2 << 20, true},
		{"500MB", 500e6, true}, {"1GiB", 1 << 30, true}, {"1g", 1 << 30, true}, {"3TB", 3e12, true}, {"1TiB", 1 << 40, true}, {"8388607TiB", 8388607 << 40, true},
		{"", 0, false}, {"GiB", 0, false}, {"-1", 0, false}, {"1.5GiB", 0, false}, {"1XB", 0, false}, {"8388608TiB", 0, false},
		{"18446744073709551615", 0, false}, {"99999999999999999999", 0, false}, {"99999999999TiB", 0, false},
	} {
		n, err := parseSize(tt.text)
		if (err == nil) != tt.ok || n != tt.want {
			t.Errorf("%q: %d, %v", tt.text, n, err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for _, tt := range []struct {
		text     string
		specific bool
		in, out  string // addresses that it has and has not
	}{
		{"%any", false, "192.0.2.1 2001:db8::1", ""},
		{"0.0.0.0", false, "192.0.2.1 2001:db8::1", ""},
		{"%any4", false, "192.0.2.1", "2001:db8::1"},
		{"%any6", false, "2001:db8::1", "192.0.2.1"},
		{"192.0.2.1", true, "192.0.2.1 ::ffff:192.0.2.1", "192.0.2.2"},
		{"192.0.2.0/24", false, "192.0.2.0 192.0.2.255", "192.0.3.0 192.0.1.255"},
		{"192.0.2.1/32", true, "192.0.2.1", "192.0.2.2"},
		{"192.0.2.5-192.0.2.9", false, "192.0.2.5 192.0.2.9", "192.0.2.4 192.0.2.10"},
		{"2001:db8::/33", false, "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db8:8000::"},
		{"fe80::1%eth0", true, "fe80::1%eth0", "fe80::1"},
		{"gw.example.org", true, "", "192.0.2.1"},
		{"gw-1.example.org.", true, "", "192.0.2.1"},
		{"localhost", true, "", "127.0.0.1"},
	} {
		e, reason, want := parseEndpoint(tt.text)
		if reason != "" {
			t.Errorf("%q: %s; %s", tt.text, reason, want)
			continue
		}
		if e.Specific() != tt.specific || e.String() != tt.text {
			t.Errorf("%q: %+v", tt.text, e)
		}
		for _, a := range addrs(tt.in) {
			if !e.Contains(a) {
				t.Errorf("%q does not contain %s", tt.text, a)
			}
		}
		for _, a := range addrs(tt.out) {
			if e.Contains(a) {
				t.Errorf("%q contains %s", tt.text, a)
			}
		}
		if e.Addr().IsValid() != (tt.specific && e.Name == "") {
			t.Errorf("%q has the address %v", tt.text, e.Addr())
		}
	}
}

func addrs(text string) (out []netip.Addr) {
	for _, s := range strings.Fields(text) {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestNearest(t *testing.T) {
	keys := []string{"local_addrs", "remote_addrs", "local_ts", "remote_ts", "start_action", "rekey_time", "rekey_bytes", "children", "childless", "id"}
	for word, want := range map[string]string{
		"local_adrs": "local_addrs", "remote_addr": "remote_addrs", "lcoal_ts": "local_ts", "start": "start_action", "rekeytime": "rekey_time",
		"REKEY_TIME": "rekey_time", "child": "children", "ids": "id", "xyzzyplugh": "", "": "",
	} {
		got, ok := nearest(word, keys)
		if word == "" {
			continue // anything short is near to it
		}
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if d := distance("kitten", "sitting", 10); d != 3 {
		t.Errorf("kitten and sitting: %d", d)
	}
	if d := distance("ab", "ba", 10); d != 1 {
		t.Errorf("ab and ba: %d", d)
	}
}
