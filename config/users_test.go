package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/ike/eap"
)

// usersText is a users file with everything that one can have.
const usersText = `# name = "password"
alice = "correct horse"
"bob@example.org" = { password = 'p"\w', groups = ["staff", "ops"], addresses = ["10.30.0.7", "fd00::7"] }
'EXAMPLE\carol' = { nt_hash = "44EBBA8D5312B8D611474411F56989AE", groups = "staff" }
dave = { nt_hash = "0x44ebba8d5312b8d611474411f56989ae", disabled = true }
[erin]
password = "Straße"
expired  = true
`

// TestUsersFile: every form of a line, and who is found by which name.
func TestUsersFile(t *testing.T) {
	d, errs := ParseUsers("users.toml", []byte("\ufeff"+usersText))
	if len(errs) > 0 || d.Len() != 5 {
		t.Fatalf("%d users: %v", d.Len(), errs)
	}
	for _, tt := range []struct{ name, want string }{
		{"alice", `alice plain "correct horse" [] [] at users.toml:2:1`},
		{"ALICE", `alice plain "correct horse" [] [] at users.toml:2:1`},
		{`CORP\Alice`, `alice plain "correct horse" [] [] at users.toml:2:1`},
		{"bob@EXAMPLE.org", `bob@example.org plain "p\"\\w" [staff ops] [10.30.0.7 fd00::7] at users.toml:3:1`},
		{`example\carol`, `EXAMPLE\carol hash 44ebba8d [staff] [] at users.toml:4:1`},
		{"dave", `dave hash 44ebba8d [] [] locked at users.toml:5:1`},
		{"erin", `erin plain "Straße" [] [] expired at users.toml:6:1`},
		{"carol", ""}, {`OTHER\carol`, ""}, {"", ""}, {"alice@example.org", ""}, {`alice\`, ""},
	} {
		s, u, ok := d.User(tt.name)
		e, found := d.Find(tt.name)
		if ok != found || ok != (tt.want != "") {
			t.Errorf("%q: %v, %v", tt.name, ok, found)
			continue
		}
		if !ok {
			continue
		}
		got := u.Name
		if plain, is := s.Plain(); is {
			got += fmt.Sprintf(" plain %q", plain)
		} else if hash, is := s.NT(); is {
			got += fmt.Sprintf(" hash %x", hash[:4])
		}
		got += fmt.Sprint(" ", u.Groups, u.Addresses)
		if s.Locked {
			got += " locked"
		}
		if s.Expired {
			got += " expired"
		}
		if got += " at " + e.At.String(); got != tt.want {
			t.Errorf("%q is\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
	if got := fmt.Sprint(d.Groups()); got != "[ops staff]" {
		t.Errorf("the groups are %s", got)
	}
	if got := fmt.Sprint(len(d.Addresses())); got != "2" {
		t.Errorf("%s addresses", got)
	}
	var none *Directory
	if _, _, ok := none.User("alice"); ok || none.Len() != 0 || len(none.Groups())+len(none.Addresses()) != 0 {
		t.Error("no directory has users")
	}
}

// TestUsersFileErrors: what is wrong in a users file, each with its place, and never with any of a password.
func TestUsersFileErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"alice = \"a\"\nAlice = \"hidden\"\n", `u:2:1: the user "Alice" is there already (u:1); remove one of them; small and capital letters are the same`},
		{"alice = \"a\"\nalice = \"hidden\"\n", `u:2:1: this user, or this key, is there twice; remove one of them: the first is u:1`},
		{"alice = hidden\n", `u:1:9: this is no line of a users file; write NAME = "PASSWORD"`},
		{"alice hidden\n", `u:1:7: this is no line of a users file; write NAME = `},
		{"alice:hidden\n", `u:1:6: this is no line of a users file; write NAME = `},
		{"alice@example.org = \"hidden\"\n", `u:1:6: this is no line of a users file; `},
		{"alice = 7\n", `u:1:9: the user "alice" is a whole number; write NAME = "PASSWORD", or NAME = { … }`},
		{"alice = \"\"\n", `u:1:9: the password of "alice" is empty; write one`},
		{"alice = \"x\\u0007hidden\"\n", `u:1:9: the password of "alice" has control characters`},
		{"alice = \"" + strings.Repeat("x", eap.MaxPassword+1) + "\"\n", `u:1:9: the password of "alice" has 513 bytes; choose one of at most 512 bytes`},
		{"\"%any\" = \"hidden\"\n", `u:1:1: the name "%any" is no name, but a pattern`},
		{"\"a*\" = \"hidden\"\n", `u:1:1: the name "a*" is no name, but a pattern`},
		{"\" a\" = \"hidden\"\n", `u:1:1: the name " a" begins or ends with white space`},
		{"\"\" = \"hidden\"\n", `u:1:1: the name "" is empty`},
		{"\"a\\u009bb\" = \"hidden\"\n", "u:1:1: the name \"a\\u009bb\" has control characters"},
		{"\"a\\nb\" = \"hidden\"\n", `u:1:1: the name "a\nb" has control characters`},
		{"\"" + strings.Repeat("n", 254) + "\" = \"hidden\"\n", `u:1:1: the name "nnn`},
		{"alice = { }\n", `u:1:1: "alice" has no password; write password = "…", or nt_hash`},
		{"alice = { password = \"hidden\", nt_hash = \"44ebba8d5312b8d611474411f56989ae\" }\n", `u:1:42: "alice" has both password and nt_hash; write one of them`},
		{"alice = { nt_hash = \"44ebba8d5312b8d611474411f56989\" }\n", `u:1:21: alice.nt_hash is no NT hash; write the 32 hexadecimal digits`},
		{"alice = { password = 7 }\n", `u:1:22: alice.password is a whole number, not a string; write it in quotes`},
		{"alice = { pasword = \"hidden\" }\n", `u:1:11: unknown key alice.pasword; did you mean password?`},
		{"alice = { password = \"hidden\", gruops = \"x\" }\n", `u:1:32: unknown key alice.gruops; did you mean groups?`},
		{"alice = { password = \"hidden\", expires = 2027-01-31 }\n", `u:1:32: unknown key alice.expires; did you mean expired?`},
		{"alice = { password = \"hidden\", groups = [] }\n", `u:1:41: alice.groups is empty; `},
		{"alice = { password = \"hidden\", addresses = [\"10.0.0.1\", \"10.0.0.2\"] }\n", `u:1:57: alice.addresses has two addresses of one family; `},
		{"alice = { password = \"hidden\", addresses = \"10.0.0.1/24\" }\n", `u:1:44: an element of alice.addresses is "10.0.0.1/24", which is no address`},
		{"alice = { password = \"hidden\", addresses = \"127.0.0.1\" }\n", `u:1:44: an element of alice.addresses is "127.0.0.1"; write an address that a host can have`},
		{"alice = { password = \"hidden\", disabled = \"yes\" }\n", `u:1:43: alice.disabled is a string, not a boolean; write true`},
		{"\xff\xfea\x00", `u:1:1: it is no text in UTF-8; `},
		{"alice = \"\xff\"\n", `u:1:1: it is no text in UTF-8; `},
		{"[[alice]]\npassword = \"hidden\"\n", `u:1:1: the user "alice" is a list of tables; `},
	} {
		_, errs := ParseUsers("u", []byte(tt.text))
		if len(errs) == 0 || !strings.HasPrefix(errs[0].String(), tt.want) {
			t.Errorf("%q:\n%v\nwant %s", tt.text, errs, tt.want)
		}
		if strings.Contains(errs.Error(), "hidden") {
			t.Errorf("%q: a message shows the password:\n%v", tt.text, errs)
		}
	}
}

// TestManyUsers: ten thousand are read whole, and one more than there may be is refused.
func TestManyUsers(t *testing.T) {
	var b strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&b, "\"user%d@example.org\" = { password = \"password %d\", groups = [\"g%d\"] }\n", i, i, i%10)
	}
	d, errs := ParseUsers("users.toml", []byte(b.String()))
	if len(errs) > 0 || d.Len() != 10000 || len(d.Groups()) != 10 {
		t.Fatalf("%d users, groups %v: %v", d.Len(), d.Groups(), errs)
	}
	if e, ok := d.Find("USER9999@example.org"); !ok || e.At.Line != 10000 {
		t.Errorf("the last one is %+v, %v", e, ok)
	}
}

