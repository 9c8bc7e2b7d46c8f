// Package initiators sets up many IKE SAs with one responder, over real sockets, as fast as it answers: the load of the
// control plane's benchmark.
//
// Each initiator is a machine of package ike/sa, with a CHILD SA of its own network. All share one pair of sockets and one
// goroutine; what a machine asks of a data plane is not carried out, for nothing is sent through these tunnels. A machine is
// forgotten as soon as its IKE_AUTH is done; the responder keeps its side.
package initiators

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Options say whom to load and with what.
type Options struct {
	// Open opens a UDP socket; a benchmark does it in another network namespace.
	Open func(local netip.AddrPort) (*net.UDPConn, error)
	// IKE and NATT are the local addresses of the two sockets, RemoteIKE and RemoteNATT the responder's ports. Behind NATT
	// ports, IKE messages have a non-ESP marker.
	IKE, NATT             netip.AddrPort
	RemoteIKE, RemoteNATT netip.AddrPort
	// Identity is the domain of the initiators' identities: number 7 is n7.Identity. PSK is the key of all.
	Identity string
	PSK      []byte
	// Own gives an initiator's certificate in place of a key, by its identity, and Trust is what the responder's is judged by. Nil: PSK.
	Own   func(identity string) credential.Pair
	Trust *pki.Trust
	// User gives the user in place of both: the initiator proves itself by EAP, the responder by its certificate. Addressed: the responder is
	// to give it an address.
	User      func(identity string) *eap.ClientConfig
	Addressed bool
	// Alone: each initiator says that it has no other IKE SA (INITIAL_CONTACT).
	Alone bool
	// IKEProposal and ESPProposal are in swanctl's notation.
	IKEProposal, ESPProposal string
	// Network is cut into addresses, one for each initiator's CHILD SA; RemoteNetwork is behind the responder.
	Network, RemoteNetwork netip.Prefix
	// First is the number of the first initiator, so that several calls don't collide; Count how many there are.
	First, Count int
	// AtOnce bounds those that are under way.
	AtOnce int
}

// Result is what became of them.
type Result struct {
	Established int           `json:"established"`
	Failed      int           `json:"failed"`
	Took        time.Duration `json:"took"`
	// Retransmits are requests that were repeated: the responder did not keep up, or a queue overflowed.
	Retransmits int `json:"retransmits"`
	// Failure is the first one.
	Failure string `json:"failure,omitempty"`
	// Latencies are the times from the first datagram to the CHILD SA, of those that came about.
	Latencies []time.Duration `json:"-"`
}

// Millis are the latencies in milliseconds.
func (r Result) Millis() []float64 {
	ms := make([]float64, len(r.Latencies))
	for i, d := range r.Latencies {
		ms[i] = float64(d) / float64(time.Millisecond)
	}
	return ms
}

const (
	// marker is what precedes IKE messages on NAT-T ports, RFC 3948 section 2.2.
	marker = 4
	// maxDatagram is the largest IKE message that is received.
	maxDatagram = 8 << 10
	// inbox bounds the datagrams that were received and not yet handled.
	inbox = 4096
	// tick is how often timers are looked at.
	tick = 50 * time.Millisecond
	// socketBuffer is asked for, so that bursts of answers are not lost here.
	socketBuffer = 4 << 20
)

// attempt is one initiator.
type attempt struct {
	machine *sa.Machine
	began   time.Time
}

type datagram struct {
	local, remote netip.AddrPort
	b             []byte
}

type load struct {
	Options
	env            *sa.Env
	template       sa.Config
	ike, natt      *net.UDPConn
	under          map[wire.SPI]*attempt
	next           int
	result         Result
	ikes, children uint64
	sendErr        error
}

// ErrIncomplete says that not all came about before the context ended.
var ErrIncomplete = errors.New("initiators: not all were done in time")

// Run sets up o.Count SAs. The result is valid also with an error.
func Run(ctx context.Context, o Options) (Result, error) {
	l := &load{Options: o, under: map[wire.SPI]*attempt{}}
	if err := l.prepare(); err != nil {
		return Result{}, err
	}
	var err error
	if l.ike, err = o.Open(o.IKE); err != nil {
		return Result{}, err
	}
	defer l.ike.Close()
	if l.natt, err = o.Open(o.NATT); err != nil {
		return Result{}, err
	}
	defer l.natt.Close()
	// Port 0 was chosen by the system.
	l.IKE, l.NATT = localAddr(l.ike), localAddr(l.natt)
	l.template.LocalNATPort, l.template.RemoteNATPort = l.NATT.Port(), l.RemoteNATT.Port()
	received := make(chan datagram, inbox)
	var readers sync.WaitGroup
	done := make(chan struct{})
	readers.Go(func() { read(l.ike, 0, received, done) })
	readers.Go(func() { read(l.natt, marker, received, done) })
	defer func() {
		close(done)
		l.ike.Close()
		l.natt.Close()
		readers.Wait()
	}()
	began := time.Now()
	err = l.loop(ctx, received)
	l.result.Took = time.Since(began)
	return l.result, err
}

