package sidebyside

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// Compare does it all.
func Compare(ctx context.Context, o *Options) error {
	return contest.Run(ctx, "sidebyside", func(ctx context.Context, b *contest.Builder) error {
		s := &session{Options: o, results: &report.Results{}, began: time.Now()}
		return s.all(ctx, b)
	}, "iperf3")
}

// session is one run of this command.
type session struct {
	*Options
	results  *report.Results
	entrants []*contest.Contestant
	began    time.Time
	// hints are the rates found before, for searches to begin at.
	hints map[string]float64
}

func (s *session) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// all measures everything and writes it.
func (s *session) all(ctx context.Context, b *contest.Builder) (err error) {
	s.results.Conditions = conditions(ctx, b.Root, s.Options)
	s.say("%d × %s, kernel %s, load average %s", s.results.Conditions.CPUs, s.results.Conditions.CPU, s.results.Conditions.Kernel, s.results.Conditions.LoadAverage)
	if err := s.enter(ctx, b); err != nil {
		return err
	}
	err = s.rounds(ctx)
	s.results.Conditions.Ended = time.Now()
	if len(s.results.Samples) == 0 {
		return errors.Join(err, errors.New("nothing was measured"))
	}
	if errWrite := write(s.results, s.Out); errWrite != nil {
		return errors.Join(err, errWrite)
	}
	if s.Options.profile {
		for _, wire := range s.cables() {
			err = errors.Join(err, s.profile(ctx, wire))
		}
	}
	s.say("done: %s", filepath.Join(s.Out, "README.md"))
	for _, f := range s.results.Failures {
		s.say("FAILED: run %d, %s, %s, %s: %s", f.Run, f.Wire.Title(), f.Contestant, f.What, f.Error)
	}
	return err
}

// enter builds the contestants and says who can't take part.
func (s *session) enter(ctx context.Context, b *contest.Builder) error {
	var all []*contest.Contestant
	skip := func(c report.Contestant, why string) {
		s.say("WITHOUT %s: %s", c.Title, why)
		c.Skipped = why
		s.results.Contestants = append(s.results.Contestants, c)
	}
	tools := s.results.Conditions.Tools
	for _, key := range contestantKeys() {
		if !s.takesPart(key) {
			continue
		}
		var c *contest.Contestant
		entry := report.Contestant{Key: key, Title: title(key)}
		switch key {
		case report.KeyVeth:
			c = contest.Veth(lab.LinkA)
		case report.KeySwan:
			c = contest.StrongSwan(tools["strongSwan"])
		case report.KeyWireGuard:
			s.say("building wireguard-go")
			binary, version, err := b.WireGuard(ctx)
			if err != nil {
				skip(entry, err.Error())
				continue
			}
			c = contest.WireGuard(binary, version)
		default:
			proposal, build := "aes128gcm16", b.Esplanade
			entry.Cipher = "AES-128-GCM"
			if key == report.KeyAES256 {
				proposal, entry.Cipher = "aes256gcm16", "AES-256-GCM"
			}
			if key == report.KeyNull {
				build, entry.Cipher = b.EsplanadeWithoutEncryption, "none: copies"
			}
			s.say("building %s", entry.Title)
			binary, err := build(ctx)
			if err != nil {
				return err // without Esplanade there is nothing to compare
			}
			c = contest.Esplanade(binary, contest.Version(ctx, binary, "version"), proposal, entry)
		}
		if lacks := c.Missing(); lacks != "" {
			skip(c.Contestant, "this machine lacks "+lacks)
			continue
		}
		all = append(all, c)
		s.results.Contestants = append(s.results.Contestants, c.Contestant)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.entrants, s.hints = all, map[string]float64{}
	return nil
}

// rounds measures everything, contestant after contestant in each round. Each round begins with another one, so that nobody
// always follows the same.
func (s *session) rounds(ctx context.Context) error {
	for _, wire := range s.cables() {
		s.reference(ctx, wire)
	}
	total, done := s.runs*len(s.cables())*len(s.entrants), 0
	for r := 1; r <= s.runs; r++ {
		for _, wire := range s.cables() {
			for i := range s.entrants {
				c := s.entrants[(i+r-1)%len(s.entrants)]
				if err := ctx.Err(); err != nil {
					return err
				}
				s.say("run %d of %d, %s, %s", r, s.runs, wire.Title(), c.Title)
				s.turn(ctx, r, wire, c)
				done++
				if done == len(s.entrants) || done%(2*len(s.entrants)) == 0 {
					s.say("%d of %d; some %.0f minutes to go", done, total, time.Since(s.began).Minutes()/float64(done)*float64(total-done))
				}
			}
		}
	}
	return ctx.Err()
}

// turn is one contestant's turn on one wire, from an empty lab to an empty lab.
func (s *session) turn(ctx context.Context, run int, wire report.Wire, c *contest.Contestant) {
	m := &measurement{session: s, run: run, wire: wire, contestant: c}
	if err := m.all(ctx); err != nil && ctx.Err() == nil {
		m.failed("the turn", err)
	}
}
