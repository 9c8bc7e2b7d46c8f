package sa

import (
	"testing"

	"esplanade/ike/wire"
)

// A message of more fragments than are kept is refused with the first of them: nothing is allocated for the others.
func TestFragmentsAreBounded(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		for _, total := range []uint16{maxFragments + 1, 1000, 65535} {
			l.inject(l.x, l.fragment(l.x, wire.PayloadNotify, 1, total, []byte{1, 2, 3}))
			if m := l.y.machine(); m.frag.request.parts != nil {
				l.t.Errorf("room for %d fragments", len(m.frag.request.parts))
			}
		}
		if n := l.y.ignored(IgnoreFragmentLimit); n != 3 {
			l.t.Errorf("%d were counted", n)
		}
		l.inject(l.x, l.fragment(l.x, wire.PayloadNotify, 1, maxFragments, []byte{1, 2, 3}))
		if m := l.y.machine(); len(m.frag.request.parts) != maxFragments {
			l.t.Errorf("as many as are kept: room for %d", len(m.frag.request.parts))
		}
	})
}

// Fragments of two sizes are not put together: what counts is the message that comes of the smaller ones, as it was sent.
// https://www.rfc-editor.org/rfc/rfc7383#section-2.6
func TestFragmentsOfALargerSizeAreDropped(t *testing.T) {
	first, plain := plainDelete()
	third := (len(plain) + 2) / 3
	play(t, "", nil, nil, func(l *ladder) {
		l.inject(l.x, l.fragment(l.x, first, 1, 3, plain[:third]))
		l.inject(l.x, l.fragment(l.x, 0, 2, 2, plain[100:]))
		l.inject(l.x, l.fragment(l.x, 0, 2, 3, plain[third:2*third]))
		l.inject(l.x, l.fragment(l.x, 0, 3, 3, plain[2*third:]))
		if n := l.y.ignored(IgnoreDuplicate); n != 1 {
			l.t.Errorf("%d fragments were dropped", n)
		}
		for _, o := range l.y.events {
			if c, ok := o.(Closed); ok && (c.Reason != "deleted by the peer" || len(l.y.live()) != 0) {
				l.t.Errorf("closed: %s", c.Reason)
			}
		}
		if len(l.y.live()) != 0 {
			l.t.Error("the message was not taken")
		}
	})
}
