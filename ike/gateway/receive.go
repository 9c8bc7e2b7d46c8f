package gateway

import (
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"syscall"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Receive takes an IKE message without the non-ESP marker, finds the IKE SA that it is for, or makes one. Of a request for a new
// IKE SA the memory is not kept: a machine gets a copy of it.
func (g *Manager) Receive(now time.Time, path sa.Path, b []byte) {
	g.begin()
	h, err := wire.ParseHeader(b)
	if err != nil {
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreMalformed, Detail: err.Error()})
		return
	}
	if h.Major != 2 {
		g.otherVersion(now, path, h)
		return
	}
	if spi := sa.LocalSPIOf(h); spi != 0 {
		if e := g.table.bySPI[spi]; e != nil {
			e.m.Receive(now, b, path)
			g.drain(now, e)
			return
		}
		if r := g.table.refused.bySPI[spi]; r != nil {
			g.repeatRefusal(now, path, r, b)
			return
		}
		g.unknownSPI(now, path, h)
		return
	}
	if !sa.Opens(h.Exchange) || h.Flags&wire.FlagResponse != 0 {
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSPI, Detail: h.Exchange.String()})
		return
	}
	if e := g.table.byInit[initKey{h.SPIi, path.Remote}]; e != nil {
		if e.m.Matches(b) {
			e.m.Receive(now, slices.Clone(b), path)
			g.drain(now, e)
		} else {
			g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreDuplicate, Detail: "another " + h.Exchange.String() + " with the same SPI"})
		}
		return
	}
	// A late copy of a request that an SA was made from makes no second one. Another request with the same SPI does.
	if e := g.table.made[initKey{h.SPIi, path.Remote}]; e != nil && e.m.Matches(b) {
		e.m.Receive(now, slices.Clone(b), path)
		g.drain(now, e)
		return
	}
	if r := g.table.refused.byInit[initKey{h.SPIi, path.Remote}]; r != nil && r.Matches(b) {
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreState, Detail: h.Exchange.String() + " of an attempt that was refused"})
		return
	}
	g.accept(now, path, h, b)
}

// accept judges an IKE_SA_INIT or IKE_SESSION_RESUME request.
func (g *Manager) accept(now time.Time, path sa.Path, h wire.Header, b []byte) {
	if g.stopping {
		return
	}
	g.cookied = false
	ike, from := &g.conf.IKE, path.Remote.Addr()
	half, refused := &g.table.half, &g.table.refused.shares
	full := half.total() >= ike.HalfOpenLimit
	// What was refused a moment ago counts as what is half-open does: it costs its sender as little.
	all, source := half.total()+refused.total(), half.from(from)+refused.from(from)
	switch {
	case half.from(from) >= ike.BlockThreshold:
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSource})
		return
	case full || all >= ike.CookieThreshold || source >= ike.CookieThresholdIP || g.surge.lasts(now):
		if !g.screen(now, path, h, b) {
			return
		}
		g.cookied = true
	}
	if full && half.yields(now, from) == nil {
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreHalfOpen})
		return
	}
	acc := sa.Accept(g.env, now, b, path)
	if acc.WantsCookie && g.screen(now, path, h, b) {
		g.cookied = true
		acc = sa.Accept(g.env, now, b, path)
	}
	switch {
	case acc.WantsCookie:
	case acc.Machine != nil:
		if full {
			g.pushOut(now, half.yields(now, from).x)
		}
		g.drain(now, g.table.addHalfOpen(now, acc.Machine, g.connection(acc.Machine.Config()), path.Remote))
	case acc.Response != nil:
		// strongSwan numbers an IKE SA before it looks into the request: only one that is answered with a cookie has none.
		g.numbers.nextIKE()
		g.tally.exchange(h.Exchange, false)
		g.surge.refused(now)
		g.send(path, acc.Response)
		if acc.RedirectedTo != (wire.Gateway{}) {
			g.redirectedStranger(path, acc.RedirectedTo)
		}
		if acc.Failure != nil {
			acc.Failure.Stranger = true // whatever connection it resembles
			if g.refusedInits.isNew(now, refusedInit{initKey{h.SPIi, path.Remote}, acc.Failure.Code}) {
				g.report(now, nil, acc.Failure)
			}
			g.refreshForStranger(now)
		}
	case acc.Failure != nil:
		g.report(now, nil, acc.Failure) // something is wrong here: the peer gets no answer
	case acc.Ignored != nil:
		g.ignored(*acc.Ignored)
	}
}

// screen reports whether a request has a valid cookie. One that has none is answered with it, and nothing is kept.
func (g *Manager) screen(now time.Time, path sa.Path, h wire.Header, b []byte) bool {
	answer, pass := g.cookies.Screen(now, b, path.Remote.Addr())
	switch {
	case answer != nil:
		g.send(path, answer)
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreCookie})
	case !pass:
		g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreMalformed, Detail: h.Exchange.String()})
	}
	return pass
}

