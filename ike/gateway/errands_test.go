package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
)

// An errand names the identity of its peer as soon as that is proved, and not before: an identity that anybody may claim gets no
// turns of its own, and takes none from whoever has it.
func TestErrandsNameWhoIsAuthenticated(t *testing.T) {
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
			if x.Identity != "" || !x.Stranger || x.Peer != a.addr {
				t.Errorf("before IKE_AUTH: %+v", x)
			}
		}
		want := ""
		b.d.turn(func(time.Time) {
			for _, e := range b.d.table.bySPI {
				want = e.m.RemoteID().Key()
			}
			seen = nil
		})
		if n, err := a.d.Rekey(t.Context(), Target{Child: "net"}); n != 1 || err != nil {
			t.Fatalf("%d rekeyed, %v", n, err)
		}
		settle(time.Second)
		if len(seen) != 1 || want == "" || seen[0].Identity != want || seen[0].Stranger {
			t.Errorf("for the rekeying: %+v, the peer is %q", seen, want)
		}
		a.stop()
		b.stop()
	})
}
