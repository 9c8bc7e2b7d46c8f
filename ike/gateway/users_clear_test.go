package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/pki/pkitest"
)

// Whoever has all credentials loaded again takes them away first (swanctl --load-creds --clear), and loads them one after the other: users who
// are in stay in meanwhile. A user who is taken away alone is not in afterwards, also one that was loaded again.
func TestUsersStayWhileCredentialsAreLoadedAgain(t *testing.T) {
	ca := pkitest.CA(t, bubble, "CA", pkitest.P256)
	own, trusted := certificateFiles(t, ca, "b.example")
	gateway := func(users ...string) string {
		var text string
		for _, u := range users {
			text += fmt.Sprintf("[secrets.eap.%s]\nid = %q\nsecret = \"password\"\n", u, u)
		}
		text = asUser(signed(toml(text, called("%any", "no")), "a", own, ""), "a", "remote", "")
		return strings.Replace(text, "[connections.a.remote]\nauth = \"pubkey\"", "[connections.a.remote]\nauth = \"eap-mschapv2\"", 1)
	}
	client := toml("[secrets.eap.me]\nid = \"ann\"\nsecret = \"password\"\n", callerAt(addrA, "phone", "10.1.1.0/24"))
	client = strings.Replace(client, "[connections.b.local]\nauth = \"psk\"\n", "[connections.b.local]\nauth = \"eap-mschapv2\"\neap_id = \"ann\"\n", 1)
	client = strings.Replace(client, "[connections.b.remote]\nauth = \"psk\"\n", fmt.Sprintf("[connections.b.remote]\nauth = \"pubkey\"\ncacerts = %q\n", trusted), 1)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, gateway("ann", "ben"))
		f.start(addrA, client)
		settle(5 * time.Second)
		ids, _ := saIDs(b, "a")
		if len(ids) != 1 {
			t.Fatalf("the user is not in\n%s", b.log)
		}
		for _, x := range []struct {
			what  string
			do    func(*Manager, time.Time, *config.Config, []string)
			users []string
			in    bool
		}{
			{"cleared", (*Manager).Clear, []string{"nobody"}, true},
			{"another was loaded", (*Manager).Change, []string{"nobody", "ben"}, true},
			{"the user was loaded", (*Manager).Change, []string{"nobody", "ben", "ann"}, true},
			{"another was taken away", (*Manager).Change, []string{"ben", "ann"}, true},
			{"the user was taken away", (*Manager).Change, []string{"ben"}, false},
		} {
			c := parse(t, gateway(x.users...))
			b.d.turn(func(now time.Time) { x.do(b.d.Manager, now, c, nil) })
			settle(time.Second)
			if now, _ := saIDs(b, "a"); (len(now) == 1 && now[0] == ids[0]) != x.in {
				t.Errorf("%s: IKE SAs %v, and it was %v\n%s", x.what, now, ids, b.log)
			}
		}
	})
}
