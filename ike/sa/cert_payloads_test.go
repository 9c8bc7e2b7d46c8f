package sa

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// A14: chains come in any order, with certificates too many, with the root, and with encodings that say nothing here.
func TestCertPayloadsAsTheyCome(t *testing.T) {
	other := func(e wire.CertEncoding) *wire.Cert {
		return &wire.Cert{Encoding: e, Data: []byte("http://10.0.0.1/x")}
	}
	for name, change := range map[string]func(ps []wire.Payload, root *x509.Certificate) []wire.Payload{
		"as it was made": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload { return ps },
		"backwards behind the end": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload {
			i, j := certAt(ps, 1), certAt(ps, 2)
			ps[i], ps[j] = ps[j], ps[i]
			return ps
		},
		"behind AUTH": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload {
			certs, rest := split[*wire.Cert](ps)
			return append(rest, certs...)
		},
		"with the root": func(ps []wire.Payload, root *x509.Certificate) []wire.Payload {
			return append(ps, &wire.Cert{Encoding: wire.CertX509Signature, Data: root.Raw})
		},
		"twice": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload {
			certs, _ := split[*wire.Cert](ps)
			return append(ps, certs...)
		},
		"with garbage": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload {
			return append(ps, &wire.Cert{Encoding: wire.CertX509Signature, Data: []byte{0x30}}, &wire.Cert{Encoding: wire.CertX509Signature})
		},
		"with PKCS#7, hash and URL, a CRL and others": func(ps []wire.Payload, _ *x509.Certificate) []wire.Payload {
			for _, e := range []wire.CertEncoding{wire.CertPKCS7, wire.CertHashURLX509, wire.CertHashURLBundle, wire.CertCRL, wire.CertOCSPContent, 77} {
				ps = append([]wire.Payload{other(e)}, ps...)
			}
			return ps
		},
	} {
		for _, initiator := range []bool{true, false} {
			r, a, b := newCertRig(t, 340, pkitest.P256, func(a, b *Config) { a.FragmentSize, b.FragmentSize = 16000, 16000 })
			ca2 := a.ca.Intermediate(t, epoch, "Intermediate 1", pkitest.P256).Intermediate(t, epoch, "Intermediate 2", pkitest.P256)
			for _, c := range []*certified{a, b} {
				c.own = []credential.Pair{ca2.End(t, epoch, c.cfg.LocalID.String(), pkitest.P256).Pair()}
			}
			root, from := a.ca.Cert, a.end
			if !initiator {
				from = b.end
			}
			n := r.edit(from, wire.ExchangeIKEAuth, !initiator, func(ps []wire.Payload) []wire.Payload { return change(ps, root) })
			a.connect()
			r.run(time.Minute)
			if *n == 0 {
				t.Fatal("nothing was changed")
			}
			if len(a.failures)+len(b.failures) > 0 {
				t.Fatalf("%s, initiator %v: %v %v", name, initiator, a.failures, b.failures)
			}
			r.wantUp(1)
		}
	}
}

// certAt is the place of the n-th CERT payload, from 0.
func certAt(ps []wire.Payload, n int) int {
	for i, p := range ps {
		if _, ok := p.(*wire.Cert); ok {
			if n--; n < 0 {
				return i
			}
		}
	}
	return -1
}

// split takes the payloads of a type out.
func split[T wire.Payload](ps []wire.Payload) (of, rest []wire.Payload) {
	for _, p := range ps {
		if _, ok := p.(T); ok {
			of = append(of, p)
		} else {
			rest = append(rest, p)
		}
	}
	return of, rest
}

// More certificates than are read of somebody unknown are not read: more than pki.MaxPresented.
func TestTooManyCertificates(t *testing.T) {
	r, a, b := newCertRig(t, 341, pkitest.P256, nil)
	r.edit(a.end, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
		for range 20 {
			ps = append(ps, &wire.Cert{Encoding: wire.CertX509Signature, Data: a.ca.Cert.Raw})
		}
		return ps
	})
	a.connect()
	r.run(time.Minute)
	b.wantFailure(diag.CodeCertSyntax)
	a.wantNothing()
	b.wantNothing()
}

// The first CERT payload has to be the one with the key, whatever else of the peer's is there.
func TestFirstCertificateHasTheKey(t *testing.T) {
	r, a, b := newCertRig(t, 342, pkitest.P256, nil)
	another := a.ca.End(t, epoch, "a.example", pkitest.P256)
	r.edit(a.end, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
		return append([]wire.Payload{&wire.Cert{Encoding: wire.CertX509Signature, Data: another.Cert.Raw}}, ps...)
	})
	a.connect()
	r.run(time.Minute)
	b.wantFailure(diag.CodeSignature)
	a.wantNothing()
}

