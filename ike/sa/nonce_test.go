package sa

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// M21: RFC 7296 section 2.10. A nonce of less than half the key size of the PRF is refused in every exchange that has one, by
// both roles; one of exactly that much is taken.
func TestShortNonces(t *testing.T) {
	const sha512 = "aes128gcm16-prfsha512-x25519"
	short, enough := make([]byte, 31), make([]byte, 32)
	short[0], enough[0] = 1, 1
	for _, c := range []struct {
		prf   string
		nonce []byte
		ok    bool
	}{
		{sha512, short, false}, {sha512, enough, true}, {"aes128gcm16-prfsha384-x25519", short[:24], true}, {"aes128gcm16-prfsha384-x25519", short[:23], false},
		{"aes128gcm16-prfsha256-x25519", short[:16], true}, {"aes128-sha1-prfaesxcbc-x25519", short[:16], true},
	} {
		for _, role := range []string{"a", "b"} {
			r := newRig(t, 101, ikeProposals(t, c.prf, c.prf))
			x, y := r.a, r.b
			if role == "b" {
				x, y = r.b, r.a
			}
			x.nonces = [][]byte{c.nonce}
			r.a.connect()
			r.run(3 * time.Minute)
			if c.ok {
				r.wantUp(1)
				continue
			}
			if role == "a" {
				// Nothing is said in the clear about a request that makes no sense.
				if y.ignored(IgnoreMalformed) == 0 || len(y.refused) != 0 {
					t.Errorf("%s: %d dropped, refused %v", c.prf, y.ignored(IgnoreMalformed), y.refused)
				}
				continue
			}
			f := y.wantFailure(diag.CodeSyntax)
			if f.Cause == nil || !strings.Contains(f.Cause.Error(), "nonce of") {
				t.Errorf("%v", f)
			}
			r.a.wantNothing()
			r.b.wantNothing()
		}
	}
	long := func(x, y *Config) { ikeProposals(t, sha512, sha512)(x, y) }
	for _, what := range []string{"rekey", "rekeyike"} {
		t.Run(what, func(t *testing.T) {
			play(t, "", long, nil, func(l *ladder) { // in the request
				l.x.nonces = [][]byte{short}
				for _, w := range fields("x:" + what + " x> y=N(INVAL_SYN)") {
					l.word(w)
				}
				if !l.y.hasFailure(diag.CodeSyntax) {
					t.Errorf("y reported %v", l.y.failures)
				}
			})
			play(t, "", long, nil, func(l *ladder) { // in the answer
				l.y.nonces = [][]byte{short}
				for _, w := range fields("x:" + what + " x> y>") {
					l.word(w)
				}
				if !l.x.hasFailure(diag.CodeSyntax) {
					t.Errorf("x reported %v", l.x.failures)
				}
			})
		})
	}
	t.Run("the PRF of the new IKE SA", func(t *testing.T) {
		play(t, "", ikeProposals(t, "aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519"), nil, func(l *ladder) {
			both := mustProposals(t, wire.ProtocolIKE, sha512)
			l.x.cfg.Proposals, l.y.cfg.Proposals = both, both
			l.x.nonces = [][]byte{short}
			for _, w := range fields("x:rekeyike x> y=N(INVAL_SYN)") {
				l.word(w)
			}
		})
	})
}
