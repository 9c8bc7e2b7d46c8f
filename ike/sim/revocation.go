package sim

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/gateway"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// Certificates that are revoked, and CRLs that are fetched to find out. The store of each host is the one of the daemon; what the daemon's
// fetchers do in addition to it is done here, with delays and failures.

// revokes decides whether certificates name a CRL: those of one seed in three that has any. It is called last of all that draws.
func (p *plan) revokes(d dice, seed uint64) {
	if seed/7%3 != 0 {
		return
	}
	p.lists = true
	p.revocation = []policy.Revocation{policy.RevocationStrict, policy.RevocationIfURI, policy.RevocationRelaxed}[d.r.IntN(3)]
	if !p.gentle {
		p.revocations = d.r.IntN(3)
	}
}

const (
	// listTime is how long a CRL is valid.
	listTime = 30 * time.Second
	// inquiryTime and inquiryRounds are how long it is tried to find out, and how often something is fetched for it.
	inquiryTime   = 12 * time.Second
	inquiryRounds = 8
)

// list is the CRL of a CA, as it is now.
func (a *authority) list(now time.Time) []byte {
	a.lists++
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(a.lists), ThisUpdate: now, NextUpdate: now.Add(listTime), RevokedCertificateEntries: a.revoked,
	}, a.chain[0], a.key)
	if err != nil {
		panic("BUG: a CRL can't be made: " + err.Error())
	}
	return der
}

// fetchList is what an address gives.
func (w *World) fetchList(uri string) ([]byte, error) {
	if w.chance(w.plan.deaf) {
		return nil, errNoServer
	}
	for _, a := range w.authorities {
		for ; a != nil; a = a.above {
			if a.uri == uri {
				return a.list(w.now), nil
			}
		}
	}
	w.fail("a CRL is wanted of %s, which is nowhere", uri)
	return nil, errNoServer
}

var errNoServer = errors.New("no server")

// inquiry is an errand of a host's gateway that asks whether a certificate was revoked.
type inquiry struct {
	h        *Host
	errand   gateway.Errand
	want     auth.Unrevoked
	deadline time.Time
	rounds   int
	pending  int
}

// inquire takes one. Its answer comes later, or never.
func (h *Host) inquire(x gateway.Errand, u auth.Unrevoked) {
	w := h.w
	if w.chance(w.plan.deaf / 10) {
		w.logf("%s: %s is lost", h.name, x.Want)
		return
	}
	q := &inquiry{h: h, errand: x, want: u, deadline: w.now.Add(inquiryTime)}
	h.later(w.between(0, w.plan.slow), func(time.Time, *gateway.Manager) { q.assess() })
}

// assess answers by what is known, or has more fetched first.
func (q *inquiry) assess() {
	h, w := q.h, q.h.w
	v := h.store.Assess(w.now, q.want.Chain, q.want.Rules, q.want.Staples)
	if q.rounds++; q.rounds <= inquiryRounds && w.now.Before(q.deadline) {
		for _, n := range v.Needed {
			q.pending++
			h.later(w.between(time.Millisecond, 2*w.plan.slow), func(time.Time, *gateway.Manager) { q.fetch(n) })
		}
	}
	if q.pending > 0 {
		return
	}
	var r sa.Result = sa.Proved{Value: v}
	if err := v.Err(); err != nil {
		w.check.stats.Refused++
		r = sa.Unfulfilled{Err: err}
	} else {
		w.check.stats.Unrevoked++
	}
	h.later(0, func(now time.Time, g *gateway.Manager) { g.Completed(now, q.errand, r) })
}

func (q *inquiry) fetch(n revocation.Needed) {
	h, w := q.h, q.h.w
	if !slices.ContainsFunc(h.fetched, func(o revocation.Needed) bool { return o.URI == n.URI }) {
		h.fetched = append(h.fetched, n)
	}
	if der, err := w.fetchList(n.URI); err != nil {
		h.store.Fail(w.now, n, err)
	} else if err := h.store.Take(w.now, n, der); err != nil {
		w.fail("%s does not take a CRL: %v", h.name, err)
	}
	if q.pending--; q.pending == 0 {
		q.assess()
	}
}

// revoked is what a host knows of the certificates that a peer was let in by. What it has fetched once, it fetches again, as the daemon's
// fetchers do.
func (h *Host) revoked(now time.Time, refs []revocation.Ref) *revocation.Withdrawn {
	for _, n := range h.fetched {
		if der, err := h.w.fetchList(n.URI); err == nil {
			if err := h.store.Take(now, n, der); err != nil {
				h.w.fail("%s does not take a CRL: %v", h.name, err)
			}
		}
	}
	x := h.store.Known(now).Revoked(now, refs)
	if x != nil {
		h.w.check.stats.Withdrawn++
	}
	return x
}

// revoke has a host's certificate revoked, which gets another one after a while.
func (w *World) revoke() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	x := &h.certs
	w.logf("the certificate of %s is revoked", h.name)
	w.check.destroyed(h, "certificate")
	w.check.stats.Revoked++
	x.by.revoked = append(x.by.revoked, x509.RevocationListEntry{SerialNumber: x.chain[0].SerialNumber, RevocationTime: w.now})
	x.revoked = w.now
	w.after(w.between(0, 3*judgedTime), func() {
		w.logf("%s has another certificate in place of the one that is revoked", h.name)
		h.certify(x.by, true)
		h.update()
	})
}

// known reports whether whoever looks must know by now that a host's certificate is revoked.
func (c *certificates) known(now time.Time, p policy.Revocation) bool {
	return !c.revoked.IsZero() && p != policy.RevocationRelaxed && now.Sub(c.revoked) > listTime+judgedTime
}
