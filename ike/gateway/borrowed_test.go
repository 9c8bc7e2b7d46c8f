package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
)

// keyed is toml with keys of its own instead of the one for everybody, each given by its id and the key.
func keyed(head string, keys [][2]string, conns ...conn) string {
	text, _, _ := strings.Cut(toml(head, conns...), "[secrets.ike.all]")
	for i, k := range keys {
		text += fmt.Sprintf("[secrets.ike.k%d]\nid = %s\nsecret = %q\n", i, k[0], k[1])
	}
	return text
}

const keyOfB, keyOfC = "the-key-that-a-and-b-share-2026-X", "the-key-that-a-and-c-share-2026-Y"

// TestBorrowedKey: b, which has a key of its own with this gateway, is not c, whose key is missing; neither when it calls nor when
// it is called at the address at which c is expected.
func TestBorrowedKey(t *testing.T) {
	pair := [2]string{`["a.example", "b.example"]`, keyOfB}
	for _, tt := range []struct {
		name   string
		keys   [][2]string // of the gateway
		remote string      // the remote identity of the connection for c
		claim  string      // who b says that it is
		code   diag.Code   // empty: it is taken for that
	}{
		{"b is b", [][2]string{pair}, "b.example", "b.example", ""},
		{"c has no key", [][2]string{pair}, "c.example", "c.example", diag.CodeNoSecret},
		{"c has another key", [][2]string{pair, {`["a.example", "c.example"]`, keyOfC}}, "c.example", "c.example", diag.CodeAuthPSK},
		{"a pattern for peers", [][2]string{pair}, "*.example", "c.example", diag.CodeNoSecret},
		{"any peer", [][2]string{pair}, "%any", "c.example", diag.CodeNoSecret},
		{"any peer, by address", [][2]string{pair}, "%any", addrB, diag.CodeNoSecret},
		{"the gateway's own name", [][2]string{pair}, "%any", "a.example", diag.CodeNoSecret},
		{"b at a connection for anybody", [][2]string{pair}, "%any", "b.example", ""},
		{"a key that names c by a pattern", [][2]string{{`["a.example", "*.example"]`, keyOfB}}, "c.example", "c.example", ""},
	} {
		for _, calls := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/b calls=%t", tt.name, calls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFabric(t)
					gw, b := left("none"), right("start")
					if !calls {
						gw, b = left("start"), right("none")
					}
					gw.name, gw.remoteID, b.localID = "c", tt.remote, tt.claim
					a := f.start(addrA, keyed("", tt.keys, gw))
					h := f.start(addrB, keyed("", [][2]string{{`"a.example"`, keyOfB}}, b))
					settle(10 * time.Second)
					if up := a.ikeSAs() > 0 && paired(t, a, h) > 0; up != (tt.code == "") {
						t.Fatalf("up: %t\n%s", up, a.log)
					}
					code := tt.code
					if code == diag.CodeAuthPSK && !calls {
						code = diag.CodeAuthRefused // b checks the key first
					}
					if !strings.Contains(a.log.String(), string(code)) {
						t.Errorf("the log does not say %s\n%s", code, a.log)
					}
					a.stop()
					h.stop()
				})
			})
		}
	}
}

// TestKeyTakenAway: a reload without the key of a peer is accepted, says so, and the peer does not get in again.
func TestKeyTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		one, two := left("none"), left("none")
		two.name, two.remote, two.remoteID = "c", "192.0.2.3", "c.example"
		two.children = []kid{{"net", "10.1.0.0/16", "10.3.0.0/16", "none", ""}}
		keys := [][2]string{{`["a.example", "b.example"]`, keyOfB}, {`["a.example", "c.example"]`, keyOfC}}
		a := f.start(addrA, keyed("", keys, one, two))
		c := right("start")
		c.local, c.localID = "192.0.2.3", "c.example"
		c.children = []kid{{"net", "10.3.0.0/16", "10.1.0.0/16", "start", ""}}
		h := f.start("192.0.2.3", keyed("", [][2]string{{`"a.example"`, keyOfC}}, c))
		settle(10 * time.Second)
		if paired(t, a, h) != 1 {
			t.Fatal("no tunnel to begin with")
		}
		fresh, err := config.Parse("x.toml", []byte(keyed("", keys[:1], one, two)))
		if err != nil {
			t.Fatalf("the configuration without the key is refused: %v", err)
		}
		did, err := a.d.Reload(t.Context(), fresh)
		if err != nil || len(did.Changed) != 1 || !strings.Contains(did.Changed[0], "c: the pre-shared key") {
			t.Fatalf("%v, %v", did, err)
		}
		h.crash()
		settle(20 * time.Minute) // until it is given up
		h = f.start("192.0.2.3", keyed("", [][2]string{{`"a.example"`, keyOfC}}, c))
		settle(10 * time.Second)
		if a.ikeSAs() != 0 || !strings.Contains(a.log.String(), string(diag.CodeNoSecret)) {
			t.Errorf("%d IKE SAs\n%s", a.ikeSAs(), a.log)
		}
		a.stop()
		h.stop()
	})
}
