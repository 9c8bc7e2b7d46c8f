package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// A peer that does not know RFC 7427 may sign with RSA and SHA-1, where both sides are told to bear it, and nowhere else.
func TestRSAWithSHA1(t *testing.T) {
	for _, c := range []struct{ a, b, digital, up bool }{
		{true, true, false, true}, {true, false, false, false}, {false, false, false, true}, {true, true, true, true},
	} {
		r, a, b := newCertRig(t, 351, pkitest.RSA2048, func(a, b *Config) {
			a.RSASHA1, b.RSASHA1 = c.a, c.b
			a.FragmentSize, b.FragmentSize = 16000, 16000
		})
		if !c.digital {
			a.env.hashes = []wire.HashAlgorithm{}
		}
		var by wire.AuthMethod
		r.edit(a.end, wire.ExchangeIKEAuth, false, swap(func(p *wire.Auth) { by = p.Method }))
		a.connect()
		r.run(time.Minute)
		if (by == wire.AuthRSA) == c.digital {
			t.Errorf("%+v: method %v", c, by)
		}
		if c.up {
			r.wantUp(1)
			continue
		}
		b.wantFailure(diag.CodeSignature)
		a.wantNothing()
	}
}
