package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
)

// Loop is the event loop of a gateway, as package ike has it. Its methods may be called from any goroutine.
type Loop interface {
	// Call runs f on the event loop with its gateway and waits for it. With an error, f was not run and will not be.
	Call(ctx context.Context, f func(now time.Time, g *gateway.Manager)) error
	// Done is closed when the loop has ended.
	Done() <-chan struct{}
	// Queued is how many inputs wait for the loop.
	Queued() int
	// Stats copies the counters.
	Stats() gateway.Stats
}

// Commands are what an operator can do to a gateway. Each waits for what comes of it, for as long as its context allows.
type Commands struct{ Loop }

// errStopped is what commands get from a gateway that has ended.
var errStopped = errors.New("the daemon has ended")

// Info copies the state, in as many turns of the event loop as that takes.
func (c Commands) Info(ctx context.Context) (gateway.Info, error) {
	var s *gateway.Survey
	for more := true; more; {
		err := c.Call(ctx, func(_ time.Time, g *gateway.Manager) {
			if s == nil {
				s = g.Survey()
			}
			more = s.Continue()
		})
		if err != nil {
			return gateway.Info{}, err
		}
	}
	return s.Info(), nil
}

// EachConn calls yield for each connection, or for the one with a name, as it is when its turn comes. No more than a turn of the event loop copies
// is held at a time, however many there are. What it returns is the rest of the state.
func (c Commands) EachConn(ctx context.Context, name string, yield func(gateway.ConnInfo) error) (gateway.Info, error) {
	var s *gateway.Survey
	var info gateway.Info
	seen := map[string]bool{}
	for more := true; more; {
		var list []gateway.ConnInfo
		if err := c.Call(ctx, func(_ time.Time, g *gateway.Manager) {
			if s == nil {
				s = g.SurveyOf(name)
			}
			more = s.Continue()
			list, info = s.Take(), s.Info()
		}); err != nil {
			return gateway.Info{}, err
		}
		for _, i := range list {
			if seen[i.Conf.Name] {
				continue
			}
			seen[i.Conf.Name] = true
			if err := yield(i); err != nil {
				return gateway.Info{}, err
			}
		}
	}
	return info, nil
}

// Answers waits for a turn of the event loop, to see that it takes any.
func (c Commands) Answers(ctx context.Context) error {
	return c.Call(ctx, func(time.Time, *gateway.Manager) {})
}

// Initiate brings children up and waits until they are, or until the first of them has failed; the error is then a
// *diag.Failure. What is up already is left alone. log gets a line for each step; it may be nil.
func (c Commands) Initiate(ctx context.Context, t gateway.Target, noWait bool, log gateway.LogFunc) error {
	var waiters []*gateway.Waiter
	var results []chan error
	wait := func() *gateway.Waiter {
		done := make(chan error, 1)
		w := &gateway.Waiter{Log: log, Done: func(err error) { done <- err }}
		waiters, results = append(waiters, w), append(results, done)
		return w
	}
	if noWait {
		wait = nil
	}
	var err error
	if e := c.Call(ctx, func(_ time.Time, g *gateway.Manager) { err = g.Initiate(t, wait) }); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	defer c.forget(waiters)
	for _, done := range results {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("%s is not up yet: %w; the attempt goes on, see `esplanade status`", t, context.Cause(ctx))
		case <-c.Done():
			return errStopped
		}
	}
	return nil
}

// forget takes waiters away whose command has ended.
func (c Commands) forget(ws []*gateway.Waiter) {
	if len(ws) > 0 {
		_ = c.Call(context.Background(), func(_ time.Time, g *gateway.Manager) { g.Forget(ws) })
	}
}

// Terminated says how many SAs a command found, and how many of them are gone.
type Terminated struct{ Matches, Gone int }

