package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config/swanctl"
)

func newRun() *cobra.Command {
	var from source
	c := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the gateway in the foreground",
		Long: `Run is the daemon. It stays in the foreground and logs to standard error. On SIGTERM or SIGINT it deletes its
SAs, restores the network configuration and exits; a second signal exits immediately. On SIGHUP it reads the configuration
again: if that has an error, the log and "esplanade status" say so, and the old configuration stays in force.

The file is checked whole before anything is touched; see also "esplanade check" and "esplanade reload".

With --swanctl it runs a folder of strongSwan's swanctl in place of a file: swanctl.conf with what it includes, and the certificates and keys around it, as
"swanctl --load-all" would load them; and what strongswan.conf says of the daemon, as far as there is something like it here. Commands come over
` + swanctl.DefaultSocket + ` then, or where strongswan.conf says, so that swanctl reaches it as it is. A file that is given with -c lies above strongswan.conf:
it has what strongSwan has no words for, such as [tun] and [metrics].`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := from.check(c, c.Flags().Changed("config")); err != nil {
				return err
			}
			conf, err := from.load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal is not caught, and so ends the process
			hangUp := make(chan os.Signal, 1)
			signal.Notify(hangUp, syscall.SIGHUP)
			defer signal.Stop(hangUp)

			log, level := newLogHandler(c.ErrOrStderr(), conf.Log)
			n, notifyErr := supervisorFromEnv(os.Getenv)
			g, err := newGateway(conf, gatewayOptions{log: log, level: level, read: from.read, failurePause: failurePause})
			if err != nil {
				return err
			}
			if notifyErr != nil {
				g.log.Warn("cannot notify the service manager", "error", notifyErr)
			}
			return (&service{g: g, notify: n, hangUp: hangUp}).run(ctx)
		},
	}
	c.Flags().StringVarP(&from.file, "config", "c", defaultConfig, "the configuration `file`")
	from.flags(c)
	_ = c.RegisterFlagCompletionFunc("config", completeFile) // fails for a flag that is not there
	return c
}

// defaultConfig is the configuration where none is named.
const defaultConfig = "/etc/esplanade/esplanade.toml"

// failurePause is longer than the usual tenth of a second between two looks for a socket.
const failurePause = 300 * time.Millisecond

// service runs a gateway, handles SIGHUP and reports to the service manager.
type service struct {
	g      *gateway
	notify *supervisor
	hangUp <-chan os.Signal
}

// run works until ctx ends or the gateway fails.
func (s *service) run(ctx context.Context) error {
	attendCtx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.attend(attendCtx) })
	err := s.g.run(ctx)
	stop()
	wg.Wait()
	return err
}

// attend reports to the service manager and reloads on demand until ctx ends. The gateway counts as ready when its event
// loop answers, and as alive for as long as it does, whatever a reload waits for.
func (s *service) attend(ctx context.Context) {
	defer s.tell("STOPPING=1")
	if !s.ready(ctx) {
		return // it ends before it has begun
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if d := s.notify.watchdog(); d > 0 {
		wg.Go(func() { s.signsOfLife(ctx, d) })
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hangUp:
			// Signals that come meanwhile are one more reload.
			s.tell(reloading())
			// The log has the reason if it fails; the gateway goes on as before, and so it is ready in any case.
			_, _ = s.g.reload(ctx)
			s.ready(ctx)
		}
	}
}

// signsOfLife tells the service manager that the event loop answers, at intervals, until ctx ends.
func (s *service) signsOfLife(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if s.g.commands.Answers(ctx) == nil {
				s.tell("WATCHDOG=1")
			}
		}
	}
}

// ready tells the service manager so as soon as the event loop answers; false if it never does.
func (s *service) ready(ctx context.Context) bool {
	info, err := s.g.commands.Info(ctx)
	if err != nil {
		return false
	}
	s.tell("READY=1\nSTATUS=" + s.g.summary(info))
	return true
}

func (s *service) tell(state string) {
	if err := s.notify.send(state); err != nil {
		s.g.log.Warn("cannot notify the service manager", "error", err)
	}
}