// send_cert and send_certreq: who sends what, when.
func TestWhenCertificatesAreSent(t *testing.T) {
	for _, c := range []struct {
		send policy.SendCert
		asks bool
		sent bool
	}{
		{policy.SendCertIfAsked, true, true}, {policy.SendCertIfAsked, false, false}, {policy.SendCertAlways, true, true},
		{policy.SendCertAlways, false, true}, {policy.SendCertNever, true, false}, {policy.SendCertNever, false, false},
	} {
		r, a, b := newCertRig(t, 343, pkitest.P256, func(a, b *Config) {
			for _, x := range []*Config{a, b} {
				x.SendCert, x.SendCertReq = c.send, c.asks
			}
		})
		if !c.sent { // the other side has it already
			a.accept.Trust.Pinned, b.accept.Trust.Pinned = b.own[0].Chain[:1], a.own[0].Chain[:1]
		}
		a.connect()
		r.run(time.Minute)
		r.wantUp(1)
		log := r.ladder.String()
		if got := strings.Contains(log, " CERT "); got != c.sent {
			t.Errorf("%v, asked for %v: sent %v", c.send, c.asks, got)
		}
		if got := strings.Contains(log, "CERTREQ"); got != c.asks {
			t.Errorf("%v, asked for %v: CERTREQ %v", c.send, c.asks, got)
		}
	}
}

// CERTREQ is a hint: of several certificates the one of a CA that was asked for goes, and where none fits, the first.
func TestCertificateThatIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(q *wire.CertReq)
		want   int
	}{
		"of its CA":        {func(*wire.CertReq) {}, 1},
		"of an unknown CA": {func(q *wire.CertReq) { q.Authorities = bytes.Repeat([]byte{7}, 40) }, 0},
		"of any":           {func(q *wire.CertReq) { q.Authorities = nil }, 0},
		"half a hash":      {func(q *wire.CertReq) { q.Authorities = q.Authorities[:13] }, 0},
		"of another kind":  {func(q *wire.CertReq) { q.Encoding = wire.CertPGP }, 0},
	} {
		r, a, b := newCertRig(t, 344, pkitest.P256, nil)
		first := pkitest.CA(t, epoch, "First CA", pkitest.P256)
		a.own = []credential.Pair{first.End(t, epoch, "a.example", pkitest.P256).Pair(), a.own[0]}
		b.accept.Trust.Anchors = append(slices.Clone(b.accept.Trust.Anchors), first.Cert)
		r.edit(b.end, wire.ExchangeIKESAInit, true, swap(func(q *wire.CertReq) {
			q.Authorities = q.Authorities[:20] // of the second
			c.change(q)
		}))
		var sent []byte
		r.edit(a.end, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
			x, _ := find[*wire.Cert](ps)
			sent = x.Data
			return ps
		})
		a.connect()
		r.run(time.Second)
		if !bytes.Equal(sent, a.own[c.want].Chain[0].Raw) {
			t.Errorf("%s: another certificate was sent", name)
		}
	}
}

// A CERTREQ of IKE_SA_INIT, which is never fragmented, names a few CAs or none.
func TestCertReqStaysSmall(t *testing.T) {
	for _, n := range []int{1, maxInitAuthorities, maxInitAuthorities + 1, 200} {
		r, a, b := newCertRig(t, 345, pkitest.P256, nil)
		for i := 1; i < n; i++ {
			c := *b.accept.Trust.Anchors[0]
			c.RawSubjectPublicKeyInfo = append(slices.Clone(c.RawSubjectPublicKeyInfo), byte(i), byte(i>>8))
			b.accept.Trust.Anchors = append(b.accept.Trust.Anchors, &c)
		}
		var got = -1
		r.edit(b.end, wire.ExchangeIKESAInit, true, swap(func(q *wire.CertReq) { got = len(q.Authorities) / 20 }))
		a.connect()
		r.run(50 * time.Millisecond)
		want := n
		if n > maxInitAuthorities {
			want = 0
		}
		if got != want {
			t.Errorf("%d CAs: %d are named", n, got)
		}
	}
}

