package config

import (
	"slices"
	"strings"
	"testing"
)

// withRounds is a configuration with several rounds of both sides.
const withRounds = `
[connections.x]
remote_addrs = "198.51.100.1"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
secret = "correct-horse-battery-staple-7Gq2Zx9w"
[connections.x.remote-b]
id = "b.example"
[connections.x.local]
id = "gw.example"
[connections.x.remote-a]
id = "a.example"
[connections.x.local2]
id = "gw2.example"
round = 2
[connections.x.local1]
id = "gw1.example"
round = 1
`

// The rounds of a side are in the order of the file, or of their numbers, and without a table there is the one that stands for it.
func TestRounds(t *testing.T) {
	for text, want := range map[string][2]string{
		withRounds: {"gw.example gw1.example gw2.example", "b.example a.example"},
		strings.ReplaceAll(withRounds, "round = 1", "round = 3"):                              {"gw.example gw2.example gw1.example", "b.example a.example"},
		strings.ReplaceAll(withRounds, "[connections.x.local]", "[connections.x.local-none]"): {"gw.example gw1.example gw2.example", "b.example a.example"},
		strings.Split(withRounds, "[connections.x.remote-b]")[0]:                              {"%any", "%any"},
	} {
		c, err := Parse("x.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		local, remote := c.Connections[0].Rounds()
		if got := [2]string{ids(local), ids(remote)}; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func ids(list []Auth) string {
	var out []string
	for _, a := range list {
		out = append(out, a.ID.String())
	}
	return strings.Join(out, " ")
}

// A change in any round has the SAs made again; where the tables stand has no effect.
func TestRoundsAreCompared(t *testing.T) {
	old, err := Parse("x.toml", []byte(withRounds))
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[[2]string]string{
		{"a.example", "c.example"}:                                   "remote-2.id reestablish",
		{"gw2.example", "gw3.example"}:                               "local-3.id reestablish",
		{"[connections.x.remote-a]\nid = \"a.example\"", ""}:         "remote-… reestablish",
		{"[connections.x.remote-b]", "\n\n[connections.x.remote-b]"}: "",
	} {
		fresh, err := Parse("x.toml", []byte(strings.Replace(withRounds, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range Changes(old.Connections[0], fresh.Connections[0]) {
			got = append(got, c.Key+" "+c.Effect.String())
		}
		if text := strings.Join(slices.Compact(got), ", "); text != want {
			t.Errorf("%q: %q, want %q", change, text, want)
		}
	}
}
