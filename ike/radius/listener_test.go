package radius

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/radius/radiustest"
)

var radclient = netip.MustParseAddrPort("192.0.2.1:40000")

func dated(d time.Duration) radiustest.Attribute {
	return radiustest.Number(55, uint32(start.Add(d).Unix()))
}

// TestOrder: a Disconnect-Request of a server is an order, and its answer says what came of it.
func TestOrder(t *testing.T) {
	for _, signed := range []bool{true, false} {
		for _, tt := range []struct {
			cause Cause
			code  Code
		}{{0, DisconnectACK}, {SessionNotFound, DisconnectNAK}} {
			r := newRig(t, server(1))
			b := radiustest.Order(testSecret, 40, 9, signed, dated(0), radiustest.Text(1, "alice"), radiustest.Text(33, "proxy"))
			r.m.ReceiveOrder(r.now, radclient, b)
			r.take()
			if len(r.orders) != 1 || !r.orders[0].Order.Disconnect || r.orders[0].Order.Which.User != "alice" || r.orders[0].Order.From != "r1" {
				t.Fatalf("%+v, %+v", r.orders, r.ignored)
			}
			r.m.ReceiveOrder(r.now, radclient, b) // it is under way
			r.m.CarriedOut(r.now, r.orders[0].ID, tt.cause)
			r.m.ReceiveOrder(r.now, radclient, b) // its answer was lost
			r.take()
			if len(r.orders) != 1 || len(r.replies) != 2 || string(r.replies[0].Datagram) != string(r.replies[1].Datagram) {
				t.Fatalf("%d orders, %d replies", len(r.orders), len(r.replies))
			}
			p, err := Parse(r.replies[0].Datagram)
			if err != nil || p.Code != tt.code || p.ID != 9 || r.replies[0].To != radclient {
				t.Errorf("%+v, %v", p, err)
			}
			if err := checkAnswer(r.replies[0].Datagram, NewSecret([]byte(testSecret)), [16]byte(b[4:20]), true); err != nil {
				t.Error(err)
			}
			if v, _ := p.First(ProxyState); string(v) != "proxy" {
				t.Errorf("Proxy-State %q", v)
			}
			if c, ok := p.Uint32(ErrorCause); ok != (tt.cause != 0) || c != uint32(tt.cause) {
				t.Errorf("Error-Cause %d", c)
			}
			if s := r.m.Report().Orders; s.Repeated != 1 || s.Dropped[OrderRepeated] != 1 || s.Done+s.Refused != 1 {
				t.Errorf("%+v", s)
			}
		}
	}
}

