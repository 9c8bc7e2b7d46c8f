package config

import (
	"fmt"
	"strings"
	"testing"

	"esplanade/ike/identity"
)

// keys is a configuration of nothing but keys, each given by its id as TOML has it; "" names nobody. They are called k0, k1, ….
func keys(t *testing.T, ids ...string) *Config {
	t.Helper()
	c, err := Parse("keys.toml", []byte(keyTables(ids...)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keyTables(ids ...string) string {
	var b strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&b, "[secrets.ike.k%d]\nsecret = \"%s%d\"\n", i, testKey, i)
		if id != "" {
			fmt.Fprintf(&b, "id = %s\n", id)
		}
	}
	return b.String()
}

func id(t *testing.T, text string) identity.Identity {
	t.Helper()
	out, err := identity.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKeyIsThePeers: a key is used for a peer that it names, or for everybody if it names nobody. That it names this
// gateway opens no door to others.
func TestKeyIsThePeers(t *testing.T) {
	const pair = `["a.example", "b.example"]`
	for _, tt := range []struct {
		keys          []string
		local, remote string
		want          string // the key's name; empty: none
	}{
		{[]string{pair}, "a.example", "b.example", "k0"},
		{[]string{pair}, "b.example", "a.example", "k0"},
		{[]string{pair}, "A.Example", "B.EXAMPLE", "k0"},
		{[]string{pair}, "a.example", "c.example", ""},
		{[]string{pair}, "a.example", "203.0.113.7", ""},
		{[]string{pair}, "a.example", "b@example", ""},
		{[]string{pair}, "a.example", "@#622e6578616d706c65", ""}, // a key id with the octets of b.example
		{[]string{pair, ""}, "a.example", "c.example", "k1"},
		{[]string{pair, ""}, "a.example", "b.example", "k0"},
		{[]string{`"a.example"`}, "a.example", "b.example", ""}, // its own name alone
		{[]string{`"b.example"`}, "a.example", "b.example", "k0"},
		{[]string{`["a.example", "b.example"]`, `["a.example", "c.example"]`}, "a.example", "c.example", "k1"},
		{[]string{`["x.example", "b.example"]`, `["a.example", "b.example"]`}, "a.example", "b.example", "k1"},
		// Patterns name those that they match, and this gateway's own match does not count.
		{[]string{`"*.example"`}, "a.example", "c.example", "k0"},
		{[]string{`"*.example"`}, "a.example", "c.test", ""},
		{[]string{`["*.example", "b.test"]`}, "a.example", "c.test", ""},
		{[]string{`"*.example"`, `["a.example", "c.example"]`}, "a.example", "c.example", "k1"},
		{[]string{`"%any"`}, "a.example", "c.example", "k0"},
		{[]string{`["198.51.100.1", "198.51.100.2"]`}, "198.51.100.1", "198.51.100.2", "k0"},
		{[]string{`["198.51.100.1", "198.51.100.2"]`}, "198.51.100.1", "198.51.100.3", ""},
		{[]string{`"198.51.100.0/24"`}, "198.51.100.1", "198.51.100.3", "k0"},
		{[]string{`["198.51.100.1", "2001:db8::2"]`}, "198.51.100.1", "2001:db8::3", ""},
		// A peer that gives itself this gateway's name is not named by a pair's key.
		{[]string{pair}, "a.example", "a.example", ""},
		{[]string{pair, `["a.example", "c.example"]`}, "a.example", "a.example", ""},
		{[]string{`"a.example"`}, "a.example", "a.example", "k0"}, // two sides with one name
		{[]string{`"*.example"`}, "a.example", "a.example", ""},
		{[]string{""}, "a.example", "a.example", "k0"},
		// What a peer claims is never taken for a pattern.
		{[]string{pair}, "a.example", "*.example", ""},
		{[]string{pair}, "a.example", "*", ""},
	} {
		c := keys(t, tt.keys...)
		got := ""
		if s, ok := c.PSK(id(t, tt.local), id(t, tt.remote)); ok {
			got = s.Name
		}
		if got != tt.want {
			t.Errorf("%v, %s with %s: %q, want %q", tt.keys, tt.local, tt.remote, got, tt.want)
		}
	}
}

// TestOfferedKey: an initiator that does not know who will answer takes a key that may be the peer's.
func TestOfferedKey(t *testing.T) {
	const pair = `["a.example", "b.example"]`
	for _, tt := range []struct {
		keys          []string
		local, remote string
		want          string
	}{
		{[]string{pair}, "a.example", "%any", "k0"},
		{[]string{pair}, "a.example", "*.example", "k0"},
		{[]string{pair}, "a.example", "*.test", ""},
		{[]string{pair}, "a.example", "c.example", ""}, // known: no guess
		{[]string{`"a.example"`}, "a.example", "%any", "k0"},
		{[]string{`"a.example"`}, "a.example", "*.test", ""},
		{[]string{"", pair}, "a.example", "%any", "k1"},
		{[]string{"", `"b.example"`}, "a.example", "%any", "k0"},
		{[]string{`"b.example"`}, "a.example", "%any", "k0"},
		{[]string{`"198.51.100.2"`, pair}, "a.example", "198.51.100.0/24", "k0"},
		{[]string{`"*.example"`}, "a.test", "C=CH, CN=*", ""},                                   // patterns of two kinds
		{[]string{`["a.example", "*.example"]`, `"b.example"`}, "a.example", "b.example", "k1"}, // known: its own key
	} {
		c := keys(t, tt.keys...)
		got := ""
		if s, ok := c.OfferPSK(id(t, tt.local), id(t, tt.remote)); ok {
			got = s.Name
		}
		if got != tt.want {
			t.Errorf("%v, %s with %s: %q, want %q", tt.keys, tt.local, tt.remote, got, tt.want)
		}
	}
}

// peerConn is a connection of a.example; without addr its peers call from anywhere.
func peerConn(name, remoteID, addr string, n int) string {
	if addr == "" {
		addr = "%any"
	}
	return fmt.Sprintf(`[connections.%s]
remote_addrs = [%q]
[connections.%[1]s.local]
auth = "psk"
id = "a.example"
[connections.%[1]s.remote]
auth = "psk"
id = %[3]q
[connections.%[1]s.children.net]
local_ts = ["10.1.0.0/24"]
remote_ts = ["10.2.%[4]d.0/24"]
`, name, addr, remoteID, n)
}

// TestCheckSaysWhoseKey: check says which peers have no key, and which have one that others have too.
func TestCheckSaysWhoseKey(t *testing.T) {
	const pair = `["a.example", "b.example"]`
	b := peerConn("b", "b.example", "198.51.100.2", 2)
	c := peerConn("c", "c.example", "198.51.100.3", 3)
	everybody := peerConn("rw", "%any", "", 4)
	for _, tt := range []struct {
		conns string
		keys  []string
		want  []string // in the warnings, in order; none: quiet
		bad   string   // in the errors
	}{
		{b, []string{pair}, nil, ""},
		{b, []string{""}, nil, ""},
		{b + c, []string{pair, `["a.example", "c.example"]`}, nil, ""},
		{b + c, []string{pair}, []string{`no secret for connections.c: none names "c.example" (secrets.ike.k0 names this gateway`}, ""},
		{b + c, []string{`"b.example"`}, []string{`no secret for connections.c: none names "c.example";`}, ""},
		{c, []string{pair}, []string{`no secret for connections.c`}, ""},
		{c, []string{`"b.example"`}, nil, `there is no secret for connections.c: none names "c.example"; write a table [secrets.ike.NAME] with id = ["c.example"]`},
		{c, nil, nil, `there is no secret for connections.c`},
		{everybody, []string{`"a.example"`}, []string{`secrets.ike.k0 names nobody but this gateway`}, ""}, // well, two sides with one name
		{everybody, []string{`"a.example"`, `"b.example"`}, nil, ""},
		{b + c, []string{`["a.example", "b.example", "c.example"]`},
			[]string{`secrets.ike.k0 is the key of "b.example" and "c.example": whoever has it can pass for any other`}, ""},
		{b + c, []string{""}, []string{`secrets.ike.k0 is the key of "b.example" and "c.example"`}, ""},
		{b, []string{`["a.example", "b.example", "c.example"]`}, nil, ""}, // c is accepted nowhere
		{everybody, []string{`["a.example", "b.example", "c.example"]`}, []string{`"b.example" and "c.example"`}, ""},
		{everybody, []string{pair, `"c.example"`}, nil, ""},
		{everybody, []string{""}, []string{`the key of all other peers of connections.rw:`}, ""},
		{b, []string{`"*.example"`}, []string{`the key of "b.example" (one of those for which "*.example" stands):`}, ""},
		{everybody, []string{`"*.example"`}, []string{`the key of whoever "*.example" stands for:`}, ""},
		{everybody, []string{`["b.example", "c.example", "d.example", "e.example", "f.example", "g.example"]`},
			[]string{`"b.example", "c.example", "d.example", "e.example" and 2 more`}, ""},
	} {
		conf, errs := parse("x.toml", []byte(tt.conns+keyTables(tt.keys...)))
		if bad := len(errs) > 0; bad != (tt.bad != "") || bad && !strings.Contains(errs.Error(), tt.bad) {
			t.Errorf("%v: errors %v, want %q", tt.keys, errs, tt.bad)
			continue
		}
		if len(errs) == 0 && len(conf.Warnings) != len(tt.want) {
			t.Errorf("%v: %v, want %q", tt.keys, conf.Warnings, tt.want)
			continue
		}
		for i, w := range tt.want {
			if !strings.Contains(conf.Warnings[i].String(), w) {
				t.Errorf("%v: %s, want %q in it", tt.keys, conf.Warnings[i], w)
			}
		}
	}
}

// TestWhosePPK: a post-quantum preshared key that a connection names is for that one and not for those that name none; check
// says which peers share one.
func TestWhosePPK(t *testing.T) {
	b := strings.Replace(peerConn("b", "b.example", "198.51.100.2", 2), "\n", "\nppk_id = \"for-b\"\n", 1)
	c := strings.Replace(peerConn("c", "c.example", "198.51.100.3", 3), "\n", "\nppk_id = \"also-b\"\n", 1)
	rw := strings.Replace(peerConn("rw", "*.rw.example", "", 4), "\n", "\nppk_required = true\n", 1)
	psk := keyTables(`"b.example"`, `"c.example"`, `"d.rw.example"`)
	const ofB = "[secrets.ppk.b]\nid = [\"for-b\", \"also-b\"]\nsecret = \"" + testKey + testKey + "\"\n"
	const free = "[secrets.ppk.any]\nid = \"for-all\"\nsecret = \"" + testKey + testKey + "9\"\n"
	for _, tt := range []struct {
		text         string
		forB, forAll bool // free
		want         string
	}{
		{b + rw + psk + ofB + free, false, true, ""},
		{b + rw + psk + ofB, false, false, "connections.rw requires a PPK, and all there are belong to other connections"},
		{rw + psk + ofB, true, false, ""},
		{b + c + psk + ofB, false, false, `secrets.ppk.b is the key of "b.example" and "c.example"`},
	} {
		conf, errs := parse("x.toml", []byte(tt.text))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := conf.FreePPK("also-b"); got != tt.forB {
			t.Errorf("%s: also-b is free: %t", tt.text, got)
		}
		if got := conf.FreePPK("for-all"); got != tt.forAll || conf.HasFreePPK() != (tt.forB || tt.forAll) {
			t.Errorf("%s: for-all is free: %t, any is: %t", tt.text, got, conf.HasFreePPK())
		}
		if got := fmt.Sprint(conf.Warnings); len(conf.Warnings) > 0 != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: warnings %s, want %q", tt.text, got, tt.want)
		}
	}
}
