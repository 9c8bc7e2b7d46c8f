package gateway

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"esplanade/ike/auth"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// crowd are hosts that can be reached at their addresses and mean no good. Its networks are 100.64.0.0/10 and
// 2001:db8:bad::/48.
type crowd struct {
	f   *fabric
	mu  sync.Mutex
	got map[netip.AddrPort][][]byte
}

var crowdNets = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("2001:db8:bad::/48")}

// newCrowd must be called before any other use of setDeliver.
func newCrowd(f *fabric) *crowd {
	c := &crowd{f: f, got: map[netip.AddrPort][][]byte{}}
	f.setDeliver(func(_, to netip.AddrPort, b []byte) bool {
		if !slices.ContainsFunc(crowdNets, func(p netip.Prefix) bool { return p.Contains(to.Addr()) }) {
			return true
		}
		c.mu.Lock()
		c.got[to] = append(c.got[to], slices.Clone(b))
		c.mu.Unlock()
		return false
	})
	return c
}

// crowdAddr is the n-th address, each in a /24 of its own.
func crowdAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{100, byte(64 + n>>8), byte(n), 1})
}

// take returns what has come for an address since.
func (c *crowd) take(a netip.AddrPort) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got[a]
	delete(c.got, a)
	return got
}

// caller is one attempt of a hostile host: an initiator that does as it is told.
type caller struct {
	t          *testing.T
	c          *crowd
	from, to   netip.AddrPort
	spii, spir wire.SPI
	ni, nr     []byte
	ours       []proposal.Proposal
	ke         suite.KeyExchange
	cookie     []byte
	first      []byte
	chosen     proposal.Chosen
	keys       suite.Keys
	prf        suite.PRF
	out, in    suite.Protection
}