// TestUsersOfAConfiguration: users come from the file and from the tables of secrets; a name or an address that is there twice is an error,
// and what this side proves itself with elsewhere lets nobody in here.
func TestUsersOfAConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("users.toml", usersText)
	write("frank.pw", "franks own\n")
	const more = `
[secrets.eap.frank]
id = ["frank", "fred"]
secret_file = "frank.pw"
groups = "staff"
[secrets.ntlm.grace]
id = "grace"
secret = "0x44ebba8d5312b8d611474411f56989ae"
addresses = "10.30.0.8"
[secrets.eap.me]
id = "me@elsewhere.example"
secret = "0sbXkgb3du"
[connections.out]
remote_addrs = "198.51.100.1"
local_ts = "dynamic"
local = { auth = "eap-mschapv2", eap_id = "Me@elsewhere.example" }
`
	conf := write("gw.toml", "[users]\nfile = \"users.toml\"\n"+more)
	c, errs, err := Diagnose(conf)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range errs {
		if !strings.Contains(p.What, "which CAs") {
			t.Error(p)
		}
	}
	d := c.Users.Directory
	for name, want := range map[string]bool{"alice": true, "frank": true, "Fred": true, "grace": true, "me@elsewhere.example": false} {
		if _, ok := d.Find(name); ok != want {
			t.Errorf("%s: %v, want %v", name, ok, want)
		}
	}
	s, u, _ := d.User("fred")
	if plain, ok := s.Plain(); !ok || plain != "franks own" || fmt.Sprint(u.Groups) != "[staff]" {
		t.Errorf("fred has %q, %v, %+v", plain, ok, u)
	}
	if s, u, _ := d.User("grace"); fmt.Sprint(u.Addresses) != "[10.30.0.8]" || s.None() {
		t.Errorf("grace has %+v", u)
	}
	if own, ok := c.ownSecret("ME@elsewhere.example"); !ok || string(own.Key.Bytes()) != "my own" {
		t.Errorf("this side's own is %v, %v", own, ok)
	}
	for _, tt := range []struct{ users, conf, want string }{
		{"", "[users]\nfile = \"user.toml\"\n", `gw.toml:2:1: users.file: …user.toml": no such file or directory; did you mean …users.toml"?`},
		{"", "[users]\nfile = \"\"\n", `gw.toml:2:8: users.file is empty; write the name of a file`},
		{"", "[users]\nfiles = \"x\"\n", `gw.toml:2:1: unknown key users.files; did you mean file?`},
		{"x = \n", "[users]\nfile = \"users.toml\"\n", `users.toml:1:5: this is no line of a users file; `},
		{"alice = \"x\"\n", "[users]\nfile = \"users.toml\"\n[secrets.eap.a]\nid = \"Alice\"\nsecret = \"y\"\n", `gw.toml:4:6: secrets.eap.a has the user "Alice", who is there already (…users.toml:1); remove one of them`},
		{"a = { password = \"x\", addresses = \"10.0.0.1\" }\nb = { password = \"x\", addresses = \"10.0.0.1\" }\n", "[users]\nfile = \"users.toml\"\n", `users.toml:2:1: "b" has the address 10.0.0.1 of "a" (…users.toml:1); `},
		{"", "[secrets.eap.a]\nsecret = \"y\"\n", `gw.toml:1:1: secrets.eap.a has no id; write id = "NAME"`},
		{"", "[secrets.eap.a]\nid = []\nsecret = \"y\"\n", `gw.toml:2:6: secrets.eap.a.id is empty; `},
		{"", "[secrets.eap.a]\nid = \"*\"\nsecret = \"y\"\n", `gw.toml:2:6: an element of secrets.eap.a.id, "*", is no name, but a pattern`},
		{"", "[secrets.eap.a]\nid = \"a\"\n", `gw.toml:1:1: secrets.eap.a has no secret; `},
		{"", "[secrets.eap.a]\nid = \"a\"\nsecret = \"y\"\nsecret_file = \"frank.pw\"\n", `gw.toml:4:1: secrets.eap.a has both secret and secret_file; `},
		{"", "[secrets.eap.a]\nid = [\"a\", \"b\"]\nsecret = \"y\"\naddresses = \"10.0.0.1\"\n", `gw.toml:4:13: secrets.eap.a has addresses, and several users; `},
		{"", "[secrets.eap.a]\nid = \"a\"\nsecret = \"0xfg\"\n", `gw.toml:3:10: secrets.eap.a.secret: after 0x there must be`},
		{"", "[secrets.ntlm.a]\nid = \"a\"\nsecret = \"0x12\"\n", `gw.toml:3:10: secrets.ntlm.a.secret is no NT hash; `},
		{"", "[secrets.eap-a]\nid = \"a\"\n", `gw.toml:1:1: unknown kind of secret "eap-a"; write [secrets.eap.a]`},
	} {
		write("users.toml", tt.users)
		_, errs, err := Diagnose(write("gw.toml", tt.conf))
		if err != nil {
			t.Fatal(err)
		}
		if !matchesAny(errs, strings.NewReplacer("gw.toml:", dir+"/gw.toml:", "users.toml:1:5", dir+"/users.toml:1:5", "users.toml:2:1", dir+"/users.toml:2:1").Replace(tt.want)) {
			t.Errorf("%q, %q:\n%v\nwant %s", tt.users, tt.conf, errs, tt.want)
		}
	}
}

// matchesAny reports whether one of the problems begins with a text, in which … stands for anything.
func matchesAny(errs Errors, want string) bool {
	parts := strings.Split(want, "…")
	for _, p := range errs {
		text, ok := strings.CutPrefix(p.String(), parts[0])
		for _, part := range parts[1:] {
			i := strings.Index(text, part)
			if i < 0 {
				ok = false
				break
			}
			text = text[i+len(part):]
		}
		if ok {
			return true
		}
	}
	return false
}
