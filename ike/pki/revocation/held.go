package revocation

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"
)

// held is a list whose signature was verified.
type held struct {
	*List
	entries entries
	ca      ca
	// named: it is the operator who says that it is for this CA.
	named bool
	life
}

// hold verifies a list and reads its entries.
func hold(l *List, issuer *x509.Certificate, named bool) (*held, *Problem) {
	if p := l.verify(issuer); p != nil {
		return nil, p
	}
	e, p := readEntries(l.entries)
	if p != nil {
		return nil, p
	}
	// What was parsed is a copy: the octets of the list are not needed any more.
	own, head := *l, *l.head
	head.RawTBSRevocationList = nil
	own.head, own.entries = &head, nil
	return &held{List: &own, entries: e, ca: caOf(issuer), named: named}, nil
}

// same reports whether two lists are editions of one: of the same CA about the same certificates, both bases or both deltas.
func (h *held) same(o *held) bool {
	return h.ca == o.ca && bytes.Equal(h.scope.raw, o.scope.raw) && (h.base == nil) == (o.base == nil)
}

// older reports whether a list is an older edition than another one. The number decides: "CRL numbers … monotonically increasing
// sequence" (RFC 5280 section 5.2.3), and the time where there is none.
func (h *held) older(o *held) bool {
	if h.head.Number != nil && o.head.Number != nil {
		if c := h.head.Number.Cmp(o.head.Number); c != 0 {
			return c < 0
		}
	}
	return h.head.ThisUpdate.Before(o.head.ThisUpdate)
}

// extends reports whether a delta makes a base complete. https://www.rfc-editor.org/rfc/rfc5280#section-5.2.4: "The complete CRL and the
// delta CRL have the same issuer", "the same scope", the same authority key identifier; "The CRL number of the complete CRL is equal to
// or greater than the BaseCRLNumber specified in the delta CRL", and less than the number of the delta CRL.
func (h *held) extends(base *held) bool {
	return h.base != nil && base.base == nil && base.head.Number != nil && h.ca == base.ca && bytes.Equal(h.scope.raw, base.scope.raw) &&
		bytes.Equal(h.head.AuthorityKeyId, base.head.AuthorityKeyId) &&
		base.head.Number.Cmp(h.List.base) >= 0 && base.head.Number.Cmp(h.head.Number) < 0
}

func (h *held) current(now time.Time) bool { return !now.After(h.head.NextUpdate) }

// finding is what sources of one kind say of a certificate.
type finding struct {
	status Status
	by     string
	this   time.Time // of what says so
	until  time.Time
	at     time.Time
	reason Reason
}

// byLists looks a certificate up in lists of its issuer: RFC 5280 section 6.3.3. What is wrong with those that are of no use goes to
// problems. It returns bases that are good for it as well, since they may say where their deltas are.
func byLists(now time.Time, c *x509.Certificate, points []point, lists []*held, problems *[]error) (f finding, bases []*held) {
	serial := serialOctets(c)
	var covered reasonSet
	for _, base := range lists {
		if base.base != nil {
			continue
		}
		mine := base.scope.covers(c, points, base.named)
		if mine == 0 {
			*problems = append(*problems, problem(FaultScope, "it is not about certificates like this one (issuingDistributionPoint)").of(CRL, base.Name))
			continue
		}
		bases = append(bases, base)
		delta := deltaOf(now, base, lists)
		e, last, found := lookUp(serial, base, delta)
		if found {
			return finding{status: Revoked, by: last.List.describe(), this: last.head.ThisUpdate, until: last.head.NextUpdate, at: e.at, reason: e.reason}, bases
		}
		until := base.head.NextUpdate
		last = base
		if delta != nil {
			until, last = delta.head.NextUpdate, delta
		}
		if now.After(until) {
			*problems = append(*problems, problem(FaultStale, "it has ended at %s, %s ago: it is %s here", stamp(until), ago(now.Sub(until)), stamp(now)).of(CRL, base.Name))
			continue
		}
		covered |= mine
		if f.until.IsZero() || until.Before(f.until) {
			f.until = until
		}
		if f.by == "" || last.head.ThisUpdate.Before(f.this) {
			f.by, f.this = last.List.describe(), last.head.ThisUpdate
		}
	}
	switch covered {
	case allReasons:
		f.status = Good
	case 0:
	default:
		*problems = append(*problems, problem(FaultScope, "it covers some reasons of revocation only (onlySomeReasons)").of(CRL, bases[0].Name))
	}
	return f, bases
}

// deltaOf finds the newest delta that is current and extends a base.
func deltaOf(now time.Time, base *held, lists []*held) (best *held) {
	for _, d := range lists {
		if d.extends(base) && d.current(now) && (best == nil || best.older(d)) {
			best = d
		}
	}
	return best
}

// lookUp finds a serial number in a base and its delta, which may be nil. What the delta says counts more.
func lookUp(serial []byte, base, delta *held) (e entry, in *held, found bool) {
	if delta != nil {
		if e, found = delta.entries.find(serial); found {
			return e, delta, e.reason != RemoveFromCRL
		}
	}
	e, found = base.entries.find(serial)
	return e, base, found && e.reason != RemoveFromCRL
}

// newest leaves the newest edition of each list.
func newest(lists []*held) (out []*held) {
	for _, h := range lists {
		i := slices.IndexFunc(out, h.same)
		switch {
		case i < 0:
			out = append(out, h)
		case out[i].older(h):
			out[i] = h
		}
	}
	return out
}

// ago is a duration for people.
func ago(d time.Duration) string {
	if d >= time.Hour {
		return d.Round(time.Minute).String()
	}
	return d.Round(time.Second).String()
}