// ended says how many SAs a command has taken down, in strongSwan's words for one.
func ended(t gateway.Target, n int) string {
	one, many := "IKE_SA deleted", "IKE_SAs deleted"
	if t.Child != "" || t.ChildID != 0 {
		one, many = "CHILD_SA closed", "CHILD_SAs closed"
	}
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Terminate takes SAs down and waits until they are gone, unless noWait: see [gateway.Manager.Terminate].
func (c Commands) Terminate(ctx context.Context, t gateway.Target, how gateway.Ending, noWait bool) (Terminated, error) {
	var found gateway.Termination
	var err error
	done := make(chan struct{})
	if e := c.Call(ctx, func(now time.Time, g *gateway.Manager) {
		found, err = g.Terminate(now, t, how, func() { close(done) })
	}); e != nil {
		return Terminated{}, e
	}
	r := Terminated{Matches: found.Matches}
	if err != nil || noWait {
		return r, err
	}
	select {
	case <-done:
		r.Gone = r.Matches
		if how.Log != nil && r.Gone > 0 {
			how.Log(1, "IKE", ended(t, r.Gone))
		}
		return r, nil
	case <-ctx.Done():
		_ = c.Call(context.Background(), func(time.Time, *gateway.Manager) { r.Gone = found.Gone() })
		return r, fmt.Errorf("%d of %d are gone: %w", r.Gone, r.Matches, context.Cause(ctx))
	case <-c.Done():
		return r, errStopped
	}
}

// Rekey starts to rekey the SAs of a target: see [gateway.Manager.Rekey].
func (c Commands) Rekey(ctx context.Context, t gateway.Target) (int, error) {
	return c.count(ctx, func(now time.Time, g *gateway.Manager) (int, error) { return g.Rekey(now, t) })
}

// Reauthenticate starts to reauthenticate the IKE SAs of a target: see [gateway.Manager.Reauthenticate].
func (c Commands) Reauthenticate(ctx context.Context, t gateway.Target) (int, error) {
	return c.count(ctx, func(now time.Time, g *gateway.Manager) (int, error) { return g.Reauthenticate(now, t) })
}

// Renew does the same, waits until nothing more comes of it, and says how many SAs there were and how many have been renewed.
func (c Commands) Renew(ctx context.Context, t gateway.Target, reauth bool) (matches, renewed int, err error) {
	var r *gateway.Renewal
	done := make(chan struct{})
	if e := c.Call(ctx, func(now time.Time, g *gateway.Manager) {
		r, matches, err = g.Renew(now, t, reauth, func() { close(done) })
	}); e != nil {
		return 0, 0, e
	}
	if err != nil {
		return matches, 0, err
	}
	cause := error(nil)
	select {
	case <-done:
	case <-ctx.Done():
		cause = fmt.Errorf("%w; it goes on, see `esplanade status`", context.Cause(ctx))
	case <-c.Done():
		return matches, 0, errStopped
	}
	if e := c.Call(context.WithoutCancel(ctx), func(time.Time, *gateway.Manager) { renewed, err = r.Outcome() }); e != nil {
		return matches, 0, e
	}
	switch {
	case renewed == matches:
		return matches, renewed, nil
	case cause != nil:
		return matches, renewed, cause
	case err == nil:
		err = fmt.Errorf("%d of %d SAs were not renewed: the log says more", matches-renewed, matches)
	}
	return matches, renewed, err
}

// Redirect sends the peers of live IKE SAs to another gateway: see [gateway.Manager.Redirect].
func (c Commands) Redirect(ctx context.Context, r gateway.Redirect) (int, error) {
	return c.count(ctx, func(now time.Time, g *gateway.Manager) (int, error) { return g.Redirect(now, r) })
}

// count runs a command that says how many SAs it has found.
func (c Commands) count(ctx context.Context, f func(now time.Time, g *gateway.Manager) (int, error)) (n int, err error) {
	e := c.Call(ctx, func(now time.Time, g *gateway.Manager) { n, err = f(now, g) })
	if e != nil {
		return 0, e
	}
	return n, err
}

// Reload applies another configuration, which is valid: see [gateway.Manager.Reload].
func (c Commands) Reload(ctx context.Context, conf *config.Config) (out gateway.Changes, err error) {
	err = c.Call(ctx, func(now time.Time, g *gateway.Manager) { out = g.Reload(now, conf) })
	return out, err
}

// ReloadFailed notes for the status that a configuration could not be loaded; the old one stays in force.
func (c Commands) ReloadFailed(ctx context.Context, cause error) error {
	return c.Call(ctx, func(now time.Time, g *gateway.Manager) { g.ReloadFailed(now, cause) })
}
