package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"esplanade/ike/identity"
)

// Trust is what is accepted of the peer of a connection. It is not changed after it is made; any number of goroutines
// may use it. The zero value accepts nobody.
type Trust struct {
	// Anchors are the CAs at which a chain may end: those of the connection, or all there are. A CA need not be a root. A
	// certificate of an end here is accepted for itself.
	Anchors []*x509.Certificate
	// Intermediates are certificates of CAs from this side's store that a chain may lead through, for peers that don't send
	// them.
	Intermediates []*x509.Certificate
	// Pinned are certificates of ends. If there are any, the peer must have one of them; a chain is not needed then.
	Pinned []*x509.Certificate
	// Keys are public keys without a certificate. The peer may have one of them, whether it sends it as such or in a
	// certificate. Which identity it belongs to is the configuration's to say.
	Keys []crypto.PublicKey
	// Policies are certificate policies. If there are any, the chain must be valid for one of them.
	Policies []x509.OID
	// CA is the identity of a CA that must be in the chain: its subject, where parts may be "*", or a name in its
	// subjectAltName. The zero value demands nothing.
	CA identity.Identity
}

// Presented is what a peer has sent to be known by. Both may be empty: CERT payloads are optional (RFC 7296, section 1.2).
type Presented struct {
	// Certs are the DER of the certificates in the order of the CERT payloads. "If multiple certificates are sent, the first
	// certificate MUST contain the public key associated with the private key used to sign the AUTH payload. The other
	// certificates may be sent in any order." https://www.rfc-editor.org/rfc/rfc7296#section-3.6
	Certs [][]byte
	// Key is the SubjectPublicKeyInfo of a raw public key.
	Key []byte
}

// Peer is what is known of a peer that [Trust.Judge] accepts, if it proves that it has the private key.
type Peer struct {
	// Key is the key that verifies its AUTH payload.
	Key crypto.PublicKey
	// Chain leads from its certificate to the anchor; both are of it. It ends earlier for a certificate that is pinned, and
	// is nil for a raw key.
	Chain []*x509.Certificate
	// Pinned reports whether the certificate was accepted for itself. The chain may end anywhere then.
	Pinned bool
	// Until is when the first certificate of the chain expires; zero for a raw key.
	Until time.Time
}

// Judge finds the key with which a peer that claims to be id has to prove it. The error is a [*Refusal]. For a peer that
// has sent nothing it is the first that [Trust.Known] gives.
func (t *Trust) Judge(now time.Time, id identity.Identity, p Presented) (Peer, error) {
	j := t.judgement(now, id)
	switch {
	case len(p.Certs) > 0:
		return j.certs(p.Certs)
	case len(p.Key) > 0:
		return j.rawKey(p.Key)
	}
	known, err := t.Known(now, id)
	if err != nil {
		return Peer{}, err
	}
	return known[0], nil
}

// Known are the certificates and keys of the configuration that a peer which claims to be id and has sent none may
// prove to have: at most [MaxKnown], those that are valid longest first. There is at least one if there is no error,
// which is a [*Refusal].
func (t *Trust) Known(now time.Time, id identity.Identity) ([]Peer, error) {
	j := t.judgement(now, id)
	best := &Refusal{Reason: NoCertificate, ID: id, Now: j.now}
	var all []Peer
	for _, c := range t.Pinned {
		if !Binds(c, id) {
			continue
		}
		peer, err := j.pinned(c)
		if r := (*Refusal)(nil); errors.As(err, &r) {
			best = better(best, r)
			continue
		}
		all = append(all, peer)
	}
	slices.SortStableFunc(all, func(a, b Peer) int { return b.Until.Compare(a.Until) })
	for _, k := range t.Keys {
		if checkKind(k) == nil {
			all = append(all, Peer{Key: k})
		}
	}
	if len(all) == 0 {
		return nil, best
	}
	return all[:min(len(all), MaxKnown)], nil
}

// judgement is one run of Judge.
type judgement struct {
	trust *Trust
	now   time.Time
	id    identity.Identity
}

// judgement leaves out fractions of seconds, which the dates in certificates don't have: the second that notAfter names
// belongs to the validity as a whole.
func (t *Trust) judgement(now time.Time, id identity.Identity) *judgement {
	return &judgement{trust: t, now: now.Truncate(time.Second), id: id}
}

// refuse makes a Refusal about a certificate, which may be nil.
func (j *judgement) refuse(reason Reason, c *x509.Certificate, role Role, detail string) *Refusal {
	return &Refusal{Reason: reason, ID: j.id, Cert: c, Role: role, Now: j.now, Detail: clip(detail)}
}

