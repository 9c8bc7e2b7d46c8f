package revocation

import (
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"esplanade/ike/policy"
)

// TestPolicy: what each policy makes of what is known of two certificates.
func TestPolicy(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cert := issue(t, newCA(t, nil, "ca"), &x509.Certificate{SerialNumber: big.NewInt(0xabc), Subject: name("site-a")}, nil).Certificate
	good := State{Certificate: cert, Status: Good, Until: now.Add(time.Hour)}
	better := State{Certificate: cert, Status: Good, Until: now.Add(2 * time.Hour)}
	unknown := State{Certificate: cert}
	expected := State{Certificate: cert, Expected: true, Problems: []error{errors.New("nobody there")}}
	revoked := State{Certificate: cert, Status: Revoked, At: now, Reason: KeyCompromise, By: "the CRL"}
	const relaxed, ifuri, strict = policy.RevocationRelaxed, policy.RevocationIfURI, policy.RevocationStrict
	all := []policy.Revocation{relaxed, ifuri, strict}
	for _, c := range []struct {
		what    string
		states  []State
		refused []policy.Revocation
		until   time.Time
		says    string
	}{
		{"all good", []State{better, good}, nil, good.Until, ""},
		{"no source", []State{good, unknown}, []policy.Revocation{strict}, good.Until, "neither it nor the configuration says where to ask"},
		{"a source of no use", []State{expected, good}, []policy.Revocation{ifuri, strict}, good.Until, "nobody there"},
		{"revoked", []State{good, revoked}, all, time.Time{}, `"CN=site-a" (serial number abc, issued by "CN=ca") was revoked at 2026-03-01 12:00:00Z (keyCompromise), says the CRL`},
		{"revoked counts more than unknown", []State{unknown, revoked}, all, time.Time{}, "was revoked"},
	} {
		for _, p := range all {
			v := Verdict{States: c.states, Needed: []Needed{{}}}
			v.judge(p)
			want := false
			for _, x := range c.refused {
				want = want || x == p
			}
			if (v.Err() != nil) != want {
				t.Errorf("%s, %s: %v", c.what, p, v.Err())
			}
			if v.Refused != nil && !strings.Contains(v.Refused.Error(), c.says) {
				t.Errorf("%s, %s: says %q, want %q", c.what, p, v.Refused, c.says)
			}
			if !v.Until.Equal(c.until) {
				t.Errorf("%s, %s: until %v, want %v", c.what, p, v.Until, c.until)
			}
			if v.Refused != nil && v.Refused.Status == Revoked && len(v.Needed) != 0 {
				t.Errorf("%s, %s: something is needed still", c.what, p)
			}
		}
	}
}
