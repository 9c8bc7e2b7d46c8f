package gateway

import (
	"log/slog"
	"slices"
	"strconv"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// maxHeldLines is how many exchanges of a half-open responder wait for their lines: IKE_SA_INIT and the seven
// IKE_INTERMEDIATE that there can be.
const maxHeldLines = 8

// exchangeDone gives an exchange its line. Liveness checks are not worth one, and neither is what a stranger does: the lines
// of a half-open responder wait until the peer is authenticated, and are never written if it is not.
func (g *Manager) exchangeDone(e *entry, x sa.ExchangeDone) {
	g.o.Meter.Exchange(ExchangeKey{Exchange: exchangeLabel(x.Exchange.String()), Initiated: x.Initiated})
	g.tallies(e.conn, func(t *Tally) { t.exchange(x.Exchange, x.Initiated) })
	if e.stranger && !g.logs(slog.LevelDebug) {
		if g.logs(slog.LevelInfo) && len(e.held) < maxHeldLines {
			e.held = append(e.held, x)
		}
	} else {
		g.logExchange(e, x)
	}
	if e.conn != nil && x.Initiated {
		e.conn.tell(1, "sent "+x.Request)
		e.conn.tell(1, "received "+x.Response)
	}
	g.o.Observer.Observe(Exchange{SA: e.m.Summary(), ExchangeDone: x})
}

// logHeld writes the lines that have waited.
func (g *Manager) logHeld(e *entry) {
	for _, x := range e.held {
		g.logExchange(e, x)
	}
	e.held = nil
}

func (g *Manager) logExchange(e *entry, x sa.ExchangeDone) {
	level, log := slog.LevelInfo, (*slog.Logger).Info
	if x.Exchange == wire.ExchangeInformational && x.Bare || x.Initiated && x.Exchange == wire.ExchangeCreateChildSA && e.retries() {
		level, log = slog.LevelDebug, (*slog.Logger).Debug
	}
	if !g.logs(level) {
		return
	}
	who := "answered"
	if x.Initiated {
		who = "made"
	}
	attrs := []any{"exchange", x.Exchange.String(), "message_id", x.MessageID, "peer", x.Path.Remote, "local", x.Path.Local,
		"request", x.Request, "response", x.Response, "octets", x.RequestLen + x.ResponseLen}
	if x.Initiated {
		attrs = append(attrs, "took", x.Took.Round(time.Microsecond), "retransmits", x.Retransmits)
	}
	log(g.progress(e), who+" "+x.Exchange.String()+" "+strconv.Itoa(int(x.MessageID)), attrs...)
}

// retries reports whether a child is being asked for again, after attempts that have failed: the line of the failure counts them.
func (e *entry) retries() bool {
	return e.conn != nil && slices.ContainsFunc(e.conn.children, func(h *child) bool { return h.busy && h.machine == e.m && h.backoff.failures > 0 })
}

// logs reports whether lines of a level are wanted. Those that every handshake has are not put together for nobody: their
// texts cost more than the rest of what the daemon does for it.
func (g *Manager) logs(l slog.Level) bool { return g.o.Logs(l) }
