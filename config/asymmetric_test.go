package config

import (
	"strings"
	"testing"
)

// What check says of a pre-shared key that only this gateway proves itself with, to peers that have certificates: whoever has it can
// pass for the gateway, and for none of the peers. That of peers who prove themselves with it is as ever.
func TestKeyOfOneDirection(t *testing.T) {
	const key = "correct-horse-battery-staple-7Gq2Zx9w"
	conn := func(name, addr, id, remote, extra string) string {
		return "[connections." + name + "]\nremote_addrs = [\"" + addr + "\"]\n" + extra + "\n[connections." + name + ".local]\nauth = \"psk\"\nid = \"gw.example\"\n" +
			"[connections." + name + ".remote]\nauth = \"" + remote + "\"\nid = \"" + id + "\"\n[connections." + name + ".children.net]\nremote_ts = [\"10.2.0.0/24\"]\nstart_action = \"none\"\n"
	}
	all := "[secrets.ike.all]\nid = [\"a.example\", \"b.example\"]\nsecret = \"" + key + "\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"two peers with certificates": {conn("a", "198.51.100.1", "a.example", "pubkey", "") + conn("b", "198.51.100.2", "b.example", "pubkey", "") + all,
			"whoever has it can pass for this gateway to any other of them"},
		"two peers with the key": {conn("a", "198.51.100.1", "a.example", "psk", "") + conn("b", "198.51.100.2", "b.example", "psk", "") + all,
			"whoever has it can pass for any other of them"},
		"one of each": {conn("a", "198.51.100.1", "a.example", "pubkey", "") + conn("b", "198.51.100.2", "b.example", "psk", "") + all,
			"whoever has it can pass for any other of them"},
		"a pattern, and a key of the connection": {conn("a", "%any", "*.example", "pubkey", "secret = \""+key+"\""),
			"whoever has it can pass for this gateway to any other of them"},
		"one peer": {conn("a", "198.51.100.1", "a.example", "pubkey", "") + strings.Replace(all, ", \"b.example\"", "", 1), ""},
	} {
		r := newReader("x.toml")
		// That there is no CA for the peers is an error of its own: what is looked at here is what check says of keys.
		c0, _ := parse("x.toml", []byte(c.text))
		c0.checkSecrets(r)
		var got []string
		for _, w := range append(r.warns, r.errs...) {
			got = append(got, w.What)
		}
		if text := strings.Join(got, "\n"); c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}