// TestOrderRefused: what is not understood of an order is refused, and nothing of it is carried out.
func TestOrderRefused(t *testing.T) {
	user := radiustest.Text(1, "alice")
	for _, tt := range []struct {
		why  string
		code byte
		list []radiustest.Attribute
		want Cause // 0: it is carried out
	}{
		{"nobody", 40, nil, MissingAttribute},
		{"this gateway alone", 40, []radiustest.Attribute{radiustest.Text(32, "gw")}, MissingAttribute},
		{"another gateway", 40, []radiustest.Attribute{user, radiustest.Text(32, "gw2")}, NASMismatch},
		{"this gateway", 40, []radiustest.Attribute{user, radiustest.Text(32, "gw")}, 0},
		{"an attribute that is not known", 40, []radiustest.Attribute{user, radiustest.Text(89, "x")}, UnsupportedAttribute},
		{"a time of a session that is to end", 40, []radiustest.Attribute{user, radiustest.Number(27, 5)}, UnsupportedAttribute},
		{"a time", 43, []radiustest.Attribute{user, radiustest.Number(27, 5)}, 0},
		{"no time", 43, []radiustest.Attribute{user, radiustest.Number(27, 0)}, InvalidAttributeValue},
		{"a time of three octets", 43, []radiustest.Attribute{user, radiustest.Text(27, "abc")}, InvalidAttributeValue},
		{"a change of nothing", 43, []radiustest.Attribute{user}, MissingAttribute},
		{"a change of a filter", 43, []radiustest.Attribute{user, radiustest.Number(27, 5), radiustest.Text(11, "x")}, UnsupportedAttribute},
		{"authorize only", 43, []radiustest.Attribute{user, radiustest.Number(6, 17)}, UnsupportedService},
		{"an address", 40, []radiustest.Attribute{{Type: 8, Value: []byte{10, 3, 0, 9}}}, 0},
		{"half an address", 40, []radiustest.Attribute{user, {Type: 8, Value: []byte{10, 3}}}, InvalidAttributeValue},
		{"two users", 40, []radiustest.Attribute{user, radiustest.Text(1, "bob")}, InvalidAttributeValue},
		{"an empty user", 40, []radiustest.Attribute{radiustest.Text(1, "")}, InvalidAttributeValue},
		{"a station", 40, []radiustest.Attribute{radiustest.Text(31, "203.0.113.9[1024]")}, 0},
		{"a station that is none", 40, []radiustest.Attribute{user, radiustest.Text(31, "somewhere")}, InvalidAttributeValue},
		{"a station without an end", 40, []radiustest.Attribute{user, radiustest.Text(31, "203.0.113.9[1024")}, InvalidAttributeValue},
	} {
		r := newRig(t, server(1))
		r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, tt.code, 1, true, append(tt.list, dated(0))...))
		r.take()
		if tt.want == 0 {
			if len(r.orders) != 1 || len(r.replies) != 0 {
				t.Errorf("%s: %+v, %+v", tt.why, r.orders, r.replies)
			}
			continue
		}
		if len(r.orders) != 0 || len(r.replies) != 1 {
			t.Errorf("%s: %d orders, %d replies", tt.why, len(r.orders), len(r.replies))
			continue
		}
		p, _ := Parse(r.replies[0].Datagram)
		if c, _ := p.Uint32(ErrorCause); p.Code != Code(tt.code)+2 || Cause(c) != tt.want {
			t.Errorf("%s: %v %v", tt.why, p.Code, Cause(c))
		}
	}
}

// TestOrderDropped: what is not known to be of a server, or may be old, is not answered.
func TestOrderDropped(t *testing.T) {
	user := radiustest.Text(1, "alice")
	wrong := radiustest.Order(testSecret, 40, 1, true, user, dated(0))
	wrong[30] ^= 1 // the Message-Authenticator; the authenticator would show it as well
	for _, tt := range []struct {
		why  string
		from netip.AddrPort
		b    []byte
		want OrderDrop
	}{
		{"somebody else", netip.MustParseAddrPort("192.0.2.9:40000"), radiustest.Order(testSecret, 40, 1, true, user, dated(0)), OrderSource},
		{"another secret", radclient, radiustest.Order("x", 40, 1, true, user, dated(0)), OrderAuthenticator},
		{"a bit that was changed", radclient, wrong, OrderAuthenticator},
		{"no order", radclient, radiustest.Order(testSecret, 1, 1, true, user, dated(0)), OrderMalformed},
		{"half of one", radclient, radiustest.Order(testSecret, 40, 1, true, user, dated(0))[:25], OrderMalformed},
		{"an old one", radclient, radiustest.Order(testSecret, 40, 1, true, user, dated(-301*time.Second)), OrderTimestamp},
		{"one of the future", radclient, radiustest.Order(testSecret, 40, 1, true, user, dated(301*time.Second)), OrderTimestamp},
		{"one without a date", radclient, radiustest.Order(testSecret, 40, 1, true, user), OrderTimestamp},
	} {
		r := newRig(t, server(1))
		r.m.ReceiveOrder(r.now, tt.from, tt.b)
		r.take()
		if len(r.orders)+len(r.replies) != 0 || len(r.ignored) != 1 || r.ignored[0].Drop != tt.want {
			t.Errorf("%s: %d orders, %d replies, %+v", tt.why, len(r.orders), len(r.replies), r.ignored)
		}
	}
	r := newRig(t, server(1))
	r.conf.Orders.Undated = true
	r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, 40, 1, true, user))
	r.conf.Orders.Secret = NewSecret([]byte("another"))
	r.m.ReceiveOrder(r.now, radclient, radiustest.Order("another", 40, 2, true, user))
	r.take()
	if len(r.orders) != 2 {
		t.Errorf("orders without a date, as configured: %+v", r.ignored)
	}
}