func localAddr(c *net.UDPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// read receives until the socket is closed.
func read(c *net.UDPConn, skip int, to chan<- datagram, done <-chan struct{}) {
	_ = c.SetReadBuffer(socketBuffer) // as much as the system allows
	local := localAddr(c)
	for {
		b := make([]byte, maxDatagram)
		n, from, err := c.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n <= skip || skip > 0 && binary.BigEndian.Uint32(b) != 0:
			continue // an ICMP error, a keepalive or ESP
		}
		select {
		case to <- datagram{local, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), b[skip:n]}:
		case <-done:
			return
		}
	}
}

// prepare makes what all initiators share.
func (l *load) prepare() error {
	ikeProposals, err := proposal.ParseList(wire.ProtocolIKE, []string{l.IKEProposal})
	if err != nil {
		return err
	}
	if _, err := proposal.ParseList(wire.ProtocolESP, []string{l.ESPProposal}); err != nil {
		return err
	}
	anyone, err := identity.Parse("%any")
	if err != nil {
		return err
	}
	if room := l.Network.Addr().BitLen() - l.Network.Bits(); room < 31 && l.First+l.Count >= 1<<room {
		return fmt.Errorf("initiators: %v has no room for %d", l.Network, l.First+l.Count)
	}
	l.template = sa.Config{
		Fixed: sa.Fixed{Name: "load", RemoteID: anyone, LocalAuth: policy.AuthPSK, RemoteAuth: policy.AuthPSK, ForceEncap: true},
		Policy: sa.Policy{
			Proposals: ikeProposals, HalfOpenTimeout: 30 * time.Second,
			Retransmit: sa.Retransmit{Timeout: sa.DefaultRetransmitTimeout, Base: sa.DefaultRetransmitBase, Tries: sa.DefaultRetransmitTries},
		},
	}
	l.env = &sa.Env{
		Nonce: random,
		NewSPI: func() wire.SPI {
			for {
				if spi := wire.SPI(binary.BigEndian.Uint64(random(8))); spi != 0 && l.under[spi] == nil {
					return spi
				}
			}
		},
		AllocateSPI:  func() (uint32, error) { return binary.BigEndian.Uint32(random(4)) | 1<<31, nil },
		ReleaseSPI:   func(uint32) {},
		NextIKE:      func() uint64 { l.ikes++; return l.ikes },
		NextChild:    func() uint64 { l.children++; return l.children },
		Jitter:       func() float64 { return 0 },
		Connections:  func(_, _ netip.Addr) []*sa.Config { return nil },
		Credentials:  func(auth.Query) (auth.Credential, bool) { return auth.Credential{Secret: l.PSK}, true },
		Own:          func(connection string, _ int) []credential.Pair { return []credential.Pair{l.Own(connection)} },
		Accepted:     func(string, int) credential.Accepted { return credential.Accepted{Trust: l.Trust} },
		EAPClient:    func(connection string, _ int) (*eap.ClientConfig, bool) { return l.User(connection), true },
		FirstContact: func(*sa.Config) bool { return l.Alone },
		LastInbound:  func(uint64) time.Time { return time.Time{} },
	}
	return nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

// loop owns all machines.
func (l *load) loop(ctx context.Context, received <-chan datagram) error {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		for len(l.under) < l.AtOnce && l.next < l.Count {
			if err := l.begin(time.Now()); err != nil {
				return err
			}
		}
		if len(l.under) == 0 {
			return nil
		}
		select {
		case d := <-received:
			l.receive(d)
		case now := <-timer.C:
			for spi, a := range l.under {
				if t := a.machine.NextTimeout(); !t.IsZero() && !t.After(now) {
					a.machine.Advance(now)
					l.drain(spi, a)
				}
			}
		case <-ctx.Done():
			return fmt.Errorf("%w: %d of %d; the first failure: %q", ErrIncomplete, l.result.Established, l.Count, l.result.Failure)
		}
		if l.sendErr != nil {
			return l.sendErr
		}
	}
}

// Request is the first message of an initiator, whose answer nobody waits for.
func Request(o Options) ([]byte, error) {
	l := &load{Options: o, under: map[wire.SPI]*attempt{}}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	m, err := l.initiator(time.Now())
	if err != nil {
		return nil, err
	}
	for _, o := range outputs(m) {
		if s, ok := o.(sa.Send); ok {
			return s.Datagram, nil
		}
	}
	return nil, errors.New("initiators: the machine has sent nothing")
}