// pushOut ends a half-open IKE SA, so that there is room for another.
func (g *Manager) pushOut(now time.Time, e *entry) {
	g.ignored(sa.Ignored{Path: e.m.Path(), Reason: sa.IgnorePushedOut})
	e.leaving = true
	e.m.Abandon(now, "another peer's IKE SA takes its place")
	g.drain(now, e)
}

// weighHalfOpen counts what a half-open IKE SA keeps of its peer by now. When that is more than there may be, the oldest of
// whoever has most go.
func (g *Manager) weighHalfOpen(now time.Time, e *entry) {
	half := &g.table.half
	if e.share == nil {
		return
	}
	w := unitsOf(e.m)
	if w <= e.share.weight {
		half.weigh(e.share, w)
		return
	}
	half.weigh(e.share, w)
	for from := e.share.of.key; half.from(from) > g.conf.IKE.BlockThreshold; {
		g.pushOut(now, half.oldestFrom(from).x)
	}
	for half.total() > g.conf.IKE.HalfOpenLimit {
		g.pushOut(now, half.most().x)
	}
}

// unknownSPI answers a request for an SA that does not exist with INVALID_IKE_SPI, so that a peer that outlived our
// restart finds out (https://www.rfc-editor.org/rfc/rfc7296#section-1.5). The answer is not protected and proves
// nothing, so that it is sent rarely, and never to a response.
func (g *Manager) unknownSPI(now time.Time, path sa.Path, h wire.Header) {
	g.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSPI, Detail: h.Exchange.String()})
	if h.Flags&wire.FlagResponse != 0 || g.stopping || !g.stateless.allow(now, path.Remote.Addr()) {
		return
	}
	g.answerUnprotected(path, h, append([]wire.Payload{wire.NewNotify(wire.NotifyInvalidIKESPI, nil)}, g.proofOfLoss(h)...)...)
}

// answerUnprotected answers a request outside of any IKE SA with notifications. SPIs, exchange type and message ID are
// those of the request, the Response flag is set and the Initiator flag is that of the other role:
// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (g *Manager) answerUnprotected(path sa.Path, h wire.Header, payloads ...wire.Payload) {
	m := wire.Message{
		Header: wire.Header{
			SPIi: h.SPIi, SPIr: h.SPIr, Major: 2, Exchange: h.Exchange, MessageID: h.MessageID,
			Flags: wire.FlagResponse | (h.Flags&wire.FlagInitiator ^ wire.FlagInitiator),
		},
		Payloads: payloads,
	}
	g.send(path, m.Append(nil))
}

// otherVersion handles other major versions. IKEv1 gets a line that says so; a newer version is told what this one is,
// with an unauthenticated INVALID_MAJOR_VERSION (https://www.rfc-editor.org/rfc/rfc7296#section-2.5).
func (g *Manager) otherVersion(now time.Time, path sa.Path, h wire.Header) {
	// What the octet of the exchange type means is that version's business.
	w := diag.Where{Local: path.Local, Remote: path.Remote, Time: now}
	answered := h.Major > 2 && h.Flags&wire.FlagResponse == 0 && g.stateless.allow(now, path.Remote.Addr())
	if answered {
		w = w.Answering(wire.NotifyInvalidMajorVersion)
	}
	g.report(now, nil, diag.OtherVersion(w, versionText(h)))
	if !answered {
		return
	}
	g.answerUnprotected(path, h, wire.NewNotify(wire.NotifyInvalidMajorVersion, nil))
}

func versionText(h wire.Header) string {
	if h.Major == 1 {
		return "IKEv1"
	}
	return "IKE version " + strconv.Itoa(int(h.Major))
}

func (g *Manager) send(path sa.Path, b []byte) error {
	err := g.o.DataPlane.SendIKE(path.Local, path.Remote, b)
	if err != nil {
		g.o.Meter.Add(CountSendErrors)
		g.log.Debug("cannot send", "path", path, "error", err)
	}
	return err
}

// refusedHere reports whether this host has refused to send: there is no route, or a rule or a firewall forbids it. An operator would
// otherwise look for the packets elsewhere.
func refusedHere(err error) bool {
	for _, e := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// ignored counts an input without effect.
func (g *Manager) ignored(i sa.Ignored) {
	g.o.Meter.Ignored(i.Reason)
	g.tally.ignored(i.Reason)
	if !g.logs(slog.LevelDebug) {
		return // hot under flood: no log arguments are allocated
	}
	g.log.Debug("ignored", "reason", string(i.Reason), "detail", i.Detail, "local", i.Path.Local, "remote", i.Path.Remote)
}
