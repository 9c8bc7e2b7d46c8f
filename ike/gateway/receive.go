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
func (d *Manager) Receive(now time.Time, path sa.Path, b []byte) {
	d.begin()
	h, err := wire.ParseHeader(b)
	if err != nil {
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreMalformed, Detail: err.Error()})
		return
	}
	if h.Major != 2 {
		d.otherVersion(now, path, h)
		return
	}
	if spi := sa.LocalSPIOf(h); spi != 0 {
		if e := d.table.bySPI[spi]; e != nil {
			e.m.Receive(now, b, path)
			d.drain(now, e)
			return
		}
		if r := d.table.refused.bySPI[spi]; r != nil {
			d.repeatRefusal(now, path, r, b)
			return
		}
		d.unknownSPI(now, path, h)
		return
	}
	if !sa.Opens(h.Exchange) || h.Flags&wire.FlagResponse != 0 {
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSPI, Detail: h.Exchange.String()})
		return
	}
	if e := d.table.byInit[initKey{h.SPIi, path.Remote}]; e != nil {
		if e.m.Matches(b) {
			e.m.Receive(now, slices.Clone(b), path)
			d.drain(now, e)
		} else {
			d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreDuplicate, Detail: "another " + h.Exchange.String() + " with the same SPI"})
		}
		return
	}
	// A late copy of a request that an SA was made from makes no second one. Another request with the same SPI does.
	if e := d.table.made[initKey{h.SPIi, path.Remote}]; e != nil && e.m.Matches(b) {
		e.m.Receive(now, slices.Clone(b), path)
		d.drain(now, e)
		return
	}
	if r := d.table.refused.byInit[initKey{h.SPIi, path.Remote}]; r != nil && r.Matches(b) {
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreState, Detail: h.Exchange.String() + " of an attempt that was refused"})
		return
	}
	d.accept(now, path, h, b)
}

// accept judges an IKE_SA_INIT or IKE_SESSION_RESUME request.
func (d *Manager) accept(now time.Time, path sa.Path, h wire.Header, b []byte) {
	if d.stopping {
		return
	}
	d.cookied = false
	ike, from := &d.conf.IKE, path.Remote.Addr()
	half, refused := &d.table.half, &d.table.refused.shares
	full := half.total() >= ike.HalfOpenLimit
	// What was refused a moment ago counts as what is half-open does: it costs its sender as little.
	all, source := half.total()+refused.total(), half.from(from)+refused.from(from)
	switch {
	case half.from(from) >= ike.BlockThreshold:
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSource})
		return
	case full || all >= ike.CookieThreshold || source >= ike.CookieThresholdIP || d.surge.lasts(now):
		if !d.screen(now, path, h, b) {
			return
		}
		d.cookied = true
	}
	if full && half.yields(now, from) == nil {
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreHalfOpen})
		return
	}
	acc := sa.Accept(d.env, now, b, path)
	if acc.WantsCookie && d.screen(now, path, h, b) {
		d.cookied = true
		acc = sa.Accept(d.env, now, b, path)
	}
	switch {
	case acc.WantsCookie:
	case acc.Machine != nil:
		if full {
			d.pushOut(now, half.yields(now, from).x)
		}
		d.drain(now, d.table.addHalfOpen(now, acc.Machine, d.connection(acc.Machine.Config()), path.Remote))
	case acc.Response != nil:
		// strongSwan numbers an IKE SA before it looks into the request: only one that is answered with a cookie has none.
		d.numbers.nextIKE()
		d.tally.exchange(h.Exchange, false)
		d.surge.refused(now)
		d.send(path, acc.Response)
		if acc.RedirectedTo != (wire.Gateway{}) {
			d.redirectedStranger(path, acc.RedirectedTo)
		}
		if acc.Failure != nil {
			acc.Failure.Stranger = true // whatever connection it resembles
			d.report(now, nil, acc.Failure)
			d.refreshForStranger(now)
		}
	case acc.Failure != nil:
		d.report(now, nil, acc.Failure) // something is wrong here: the peer gets no answer
	case acc.Ignored != nil:
		d.ignored(*acc.Ignored)
	}
}

// screen reports whether a request has a valid cookie. One that has none is answered with it, and nothing is kept.
func (d *Manager) screen(now time.Time, path sa.Path, h wire.Header, b []byte) bool {
	answer, pass := d.cookies.Screen(now, b, path.Remote.Addr())
	switch {
	case answer != nil:
		d.send(path, answer)
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreCookie})
	case !pass:
		d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreMalformed, Detail: h.Exchange.String()})
	}
	return pass
}