func (c *crowd) caller(t *testing.T, from netip.AddrPort, to netip.Addr, ike string) *caller {
	t.Helper()
	ours, err := proposal.ParseList(wire.ProtocolIKE, []string{ike})
	if err != nil {
		t.Fatal(err)
	}
	x := &caller{t: t, c: c, from: from, to: netip.AddrPortFrom(to, 500), ours: ours,
		spii: wire.SPI(binary.BigEndian.Uint64(random(8))), ni: random(32)}
	for _, tr := range ours[0].Transforms {
		if tr.Type == wire.TransformKE && x.ke == nil {
			if x.ke, err = suite.NewKeyExchange(tr.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	return x
}

// request is the IKE_SA_INIT request, with a cookie if one was demanded.
func (x *caller) request(extra ...wire.Payload) []byte {
	var ps []wire.Payload
	if x.cookie != nil {
		ps = append(ps, &wire.Notify{NotifyType: wire.NotifyCookie, Data: x.cookie})
	}
	ps = append(ps, &wire.SA{Proposals: []wire.Proposal{x.ours[0].Wire(1, nil)}},
		&wire.KE{Group: x.ke.Group(), Data: x.ke.Public()}, &wire.Nonce{Data: x.ni},
		&wire.Notify{NotifyType: wire.NotifyIKEv2FragmentationSupported})
	m := wire.Message{Header: wire.Header{SPIi: x.spii, Major: 2, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
		Payloads: append(ps, extra...)}
	x.first = m.Append(nil)
	return x.first
}

func (x *caller) send(b []byte) {
	x.c.f.mu.Lock()
	n := x.c.f.nodes[x.to.Addr()]
	x.c.f.mu.Unlock()
	n.d.HandleIKE(x.to, x.from, slices.Clone(b))
}

// sendInit sends the request; answered takes what came back, and reports whether there are keys. When a cookie was
// demanded, the next request has it.
func (x *caller) sendInit(extra ...wire.Payload) { x.send(x.request(extra...)) }

func (x *caller) answered() bool {
	for _, b := range x.c.take(x.from) {
		m, err := wire.Parse(b)
		if err != nil || m.Header.SPIi != x.spii {
			continue
		}
		var ke *wire.KE
		for _, p := range m.Payloads {
			switch p := p.(type) {
			case *wire.Notify:
				if p.NotifyType == wire.NotifyCookie {
					x.cookie = p.Data
				}
			case *wire.KE:
				ke = p
			case *wire.Nonce:
				x.nr = p.Data
			case *wire.SA:
				if x.chosen, err = proposal.Verify(x.ours, p.Proposals, proposal.Options{}); err != nil {
					x.t.Fatal(err)
				}
			}
		}
		if ke == nil {
			continue
		}
		shared, err := x.ke.Shared(ke.Data)
		if err != nil {
			x.t.Fatal(err)
		}
		x.spir = m.Header.SPIr
		if x.prf, err = suite.NewPRF(x.chosen.PRF); err == nil {
			x.keys, err = suite.DeriveKeys(x.chosen, suite.SKEYSEED(x.prf, x.ni, x.nr, shared), x.ni, x.nr, x.spii, x.spir)
		}
		if err == nil {
			x.out, err = suite.NewProtection(x.chosen, x.keys.Ei, x.keys.Ai)
		}
		if err == nil {
			x.in, err = suite.NewProtection(x.chosen, x.keys.Er, x.keys.Ar)
		}
		if err != nil {
			x.t.Fatal(err)
		}
		return true
	}
	return false
}

// begin makes IKE_SA_INIT, and returns a cookie if it must. It reports whether there are keys.
func (x *caller) begin(extra ...wire.Payload) bool {
	for range 2 {
		x.sendInit(extra...)
		settle(3 * latency)
		if x.answered() {
			return true
		}
	}
	return false
}

// beginAll is begin for several at once. It returns those that have keys.
func beginAll(xs []*caller, extra ...wire.Payload) (done []*caller) {
	for range 2 {
		for _, x := range xs {
			if x.out == nil {
				x.sendInit(extra...)
			}
		}
		settle(3 * latency)
		for _, x := range xs {
			if x.out == nil && x.answered() {
				done = append(done, x)
			}
		}
	}
	return done
}

// seal protects a request.
func (x *caller) seal(exchange wire.ExchangeType, id uint32, ps ...wire.Payload) []byte {
	plain := wire.AppendPayloads(nil, ps)
	h := wire.Header{SPIi: x.spii, SPIr: x.spir, Major: 2, Exchange: exchange, Flags: wire.FlagInitiator, MessageID: id}
	b := wire.AppendProtected(nil, h, wire.FirstType(ps), x.out.BodyLen(len(plain)))
	b, err := x.out.Seal(b, len(b), plain)
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// fragment protects one of total fragments.
func (x *caller) fragment(id uint32, plain []byte, number, total int) []byte {
	h := wire.Header{SPIi: x.spii, SPIr: x.spir, Major: 2, Exchange: wire.ExchangeIKEAuth, Flags: wire.FlagInitiator, MessageID: id}
	b := wire.AppendProtectedFragment(nil, h, wire.PayloadNone, uint16(number), uint16(total), x.out.BodyLen(len(plain)))
	b, err := x.out.Seal(b, len(b), plain)
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// auth are IDi and AUTH.
func (x *caller) auth(id, psk string) []wire.Payload {
	idi := &wire.ID{IDType: wire.IDFQDN, Data: []byte(id)}
	octets := auth.SignedOctets(x.prf, x.first, x.nr, x.keys.Pi, idi.AppendBody(nil))
	return []wire.Payload{idi, &wire.Auth{Method: wire.AuthSharedKey, Data: auth.PSK(x.prf, []byte(psk), octets)}}
}

// child are SA, TSi and TSr of a request for a CHILD SA.
func (x *caller) child(spi uint32, esp, from, to string) []wire.Payload {
	ps, err := proposal.ParseList(wire.ProtocolESP, []string{esp})
	if err != nil {
		x.t.Fatal(err)
	}
	ts := func(responder bool, s string) *wire.TS {
		p := netip.MustParsePrefix(s)
		hi := p.Addr().As4()
		for i := p.Bits(); i < 32; i++ {
			hi[i/8] |= 0x80 >> (i % 8)
		}
		return &wire.TS{Responder: responder, Selectors: []wire.TrafficSelector{{Start: p.Addr(), End: netip.AddrFrom4(hi), EndPort: 65535}}}
	}
	return []wire.Payload{&wire.SA{Proposals: []wire.Proposal{ps[0].Wire(1, binary.BigEndian.AppendUint32(nil, spi))}}, ts(false, from), ts(true, to)}
}

// notifies opens the answers that have come, and lists the notifications in them.
func (x *caller) notifies() (out []wire.NotifyType) {
	for _, b := range x.c.take(x.from) {
		m, err := wire.Parse(b)
		if err != nil || m.Header.SPIi != x.spii {
			continue
		}
		ps := m.Payloads
		if e := m.Encrypted; e != nil {
			plain, err := x.in.Open(b, e.AADLen)
			if err != nil {
				x.t.Fatal(err)
			}
			if ps, err = wire.ParsePayloads(e.First, plain, 0); err != nil {
				x.t.Fatal(err)
			}
		}
		for _, p := range ps {
			if n, ok := p.(*wire.Notify); ok {
				out = append(out, n.NotifyType)
			}
		}
	}
	return out
}
