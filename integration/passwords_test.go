//go:build linux

package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// eapPlugins are what strongSwan needs for methods with passwords, in both roles: xauth-generic is where its GTC looks passwords up.
var eapPlugins = []string{"md5", "eap-identity", "eap-md5", "eap-gtc", "eap-mschapv2", "eap-ttls", "xauth-generic"}

// The passwords of users, by name. Those of gatewayUsers are known to Esplanade, the others to strongSwan.
const (
	gatewayUsers = `alice = "correct horse battery"
bob = { nt_hash = "44ebba8d5312b8d611474411f56989ae" }
erin = { password = "from the letter", expired = true }
dave = { password = "not any more", disabled = true }
frank = "right here"
`
	bobPassword = "clientPass"
)

// userSecrets are passwords as strongSwan's swanctl.conf has them.
func userSecrets(pairs ...string) string {
	var b strings.Builder
	b.WriteString("secrets {\n")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "  eap-%d {\n    id = \"%s\"\n    secret = \"%s\"\n  }\n", i, strings.ReplaceAll(pairs[i], `\`, `\\`), pairs[i+1])
	}
	return b.String() + "}\n"
}

// passwordWorld is Esplanade on a, and strongSwan on b, each with users of the other.
func passwordWorld(t *testing.T) *certWorld {
	w := newCertWorld(t).lay()
	w.a.Files = append(w.a.Files, peer.File{Kind: "users", Name: "users.toml", Data: []byte(gatewayUsers)})
	w.b.Plugins, w.b.PluginConf = eapPlugins, "eap-gtc {\n      backend = generic\n    }"
	return w
}

// comes has a strongSwan that is a user come to Esplanade, by a connection for it alone.
func (w *certWorld) comes(name, user, clientMethod, gatewayMethod string) {
	w.add(way{name: name, aWants: peer.Auth{Method: gatewayMethod},
		bShows: peer.Auth{Method: clientMethod, Extra: map[string]string{"eap_id": quoteStrongSwan(user)}}})
}

// goes has an Esplanade that is a user go to strongSwan.
func (w *certWorld) goes(name, user, clientMethod, gatewayMethod string) {
	w.add(way{name: name, aShows: peer.Auth{Method: clientMethod, Extra: map[string]string{"eap_id": user}},
		bWants: peer.Auth{Method: gatewayMethod, Extra: map[string]string{"eap_id": "%any"}}})
}

func quoteStrongSwan(s string) string { return `"` + strings.ReplaceAll(s, `\`, `\\`) + `"` }

// TestUsersWithPasswords: users prove themselves by methods of EAP with passwords, to Esplanade and to strongSwan, with traffic; and each that
// must not come in names itself to the operator, while the other end learns no more than its method says.
func TestUsersWithPasswords(t *testing.T) {
	t.Parallel()
	w := passwordWorld(t)
	type loginCase struct {
		name string
		want []string // in strongSwan's log
	}
	var in, out []loginCase
	known := []string{"alice", "correct horse battery", "bob", bobPassword, `CORP\alice`, "correct horse battery",
		"erin", "from the letter", "dave", "not any more", "mallory", "anything", "carol", "swan song", "frank", "wrong here", "grace", "what strongSwan has"}
	w.b.More = userSecrets(known...)
	for _, c := range []struct{ name, user, client, gateway, want string }{
		{"in-mschapv2", "alice", "eap-mschapv2", "eap-mschapv2", `EAP method EAP_MSCHAPV2 succeeded, MSK established`},
		{"in-md5", "alice", "eap-md5", "eap-md5", `EAP method EAP_MD5 succeeded, no MSK established`},
		{"in-gtc", "alice", "eap-gtc", "eap-gtc", `EAP method EAP_GTC succeeded, no MSK established`},
		{"in-hash", "bob", "eap-mschapv2", "eap-mschapv2", `EAP method EAP_MSCHAPV2 succeeded`},
		{"in-domain", `CORP\alice`, "eap-mschapv2", "eap-mschapv2", `EAP method EAP_MSCHAPV2 succeeded`},
	} {
		w.comes(c.name, c.user, c.client, c.gateway)
		in = append(in, loginCase{c.name, []string{c.want, `server requested EAP_IDENTITY `}})
	}
	for _, c := range []struct{ name, user, client, gateway, want string }{
		{"out-mschapv2", "carol", "eap-mschapv2", "eap-mschapv2", `authentication of 'out-mschapv2.a.example' with EAP successful`},
		{"out-md5", "carol", "eap-md5", "eap-md5", `authentication of 'out-md5.a.example' with EAP successful`},
		{"out-gtc", "carol", "eap-gtc", "eap-gtc", `authentication of 'out-gtc.a.example' with EAP successful`},
	} {
		w.goes(c.name, c.user, c.client, c.gateway)
		out = append(out, loginCase{c.name, []string{c.want, `received EAP identity 'carol'`}})
	}
	// What is offered first is not what the client wants.
	w.comes("in-nak", "alice", "eap-ttls", "eap")
	in = append(in, loginCase{"in-nak", []string{`server requested EAP_MSCHAPV2`, `requesting EAP_TTLS authentication, sending EAP_NAK`, `EAP method EAP_TTLS succeeded`}})
	// The machine by its certificate, and then its user.
	second := func(id, user string) []peer.Auth {
		return []peer.Auth{{Method: "eap-mschapv2", ID: id, Extra: map[string]string{"eap_id": user}}}
	}
	w.add(way{name: "in-rounds", bMore: second("user.b.example", "alice")})
	in = append(in, loginCase{"in-rounds", []string{`authentication of 'in-rounds.b.example' \(myself\) with ECDSA`, `EAP method EAP_MSCHAPV2 succeeded`}})
	w.add(way{name: "out-rounds", aMore: second("user.a.example", "carol")})
	out = append(out, loginCase{"out-rounds", []string{`authentication of 'out-rounds.a.example' with ECDSA.* successful`, `authentication of 'user.a.example' with EAP successful`}})
	type refused struct {
		name, user, client, gateway, code string
		words                             []string // of the failure
		heard                             string   // by strongSwan
	}
	refusals := []refused{
		{"no-user", "mallory", "eap-mschapv2", "eap-mschapv2", "E-EAP-USER", []string{"mallory", "eap-mschapv2"}, `EAP-MS-CHAPv2 failed with error ERROR_AUTHENTICATION_FAILURE`},
		{"no-password", "frank", "eap-mschapv2", "eap-mschapv2", "E-EAP-PASSWORD", []string{"frank", "password is wrong"}, `EAP-MS-CHAPv2 failed with error ERROR_AUTHENTICATION_FAILURE`},
		{"no-longer", "erin", "eap-mschapv2", "eap-mschapv2", "E-EAP-PASSWORD", []string{"erin", "has expired", "set another password"}, `EAP-MS-CHAPv2 failed with error ERROR_PASSWD_EXPIRED`},
		{"no-more", "dave", "eap-mschapv2", "eap-mschapv2", "E-EAP-PASSWORD", []string{"dave", "locked"}, `EAP-MS-CHAPv2 failed with error ERROR_AUTHENTICATION_FAILURE`},
		{"no-md5", "frank", "eap-md5", "eap-md5", "E-EAP-PASSWORD", []string{"frank", "eap-md5"}, `received EAP_FAILURE`},
		{"no-method", "alice", "eap-md5", "eap-mschapv2", "E-EAP-METHOD", []string{"eap-md5", "eap-mschapv2", "alice"}, `sending EAP_NAK`},
	}
	for _, r := range refusals {
		w.comes(r.name, r.user, r.client, r.gateway)
	}
	w.goes("no-entry", "grace", "eap-mschapv2", "eap-mschapv2")
	w.a.More = "[users]\nfile = \"users/users.toml\"\n[secrets.eap.carol]\nid = \"carol\"\nsecret = \"swan song\"\n" +
		"[secrets.eap.grace]\nid = \"grace\"\nsecret = \"not what strongSwan has\"\n"
	w.run()
	for _, c := range in {
		t.Run(c.name, func(t *testing.T) { w.up(t, c.name, w.p.b, nil, c.want) })
	}
	for _, c := range out {
		t.Run(c.name, func(t *testing.T) { w.up(t, c.name, w.p.a, nil, c.want) })
	}
	e := w.p.a.(*peer.Esplanade)
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			heard, logged := since(w.p.b), since(e)
			if out, err := peer.Initiate(w.p.b, r.name); err == nil {
				t.Fatalf("the tunnel came up:\n%s", out)
			}
			wantWords(t, "Esplanade", logged, append(r.words, r.code))
			if !regexp.MustCompile(r.heard).MatchString(heard()) {
				t.Errorf("strongSwan has not heard %q:\n%s", r.heard, heard())
			}
			w.p.wantNoState(t, 10*time.Second)
		})
	}
	t.Run("no-entry", func(t *testing.T) {
		shown, err := peer.Initiate(e, "no-entry")
		if err == nil {
			t.Fatalf("the tunnel came up:\n%s", shown)
		}
		wantWords(t, "swanctl", func() string { return shown }, []string{"E-EAP-REFUSED", "grace", "the password is wrong"})
		w.p.wantNoState(t, 10*time.Second)
	})
	for _, secret := range []string{"correct horse", "from the letter", "swan song", "44ebba8d", "not what strongSwan has"} {
		if strings.Contains(e.Log(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// wantWords waits until a text has all words.
func wantWords(t *testing.T, who string, text func() string, words []string) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, who+" says why", func() (bool, string) {
		for _, x := range words {
			if !strings.Contains(text(), x) {
				return false, fmt.Sprintf("%q is missing in:\n%s", x, text())
			}
		}
		return true, ""
	})
}
