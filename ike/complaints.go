package ike

import (
	"crypto/x509"
	"log/slog"
	"time"

	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
)

// complaints are the addresses that have failed, so that the log has a line when one begins to, when it fails in another way, once an hour,
// and when it works again.
type complaints struct{ of map[string]complaint }

type complaint struct {
	fault string
	at    time.Time
	times int
}

const (
	maxComplaints    = 256
	complaintsRepeat = time.Hour
)

// say logs what became of a flight, if that is news.
func (c *complaints) say(log *slog.Logger, now time.Time, f *flight, err error) {
	uri := f.needed.URI
	last, known := c.of[uri]
	if err == nil {
		if known {
			delete(c.of, uri)
			log.Info("fetched again what tells of revocations", "uri", uri, "failures", last.times)
		}
		return
	}
	fault := reasonOf(err)
	if p := revocation.FaultOf(err); p != revocation.FaultFetch {
		fault = p.String()
	}
	if known && last.fault == fault && now.Sub(last.at) < complaintsRepeat {
		last.times++
		c.of[uri] = last
		return
	}
	if c.of == nil {
		c.of = map[string]complaint{}
	}
	if !known && len(c.of) >= maxComplaints {
		clear(c.of) // some are said once more
	}
	c.of[uri] = complaint{fault, now, last.times + 1}
	log.Warn("cannot find out about revocations", "kind", f.needed.Kind.String(), "uri", uri, "failures", last.times+1, "error", err)
}

// complain logs what has failed on disk.
func (r *revocations) complain(what string, f *flight, err error) {
	r.log.Warn(what, "kind", f.needed.Kind.String(), "uri", f.needed.URI, "error", err)
}

// revoked says, once an hour, that a certificate of this gateway was revoked: peers that look will refuse it.
func (c *complaints) revoked(log *slog.Logger, now time.Time, cert *x509.Certificate) {
	key := "own " + pki.Serial(cert)
	if last, known := c.of[key]; known && now.Sub(last.at) < complaintsRepeat {
		return
	}
	if c.of == nil {
		c.of = map[string]complaint{}
	}
	c.of[key] = complaint{at: now}
	log.Error("the certificate of this gateway was revoked: peers that look for that refuse it", "subject", pki.Subject(cert), "serial", pki.Serial(cert))
}
