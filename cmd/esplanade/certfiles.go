package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"esplanade/config"
)

const (
	// certInterval is how often the files with certificates and keys are looked at. What has changed is read when two looks in a row have
	// seen the same: until then somebody may be writing.
	certInterval = 2 * time.Second
	// remarkInterval is how often there is a look at the dates in certificates.
	remarkInterval = 24 * time.Hour
	// maxCertProblems is how many lines are said about files that are not taken up.
	maxCertProblems = 20
)

// certFiles notices that files with certificates and keys have changed. It belongs to one goroutine.
//
// It asks the file system every two seconds, and does not have it told: that works on every system, with files that others write over, put
// in the place of, or mount, and costs a few system calls.
type certFiles struct {
	// look is [config.Config.CredentialState].
	look func(*config.Config) string
	// conf is the configuration whose files these are; known is what they looked like when they were read, and seen at the last look.
	conf        *config.Config
	known, seen string
}

// due reports whether the files are to be read: they are others than at the last reading, and nobody seems to be writing. Those of a
// configuration that is new here are read once in any case: one may have changed since the configuration was loaded.
func (f *certFiles) due(conf *config.Config) bool {
	if conf != f.conf {
		f.conf, f.known, f.seen = conf, "", ""
	}
	now := f.look(conf)
	stable := now == f.seen
	f.seen = now
	if !stable || now == f.known {
		return false
	}
	f.known = now
	return true
}

// renewed follows the configuration that reading has made of the one before: nothing of its files is new.
func (f *certFiles) renewed(conf *config.Config) { f.conf = conf }

// certState is what status says of certificates. Its methods may be called on any goroutine.
type certState struct {
	mu      sync.Mutex
	refused config.Errors
	at      time.Time // when they were refused
}

func (s *certState) set(at time.Time, refused config.Errors) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.refused = at, refused
}

// warnings are the lines for status.
func (s *certState) warnings() (out []hostRemark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.refused[:min(len(s.refused), maxCertProblems)] {
		out = append(out, hostRemark{text: fmt.Sprintf("files with certificates or users that have changed by %s are not taken up, those before stay in use: %s", s.at.Format(time.DateTime), p)})
	}
	return out
}

// watchCertificates takes up certificates, keys and revocation lists that change on disk, until ctx ends.
func (g *gateway) watchCertificates(ctx context.Context) {
	f := &certFiles{look: (*config.Config).CredentialState}
	said := map[string]bool{}
	for _, p := range g.conf.CertificateRemarks(time.Now()) { // which announce has said
		said[p.String()] = true
	}
	tick := time.NewTicker(g.certInterval)
	defer tick.Stop()
	next := time.Now().Add(remarkInterval)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		conf := g.configuration.InForce().OfFile() // what is loaded apart from it has no files
		if f.due(conf) && g.takeUp(ctx, f) {
			next = time.Now()
		}
		if now := time.Now(); !now.Before(next) {
			next = now.Add(remarkInterval)
			g.remarkCertificates(now, said)
		}
	}
}

// takeUp reads the files, and hands what they come to to the daemon. It reports whether that is something new.
func (g *gateway) takeUp(ctx context.Context, f *certFiles) bool {
	conf, fresh, changed, errs, err := g.configuration.Renew(ctx)
	if err != nil {
		return false
	}
	// What a file has that cannot be read has been said when the configuration was loaded, or is new.
	for _, p := range errs[:min(len(errs), maxCertProblems)] {
		g.log.Error("files with certificates or users have changed and are not taken up: those before stay in use", "problem", p.String())
	}
	g.certs.set(time.Now(), errs)
	if !changed {
		return false
	}
	f.renewed(fresh.OfFile())
	what := "certificates have changed and are in use from the next authentication on"
	if conf.NewUsers(fresh) {
		what = fmt.Sprintf("users have changed, and there are %d: they count from the next authentication on", fresh.Users.Directory.Len())
	}
	g.log.Info(what, "files", strings.Join(conf.ChangedFiles(fresh), ", "))
	return true
}

// remarkCertificates logs what there is to say of the certificates in use, each thing once.
func (g *gateway) remarkCertificates(now time.Time, said map[string]bool) {
	list := g.configuration.InForce().CertificateRemarks(now)
	for _, p := range list {
		if !said[p.String()] {
			said[p.String()] = true
			g.log.Warn(p.String())
		}
	}
	for text := range said { // what is mended is said again when it comes back
		if !slices.ContainsFunc(list, func(p config.Problem) bool { return p.String() == text }) {
			delete(said, text)
		}
	}
}