// TestOrderReplay: an order that somebody has recorded is not carried out again, however long it waits.
func TestOrderReplay(t *testing.T) {
	r := newRig(t, server(1))
	b := radiustest.Order(testSecret, 40, 1, true, radiustest.Text(1, "alice"), dated(300*time.Second)) // as far in the future as may be
	r.m.ReceiveOrder(r.now, radclient, b)
	r.take()
	r.m.CarriedOut(r.now, r.orders[0].ID, 0)
	for d := time.Duration(0); d < 20*time.Minute; d += 7 * time.Second {
		r.m.ReceiveOrder(start.Add(d), radclient, b)
		r.take()
	}
	if len(r.orders) != 1 {
		t.Errorf("it was carried out %d times", len(r.orders))
	}
	if n := len(r.m.listener.given); n != 0 {
		t.Errorf("%d are remembered for ever", n)
	}
}

// TestOrderFromElsewhere: an order that somebody has recorded is not carried out again, whichever port it comes from; and whoever forges the address
// of a server does not use up what its orders may be.
func TestOrderFromElsewhere(t *testing.T) {
	r := newRig(t, server(1))
	b := radiustest.Order(testSecret, 40, 9, true, dated(0), radiustest.Text(1, "alice"))
	elsewhere := netip.AddrPortFrom(radclient.Addr(), radclient.Port()+1)
	r.m.ReceiveOrder(r.now, radclient, b)
	r.take()
	r.m.CarriedOut(r.now, r.orders[0].ID, 0)
	r.m.ReceiveOrder(r.now, elsewhere, b)
	r.take()
	if len(r.orders) != 1 || len(r.replies) != 2 || r.replies[0].To != radclient || r.replies[1].To != elsewhere {
		t.Errorf("%d orders, %+v", len(r.orders), r.replies)
	}
	for range 2 * ordersBurst {
		r.m.ReceiveOrder(r.now, radclient, radiustest.Order("another secret", 40, 9, true, dated(0), radiustest.Text(1, "alice")))
	}
	r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, 40, 10, true, dated(0), radiustest.Text(1, "alice")))
	r.take()
	if len(r.orders) != 2 {
		t.Error("forged orders keep a right one out")
	}
	for range 2 * looksBurst {
		r.m.ReceiveOrder(r.now, radclient, b[:30])
		r.m.Outputs()
	}
	if r.m.Report().Orders.Dropped[OrderRate] == 0 {
		t.Error("whatever comes is looked at")
	}
}

// TestOrderRate: orders are bounded in their rate and in what is remembered of them.
func TestOrderRate(t *testing.T) {
	r := newRig(t, server(1))
	for i := range 2 * ordersBurst {
		r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, 40, byte(i), true, radiustest.Number(55, uint32(start.Unix()+int64(i/256))), radiustest.Text(1, "alice")))
	}
	r.take()
	if n := r.m.Report().Orders.Dropped[OrderRate]; len(r.orders) != ordersBurst || n != ordersBurst {
		t.Errorf("%d orders, %d dropped", len(r.orders), n)
	}
	for i := 0; len(r.m.listener.given) < maxOrders; i++ {
		r.now = r.now.Add(time.Second / ordersPerSecond)
		at := netip.AddrPortFrom(radclient.Addr(), uint16(1000+i/256))
		r.m.ReceiveOrder(r.now, at, radiustest.Order(testSecret, 40, byte(i), true, dated(0), radiustest.Text(1, fmt.Sprint("bob", i))))
	}
	r.take()
	n := len(r.orders)
	r.now = r.now.Add(time.Second)
	r.m.ReceiveOrder(r.now, radclient, radiustest.Order(testSecret, 40, 77, true, dated(0), radiustest.Text(1, "carol")))
	r.take()
	p, _ := Parse(r.replies[len(r.replies)-1].Datagram)
	if c, _ := p.Uint32(ErrorCause); len(r.orders) != n || Cause(c) != ResourcesUnavailable {
		t.Errorf("%d orders more, %v", len(r.orders)-n, Cause(c))
	}
}
