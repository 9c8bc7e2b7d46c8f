package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ownKey is a connection in the short form.
func ownKey(name, remote, localTS, remoteTS, key, more string) string {
	return fmt.Sprintf("[connections.%s]\nremote_addrs = %q\nlocal_ts = %q\nremote_ts = %q\nsecret = %q\n%s\n", name, remote, localTS, remoteTS, key, more)
}

// TestOwnKeysKeepPeersApart: peers of connections with keys of their own may call themselves the same, as two behind NATs with private
// addresses do, and even say INITIAL_CONTACT: none of them ends what another one has. Nobody gets in with the key of another connection.
func TestOwnKeysKeepPeersApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		const keyA, keyC = testKey + "-a", testKey + "-c"
		const same = `local = {id = "192.168.1.10"}`
		const waits = `start_action = "none"`
		hub := ownKey("a", addrA, "10.2.0.0/16", "10.1.0.0/16", keyA, waits) + ownKey("c", addrC, "10.2.0.0/16", "10.3.0.0/16", keyC, waits)
		b := f.start(addrB, hub)
		a := f.start(addrA, ownKey("b", addrB, "10.1.0.0/16", "10.2.0.0/16", keyA, same))
		settle(5 * time.Second)
		first := b.child("a/a").SAs[0].ID
		c := f.start(addrC, ownKey("b", addrB, "10.3.0.0/16", "10.2.0.0/16", keyC, same))
		settle(2 * time.Minute)
		up := func(when string) {
			t.Helper()
			for name, h := range map[string]ChildInfo{"a": a.child("b/b"), "b/a": b.child("a/a"), "b/c": b.child("c/c"), "c": c.child("b/b")} {
				if h.Phase != "up" {
					t.Errorf("%s: %s is %s", when, name, h.Phase)
				}
			}
			if n := b.ikeSAs(); n != 2 || b.child("a/a").SAs[0].ID != first {
				t.Errorf("%s: %d IKE SAs, and that of A is another one", when, n)
			}
		}
		up("at first")
		// Another key of its own is for the next authentication; that there is one at all is what peers are told apart by.
		changed := func(text string) string {
			r, err := b.d.Reload(t.Context(), parse(t, text))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(r.Changed, "\n")
		}
		if got := changed(strings.Replace(hub, keyC, keyA, 1)); !strings.Contains(got, "c: the pre-shared key (its SAs stay;") {
			t.Error(got)
		}
		up("after a reload")
		if got := changed(strings.Replace(hub, fmt.Sprintf("secret = %q\n", keyC), "", 1) + fmt.Sprintf("[secrets.ike.x]\nsecret = %q\n", keyC)); !strings.Contains(got,
			"c: secret; its SAs are deleted and made again") {
			t.Error(got)
		}
		settle(time.Minute)
		up("with a key for everybody")
		// The connection of A's key is not for C, whoever C says it is.
		changed(strings.Replace(hub, keyC, keyA+"-other", 1))
		settle(time.Minute)
		if got := b.child("c/c"); got.Phase == "up" || b.child("a/a").Phase != "up" {
			t.Errorf("%+v", got)
		}
	})
}