// A peer without RFC 7427 proves itself, and is proved to, by the methods of before; each side heeds what the other has announced.
func TestOldMethodsAndAnnouncedHashes(t *testing.T) {
	for name, c := range map[string]struct {
		kind     pkitest.Kind
		a, b     []wire.HashAlgorithm
		fails    diag.Code
		failsAt  string
		contains string
	}{
		"neither knows, P-256":    {pkitest.P256, []wire.HashAlgorithm{}, nil, "", "", ""},
		"neither knows, P-384":    {pkitest.P384, []wire.HashAlgorithm{}, nil, "", "", ""},
		"neither knows, P-521":    {pkitest.P521, []wire.HashAlgorithm{}, nil, "", "", ""},
		"neither knows, RSA":      {pkitest.RSA2048, []wire.HashAlgorithm{}, nil, "", "", ""},
		"neither knows, Ed25519":  {pkitest.Ed25519, []wire.HashAlgorithm{}, nil, diag.CodeSignatureAlgorithm, "a", "before RFC 7427"},
		"SHA-384 alone, P-256":    {pkitest.P256, []wire.HashAlgorithm{wire.HashSHA2_384}, []wire.HashAlgorithm{wire.HashSHA2_384}, "", "", ""},
		"each another, P-256":     {pkitest.P256, []wire.HashAlgorithm{wire.HashSHA2_384}, []wire.HashAlgorithm{wire.HashSHA2_512}, "", "", ""},
		"no Identity, Ed25519":    {pkitest.Ed25519, nil, []wire.HashAlgorithm{wire.HashSHA2_256}, diag.CodeSignatureAlgorithm, "a", "SHA2_256"},
		"SHA-1 alone, RSA":        {pkitest.RSA2048, nil, []wire.HashAlgorithm{wire.HashSHA1}, diag.CodeSignatureAlgorithm, "a", "SHA1"},
		"unknown ones and SHA256": {pkitest.P256, nil, []wire.HashAlgorithm{77, wire.HashSHA1, wire.HashSHA2_256}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b := newCertRig(t, 346, c.kind, nil)
			a.env.hashes, b.env.hashes = c.a, c.b
			a.connect()
			r.run(time.Minute)
			if c.fails == "" {
				r.wantUp(1)
				return
			}
			e := map[string]*certified{"a": a, "b": b}[c.failsAt]
			if f := e.wantFailure(c.fails); !strings.Contains(f.Error(), c.contains) {
				t.Error(f)
			}
			a.wantNothing()
			b.wantNothing()
		})
	}
}

// A5: AUTH by a method that is not the one agreed on is refused: an old one with RFC 7427, RFC 7427 without, a shared key.
func TestMethodThatWasNotAgreedOn(t *testing.T) {
	for name, m := range map[string]wire.AuthMethod{"RSA": wire.AuthRSA, "ECDSA": wire.AuthECDSA256, "shared key": wire.AuthSharedKey, "DSS": wire.AuthDSS,
		"NULL": wire.AuthNull, "unknown": 200} {
		r, a, b := newCertRig(t, 347, pkitest.P256, nil)
		r.edit(a.end, wire.ExchangeIKEAuth, false, swap(func(p *wire.Auth) { p.Method = m }))
		a.connect()
		r.run(time.Minute)
		if f := b.wantFailure(diag.CodeAuthMethod); f == nil {
			t.Error(name)
		}
		a.wantNothing()
		b.wantNothing()
	}
	r, a, b := newCertRig(t, 348, pkitest.P256, nil)
	a.env.hashes = []wire.HashAlgorithm{}
	r.edit(a.end, wire.ExchangeIKEAuth, false, swap(func(p *wire.Auth) { p.Method = wire.AuthDigitalSignature }))
	a.connect()
	r.run(time.Minute)
	b.wantFailure(diag.CodeAuthMethod)
}

// SLOTH, CVE-2015-7575: what the peer signs by is one of the hashes that this side has announced.
func TestHashThatWasNotAnnounced(t *testing.T) {
	r, a, b := newCertRig(t, 349, pkitest.P256, nil)
	b.env.hashes = []wire.HashAlgorithm{wire.HashSHA2_512}
	// A peer that does not heed it.
	r.edit(b.end, wire.ExchangeIKESAInit, true, func(ps []wire.Payload) []wire.Payload {
		notify(ps, wire.NotifySignatureHashAlgorithms).Data = []byte{0, 2}
		return ps
	})
	a.connect()
	r.run(time.Minute)
	if f := b.wantFailure(diag.CodeSignatureAlgorithm); !strings.Contains(f.Error(), "SHA2_256") {
		t.Error(f)
	}
}

// A chain that is larger than the path goes in fragments.
func TestChainLargerThanThePath(t *testing.T) {
	r, a, b := newCertRig(t, 350, pkitest.RSA4096, func(a, b *Config) { a.FragmentSize, b.FragmentSize = 576, 576 })
	ca := a.ca
	for i := range 3 {
		ca = ca.Intermediate(t, epoch, "Intermediate "+string(rune('1'+i)), pkitest.RSA2048)
	}
	for _, c := range []*certified{a, b} {
		c.own = []credential.Pair{ca.End(t, epoch, c.cfg.LocalID.String(), pkitest.RSA2048).Pair()}
	}
	largest := 0
	r.drop = func(_ *end, d []byte) bool {
		if headerOf(d).Exchange != wire.ExchangeIKESAInit { // that one is never fragmented
			largest = max(largest, len(d))
		}
		return false
	}
	a.connect()
	r.run(time.Minute)
	r.wantUp(1)
	if largest > 576 {
		t.Errorf("a datagram has %d bytes", largest)
	}
	if len(b.failures) > 0 {
		t.Error(b.failures)
	}
}
