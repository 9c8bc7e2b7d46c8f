package sa

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/cryptotest"
	"time"

	"esplanade/ike/wire"
)

// FuzzAuthenticated drives two whole machines with messages that are authentic and wrong: a program of octets says what
// the sides do, and which messages are opened with the session's keys, changed, sealed again and delivered. Whatever
// comes, nothing panics or spins, and in the end everything that was reserved or installed is given back.
func FuzzAuthenticated(f *testing.F) {
	f.Add([]byte{0})
	for seed := range uint64(16) {
		f.Add(randomProgram(seed))
	}
	f.Fuzz(func(t *testing.T, program []byte) { runProgram(t, program) })
}

// TestMutatedMessages plays a fixed number of random programs of the fuzz target in every run of the tests.
func TestMutatedMessages(t *testing.T) {
	n := uint64(3000)
	if testing.Short() {
		n = 300
	}
	reached := map[string]int{}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for k, v := range runProgram(t, randomProgram(seed)) {
				reached[k] += v
			}
		})
	}
	// The programs must get somewhere, or they would prove nothing.
	for _, want := range []string{"established", "child up", "child replaced", "replaced", "closed", "failed", "mutated", "ignored"} {
		if reached[want] < int(n)/40 {
			t.Errorf("only %d times %q in %d programs: %v", reached[want], want, n, reached)
		}
	}
}

func randomProgram(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	p := make([]byte, 20+r.IntN(300))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// maxProgram bounds how long one input can take.
const maxProgram = 1024

// program is the rest of a fuzz input.
type program []byte

func (p *program) next() byte {
	if len(*p) == 0 {
		return 0
	}
	b := (*p)[0]
	*p = (*p)[1:]
	return b
}

// upTo gives a number below n.
func (p *program) upTo(n int) int {
	if n <= 0 {
		return 0
	}
	return (int(p.next())<<8 | int(p.next())) % n
}

func (p *program) bytes(n int) []byte {
	n = min(n, len(*p))
	b := slices.Clone((*p)[:n])
	*p = (*p)[n:]
	return b
}

func runProgram(t *testing.T, code []byte) map[string]int {
	if len(code) == 0 {
		return nil
	}
	cryptotest.SetGlobalRandom(t, 1) // so that an input always plays the same way
	code = code[:min(len(code), maxProgram)]
	p := program(code)
	r := newRig(t, 99, func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			c.Fragmentation = code[0]&1 == 0
			c.FragmentSize = 200
		}
		if code[0]&2 == 0 {
			b.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-ecp256")
			a.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519-ecp256")
		}
		if code[0]&12 == 12 {
			severalKEs(t)(a, b)
			a.FragmentSize, b.FragmentSize = 1280, 1280
		}
	})
	l := &ladder{t: t, r: r, x: r.a, y: r.b}
	mutator := &mutator{p: &p}
	r.a.connect()
	for len(p) > 0 {
		l.hold()
		switch op := p.next() % 8; {
		case len(l.held) > 0 && op < 5:
			i := p.upTo(len(l.held))
			f := l.held[i]
			if op != 4 { // 4: it arrives once more later
				l.held = slices.Delete(l.held, i, i+1)
			}
			if op == 3 {
				continue // lost
			}
			if op == 0 {
				f.data = mutator.mutate(r, f)
			}
			f.to.receive(f)
		default:
			program1(l, &p)
		}
	}
	l.hold()
	l.held = nil
	r.run(20 * time.Minute)
	for _, e := range []*end{r.a, r.b} {
		if n := len(e.all()); n > 16 {
			t.Errorf("%s has %d machines", e.name, n)
		}
		for _, m := range e.all() {
			if len(m.children) > 2*maxChildren || len(m.queue)+len(m.delayed) > maxQueuedTasks {
				t.Errorf("%s: %d children, %d tasks", e.name, len(m.children), len(m.queue)+len(m.delayed))
			}
			m.Abandon(r.now, "end of the program")
			e.drain(m)
		}
		e.wantNothing()
	}
	reached := map[string]int{"mutated": mutator.count}
	for _, e := range []*end{r.a, r.b} {
		reached["established"] += countEvents[Established](e)
		reached["child up"] += countEvents[ChildUp](e)
		reached["child replaced"] += countEvents[ChildReplaced](e)
		reached["replaced"] += countEvents[Replaced](e)
		reached["closed"] += countEvents[Closed](e)
		reached["failed"] += countEvents[Failed](e)
		reached["ignored"] += countEvents[Ignored](e)
	}
	return reached
}

