package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/pki/pkitest"
)

// A user who is taken away, or disabled, is not in afterwards, whenever that happens: a conversation that has begun goes on with the users of before.
func TestUserIsTakenAway(t *testing.T) {
	ca := pkitest.CA(t, bubble, "CA", pkitest.P256)
	own, trusted := certificateFiles(t, ca, "b.example")
	gateway := func(user string) string {
		text := toml(fmt.Sprintf("[secrets.eap.a]\nid = %q\nsecret = \"password\"\n", user), called("%any", "no"))
		text = asUser(signed(text, "a", own, ""), "a", "remote", "")
		return strings.Replace(text, "[connections.a.remote]\nauth = \"pubkey\"", "[connections.a.remote]\nauth = \"eap-mschapv2\"", 1)
	}
	client := toml("[secrets.eap.me]\nid = \"ann\"\nsecret = \"password\"\n", callerAt(addrA, "phone", "10.1.1.0/24"))
	client = strings.Replace(client, "[connections.b.local]\nauth = \"psk\"\n", "[connections.b.local]\nauth = \"eap-mschapv2\"\neap_id = \"ann\"\n", 1)
	client = strings.Replace(client, "[connections.b.remote]\nauth = \"psk\"\n", fmt.Sprintf("[connections.b.remote]\nauth = \"pubkey\"\ncacerts = %q\n", trusted), 1)
	before := 0
	for after := time.Duration(0); after < 40*latency; after += 2 * latency {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, gateway("ann"))
			f.start(addrA, client)
			settle(after + time.Millisecond)
			if ids, _ := saIDs(b, "a"); len(ids) > 0 {
				before++
			}
			others := parse(t, gateway("ben")).EAP
			b.d.turn(func(now time.Time) { b.d.SetUsers(now, others) })
			settle(5 * time.Second)
			if _, children := saIDs(b, "a"); len(children) > 0 { // another attempt may be under way
				t.Errorf("taken away after %s, the user is in\n%s", after, b.log)
			}
		})
	}
	if before == 0 || before == 20 {
		t.Errorf("%d times of 20 the user was in before", before)
	}
}
