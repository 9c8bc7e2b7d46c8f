package gateways

import (
	"bufio"
	"context"
	"fmt"
	"net"
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
	c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(c)
	for _, e := range []string{vici.EventChildRekey, vici.EventIKERekey} {
		if err := vici.WritePacket(c, vici.Packet{Type: vici.EventRegister, Name: e}); err != nil {
			c.Close()
			return nil, err
		}
		// An event of the first kind may come before the answer about the second.
		for confirmed := false; !confirmed; {
			p, err := vici.ReadPacket(r)
			if err == nil && p.Type == vici.EventUnknown {
				err = fmt.Errorf("gateways: no event %s", e)
			}
			if err != nil {
				c.Close()
				return nil, err
			}
			confirmed = p.Type == vici.EventConfirm
		}
	}
	out := make(chan Rekeying, maxRekeyings)
	stop := context.AfterFunc(ctx, func() { c.Close() })
	go func() {
		defer close(out)
		defer c.Close()
		defer stop()
		for {
			p, err := vici.ReadPacket(r)
			if err != nil {
				return
			}
			if p.Type != vici.Event {
				continue
			}
			select {
			case out <- Rekeying{SA: strings.TrimSuffix(p.Name, "-rekey"), At: time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
