package gateway

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// A request that is repeated after a refusal in the clear is answered again, and is no second failure. Another attempt is.
func TestRefusedRepetitionsCountOnce(t *testing.T) {
	for name, c := range map[string]struct {
		code   diag.Code
		remote string
		ike    string
	}{
		"no proposal":   {diag.CodeProposalIKE, "%any", "aes128-sha1-modp1024"},
		"no connection": {diag.CodeConnNone, "192.0.2.77", crowdIKE},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			crowd := newCrowd(f)
			g := openGateway("")
			g.remote = c.remote
			b := f.start(addrB, toml("", g))
			settle(time.Second)
			count := func() (n uint64) {
				for k, v := range b.d.Stats().Failures {
					if k.Reason != c.code.Reason() {
						t.Errorf("%s: %v", name, k)
					}
					n += v
				}
				return n
			}
			for attempt := range uint64(2) {
				x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), 500), b.addr, c.ike)
				for range 7 {
					x.sendInit()
					settle(10 * time.Second)
					if len(crowd.take(x.from)) == 0 {
						t.Fatalf("%s: no answer", name)
					}
				}
				if n := count(); n != attempt+1 {
					t.Errorf("%s: %d failures after attempt %d", name, n, attempt+1)
				}
			}
			b.stop()
		})
	}
}

// What is known of refused attempts is bounded in number and time, and the oldest goes first.
func TestRefusedInitsAreBounded(t *testing.T) {
	var r refusedInits
	now := time.Unix(1e9, 0)
	of := func(i int) refusedInit { return refusedInit{initKey{spi: wire.SPI(i)}, diag.CodeConnNone} }
	for i := range 3 * maxRefusedInits {
		if !r.isNew(now, of(i)) || r.isNew(now, of(i)) {
			t.Fatalf("attempt %d", i)
		}
	}
	if len(r.until) != maxRefusedInits || len(r.ring) != maxRefusedInits {
		t.Errorf("%d and %d are kept", len(r.until), len(r.ring))
	}
	if r.isNew(now, of(2*maxRefusedInits)) || !r.isNew(now, of(2*maxRefusedInits-1)) {
		t.Error("not the oldest went")
	}
	if last := of(3*maxRefusedInits - 1); r.isNew(now.Add(refusedInitTime-1), last) || !r.isNew(now.Add(2*refusedInitTime), last) {
		t.Error("one is known for another time")
	}
}