// program1 lets one side do something.
func program1(l *ladder, p *program) {
	e := l.x
	if p.next()%2 == 1 {
		e = l.y
	}
	now := l.r.now
	all := e.all()
	if len(all) == 0 {
		if e == l.x {
			e.connect()
		}
		return
	}
	m := all[p.upTo(len(all))]
	var child *Child
	if len(m.children) > 0 {
		child = m.children[p.upTo(len(m.children))]
	}
	switch op := p.next() % 10; {
	case op == 0 && child != nil:
		m.RekeyChild(now, child.ID)
	case op == 1 && child != nil:
		m.DeleteChild(now, child.ID, "program")
	case op == 2 && child != nil:
		m.InboundActive(now, child.ID)
	case op == 3:
		m.RekeyIKE(now)
	case op == 4 && p.next()%4 == 0:
		m.Delete(now, "program")
	case op == 5:
		m.InitiateChild(now, e.cfg.Children[0], nil)
	case op == 6 && m.state != StateClosed && m.state != StateConnecting:
		// Any payloads in a request of its own.
		x := wire.ExchangeInformational
		if p.next()%2 == 0 {
			x = wire.ExchangeCreateChildSA
		}
		first := wire.PayloadType(33 + p.next()%20)
		if ps, err := wire.ParsePayloads(first, p.bytes(p.upTo(64)), 0); err == nil && len(ps) > 0 {
			m.enqueue(&raw{x, ps})
		}
		m.pump(now)
	case op == 7:
		if t := m.NextTimeout(); t.After(now) && t.Sub(now) < time.Hour {
			l.r.now = t
		}
		m.Advance(l.r.now)
	default:
		l.r.now = now.Add(time.Duration(p.next()) * 100 * time.Millisecond)
	}
	e.drain(m)
	l.hold()
}

// mutator changes authentic messages.
type mutator struct {
	p     *program
	count int
	// seen are payloads of earlier messages, to be put where they do not belong.
	seen []wire.Payload
}

// mutate opens a datagram with the keys of the session, changes its content and seals it again as its sender would. What
// cannot be opened is changed as it is.
func (x *mutator) mutate(r *rig, f flight) []byte {
	h := headerOf(f.data)
	to := f.to.machines[LocalSPIOf(h)]
	peerSPI := h.SPIi
	if h.Flags&wire.FlagInitiator == 0 {
		peerSPI = h.SPIr
	}
	from := r.other(f.to).machines[peerSPI]
	msg, err := wire.Parse(f.data)
	if err != nil || msg.Encrypted == nil || to == nil || from == nil || to.opener == nil || from.sealer == nil {
		return x.octets(slices.Clone(f.data))
	}
	plain, err := to.opener.Open(slices.Clone(f.data), msg.Encrypted.AADLen)
	if err != nil {
		return x.octets(slices.Clone(f.data))
	}
	x.count++
	first := msg.Encrypted.First
	plain = slices.Clone(plain)
	switch x.p.next() % 6 {
	case 0:
		plain = x.octets(plain)
	case 1:
		first = wire.PayloadType(33 + x.p.next()%22)
	case 2: // the header: another exchange, another id, the other direction
		switch x.p.next() % 3 {
		case 0:
			h.Exchange = wire.ExchangeType(34 + x.p.next()%11)
		case 1:
			h.MessageID += uint32(x.p.next()%3) - 1
		case 2:
			h.Flags ^= wire.FlagResponse
		}
	default:
		ps, err := wire.ParsePayloads(first, plain, 0)
		if err != nil || len(ps) == 0 {
			plain = x.octets(plain)
			break
		}
		if len(x.seen) < 64 {
			x.seen = append(x.seen, ps...)
		}
		i, j := x.p.upTo(len(ps)), x.p.upTo(len(ps))
		switch x.p.next() % 5 {
		case 0:
			ps = slices.Delete(ps, i, i+1)
		case 1:
			ps = append(ps, ps[i])
		case 2:
			ps[i], ps[j] = ps[j], ps[i]
		case 3:
			ps[i] = x.seen[x.p.upTo(len(x.seen))]
		case 4:
			ps = append(ps, x.seen[x.p.upTo(len(x.seen))])
		}
		first, plain = wire.FirstType(ps), wire.AppendPayloads(nil, ps)
	}
	if e := msg.Encrypted; e.Fragment {
		n, total := e.Number, e.Total
		switch x.p.next() % 4 {
		case 0:
			n = 1 + uint16(x.p.next())%max(total, 1)
		case 1:
			total = max(n, uint16(x.p.next()))
		}
		return from.sealTo(wire.AppendProtectedFragment(nil, h, first, n, max(n, total), from.sealer.BodyLen(len(plain))), plain)
	}
	return from.sealTo(wire.AppendProtected(nil, h, first, from.sealer.BodyLen(len(plain))), plain)
}

// octets changes octets.
func (x *mutator) octets(b []byte) []byte {
	for range 1 + x.p.next()%3 {
		if len(b) == 0 {
			return b
		}
		switch x.p.next() % 4 {
		case 0:
			b[x.p.upTo(len(b))] ^= 1 << (x.p.next() % 8)
		case 1:
			b[x.p.upTo(len(b))] = x.p.next()
		case 2:
			b = b[:x.p.upTo(len(b))]
		case 3:
			b = slices.Insert(b, x.p.upTo(len(b)), x.p.bytes(1+int(x.p.next()%8))...)
		}
	}
	return b
}
