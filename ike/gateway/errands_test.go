package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
)

// An errand names the connection of its peer as soon as that is authenticated, and not before: a connection that anybody may claim
// gives no turns, and takes none from whoever it is for.
func TestErrandsNameTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var seen []Errand
		note := func(o *rigOptions) {
			o.carryOut = func(x Errand) sa.Result {
				seen = append(seen, x)
				return x.Want.(sa.KeyExchange).CarryOut()
			}
		}
		pfs := func(c conn) conn { c.children[0].extra = "esp_proposals = [\"aes128gcm16-x25519\"]"; return c }
		b := f.start(addrB, toml("", pfs(right("none"))), note)
		a := f.start(addrA, toml("", pfs(left("start"))))
		settle(time.Second)
		if len(seen) == 0 {
			t.Fatal("no errand for IKE_SA_INIT")
		}
		for _, x := range seen {
			if x.Connection != "" || !x.Stranger || x.Peer != a.addr {
				t.Errorf("before IKE_AUTH: %+v", x)
			}
		}
		b.d.turn(func(time.Time) { seen = nil })
		if n, err := a.d.Rekey(t.Context(), Target{Child: "net"}); n != 1 || err != nil {
			t.Fatalf("%d rekeyed, %v", n, err)
		}
		settle(time.Second)
		if len(seen) != 1 || seen[0].Connection != "a" || seen[0].Stranger {
			t.Errorf("for the rekeying: %+v", seen)
		}
		a.stop()
		b.stop()
	})
}
