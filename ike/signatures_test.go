package ike

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/gateway"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/sa"
)

// signature is a request for one, with a key of a kind.
func signature(t testing.TB, k pkitest.Kind) sa.Proof {
	key := pkitest.Key(t, k)
	return sa.Proof{Want: auth.Sign{Signer: key, Key: key.Public(), Scheme: auth.SchemesOf(key.Public(), true)[0], Octets: []byte("octets")}}
}

// slowSigner is a key that is not in memory.
type slowSigner struct{ crypto.Signer }

// Signatures that take long are the workers' to make, all sixteen of them; what costs less than a hand-over is made at once. So the event
// loop is at one piece of work of less than inPlace at a time, whatever is under way.
func TestSignaturesAreMadeByWorkers(t *testing.T) {
	token := pkitest.Key(t, pkitest.P256)
	for name, c := range map[string]struct {
		want    sa.Want
		inPlace bool
	}{
		"RSA 2048": {signature(t, pkitest.RSA2048), false}, "RSA 4096": {signature(t, pkitest.RSA4096), false},
		"P-256": {signature(t, pkitest.P256), true}, "Ed25519": {signature(t, pkitest.Ed25519), true},
		"P-384": {signature(t, pkitest.P384), false}, "P-521": {signature(t, pkitest.P521), false},
		"a token":                       {sa.Proof{Want: auth.Sign{Signer: slowSigner{token}, Key: token.Public()}}, false},
		"a certificate, P-256":          {verdict(t, pkitest.P256, 1), true},
		"a chain, P-256":                {verdict(t, pkitest.P256, 3), false},
		"a certificate, P-384":          {verdict(t, pkitest.P384, 1), false},
		"a certificate, RSA":            {verdict(t, pkitest.RSA2048, 1), true},
		"sixteen certificates, RSA":     {verdict(t, pkitest.RSA2048, 16), false},
		"no certificate, P-256, pinned": {verdict(t, pkitest.P256, 0), true},
	} {
		ran := 0
		d := newDesk(1, func(sa.Want) sa.Result { ran++; return sa.Proved{} }, func() {}) // the worker never starts
		for i := range 16 {
			_, done := d.put(gateway.Errand{Want: c.want, Peer: netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i+1))})
			if done != c.inPlace {
				t.Fatalf("%s: made at once: %v", name, done)
			}
		}
		if w := d.report(); ran != int(w.AtOnce) || c.inPlace != (ran == 16) || !c.inPlace && w.Peers != 16 {
			t.Errorf("%s: %d made, %+v", name, ran, w)
		}
	}
}

// verdict is a request for the verdict on so many certificates with keys of a kind.
func verdict(t testing.TB, k pkitest.Kind, certificates int) sa.Proof {
	now := time.Now()
	ca := pkitest.CA(t, now, "CA", k)
	end := ca.End(t, now, "a.example", k)
	id, err := identity.Parse("a.example")
	if err != nil {
		t.Fatal(err)
	}
	j := auth.Judge{Trust: &pki.Trust{Anchors: []*x509.Certificate{ca.Cert}}, Now: now, ID: id, Schemes: auth.SchemesOf(end.Key.Public(), true)[:1],
		Octets: []byte("octets")}
	s := auth.Sign{Signer: end.Key, Key: end.Key.Public(), Scheme: j.Schemes[0], Octets: j.Octets}
	j.Signature = s.CarryOut().Value.([]byte)
	for range certificates {
		j.Presented.Certs = append(j.Presented.Certs, end.Cert.Raw)
	}
	return sa.Proof{Want: j}
}

// BenchmarkPause looks at the goroutine that hands signatures over and takes them back, as the event loop does, with sixteen RSA
// signatures under way all the time: "longest-ms" is the longest time for which it was held up, and "pauses/s" how often it was for more
// than half a millisecond. The same loop without any signature shows what of that is the machine's, and the one that makes them in place
// what it would be without workers. "cpu-ms" is the most processor time that it took from one look at its inputs to the next: what this
// program holds it up with, and nothing of the machine's. That is what is to stay below a millisecond.
func BenchmarkPause(b *testing.B) {
	for _, c := range []struct {
		name         string
		crew, signed int
	}{{"no signatures", 1, 0}, {"by workers", workers(0), 16}, {"in place", 0, 16}} {
		b.Run(c.name, func(b *testing.B) {
			woken := make(chan struct{}, 1)
			d := newDesk(c.crew, carryOut, func() {
				select {
				case woken <- struct{}{}:
				default:
				}
			})
			d.start()
			defer d.close()
			w := signature(b, pkitest.RSA2048)
			put := func() {
				d.put(gateway.Errand{Want: w, Peer: netip.MustParseAddr("192.0.2.1"), Until: time.Now().Add(time.Hour)})
			}
			for range c.signed {
				put()
			}
			var longest, work time.Duration
			pauses := 0
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			used, measured := threadTime()
			last := time.Now()
			for b.Loop() {
				select {
				case <-woken:
					list, _ := d.fetch()
					for range list {
						put() // another one in its place
					}
				default:
					if c.crew == 0 {
						put()
					}
				}
				now := time.Now()
				if now.Sub(last) > time.Millisecond/2 {
					pauses++
				}
				longest = max(longest, now.Sub(last))
				last = now
				t, _ := threadTime()
				work, used = max(work, t-used), t
			}
			if measured {
				b.ReportMetric(float64(work)/float64(time.Millisecond), "cpu-ms")
			}
			b.ReportMetric(float64(longest)/float64(time.Millisecond), "longest-ms")
			b.ReportMetric(float64(pauses)/b.Elapsed().Seconds(), "pauses/s")
		})
	}
}
