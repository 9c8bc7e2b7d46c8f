package gateways

import (
	"context"
	"strings"
	"time"

	"esplanade/ike/vici"
)

// Rekeying is an SA that has been replaced.
type Rekeying struct {
	SA string // "child" or "ike"
	At time.Time
}

// maxRekeyings is how many may wait for whoever watches.
const maxRekeyings = 256

// watch reads the events of rekeyings from a control socket. When it returns, none is missed any more; the channel is closed
// when ctx or the connection ends.
func watch(ctx context.Context, socket string) (<-chan Rekeying, error) {
	c, err := vici.DialContext(ctx, socket)
	if err != nil {
		return nil, err
	}
	out := make(chan Rekeying, maxRekeyings)
	registered, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(out)
		ended <- c.Listen(ctx, []string{vici.EventChildRekey, vici.EventIKERekey}, func() { close(registered) },
			func(event string, _ *vici.Message) error {
				select {
				case out <- Rekeying{SA: strings.TrimSuffix(event, "-rekey"), At: time.Now()}:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
	}()
	select {
	case <-registered:
		return out, nil
	case err := <-ended:
		if err == nil {
			err = ctx.Err()
		}
		return nil, err
	}
}
