package sa

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// A signature that takes long, and a verdict that does, keep nobody out: each role waits for both, one after the other.
func TestSignaturesWait(t *testing.T) {
	for name, how := range map[string]func(int) outcome{
		"for a while": func(int) outcome { return outcome{after: 300 * time.Millisecond} },
		"for long":    func(int) outcome { return outcome{after: 7 * time.Second} },
		"done twice":  func(int) outcome { return outcome{after: time.Second, twice: true} },
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b := newCertRig(t, 320, pkitest.P256, nil)
			na, nb := a.proofs(how), b.proofs(how)
			a.connect()
			r.run(40 * time.Second)
			r.wantUp(1)
			if *na != 2 || *nb != 2 {
				t.Errorf("%d and %d requests, want a signature and a verdict each", *na, *nb)
			}
			if len(a.failures)+len(b.failures) != 0 {
				t.Errorf("%v, %v", a.failures, b.failures)
			}
		})
	}
}

// What fails says so and leaves nothing; what this side has no time for comes when the message comes again.
func TestSignaturesFail(t *testing.T) {
	for _, side := range []string{"a", "b"} {
		for nth := 1; nth <= 2; nth++ { // a signs, then judges; b judges, then signs
			t.Run(fmt.Sprintf("%s, request %d", side, nth), func(t *testing.T) {
				signs := (side == "a") == (nth == 1)
				for _, how := range []string{"a defect", "no time", "lost"} {
					r, a, b := newCertRig(t, 321, pkitest.P256, nil)
					e := map[string]*certified{"a": a, "b": b}[side]
					failed := 0
					e.proofs(func(n int) outcome {
						if (n+1)%2+1 != nth || how == "no time" && failed > 0 {
							return outcome{}
						}
						failed++
						switch how {
						case "a defect":
							return outcome{after: time.Second, err: errors.New("a defect")}
						case "no time":
							return outcome{after: time.Second, err: &RequestError{"a signature", "no worker"}}
						}
						return outcome{lost: true}
					})
					a.connect()
					r.run(10 * time.Minute)
					if failed == 0 {
						t.Fatal("there was no such request")
					}
					switch {
					case how == "no time" && !signs:
						r.wantUp(1) // the message came again
						continue
					case how == "lost" && !signs && len(a.live()) == 1:
						r.wantUp(1) // it came in time
						continue
					}
					if how == "a defect" && signs && side == "a" {
						e.wantFailure(diag.CodeInternal)
					}
					a.wantNothing()
					b.wantNothing()
				}
			})
		}
	}
}

// The first request of IKE_AUTH that this side has no time for comes again whole, with all that is judged and made of it.
func TestRequestOfIKEAuthComesAgain(t *testing.T) {
	r, a, b := newCertRig(t, 322, pkitest.P256, nil)
	n := b.proofs(func(n int) outcome {
		if n <= 3 {
			return outcome{err: &RequestError{"a verdict", "strangers have had enough of them"}}
		}
		return outcome{}
	})
	a.connect()
	r.run(time.Minute)
	r.wantUp(1)
	if *n != 5 || b.ignored(IgnoreBusy) != 3 {
		t.Errorf("%d requests, %d messages taken for lost", *n, b.ignored(IgnoreBusy))
	}
	if len(a.failures)+len(b.failures) != 0 {
		t.Errorf("%v, %v", a.failures, b.failures)
	}
}

// If there never is time, the peer hears nothing and the operator why.
func TestNoTimeForSignaturesAtAll(t *testing.T) {
	r, a, b := newCertRig(t, 323, pkitest.P256, nil)
	b.proofs(func(int) outcome { return outcome{err: &RequestError{"a verdict", "no worker"}} })
	a.connect()
	r.run(5 * time.Minute)
	b.wantFailure(diag.CodeBusy)
	a.wantNothing()
	b.wantNothing()
}

// A peer that goes away while its certificate is judged leaves nothing, and the late verdict finds nobody.
func TestVerdictThatComesTooLate(t *testing.T) {
	for _, side := range []string{"a", "b"} {
		r, a, b := newCertRig(t, 324, pkitest.P256, nil)
		e := map[string]*certified{"a": a, "b": b}[side]
		e.proofs(func(int) outcome { return outcome{held: true} })
		a.connect()
		r.run(100 * time.Millisecond)
		if len(e.desk.open) != 1 {
			t.Fatalf("%d requests", len(e.desk.open))
		}
		e.lose()
		r.other(e.end).lose()
		e.desk.release(r.now)
		r.run(time.Minute)
		a.wantNothing()
		b.wantNothing()
	}
}

// What a half-open responder keeps of a peer that may be anybody is bounded, certificates and all.
func TestCertificatesThatAreHeldAreBounded(t *testing.T) {
	r, a, b := newCertRig(t, 325, pkitest.P256, nil)
	junk := make([]byte, 4000)
	r.edit(a.end, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
		for range 2 {
			ps = append(ps, &wire.Cert{Encoding: wire.CertX509Signature, Data: junk})
		}
		return ps
	})
	b.proofs(func(int) outcome { return outcome{held: true} })
	a.connect()
	r.run(500 * time.Millisecond)
	m := b.all()[0]
	if got := m.Held(); got < 8000 || got > 12000 {
		t.Errorf("%d bytes are held", got)
	}
	b.desk.release(r.now)
	r.run(time.Minute)
	r.wantUp(1) // they were of no matter
}