// outputs are what a machine wants, its key exchanges being carried out at once.
func outputs(m *sa.Machine) (all []sa.Output) {
	for outs := m.Outputs(); len(outs) > 0; outs = m.Outputs() {
		for _, o := range outs {
			if r, ok := o.(sa.Request); ok {
				m.Complete(time.Now(), r.ID, r.Want.(sa.Work).CarryOut())
			} else {
				all = append(all, o)
			}
		}
	}
	return all
}

// begin starts another initiator.
func (l *load) begin(now time.Time) error {
	m, err := l.initiator(now)
	if err != nil {
		return err
	}
	a := &attempt{m, now}
	l.under[m.LocalSPI()] = a
	l.drain(m.LocalSPI(), a)
	return nil
}

// initiator makes the machine of another one.
func (l *load) initiator(now time.Time) (*sa.Machine, error) {
	own := l.Network.Masked().Addr().AsSlice()
	n := uint32(l.First + l.next + 1)
	tail := own[len(own)-4:]
	binary.BigEndian.PutUint32(tail, binary.BigEndian.Uint32(tail)+n)
	l.next++
	addr, _ := netip.AddrFromSlice(own) // 4 or 16 bytes, as they came
	var ts [2]selector.Selector
	for i, s := range []string{addr.String(), l.RemoteNetwork.String()} {
		var err error
		if ts[i], err = selector.Parse(s); err != nil {
			return nil, err
		}
	}
	esp, err := proposal.ParseList(wire.ProtocolESP, []string{l.ESPProposal})
	if err != nil {
		return nil, err
	}
	cfg := l.template
	if cfg.LocalID, err = identity.Parse(fmt.Sprintf("n%d.%s", n, l.Identity)); err != nil {
		return nil, err
	}
	if l.Own != nil {
		cfg.Name = cfg.LocalID.String()
		cfg.LocalAuth, cfg.RemoteAuth, cfg.SendCert, cfg.SendCertReq = policy.AuthPubkey, policy.AuthPubkey, policy.SendCertAlways, true
	}
	child := &sa.ChildConfig{ChildFixed: sa.ChildFixed{Name: "net", Proposals: esp, LocalTS: ts[:1], RemoteTS: ts[1:]}}
	if l.User != nil {
		cfg.Name = cfg.LocalID.String()
		cfg.LocalAuth, cfg.RemoteAuth, cfg.SendCertReq = policy.AuthEAPMSCHAPv2, policy.AuthPubkey, true
	}
	if l.Addressed {
		cfg.VIPs, child.LocalTS = []netip.Addr{netip.IPv4Unspecified()}, nil
	}
	cfg.Children = []*sa.ChildConfig{child}
	return sa.NewInitiator(l.env, now, &cfg, sa.Path{Local: l.IKE, Remote: l.RemoteIKE}, cfg.Children), nil
}

func (l *load) receive(d datagram) {
	h, err := wire.ParseHeader(d.b)
	if err != nil {
		return
	}
	spi := sa.LocalSPIOf(h)
	if a := l.under[spi]; a != nil {
		a.machine.Receive(time.Now(), d.b, sa.Path{Local: d.local, Remote: d.remote})
		l.drain(spi, a)
	}
}

// drain carries out what a machine wants, and takes note of its end.
func (l *load) drain(spi wire.SPI, a *attempt) {
	up, closed, why := false, false, ""
	for _, o := range outputs(a.machine) {
		switch o := o.(type) {
		case sa.Send:
			l.send(o)
		case sa.Retransmitted:
			l.result.Retransmits++
		case sa.ChildUp:
			up = true
		case sa.Failed:
			closed, why = true, o.Failure.Error()
		case sa.Closed:
			closed, why = true, o.Reason
			if o.Failure != nil {
				why = o.Failure.Error()
			}
		}
	}
	switch {
	case up:
		l.result.Established++
		l.result.Latencies = append(l.result.Latencies, time.Since(a.began))
	case closed:
		if l.result.Failed++; l.result.Failed == 1 {
			l.result.Failure = why
		}
	default:
		return
	}
	delete(l.under, spi)
}

func (l *load) send(o sa.Send) {
	conn, b := l.ike, o.Datagram
	if o.Path.Local.Port() == l.NATT.Port() {
		conn, b = l.natt, append(make([]byte, marker, marker+len(b)), b...)
	}
	// A full buffer or an ICMP error is a lost datagram, which is what retransmissions are for.
	if _, err := conn.WriteToUDPAddrPort(b, o.Path.Remote); errors.Is(err, net.ErrClosed) {
		l.sendErr = err
	}
}
