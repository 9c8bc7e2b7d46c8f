package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// ESP to an SPI that only one side has, RFC 7296 section 2.21.4: the side that gets it tells the other, which asks by a rekeying.
func TestInvalidSPI(t *testing.T) {
	t.Run("lost", func(t *testing.T) {
		play(t, "y:lose", nil, nil, func(l *ladder) {
			c := l.x.liveChildren()[0]
			m := l.y.machine()
			m.UnknownSPI(l.r.now, c.Outbound.SPI)
			m.UnknownSPI(l.r.now.Add(time.Second), c.Outbound.SPI+1) // too soon
			l.y.drain(m)
			// "y:lose" is silent: x asks for the child again once it knows.
			for _, w := range fields("y> x=[,] x> y~ !") {
				l.word(w)
			}
			l.r.wantUp(1)
			l.x.wantFailure(diag.CodeSPI)
			if got := len(l.y.made()); got != 1 {
				l.t.Errorf("y has made %v", l.y.made())
			}
		})
	})
	t.Run("not lost", func(t *testing.T) {
		// A mistake, or an old packet: the child is rekeyed and nothing is lost. The next one is too soon to be heeded.
		play(t, "", nil, nil, func(l *ladder) {
			for _, script := range []string{"y> x=[,] x> x> y=TSr y> x> y> x~", "y> x=[,] x> x~ !"} {
				l.y.send(wire.ExchangeInformational, wire.NewInvalidSPI(l.x.liveChildren()[0].Outbound.SPI))
				for _, w := range fields(script) {
					l.word(w)
				}
			}
			l.r.wantUp(1)
			if n := countEvents[ChildReplaced](l.x); n != 1 || countEvents[ChildDown](l.x) != 0 {
				l.t.Errorf("%d rekeyed, %d down", n, countEvents[ChildDown](l.x))
			}
		})
	})
	t.Run("of no child, malformed, known", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			c := l.x.liveChildren()[0]
			for _, n := range []*wire.Notify{wire.NewInvalidSPI(0xdeadbeef), wire.NewInvalidSPI(c.Inbound.SPI),
				wire.NewNotify(wire.NotifyInvalidSPI, []byte{1, 2}), wire.NewNotify(wire.NotifyInvalidSPI, nil)} {
				l.y.send(wire.ExchangeInformational, n)
				for _, w := range fields("y> x=[,] x> x~") {
					l.word(w)
				}
			}
			l.sameState(l.x)
			m := l.y.machine()
			m.UnknownSPI(l.r.now, c.Outbound.SPI) // which has come up meanwhile
			l.y.drain(m)
			l.word("y~")
		})
	})
	t.Run("in the clear", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			h := l.y.header(wire.ExchangeInformational)
			msg := wire.Message{Header: h, Payloads: []wire.Payload{wire.NewInvalidSPI(l.x.liveChildren()[0].Outbound.SPI)}}
			l.inject(l.y, msg.Append(nil))
			for _, m := range l.x.all() {
				if _, ok := queued(m, func(*rekeyChildTask) bool { return true }); ok {
					l.t.Error("x rekeys on the word of anybody")
				}
			}
			l.sameState(l.x)
		})
	})
}
