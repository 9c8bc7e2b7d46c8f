package crowd

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"esplanade/ike"
	"esplanade/ike/auth"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// peer is an IKE SA of its own with the gateway. It computes next to nothing when it rekeys: all peers have one private value, and none
// computes the shared secret. Nothing is sent with the keys that come of that.
type peer struct {
	gate     *ike.Daemon
	m        *sa.Machine
	env      *sa.Env
	cfg      *sa.Config
	path     sa.Path
	key      suite.KeyExchange // of the group that it rekeys with
	up       bool
	rekeyed  bool
	failure  error
	children uint32
}

// dpdDelay is the pause after which a peer asks whether the gateway lives. The peers have clocks of their own.
const dpdDelay = 30 * time.Second

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

func newPeer(gate *ike.Daemon, n int, espProposal string, key suite.KeyExchange) (*peer, error) {
	p := &peer{gate: gate, key: key}
	ids := [2]identity.Identity{}
	for i, text := range []string{fmt.Sprintf("c%d.example", n), "gateway.example"} {
		id, err := identity.Parse(text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	ike, err := proposal.ParseList(wire.ProtocolIKE, []string{ikeProposal})
	if err != nil {
		return nil, err
	}
	child := &sa.ChildConfig{ChildFixed: sa.ChildFixed{Name: "net"}}
	if child.Proposals, err = proposal.ParseList(wire.ProtocolESP, []string{espProposal}); err != nil {
		return nil, err
	}
	for text, to := range map[string]*[]selector.Selector{fmt.Sprintf("10.10.%d.0/24", n): &child.LocalTS, "10.2.0.0/16": &child.RemoteTS} {
		s, err := selector.Parse(text)
		if err != nil {
			return nil, err
		}
		*to = []selector.Selector{s}
	}
	p.cfg = &sa.Config{
		Fixed: sa.Fixed{
			Name: "crowd", LocalID: ids[0], RemoteID: ids[1], LocalAuth: policy.AuthPSK, RemoteAuth: policy.AuthPSK, ForceEncap: true,
			LocalNATPort: nattPort, RemoteNATPort: nattPort,
		},
		Policy: sa.Policy{
			Proposals: ike, HalfOpenTimeout: 30 * time.Second, DPDDelay: dpdDelay,
			// What is not answered at once is not repeated: the first request is waited for.
			Retransmit: sa.Retransmit{Timeout: time.Minute, Base: 1, Tries: 1},
		},
		Children: []*sa.ChildConfig{child},
	}
	var ikes, children uint64
	p.env = &sa.Env{
		Nonce: random, NewSPI: func() wire.SPI { return wire.SPI(binary.BigEndian.Uint64(random(8)) | 1) },
		AllocateSPI: func() (uint32, error) { p.children++; return p.children + 0x1000, nil }, ReleaseSPI: func(uint32) {},
		NextIKE: func() uint64 { ikes++; return ikes }, NextChild: func() uint64 { children++; return children }, Jitter: func() float64 { return 0 },
		Connections:  func(_, _ netip.Addr) []*sa.Config { return nil },
		Credentials:  func(auth.Query) (auth.Credential, bool) { return auth.Credential{Secret: []byte(secret)}, true },
		FirstContact: func(*sa.Config) bool { return false }, LastInbound: func(uint64) time.Time { return time.Time{} },
	}
	p.path = sa.Path{Local: netip.AddrPortFrom(address(n), ikePort), Remote: netip.AddrPortFrom(netip.MustParseAddr(own), ikePort)}
	return p, nil
}

// connect begins an IKE SA with a CHILD SA.
func (p *peer) connect(now time.Time) {
	p.m = sa.NewInitiator(p.env, now, p.cfg, p.path, p.cfg.Children)
	p.drain(now)
}

// rekey has the peer ask for another CHILD SA in the place of its own.
func (p *peer) rekey(now time.Time) {
	p.m.RekeyChild(now, p.m.Children()[0].ID)
	p.drain(now)
}

// receive takes a datagram of the gateway's.
func (p *peer) receive(now time.Time, path sa.Path, b []byte) {
	p.m.Receive(now, b, path)
	p.drain(now)
}

// advance has the peer do what is due: a rekeying that the gateway had no time for is asked for again.
func (p *peer) advance(now time.Time) {
	if p.m == nil {
		return
	}
	if t := p.m.NextTimeout(); !t.IsZero() && !now.Before(t) {
		p.m.Advance(now)
		p.drain(now)
	}
}

func (p *peer) drain(now time.Time) {
	for outs := p.m.Outputs(); len(outs) > 0; outs = p.m.Outputs() {
		for _, o := range outs {
			switch o := o.(type) {
			case sa.Send:
				p.gate.HandleIKE(o.Path.Remote, o.Path.Local, o.Datagram)
			case sa.Request:
				p.m.Complete(now, o.ID, p.carryOut(o.Want.(sa.KeyExchange)))
			case sa.ChildUp:
				p.up = true
			case sa.ChildReplaced:
				p.rekeyed = true
			case sa.Failed:
				p.failure = o.Failure
				if o.Failure.Notify == wire.NotifyTemporaryFailure.String() {
					p.failure = nil
				}
			case sa.Closed:
				p.failure = fmt.Errorf("closed: %s", o.Reason)
			}
		}
	}
}

// carryOut makes the key exchange of the handshake, and pretends to make that of a rekeying.
func (p *peer) carryOut(k sa.KeyExchange) sa.Result {
	switch {
	case k.Group != p.key.Group():
		return k.CarryOut()
	case k.Own == nil:
		return sa.Exchanged{Own: p.key}
	}
	return sa.Exchanged{Shared: make([]byte, len(p.key.Public()))}
}
