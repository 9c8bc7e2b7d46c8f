package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
)

// Configuration is the configuration in force: that of a file, and what was loaded apart from it. Changes are made one after the other, each
// as a whole or not at all; a client that goes away while it waits for its turn changes nothing. Its methods may be called from any goroutine.
type Configuration struct {
	commands Commands
	log      *slog.Logger
	// turn has a token while a change is made.
	turn    chan struct{}
	inForce atomic.Pointer[config.Config]
	// said counts the warnings of loads; see warn.
	said said
	// Prepare is called before a configuration is put in force, which an error keeps it from. It may be nil, and is set before anything else is done.
	Prepare func(ctx context.Context, fresh *config.Config) error
}

// NewConfiguration makes one of what the gateway was started with.
func NewConfiguration(c Commands, conf *config.Config, log *slog.Logger) *Configuration {
	x := &Configuration{commands: c, log: log, turn: make(chan struct{}, 1)}
	x.inForce.Store(conf)
	return x
}

// InForce is the configuration in force. It is not changed any more.
func (x *Configuration) InForce() *config.Config { return x.inForce.Load() }

// begin waits for the turn of a change; end ends it.
func (x *Configuration) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case x.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (x *Configuration) end() { <-x.turn }

// Reading is what has been read for a reload.
type Reading struct {
	// File is the configuration of the file alone.
	File *config.Config
	// Loaded is what is loaded apart from it from now on.
	Loaded *config.Loaded
}

// Reload puts another file in force, which read reads, given what was loaded apart from it. That stays what it is as far as read has it so: with what
// the file has as well the whole is refused. What is wrong is noted for the status and returned, and the configuration before stays in force.
func (x *Configuration) Reload(ctx context.Context, read func(*config.Loaded) (Reading, error)) (*config.Config, gateway.Changes, error) {
	if err := x.begin(ctx); err != nil {
		return nil, gateway.Changes{}, err
	}
	defer x.end()
	r, err := read(x.InForce().Loaded())
	if err != nil {
		return nil, gateway.Changes{}, errors.Join(err, x.commands.ReloadFailed(ctx, err))
	}
	fresh, errs := r.File.With(r.Loaded)
	if len(errs) > 0 {
		return nil, gateway.Changes{}, errors.Join(errs, x.commands.ReloadFailed(ctx, errs))
	}
	if err := x.prepare(ctx, fresh); err != nil {
		return nil, gateway.Changes{}, errors.Join(err, x.commands.ReloadFailed(ctx, err))
	}
	changes, err := x.commands.Reload(ctx, fresh)
	if err != nil {
		return nil, gateway.Changes{}, err
	}
	x.inForce.Store(fresh)
	return fresh, changes, nil
}

// Renew has what the files of certificates and users have by now take the place of what was read of them. changed reports whether it was anything
// else, and errs what keeps some of it from being taken up: see [config.Config.Renewed]. before is what was in force until then.
func (x *Configuration) Renew(ctx context.Context) (before, fresh *config.Config, changed bool, errs config.Errors, err error) {
	before = x.InForce()
	file := before.OfFile()
	of, changed, errs := file.Renewed() // which may take long, and nobody waits for it
	if !changed {
		return before, before, false, errs, nil
	}
	if err := x.begin(ctx); err != nil {
		return nil, nil, false, nil, err
	}
	defer x.end()
	if before = x.InForce(); before.OfFile() != file {
		return before, before, false, nil, nil // a reload has read the files since
	}
	fresh, more := of.With(before.Loaded())
	if len(more) > 0 {
		return before, before, false, append(errs, more...), nil
	}
	if err := x.put(ctx, before, fresh, (*gateway.Manager).Change); err != nil {
		return nil, nil, false, errs, err
	}
	return before, fresh, true, errs, nil
}

// Change changes what is loaded apart from the file. An error is in the words of whoever has loaded it, and says that nothing was changed.
func (x *Configuration) Change(ctx context.Context, edit func(*config.Loaded) (*config.Loaded, error)) error {
	return x.change(ctx, edit, (*gateway.Manager).Change)
}

// Clear takes all loaded credentials away. What they have let in stays until it has to authenticate again; see [gateway.Manager.Clear].
func (x *Configuration) Clear(ctx context.Context) error {
	return x.change(ctx, func(l *config.Loaded) (*config.Loaded, error) { return l.WithoutCredentials(), nil }, (*gateway.Manager).Clear)
}

// apply is how the gateway is given another configuration in which the connections with some names may be others.
type apply func(g *gateway.Manager, now time.Time, fresh *config.Config, names []string)

func (x *Configuration) change(ctx context.Context, edit func(*config.Loaded) (*config.Loaded, error), how apply) error {
	if err := x.begin(ctx); err != nil {
		return err
	}
	defer x.end()
	old := x.InForce()
	l, err := edit(old.Loaded())
	if err != nil || l == old.Loaded() {
		return err
	}
	fresh, errs := old.With(l)
	if len(errs) > 0 {
		return loadError(errs)
	}
	if err := x.put(ctx, old, fresh, how); err != nil {
		return err
	}
	x.warn(time.Now(), fresh.Warnings)
	return nil
}

// put puts another configuration in force, of which the gateway looks at what is different.
func (x *Configuration) put(ctx context.Context, old, fresh *config.Config, how apply) error {
	if err := x.prepare(ctx, fresh); err != nil {
		return err
	}
	names, all := fresh.Differences(old)
	err := x.commands.Call(ctx, func(now time.Time, g *gateway.Manager) {
		if all {
			g.TakeUp(now, fresh)
			return
		}
		how(g, now, fresh, names)
	})
	if err == nil {
		x.inForce.Store(fresh)
	}
	return err
}

func (x *Configuration) prepare(ctx context.Context, fresh *config.Config) error {
	if x.Prepare == nil {
		return nil
	}
	return x.Prepare(ctx, fresh)
}

// loadError is what is wrong with what was to be loaded. Unlike [config.Errors] it is one line, and has no place where there is none.
type loadError config.Errors

// maxLoadErrors is how many of them the line has.
const maxLoadErrors = 8

// Error implements error.
func (e loadError) Error() string {
	var text string
	for i, p := range e {
		if i == maxLoadErrors {
			return text + fmt.Sprintf("; and %d more", len(e)-i)
		}
		if i > 0 {
			text += "; also: "
		}
		if p.Position.IsValid() {
			text += p.Position.FileLine() + ": "
		}
		text += p.What
		if p.Want != "" {
			text += "; " + p.Want
		}
	}
	return text
}

// said counts lines of the log.
type said struct {
	begin time.Time
	n     int
}

const (
	// Warnings of loads are so many lines at most in each such time. Who loads ten thousand connections that lack the same thing has one
	// mistake to mend.
	maxLoadWarnings    = 20
	loadWarningsPeriod = 10 * time.Second
)

// warn logs the warnings of a load.
func (x *Configuration) warn(now time.Time, list []config.Problem) {
	if now.Sub(x.said.begin) >= loadWarningsPeriod {
		x.said = said{begin: now}
	}
	for _, p := range list {
		if x.said.n++; x.said.n > maxLoadWarnings {
			if x.said.n == maxLoadWarnings+1 {
				x.log.Warn("what is loaded has more warnings, which are not logged for a while", "seconds", loadWarningsPeriod.Seconds())
			}
			return
		}
		x.log.Warn("loaded: " + p.String())
	}
}
