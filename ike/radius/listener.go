package radius

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	// orderWindow is how far the clock of a server may be from ours, and how long an order is remembered: "A default time window of 300 seconds
	// should be adequate" and "the time window used for duplicate detection MUST be the same" (RFC 5176 section 6.3).
	orderWindow = 300 * time.Second
	// maxOrders bounds the orders that are remembered. With as many within the window another one is refused.
	maxOrders = 4096
	// ordersPerSecond and ordersBurst bound the orders that are taken, of all servers.
	ordersPerSecond = 50
	ordersBurst     = 256
	// looksPerSecond and looksBurst bound the datagrams whose authenticator is looked at: a hash each. Whoever forges the address of a server
	// has to send more than these to keep its orders out.
	looksPerSecond = 4000
	looksBurst     = 4000
)

// Orders are how orders of servers are taken (RFC 5176).
type Orders struct {
	// Secret is what all servers sign them with; the one of the server if it is empty.
	Secret Secret
	// Undated: orders without Event-Timestamp are taken, although they may be old ones that somebody has recorded.
	Undated bool
}

// OrderDrop is why an order is not even answered.
type OrderDrop uint8

// The reasons.
const (
	OrderSource OrderDrop = iota
	OrderRate
	OrderMalformed
	OrderAuthenticator
	OrderTimestamp
	OrderRepeated
	// OrderDrops is how many there are.
	OrderDrops
)

func (d OrderDrop) String() string {
	return [OrderDrops]string{"source", "rate", "malformed", "authenticator", "timestamp", "repeated"}[d]
}

// OrderStats is how orders do.
type OrderStats struct {
	// Done were carried out, Refused answered with a NAK, Repeated answered again.
	Done, Refused, Repeated uint64
	Dropped                 [OrderDrops]uint64
}

// orderKey names an order by its authenticator, which is a hash of all of it. Where it comes from is no part of it: whoever has recorded an order
// can send it from another port of the server's address.
type orderKey [16]byte

type givenOrder struct {
	key    orderKey
	from   netip.AddrPort
	id     uint8
	code   Code
	secret Secret
	proxy  []Attribute
	server string
	at     time.Time
	answer []byte // nil while it is carried out
}

// listener takes orders.
type listener struct {
	conf   *Config
	given  map[orderKey]*givenOrder
	byAge  []*givenOrder
	open   map[uint64]*givenOrder
	lastID uint64
	looks  bucket
	taken  bucket
	stats  OrderStats
	out    []Output
}

// receive takes a datagram.
func (l *listener) receive(now time.Time, from netip.AddrPort, b []byte) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	server := l.serverAt(from.Addr())
	if server == nil {
		l.drop(OrderSource, "", from, "")
		return
	}
	if !l.looks.affords(now, looksPerSecond, looksBurst) {
		l.drop(OrderRate, server.Name, from, "")
		return
	}
	p, err := Parse(b)
	if err != nil {
		l.drop(OrderMalformed, server.Name, from, err.Error())
		return
	}
	if p.Code != DisconnectRequest && p.Code != CoARequest {
		l.drop(OrderMalformed, server.Name, from, p.Code.String()+" is no order")
		return
	}
	secret := l.conf.Orders.Secret
	if secret.Len() == 0 {
		secret = server.Secret
	}
	if err := checkHashed(b, secret); err != nil {
		l.drop(OrderAuthenticator, server.Name, from, err.Error())
		return
	}
	if !l.taken.affords(now, ordersPerSecond, ordersBurst) {
		l.drop(OrderRate, server.Name, from, "")
		return
	}
	l.forget(now)
	key := orderKey(p.Authenticator)
	if g := l.given[key]; g != nil {
		if g.answer == nil {
			l.drop(OrderRepeated, server.Name, from, "")
			return
		}
		l.stats.Repeated++
		l.out = append(l.out, Reply{from, g.answer})
		return
	}
	if why := l.stale(now, &p); why != "" {
		l.drop(OrderTimestamp, server.Name, from, why)
		return
	}
	g := &givenOrder{key: key, from: from, id: p.ID, code: p.Code, secret: secret, server: server.Name, at: now}
	for v := range p.All(ProxyState) { // "MUST be copied unmodified and in order" (RFC 5176 section 3.1)
		g.proxy = append(g.proxy, Attribute{ProxyState, append([]byte(nil), v...)})
	}
	if len(l.given) >= maxOrders {
		l.answer(g, ResourcesUnavailable)
		return
	}
	l.given[key] = g
	l.byAge = append(l.byAge, g)
	o, c := p.order(&l.conf.NAS)
	if c != 0 {
		l.answer(g, c)
		return
	}
	o.From = server.Name
	l.lastID++
	l.open[l.lastID] = g
	l.out = append(l.out, Ordered{l.lastID, o})
}

// serverAt is the server at an address.
func (l *listener) serverAt(a netip.Addr) *Server {
	for i := range l.conf.Servers {
		for _, at := range l.conf.Servers[i].Addrs {
			if at.IsValid() && at.Addr() == a {
				return &l.conf.Servers[i]
			}
		}
	}
	return nil
}

// bucket bounds how often something is done.
type bucket struct {
	tokens float64
	filled time.Time
}

// affords takes a token.
func (b *bucket) affords(now time.Time, perSecond, burst float64) bool {
	if b.filled.IsZero() {
		b.tokens = burst
	}
	b.tokens = min(b.tokens+now.Sub(b.filled).Seconds()*perSecond, burst)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// stale says why an order may be an old one; empty: it is not.
func (l *listener) stale(now time.Time, p *Packet) string {
	v, ok := p.First(EventTimestamp)
	switch {
	case !ok && l.conf.Orders.Undated:
		return ""
	case !ok:
		return "it has no Event-Timestamp"
	case len(v) != 4:
		return "its Event-Timestamp is malformed"
	}
	d := now.Sub(time.Unix(int64(binary.BigEndian.Uint32(v)), 0))
	if d.Abs() > orderWindow {
		return "its Event-Timestamp is " + d.Round(time.Second).String() + " old"
	}
	return ""
}

// forget drops what is older than the window. An order whose Event-Timestamp is in our future is remembered for as long as it is
// current: two windows.
func (l *listener) forget(now time.Time) {
	n := 0
	for n < len(l.byAge) && now.Sub(l.byAge[n].at) > 2*orderWindow {
		delete(l.given, l.byAge[n].key)
		n++
	}
	l.byAge = l.byAge[n:]
}

// carriedOut answers an order that was given out.
func (l *listener) carriedOut(id uint64, c Cause) {
	if g := l.open[id]; g != nil {
		delete(l.open, id)
		l.answer(g, c)
	}
}

// answer answers an order.
func (l *listener) answer(g *givenOrder, c Cause) {
	p := Packet{Code: g.code + 1, ID: g.id, Attributes: g.proxy} // ACK; NAK is the next
	l.stats.Done++
	if c != 0 {
		l.stats.Done--
		l.stats.Refused++
		p.Code++
		p.addUint32(ErrorCause, uint32(c))
	}
	var err error
	if g.answer, err = p.sealAnswer(g.secret, g.key); err != nil { // as long as the order with all of its Proxy-State
		l.drop(OrderMalformed, g.server, g.from, err.Error())
		return
	}
	l.out = append(l.out, Reply{g.from, g.answer})
}

func (l *listener) drop(d OrderDrop, server string, from netip.AddrPort, why string) {
	l.stats.Dropped[d]++
	l.out = append(l.out, OrderDropped{Server: server, From: from, Drop: d, Why: why})
}
