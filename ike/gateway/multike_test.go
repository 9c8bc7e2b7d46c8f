package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Keys of a connection and of a child with additional key exchanges (RFC 9370).
const (
	hybridIKE = "proposals = [\"aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke2_mlkem1024\"]\n"
	hybridESP = "esp_proposals = [\"aes256gcm16-x25519-ke1_mlkem768\"]\n"
)

// TestAdditionalKeyExchanges: two daemons live for hours with additional key exchanges in everything they negotiate, both
// renewing at the same times; nothing is lost or left over, and what was negotiated can be seen.
func TestAdditionalKeyExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		hybrid := func(c conn) conn {
			c.extra = hybridIKE + "rekey_time = \"20m\"\nover_time = \"5m\"\nrand_time = \"0s\""
			c.children[0].extra = hybridESP + "rekey_time = \"7m\"\nlife_time = \"9m\"\nrand_time = \"0s\""
			return c
		}
		b := f.start(addrB, toml("", hybrid(right("none"))))
		a := f.start(addrA, toml("", hybrid(left("start"))))
		for range 36 {
			settle(5 * time.Minute)
			if n := paired(t, a, b); n < 1 || a.ikeSAs() != 1 || b.ikeSAs() != 1 {
				t.Fatalf("%d children, %d and %d IKE SAs", n, a.ikeSAs(), b.ikeSAs())
			}
			for _, r := range []bool{a.last("b") != nil, b.last("a") != nil} {
				if r {
					t.Fatal("a failure was reported")
				}
			}
		}
		s := a.info().Conns[0]
		ike, esp := s.SAs[0].Chosen.String(), s.Children[0].SAs[0].Chosen.String()
		if !strings.HasSuffix(ike, "x25519-ke1_mlkem768-ke2_mlkem1024") || !strings.HasSuffix(esp, "x25519-ke1_mlkem768") {
			t.Errorf("the status shows %q and %q", ike, esp)
		}
		a.stop()
		settle(time.Minute)
		b.stop()
		a.plane.empty(t)
		b.plane.empty(t)
	})
}

// TestAdditionalKeyExchangeMissing: one side insists on an additional key exchange that the other does not have, and both can say
// what is missing.
func TestAdditionalKeyExchangeMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		one := left("start")
		one.extra = hybridIKE
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", one))
		settle(2 * time.Second)
		r := a.last("b")
		if r == nil || !strings.Contains(r.Failure.Error(), "ke1_mlkem768") {
			t.Errorf("a reports %v", r)
		}
		if log := b.log.String(); !strings.Contains(log, "ke1_mlkem768") || !strings.Contains(log, "ADDKE1") {
			t.Errorf("b's log: %s", log)
		}
		a.stop()
		b.stop()
	})
}
