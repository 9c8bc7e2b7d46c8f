package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
)

// A PPK goes with signatures: AUTH with it, and without it where it may be missing, are two signatures (RFC 8784 section 3).
func TestPPKWithSignatures(t *testing.T) {
	for name, c := range map[string]struct {
		a, b     string // the keys of the PPK; "" for none
		required bool
		used     bool
		fails    diag.Code
		signed   int // by a
	}{
		"both have it, required":       {"key", "key", true, true, "", 1},
		"both have it":                 {"key", "key", false, true, "", 2},
		"the responder has another id": {"key", "", false, false, "", 2},
		"the keys differ":              {"key", "other", false, false, diag.CodePPK, 2},
		"the keys differ, required":    {"key", "other", true, false, diag.CodeSignature, 1},
	} {
		for _, late := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				r, a, b := newCertRig(t, 360, pkitest.P256, func(a, b *Config) {
					a.PPKID, a.PPKRequired = "office", c.required
					b.PPKID = "office"
				})
				for _, x := range []struct {
					e   *certified
					key string
				}{{a, c.a}, {b, c.b}} {
					x.e.env.PPK = func(id string) ([]byte, bool) { return []byte(x.key), x.key != "" && id == "office" }
					x.e.env.HasPPK = func() bool { return true }
				}
				if c.b == "" {
					b.cfg.PPKID = ""
				}
				how := func(int) outcome { return outcome{} }
				if late {
					how = func(int) outcome { return outcome{after: time.Second} }
				}
				n := a.proofs(how)
				b.proofs(how)
				a.connect()
				r.run(2 * time.Second)
				if late {
					r.run(time.Minute)
				}
				if c.fails != "" {
					b.wantFailure(c.fails)
					a.wantNothing()
					b.wantNothing()
				} else {
					r.wantUp(1)
					if got := a.live()[0].Snapshot().PPK; (got != "") != c.used {
						t.Errorf("the PPK in use is %q", got)
					}
				}
				if want := c.signed + map[bool]int{true: 0, false: 1}[c.fails != ""]; *n != want {
					t.Errorf("%d requests of a, want %d", *n, want)
				}
			})
		}
	}
}
