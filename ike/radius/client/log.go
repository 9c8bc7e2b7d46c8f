package client

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"esplanade/ike/radius"
)

const (
	// maxComplaints bounds what is remembered to have been said, and repeat is when the same is said again.
	maxComplaints = 256
	repeat        = time.Minute
)

// complaints has the log say the same once a minute.
type complaints struct {
	log *slog.Logger
	of  map[string]*complaint
}

type complaint struct {
	at    time.Time
	times int // since then
}

// due reports whether something is to be said again, and how often it has happened since the last time, this time included.
func (c *complaints) due(now time.Time, key string) (times int, due bool) {
	x := c.of[key]
	switch {
	case x == nil && len(c.of) >= maxComplaints:
		clear(c.of) // some are said once more
		fallthrough
	case x == nil:
		if c.of == nil {
			c.of = map[string]*complaint{}
		}
		c.of[key] = &complaint{at: now}
		return 1, true
	}
	if x.times++; now.Sub(x.at) < repeat {
		return 0, false
	}
	times, x.times, x.at = x.times, 0, now
	return times, true
}

// say logs what the machine has to say.
func (c *complaints) say(now time.Time, o radius.Output) {
	switch o := o.(type) {
	case radius.Turn:
		c.turn(o)
	case radius.Dropped:
		if o.Drop == radius.DropLate { // of every request that was repeated while its answer was on the way
			c.log.Debug(dropTexts[o.Drop], "server", o.Server, "service", o.Service.String())
			return
		}
		if n, due := c.due(now, o.Server+" "+o.Service.String()+" "+o.Drop.String()); due {
			c.log.Warn(dropTexts[o.Drop], "server", o.Server, "service", o.Service.String(), "from", o.From.String(), "times", n)
		}
	case radius.OrderDropped:
		if n, due := c.due(now, "order "+o.Server+" "+o.Drop.String()); due {
			c.log.Warn("an order by RADIUS is ignored: "+orderTexts[o.Drop], "server", o.Server, "from", o.From.String(), "why", o.Why, "times", n)
		}
	case radius.Unrecorded:
		if n, due := c.due(now, "unrecorded"); due {
			c.log.Warn("no RADIUS server takes accounting records: they wait", "waiting", o.Waiting, "times", n, "error", o.Failure.Error())
		}
	}
}

func (c *complaints) turn(o radius.Turn) {
	args := []any{"server", o.Server, "service", o.Service.String(), "address", o.Addr.String()}
	switch {
	case !o.Down:
		c.log.Info("the RADIUS server answers again", args...)
	case o.Reason == radius.Lying:
		c.log.Error("the RADIUS server gives no answer that can be believed: compare its secret, and whether it sends Message-Authenticator", args...)
	default:
		c.log.Error("the RADIUS server does not answer", args...)
	}
}

// listen says that orders cannot be taken.
func (c *complaints) listen(at netip.AddrPort, err error) {
	c.log.Error("cannot take orders by RADIUS (radius.dae)", "listen", at.String(), "error", err)
}

// send says that a request could not be sent.
func (c *complaints) send(now time.Time, o radius.Send, err error) {
	if n, due := c.due(now, "send "+o.Socket.Server+" "+o.Socket.Service.String()); due {
		c.log.Warn("cannot send to the RADIUS server", "server", o.Socket.Server, "address", o.To.String(), "times", n, "error", err)
	}
}

var dropTexts = [radius.Drops]string{
	radius.DropMalformed:              "an answer of a RADIUS server is malformed",
	radius.DropAuthenticator:          "an answer of a RADIUS server has a wrong authenticator: its secret is another one, or somebody forges answers",
	radius.DropNoMessageAuthenticator: "an answer of a RADIUS server has no Message-Authenticator, without which anybody could have changed it: have the server send it",
	radius.DropLate:                   "an answer of a RADIUS server comes late, or twice",
	radius.DropCode:                   "a packet of a RADIUS server is no answer to the request",
	radius.DropSource:                 "an answer to a request to a RADIUS server comes from another address, and is ignored",
}

var orderTexts = [radius.OrderDrops]string{
	radius.OrderSource:        "it is from no server of the configuration",
	radius.OrderRate:          "there are too many of them",
	radius.OrderMalformed:     "it cannot be read",
	radius.OrderAuthenticator: "its authenticator is wrong",
	radius.OrderTimestamp:     "it may be an old one that somebody has recorded",
	radius.OrderRepeated:      "it is still being carried out",
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