func (j *judgement) rawKey(spki []byte) (Peer, error) {
	key, err := ParsePublicKey(spki)
	if err != nil {
		return Peer{}, j.refuse(Unreadable, nil, End, err.Error())
	}
	if !j.trust.hasKey(key) {
		return Peer{}, j.refuse(UnknownKey, nil, End, "its SHA-256 is "+keyPrint(spki))
	}
	return Peer{Key: key}, nil
}

func (t *Trust) hasKey(key crypto.PublicKey) bool {
	return slices.ContainsFunc(t.Keys, func(k crypto.PublicKey) bool { return SameKey(k, key) })
}

// certs judges what the CERT payloads hold.
func (j *judgement) certs(ders [][]byte) (Peer, error) {
	total := 0
	for _, der := range ders {
		total += len(der)
	}
	if len(ders) > MaxPresented || total > MaxPresentedBytes {
		return Peer{}, j.refuse(TooMuch, nil, End, fmt.Sprintf("%d certificates with %d bytes; at most %d with %d are accepted",
			len(ders), total, MaxPresented, MaxPresentedBytes))
	}
	end, err := Parse(ders[0])
	if err != nil {
		return Peer{}, j.refuse(Unreadable, nil, End, err.Error())
	}
	key, err := PublicKey(end)
	if err != nil {
		return Peer{}, j.unfit(end, End, err)
	}
	if j.trust.hasKey(key) {
		return Peer{Key: key}, nil
	}
	if len(j.trust.Pinned) > 0 {
		if !slices.ContainsFunc(j.trust.Pinned, func(c *x509.Certificate) bool { return bytes.Equal(c.Raw, end.Raw) }) {
			return Peer{}, j.refuse(NotPinned, end, End, "")
		}
		return j.pinned(end)
	}
	if r := j.end(end); r != nil {
		return Peer{}, r
	}
	// Others that can't be read are of no matter as long as a chain is found without them.
	var others []*x509.Certificate
	for _, der := range ders[1:] {
		if c, err := Parse(der); err == nil {
			others = append(others, c)
		}
	}
	chain, err := j.chain(end, others)
	if err != nil {
		return Peer{}, err
	}
	return Peer{Key: key, Chain: chain, Until: until(chain)}, nil
}

// pinned judges a certificate that the configuration has.
func (j *judgement) pinned(c *x509.Certificate) (Peer, error) {
	key, err := PublicKey(c)
	if err != nil {
		return Peer{}, j.unfit(c, End, err)
	}
	if r := j.end(c); r != nil {
		return Peer{}, r
	}
	if r := j.ownPolicies(c); r != nil {
		return Peer{}, r
	}
	chain := []*x509.Certificate{c}
	return Peer{Key: key, Chain: chain, Pinned: true, Until: until(chain)}, nil
}

// unfit refuses a key for what PublicKey says of it.
func (j *judgement) unfit(c *x509.Certificate, role Role, err error) *Refusal {
	if errors.Is(err, ErrWeakKey) {
		return j.refuse(WeakKey, c, role, err.Error())
	}
	return j.refuse(UnfitKey, c, role, err.Error())
}

// end judges the peer's own certificate for itself: what can be said without a signature's being verified comes first,
// so that somebody unknown costs little.
func (j *judgement) end(c *x509.Certificate) *Refusal {
	if len(c.UnhandledCriticalExtensions) > 0 {
		return j.refuse(UnknownExtension, c, End, c.UnhandledCriticalExtensions[0].String())
	}
	if !Binds(c, j.id) {
		detail := ""
		if !bindable(j.id.Type) {
			detail = "no certificate is for an " + j.id.Type.String()
		}
		return j.refuse(NotItsIdentity, c, End, detail)
	}
	// "[I]f the KeyUsage extension is present, then at least one of the digitalSignature or the nonRepudiation bits in the
	// KeyUsage extension MUST be set" https://www.rfc-editor.org/rfc/rfc4945#section-5.1.3.2
	if hasExtension(c, oidKeyUsage) && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return j.refuse(WrongUsage, c, End, "")
	}
	return j.dates(c, End)
}

// dates judges the validity of a certificate: "the date on which the certificate validity period begins (notBefore) and
// the date on which the certificate validity period ends (notAfter)" both belong to it (RFC 5280, section 4.1.2.5).
func (j *judgement) dates(c *x509.Certificate, role Role) *Refusal {
	var r *Refusal
	switch {
	case j.now.Before(c.NotBefore):
		r = j.refuse(NotYetValid, c, role, "")
		r.Limit = c.NotBefore
	case j.now.After(c.NotAfter):
		r = j.refuse(Expired, c, role, "")
		r.Limit = c.NotAfter
	}
	return r
}

func until(chain []*x509.Certificate) time.Time {
	first := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}
