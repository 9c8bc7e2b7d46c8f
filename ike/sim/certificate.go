package sim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/credential"
	"esplanade/ike/gateway"
	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// Hosts that prove themselves by certificates. All keys are of Ed25519, whose signatures depend on nothing but the key and what is signed:
// so the octets of a run are those of its seed, certificates included.

// sign decides who proves itself by a signature, and not by the pre-shared key: one seed in seven has both ends of all links do it, another
// one of the first, and in a third those who call are users. That is not drawn, and what follows from it is drawn last, so that all other seeds stay what they were.
func (p *plan) sign(d dice, seed uint64) {
	switch seed % 7 {
	case 1:
		for _, l := range p.links {
			l.ends[0].signs, l.ends[1].signs = true, true
		}
	case 3:
		for _, l := range p.links {
			p.users(d, l)
		}
	case 5:
		p.links[0].ends[d.r.IntN(2)].signs = true
	default:
		return
	}
	p.signs, p.intermediate, p.renewals = true, d.oneIn(2), d.r.IntN(4)
	if !p.gentle {
		p.strangeCAs = d.r.IntN(2)
	}
	p.revokes(d, seed)
	if p.net.mtu > 0 {
		p.net.mtu += signSize
	}
}

// signSize is how much IKE_SA_INIT is larger at most where somebody signs: SIGNATURE_HASH_ALGORITHMS, CERTREQ with two CAs, and
// SUPPORTED_AUTH_METHODS with all AlgorithmIdentifiers.
const signSize = 400

// other is the end at the other side of the link.
func (e *endPlan) other() *endPlan {
	if e.host == e.link.ends[0].host {
		return e.link.ends[1]
	}
	return e.link.ends[0]
}

func (e *endPlan) method() policy.Auth {
	switch {
	case e.user != 0:
		return e.user
	case e.signs:
		return policy.AuthPubkey
	}
	return policy.AuthPSK
}

// peerMethod is how the other side has to prove itself.
func (e *endPlan) peerMethod() policy.Auth {
	o := e.other()
	if o.user != 0 && e.link.radius {
		return policy.AuthEAPRADIUS
	}
	return o.method()
}

// authority is a CA, and holder whoever has a certificate.
type authority struct {
	chain []*x509.Certificate // up to what is trusted
	key   ed25519.PrivateKey
	above *authority
	// uri is where its CRL is, empty where there is none; revoked is what is in it, and lists how many it has made.
	uri     string
	revoked []x509.RevocationListEntry
	lists   int64
}

// trusted is what is trusted for the sake of a CA.
func (a *authority) trusted() *x509.Certificate { return a.chain[len(a.chain)-1] }

// issuer makes keys and certificates, each of which is another one.
type issuer struct {
	seed, made uint64
}

func (x *issuer) number() []byte {
	x.made++
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, x.seed), x.made)
}

// key makes a private key.
func (x *issuer) newKey() ed25519.PrivateKey {
	seed := sha256.Sum256(x.number())
	return ed25519.NewKeyFromSeed(seed[:])
}

// issue makes a certificate; by nil signs itself.
func (x *issuer) issue(by *authority, key ed25519.PrivateKey, c *x509.Certificate) []*x509.Certificate {
	c.SerialNumber = new(big.Int).SetBytes(append([]byte{1}, x.number()...))
	c.NotBefore, c.NotAfter = epoch.Add(-certTime), epoch.Add(certTime)
	parent, signer, above := c, key, []*x509.Certificate(nil)
	if by != nil {
		parent, signer, above = by.chain[0], by.key, by.chain
		if by.uri != "" {
			c.CRLDistributionPoints = []string{by.uri}
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer) // Ed25519 takes nothing of the reader
	if err != nil {
		panic("BUG: a certificate can't be made: " + err.Error())
	}
	made, err := pki.Parse(der)
	if err != nil {
		panic("BUG: the simulator's certificate is wrong: " + err.Error())
	}
	return append([]*x509.Certificate{made}, above...)
}

// certTime is how long certificates are valid before and after the beginning of a run.
const certTime = 24 * time.Hour

// newAuthority makes a CA, perhaps one below another, perhaps with CRLs.
func (x *issuer) newAuthority(name string, intermediate, lists bool) *authority {
	ca := func(name string, by *authority) *authority {
		key := x.newKey()
		a := &authority{key: key, above: by, chain: x.issue(by, key, &x509.Certificate{
			Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		})}
		if lists {
			a.uri = "http://ca.sim/" + itoa(int(x.made)) + ".crl"
		}
		return a
	}
	a := ca(name, nil)
	if intermediate {
		a = ca(name+", below", a)
	}
	return a
}

// initCertificates gives the hosts what they prove themselves with.
func (w *World) initCertificates() {
	if !w.plan.signs {
		return
	}
	w.issuer = issuer{seed: w.seed}
	for _, name := range []string{"CA", "strange CA"} {
		w.authorities = append(w.authorities, w.issuer.newAuthority(name, w.plan.intermediate, w.plan.lists))
	}
}

// certificates are what a host has.
type certificates struct {
	by      *authority
	key     ed25519.PrivateKey
	chain   []*x509.Certificate
	since   time.Time // of by
	revoked time.Time // of chain; zero if it is not
	trusted []*authority
	// set is all of it as its gateway has it; nil where nobody signs.
	set *credential.Set
}

// certify gives a host a certificate of a CA, with the key that it has or with another one.
func (h *Host) certify(by *authority, fresh bool) {
	x := &h.certs
	if x.by != by {
		x.by, x.since = by, h.w.now
	}
	if fresh {
		x.key = h.w.issuer.newKey()
	}
	name := h.plan.ident + ".example"
	x.revoked = time.Time{}
	x.chain = h.w.issuer.issue(by, x.key, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
	})
}

