package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/config/tree"
	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// minimalWith is a connection with a preset and nothing that it does not need.
func minimalWith(preset, more string) string {
	return "[tun]\nmtu = 1398\n[connections.cloud]\npreset = " + quote(preset) + "\nremote_addrs = \"198.51.100.1\"\nlocal_ts = \"10.1.0.0/16\"\n" +
		"remote_ts = \"10.2.0.0/16\"\nsecret = \"kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u\"\n" + more
}

// TestPresets: what a preset sets is what it says it sets, in a lone child and in one with a table, without a warning of its own.
func TestPresets(t *testing.T) {
	for _, p := range presets() {
		t.Run(p.name, func(t *testing.T) {
			for _, tables := range []bool{false, true} {
				text := minimalWith(p.name, "")
				if tables {
					text = strings.NewReplacer("local_ts", "[connections.cloud.children.net]\nlocal_ts", "secret = ",
						"[connections.cloud.local]\nid = \"203.0.113.1\"\n[secrets.ike.cloud]\nsecret = ").Replace(text)
				}
				c, err := Parse("p.toml", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if len(c.Warnings) > 0 {
					t.Errorf("warnings: %v", c.Warnings)
				}
				if len(c.Notes) != 1 {
					t.Fatalf("notes: %v", c.Notes)
				}
				note := c.Notes[0].String()
				for _, k := range p.connection {
					if !strings.Contains(note, k.String()) {
						t.Errorf("the note does not have %s:\n%s", k, note)
					}
				}
				for _, k := range p.child {
					if !strings.Contains(note, k.String()+" (children)") {
						t.Errorf("the note does not have %s for children:\n%s", k, note)
					}
				}
				n := c.Connections[0]
				if n.Preset != p.name || n.At("proposals").Line != 4 || n.Children[0].At("esp_proposals").Line != 4 {
					t.Errorf("preset %q; what it sets stands at %s", n.Preset, n.At("proposals"))
				}
				want := p.connection[0].value.([]string)
				if got := n.Proposals[0].String(); len(n.Proposals) != len(want) || got != want[0] {
					t.Errorf("proposals %v, want %v", n.Proposals, want)
				}
			}
		})
	}
}

// TestPresetBelow: a key that is written goes before the preset's, and the note says only what the preset has set.
func TestPresetBelow(t *testing.T) {
	c, err := Parse("p.toml", []byte(minimalWith("aws", "dpd_delay = \"45s\"\nproposals = \"aes256-sha512-ecp521\"\nesp_proposals = \"aes128gcm16-ecp521\"\n")))
	if err != nil {
		t.Fatal(err)
	}
	n := c.Connections[0]
	h := n.Children[0]
	if got := fmt.Sprint(n.Proposals[0], " ", h.Proposals[0], " ", n.DPDDelay, n.RekeyTime, n.OverTime, n.MOBIKE, h.RekeyTime, h.LifeTime); got !=
		"aes256-sha512-ecp521 aes128gcm16-ecp521 45s 7h0m0s 30m0s false 40m0s 50m0s" {
		t.Error(got)
	}
	if note := c.Notes[0].String(); strings.Contains(note, "proposals =") || strings.Contains(note, "dpd_delay") || !strings.Contains(note,
		`preset "aws" sets mobike = false, rekey_time = "7h", over_time = "30m", rekey_time = "40m" (children), life_time = "50m" (children)`) {
		t.Error(note)
	}
	// The same over VICI, where nothing has a line.
	root := tree.New("load-conn")
	conn := root.AddSection("loaded")
	conn.AddText("preset", "aws")
	conn.AddTexts("remote_addrs", []string{"198.51.100.1"})
	conn.AddTexts("proposals", []string{"aes256-aes128-sha512-ecp521"})
	conn.AddText("mobike", "yes")
	conn.AddSection("local").AddText("auth", "psk")
	conn.AddSection("remote").AddText("auth", "psk")
	conn.AddText("secret", "kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u")
	conn.AddSection("children").AddSection("net").AddTexts("remote_ts", []string{"10.9.0.0/16"})
	loaded, errs := loading(t, c, root)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	n = loaded.Connection("loaded")
	if !n.MOBIKE || n.DPDDelay != 10*time.Second || n.Children[0].RekeyTime != 40*time.Minute || len(n.Proposals[0].Transforms) != 5 {
		t.Errorf("%+v", n)
	}
	if !slices.ContainsFunc(loaded.Warnings, func(p Problem) bool { return strings.Contains(p.What, "2 combinations") }) {
		t.Errorf("warnings: %v", loaded.Warnings)
	}
	if _, errs := loading(t, c, sentConnection(t, "preset", "azur")); len(errs) != 1 || !strings.Contains(errs[0].Want, `did you mean "azure"?`) {
		t.Errorf("%v", errs)
	}
}

// sentConnection is a connection of one key as it arrives over VICI.
func sentConnection(t *testing.T, key, value string) *tree.Table {
	t.Helper()
	m := &vici.Message{}
	m.Sub("loaded").Set("remote_addrs", "198.51.100.1").Set("local_ts", "10.8.0.0/16").Set("remote_ts", "10.9.0.0/16").
		Set("secret", "kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u").Set(key, value)
	return sent(t, m)
}

// TestPresetMTU: a gateway with a small MTU is told of once, and not where packets are small enough.
func TestPresetMTU(t *testing.T) {
	for edit, warned := range map[string]bool{"mtu = 1398": false, "mtu = 1399": true, "mtu = 1406": true, "mtu = 1406\n[dataplane]\npath_mtu = 1460": false,
		"mtu = 1406\n[dataplane]\npath_mtu = 1461": true} {
		c, err := Parse("p.toml", []byte(strings.Replace(minimalWith("gcp", ""), "mtu = 1398", edit, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(c.Warnings, func(p Problem) bool { return strings.Contains(p.Want, "mtu = 1398") }); got != warned {
			t.Errorf("%q: %v", edit, c.Warnings)
		}
	}
}

// TestPresetKeys: the rules of the clouds for keys, each at its edge. No message has any of the key.
func TestPresetKeys(t *testing.T) {
	long := strings.Repeat("kpD3y6Rr", 16)
	for _, tt := range []struct {
		check func([]byte) (string, string)
		key   string
		ok    bool
	}{
		{awsKey, "abcdefg", false}, {awsKey, "abcdefg_", true}, {awsKey, "Ab.cdef_9", true}, {awsKey, "0bcdefgh", false}, {awsKey, "a0bcdefgh", true},
		{awsKey, "abcdefg-", false}, {awsKey, "abcdefgé", false}, {awsKey, long[:64], true}, {awsKey, long[:65], false},
		{azureKey, "!abc}", true}, {azureKey, "a b", false}, {azureKey, "a-b", false}, {azureKey, "a~b", false}, {azureKey, "é", false},
		{azureKey, long, true}, {azureKey, long + "a", false},
	} {
		reason, want := tt.check([]byte(tt.key))
		if (reason == "") != tt.ok || (want == "") != tt.ok || len(tt.key) > 1 && strings.Contains(reason+want, tt.key) {
			t.Errorf("%q: %q, %q", tt.key, reason, want)
		}
	}
}

// TestPresetMethods: a cloud without certificates is told of, and where there are some the rules for keys do not count.
func TestPresetMethods(t *testing.T) {
	for _, tt := range []struct {
		preset        string
		local, remote policy.Auth
		want          string
	}{
		{"gcp", policy.AuthPubkey, policy.AuthPubkey, "pre-shared keys only pre-shared keys only"}, {"gcp", policy.AuthPSK, policy.AuthPubkey, "pre-shared keys only"},
		{"gcp", policy.AuthPSK, policy.AuthPSK, ""}, {"aws", policy.AuthPubkey, policy.AuthPubkey, ""}, {"aws", policy.AuthPSK, policy.AuthPubkey, "it has 1 characters, and not 8 to 64"},
	} {
		n := &Connection{Preset: tt.preset, Fragmentation: true, Key: NewSecret([]byte("x")), Local: Auth{Method: tt.local}, Remote: Auth{Method: tt.remote}}
		r := newReader("")
		(&Config{Connections: []*Connection{n}}).checkPresets(r)
		var said []string
		for _, p := range r.warns {
			_, text, _ := strings.Cut(p.What, "and it has ")
			_, key, _ := strings.Cut(p.What, "of : ")
			said = append(said, text+key)
		}
		if got := strings.Join(said, " "); got != tt.want {
			t.Errorf("%s, %s and %s: %q, want %q", tt.preset, tt.local, tt.remote, got, tt.want)
		}
	}
}

// TestPresetsAreDocumented: docs/known-gateways.md has a section for each preset, with every key that it sets, and no other value of it.
func TestPresetsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/known-gateways.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for s := range strings.SplitSeq(string(data), "\n## ") {
		title, rest, _ := strings.Cut(s, "\n")
		for _, name := range codeOf(title) {
			sections[name] = rest
		}
	}
	for _, p := range presets() {
		s, ok := sections[p.name]
		delete(sections, p.name)
		if !ok {
			t.Errorf("there is no section for %s", p.name)
			continue
		}
		if !strings.Contains(s, "https://") {
			t.Errorf("%s: no source", p.name)
		}
		rows := map[string]bool{}
		for line := range strings.Lines(s) {
			if key, ok := strings.CutPrefix(line, "| `"); ok {
				key, _, _ = strings.Cut(key, "` |")
				rows[key] = true
			}
		}
		for _, k := range slices.Concat(p.connection, p.child) {
			if !rows[k.String()] {
				t.Errorf("%s: no row for\n%s", p.name, k)
			}
			delete(rows, k.String())
		}
		for row := range rows {
			t.Errorf("%s: the row %s is of nothing that it sets", p.name, row)
		}
	}
	for name := range sections {
		t.Errorf("the section %s is of no preset", name)
	}
}
