package ipsecconf_test

import (
	"strings"
	"testing"

	"esplanade/config/migrate/ipsecconf"
)

// Of several pre-shared keys each connection has the one that the source would take.
func TestWhoseKey(t *testing.T) {
	conn := func(name, here, there string) string {
		text := "conn " + name + "\n\tleft=%any\n\tleftid=" + here + "\n\tauthby=secret\n\tkeyexchange=ikev2\n\tauto=add\n"
		if there != "" {
			text += "\tright=198.51.100.7\n\trightid=" + there + "\n"
		}
		return text
	}
	for _, c := range []struct {
		name, conf, secrets string
		want                []string // parts of the result
		not                 string
	}{
		{"both are named", conn("a", "@me", "@you"), "@me @you : PSK \"key one\"\n",
			[]string{"id     = [\"@me\", \"@you\"]\nsecret = \"key one\""}, "[connections.a]\nsecret"},
		{"the peer is named", conn("a", "@me", "@you"), "@you : PSK \"key one\"\n", []string{"id     = \"@you\"\nsecret = \"key one\""}, ""},
		{"nobody is named", conn("a", "@me", "@you"), ": PSK \"key one\"\n", []string{"[secrets.ike.anybody]\nsecret = \"key one\""}, "id     ="},
		{"this side alone is named", conn("a", "@me", "@you"), "@me : PSK \"key one\"\n", []string{"[secrets.ike.anybody]\nsecret = \"key one\""}, "id     ="},
		{"this side and anybody are named", conn("a", "@me", "@you"), "@me %any : PSK \"key one\"\n", []string{"[secrets.ike.anybody]\nsecret = \"key one\""}, ""},
		{"each identity of this side has a key for anybody", conn("a", "@one", "@you") + conn("b", "@two", "@they"),
			"@one %any : PSK \"key one\"\n@two %any : PSK \"key two\"\n",
			[]string{"secret       = \"key one\"\n\n[connections.a.local]", "secret       = \"key two\"\n\n[connections.b.local]"}, "secrets.ike"},
		{"peers have keys of their own, and others one", conn("a", "@me", ""), "@you : PSK \"key one\"\n%any : PSK \"key two\"\n",
			[]string{"[secrets.ike.you]\nid     = \"@you\"\nsecret = \"key one\"", "[secrets.ike.anybody]\nsecret = \"key two\""}, ""},
		{"a key in quotes is no number", conn("a", "@me", "@you"), "@you : PSK \"0x41\"\n", []string{"secret = \"0x30783431\""}, ""},
		{"a number is none", conn("a", "@me", "@you"), "@you : PSK 0x6b6579206f6e65\n", []string{"secret = \"key one\""}, ""},
		{"base64", conn("a", "@me", "@you"), "@you : PSK 0sa2V5IG9uZQ==\n", []string{"secret = \"key one\""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, err := read(ipsecconf.StrongSwan, memory{"ipsec.conf": c.conf, "ipsec.secrets": c.secrets})
			if err != nil {
				t.Fatal(err)
			}
			got := res.TOML()
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("there is no %q in\n%s", w, got)
				}
			}
			if c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("there is %q in\n%s", c.not, got)
			}
			if len(res.Left) > 0 {
				t.Errorf("%v is left out", res.Left)
			}
		})
	}
}

// What is wrong in ipsec.secrets is said with its place and without the secret.
func TestBadSecrets(t *testing.T) {
	const conf = "conn a\n\tright=192.0.2.2\n\tauto=add\n"
	for _, c := range []struct{ secrets, err, left string }{
		{"", "", ""},
		{"# nothing\n\n", "", ""},
		{"@a @b hidden\n", "ipsec.secrets:1:1: an entry is", ""},
		{"@a :\n", "ipsec.secrets:1:1: nothing stands behind the colon", ""},
		{"\n@a : PSK \"hidden\n", "ipsec.secrets:2:1: a quote that is not closed", ""},
		{"include nowhere.secrets\n", "", ""},
		{"include ipsec.secrets\n", "deep", ""},
		{"@a : PSK\n", "", "@a : PSK: it has no secret"},
		{"@a : PSK 0xhidden\n", "", "@a : PSK: the secret is empty, or is not what its prefix says"},
		{"@a : PSK \"\"\n", "", "is empty"},
		{"C=CH,XY=1 : PSK \"hidden\"\n", "", "C=CH,XY=1 : PSK: "},
		{": EAP \"hidden\"\n", "", ": EAP: it is nobody's"},
		{"u : NTLM 0x00\n", "", "u : NTLM: it is no NT hash"},
		{": RSA\n", "", ": RSA: it names no file"},
		{": RSA key.pem %prompt\n", "", ": RSA: nobody is asked for a passphrase"},
		{": PIN %smartcard:1 hidden\n", "", ": PIN: smart cards can't be used"},
		{"u : XAUTH \"hidden\"\n", "", "u : XAUTH: XAUTH is of IKEv1"},
		{"u : FOO \"hidden\"\n", "", "u : FOO: there is no such kind"},
	} {
		res, err := read(ipsecconf.StrongSwan, memory{"ipsec.conf": conf, "ipsec.secrets": c.secrets})
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%q: error %v, want %q", c.secrets, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%q: %v", c.secrets, err)
		}
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			said = report(res)
		}
		if c.left != "" && !strings.Contains(said, c.left) {
			t.Errorf("%q: said\n%s\nwant %q", c.secrets, said, c.left)
		}
		if strings.Contains(said, "hidden") {
			t.Errorf("%q: the secret is in\n%s", c.secrets, said)
		}
	}
}