// trust has a host take the certificates of CAs.
func (h *Host) trust(list ...*authority) { h.certs.trusted = list }

// present makes the set of a host of what it has by now.
func (h *Host) present() *credential.Set {
	x := &h.certs
	t := &pki.Trust{}
	for _, a := range x.trusted {
		t.Anchors = append(t.Anchors, a.trusted())
	}
	all := map[string]credential.Connection{}
	for _, e := range h.plan.ends {
		var c credential.Connection
		if e.signs {
			c.Own = [][]credential.Pair{{{Chain: x.chain, Signer: x.key, Key: x.key.Public(), Name: "sim.pem", Line: "sim.toml:1"}}}
		}
		if e.other().signs {
			c.Accept = []credential.Accepted{{Trust: t, Rules: revocation.Rules{Policy: h.w.plan.revocation}}}
		}
		all[e.peer] = c
	}
	x.set = credential.NewSet(all)
	return x.set
}

// withCertificates is a configuration of the host with what it proves itself with at present.
func (h *Host) withCertificates(c *config.Config) *config.Config {
	if h.certs.set == nil {
		return c
	}
	out := *c
	out.Set = h.certs.set
	return &out
}

// update gives the manager what the host has by now.
func (h *Host) update() {
	set := h.present()
	h.input(func(now time.Time, g *gateway.Manager) { g.SetCredentials(now, set) })
}

// renew gives a host another certificate, with the key that it has or with another one. The IKE SAs that there are stay.
func (w *World) renew() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	fresh := w.rng.IntN(2) == 0
	w.logf("%s has another certificate, with another key: %v", h.name, fresh)
	w.check.stats.Renewals++
	h.certify(h.certs.by, fresh)
	h.update()
}

// strangeCA gives a host the certificate of a CA that the others do not trust before a while is over.
func (w *World) strangeCA() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	w.logf("%s has a certificate of the strange CA", h.name)
	w.check.destroyed(h, "certificate")
	w.check.stats.Renewals++
	h.certify(w.authorities[1], true)
	h.update()
	w.after(w.between(0, 3*judgedTime), func() {
		w.logf("the strange CA is trusted")
		for _, x := range w.hosts {
			x.trust(w.authorities...)
			x.update()
		}
	})
}

// wantTrusted fails the run if a peer has been authenticated that shows what this side does not trust. What it showed before may have been
// judged a while ago.
func (h *Host) wantTrusted(s sa.Snapshot) {
	e := h.plan.end(s.Connection)
	if !e.other().signs || s.Resumed {
		return
	}
	for _, x := range h.w.hosts {
		c := &x.certs
		if x.plan.ident == h.w.host(e.peer).plan.ident && (slices.Contains(h.certs.trusted, c.by) || h.w.now.Sub(c.since) < judgedTime) &&
			!c.known(h.w.now, h.w.plan.revocation) {
			return
		}
	}
	h.w.fail("%s takes %s for who it is, by a certificate that it does not trust, or that is revoked", h.name, e.peer)
}

// judgedTime is longer than IKE_AUTH takes from the first message to the last.
const judgedTime = 40 * time.Second
