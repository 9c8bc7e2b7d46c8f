package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/pki/acme"
	"esplanade/ike/pki/ca"
)

// newACME makes what gets this gateway's certificate from an ACME server; nil if the configuration has none. What it writes, the gateway
// takes up as any other file that changes.
func newACME(g *gateway) (*acme.Manager, error) {
	a := &g.conf.Credentials.ACME
	if !a.Enabled() {
		return nil, nil
	}
	o := acme.Options{
		Directory: a.Directory, Email: a.Email, Domains: a.Domains, Challenge: acme.Challenge(a.Challenge), Listen: a.ListenAddr(), Folder: a.Folder,
		Kind: ca.Kind(a.Key), ReuseKey: a.ReuseKey, Profile: a.Profile, KeyID: a.EABKeyID, UserAgent: "esplanade/" + version, Log: g.log,
	}
	if a.EABKeyID != "" {
		key, err := acme.DecodeHMAC(string(a.EABKey.Bytes()))
		if err != nil {
			return nil, fmt.Errorf("credentials.acme.eab_hmac_key (%s): %w", a.At("eab_hmac_key").FileLine(), err)
		}
		o.HMACKey = key
	}
	if len(a.Roots) > 0 {
		o.Roots = x509.NewCertPool()
		for _, c := range a.Roots {
			o.Roots.AddCert(c)
		}
	}
	return acme.New(o), nil
}

// runACME works until ctx ends.
func (g *gateway) runACME(ctx context.Context) {
	if g.acme != nil {
		g.acme.Run(ctx)
	}
}

// acmeWarnings are the lines for status about the certificate of the ACME server.
func (g *gateway) acmeWarnings(now time.Time) []hostRemark {
	if g.acme == nil {
		return nil
	}
	if text := acmeText(g.acme.State(), &g.conf.Credentials.ACME, now); text != "" {
		return []hostRemark{{text: text}}
	}
	return nil
}

// acmeText says what is not as it should be; empty if nothing is.
func acmeText(s acme.State, a *config.ACME, now time.Time) string {
	if s.Error == "" && !s.NotAfter.IsZero() && now.Before(s.NotAfter) {
		return ""
	}
	what := "there is none yet"
	if !s.NotAfter.IsZero() {
		what = "the one there is ends " + s.NotAfter.UTC().Format(time.DateTime) + " UTC"
		if !now.Before(s.NotAfter) {
			what = "the one there is has ended " + s.NotAfter.UTC().Format(time.DateTime) + " UTC"
		}
	}
	text := fmt.Sprintf("the ACME certificate for %s (%s): %s", strings.Join(a.Domains, ", "), a.At("domains").FileLine(), what)
	if s.Error == "" {
		return text + "; the ACME server is being asked"
	}
	return fmt.Sprintf("%s. %s UTC: %s. Next attempt %s UTC", text, s.ErrorAt.UTC().Format(time.DateTime), strings.TrimSuffix(s.Error, "."), s.Next.UTC().Format(time.DateTime))
}
