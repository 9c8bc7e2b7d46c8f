package radius

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius/radiustest"
)

// FuzzParse: no datagram does harm, and what is a packet is the same when it is written and read again.
func FuzzParse(f *testing.F) {
	f.Add(unhex(f, rfc2865Request))
	f.Add(unhex(f, rfc2865Accept))
	r := radiustest.Request{ID: 3, Authenticator: [16]byte{9}}
	f.Add(radiustest.Answer(testSecret, r, 2, 0, append(radiustest.Keys(testSecret, r, make([]byte, 64)), radiustest.EAP(make([]byte, 600))...)...))
	f.Add(radiustest.Order(testSecret, 43, 1, true, radiustest.Number(27, 5), radiustest.Text(1, "alice"), radiustest.Text(31, "203.0.113.9[1024]")))
	s, auth := NewSecret([]byte(testSecret)), [16]byte{9}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		checkAnswer(b, s, auth, true)
		checkHashed(b, s)
		p, err := Parse(b)
		if err != nil {
			return
		}
		out, err := p.append(nil)
		if err != nil || !bytes.Equal(out, b[:len(out)]) {
			t.Errorf("written again: %x, %v", out, err)
		}
		Rules{true, true}.answer(&p, s, auth, &Access{User: "alice"})
		p.Code = AccessAccept
		if a, err := (Rules{true, true}).answer(&p, s, auth, &Access{User: "alice"}); err == nil && len(a.MSK) != 0 && len(a.MSK) != 64 {
			t.Errorf("an MSK of %d octets", len(a.MSK))
		}
		if o, c := p.order(&NAS{}); c == 0 && o.Which.Empty() {
			t.Error("an order for nobody is one for all")
		}
		if !bytes.Equal(b, before) {
			t.Error("what was received has changed")
		}
	})
}

// FuzzMachine: whatever servers and others send, each request ends once and nothing is left.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 200 {
			return
		}
		r := newRig(t, server(1), server(2))
		r.conf.Orders.Undated = true
		want := 0
		for _, c := range script {
			switch c % 8 {
			case 0, 1:
				r.access("", time.Duration(c)*time.Second)
				want++
			case 2:
				r.until(r.now.Sub(start) + time.Duration(c)*time.Second/8)
			case 3, 4, 5:
				if n := len(r.sent); n > 0 {
					x := r.sent[int(c)%n]
					b := radiustest.Answer(testSecret, x.r, []byte{2, 3, 11, 5}[c/8%4], radiustest.Lie(c/32%4))
					r.m.Receive(r.now, x.socket, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, x.socket.Server[1] - '0'}), 1812+uint16(x.socket.Service)), b)
				}
			case 6:
				r.m.Account(r.now, entry(string(rune('a'+c/64)), aaa.Start+aaa.Status(c/8%3), r.now))
			case 7:
				r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, 40, c, true, radiustest.Text(1, "alice")))
			}
			r.take()
		}
		r.answer = accept
		r.until(r.now.Sub(start) + time.Hour)
		if len(r.answered) != want || r.m.Records() != 0 || len(r.m.exchanges.byID) != 0 || len(r.m.exchanges.timers) != 0 {
			t.Errorf("%d of %d requests ended, %d records wait, %d are under way", len(r.answered), want, r.m.Records(), len(r.m.exchanges.byID))
		}
	})
}