// pushOut ends a half-open IKE SA, so that there is room for another.
func (d *Manager) pushOut(now time.Time, e *entry) {
	d.ignored(sa.Ignored{Path: e.m.Path(), Reason: sa.IgnorePushedOut})
	e.leaving = true
	e.m.Abandon(now, "another peer's IKE SA takes its place")
	d.drain(now, e)
}

// weighHalfOpen counts what a half-open IKE SA keeps of its peer by now. When that is more than there may be, the oldest of
// whoever has most go.
func (d *Manager) weighHalfOpen(now time.Time, e *entry) {
	half := &d.table.half
	if e.share == nil {
		return
	}
	w := unitsOf(e.m)
	if w <= e.share.weight {
		half.weigh(e.share, w)
		return
	}
	half.weigh(e.share, w)
	for from := e.share.of.key; half.from(from) > d.conf.IKE.BlockThreshold; {
		d.pushOut(now, half.oldestFrom(from).x)
	}
	for half.total() > d.conf.IKE.HalfOpenLimit {
		d.pushOut(now, half.most().x)
	}
}

// unknownSPI answers a request for an SA that does not exist with INVALID_IKE_SPI, so that a peer that outlived our
// restart finds out (https://www.rfc-editor.org/rfc/rfc7296#section-1.5). The answer is not protected and proves
// nothing, so that it is sent rarely, and never to a response.
func (d *Manager) unknownSPI(now time.Time, path sa.Path, h wire.Header) {
	d.ignored(sa.Ignored{Path: path, Reason: sa.IgnoreSPI, Detail: h.Exchange.String()})
	if h.Flags&wire.FlagResponse != 0 || d.stopping || !d.stateless.allow(now, path.Remote.Addr()) {
		return
	}
	d.answerUnprotected(path, h, append([]wire.Payload{wire.NewNotify(wire.NotifyInvalidIKESPI, nil)}, d.proofOfLoss(h)...)...)
}

// answerUnprotected answers a request outside of any IKE SA with notifications. SPIs, exchange type and message ID are
// those of the request, the Response flag is set and the Initiator flag is that of the other role:
// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (d *Manager) answerUnprotected(path sa.Path, h wire.Header, payloads ...wire.Payload) {
	m := wire.Message{
		Header: wire.Header{
			SPIi: h.SPIi, SPIr: h.SPIr, Major: 2, Exchange: h.Exchange, MessageID: h.MessageID,
			Flags: wire.FlagResponse | (h.Flags&wire.FlagInitiator ^ wire.FlagInitiator),
		},
		Payloads: payloads,
	}
	d.send(path, m.Append(nil))
}

// otherVersion handles other major versions. IKEv1 gets a line that says so; a newer version is told what this one is,
// with an unauthenticated INVALID_MAJOR_VERSION (https://www.rfc-editor.org/rfc/rfc7296#section-2.5).
func (d *Manager) otherVersion(now time.Time, path sa.Path, h wire.Header) {
	// What the octet of the exchange type means is that version's business.
	w := diag.Where{Local: path.Local, Remote: path.Remote, Time: now}
	answered := h.Major > 2 && h.Flags&wire.FlagResponse == 0 && d.stateless.allow(now, path.Remote.Addr())
	if answered {
		w = w.Answering(wire.NotifyInvalidMajorVersion)
	}
	d.report(now, nil, diag.OtherVersion(w, versionText(h)))
	if !answered {
		return
	}
	d.answerUnprotected(path, h, wire.NewNotify(wire.NotifyInvalidMajorVersion, nil))
}

func versionText(h wire.Header) string {
	if h.Major == 1 {
		return "IKEv1"
	}
	return "IKE version " + strconv.Itoa(int(h.Major))
}

func (d *Manager) send(path sa.Path, b []byte) error {
	err := d.o.DataPlane.SendIKE(path.Local, path.Remote, b)
	if err != nil {
		d.o.Meter.Add(CountSendErrors)
		d.log.Debug("cannot send", "path", path, "error", err)
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
func (d *Manager) ignored(i sa.Ignored) {
	d.o.Meter.Ignored(i.Reason)
	d.tally.ignored(i.Reason)
	if !d.logs(slog.LevelDebug) {
		return // hot under flood: no log arguments are allocated
	}
	d.log.Debug("ignored", "reason", string(i.Reason), "detail", i.Detail, "local", i.Path.Local, "remote", i.Path.Remote)
}
