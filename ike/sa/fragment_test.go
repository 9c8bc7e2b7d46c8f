package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// fragment makes one SKF datagram of a request of e.
func (l *ladder) fragment(e *end, first wire.PayloadType, n, total uint16, part []byte) []byte {
	m := e.machine()
	return m.sealTo(wire.AppendProtectedFragment(nil, e.header(wire.ExchangeInformational), first, n, total, m.sealer.BodyLen(len(part))), part)
}

// plainDelete is a request to delete the IKE SA: whether it took effect is easy to see.
func plainDelete() (wire.PayloadType, []byte) {
	p := []wire.Payload{&wire.Notify{NotifyType: 40000, Data: make([]byte, 300)}, &wire.Delete{Protocol: wire.ProtocolIKE}}
	return wire.FirstType(p), wire.AppendPayloads(nil, p)
}

// RFC 7383. F1 and F9: fragments are used when both sides have announced them, each side with its own size, and never for
// IKE_SA_INIT.
func TestFragmentationIsNegotiated(t *testing.T) {
	for _, c := range []struct {
		name         string
		x, y         bool
		sizeX, sizeY int
		wantX, wantY bool // sends fragments
	}{
		{name: "both", x: true, y: true, sizeX: 150, sizeY: 150, wantX: true, wantY: true},
		{name: "one size each", x: true, y: true, sizeX: 150, sizeY: 1280, wantX: true},
		{name: "only x", x: true, sizeX: 150, sizeY: 150},
		{name: "only y", y: true, sizeX: 150, sizeY: 150},
		{name: "neither", sizeX: 150, sizeY: 150},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, swapped := range []bool{false, true} {
				r := newRig(t, 50, func(a, b *Config) {
					if swapped {
						a, b = b, a
					}
					a.Fragmentation, a.FragmentSize, b.Fragmentation, b.FragmentSize = c.x, c.sizeX, c.y, c.sizeY
				})
				x, y := r.a, r.b
				if swapped {
					x, y = y, x
				}
				sent := map[*end]bool{}
				r.drop = func(e *end, d []byte) bool {
					msg, err := wire.Parse(d)
					if err != nil {
						t.Fatal(err)
					}
					fragment := msg.Encrypted != nil && msg.Encrypted.Fragment
					sent[e] = sent[e] || fragment
					if fragment && len(d) > e.cfg.FragmentSize {
						t.Errorf("a fragment of %d octets", len(d))
					}
					return false
				}
				r.a.connect()
				r.run(time.Second)
				r.wantUp(1)
				for _, e := range []*end{x, y} {
					e.machine().RekeyChild(r.now, e.machine().children[0].ID)
					e.drain(e.machine())
					r.run(10 * time.Second)
				}
				r.wantUp(1)
				if sent[x] != c.wantX || sent[y] != c.wantY {
					t.Errorf("x sent fragments: %v, y: %v", sent[x], sent[y])
				}
			}
		})
	}
}

// Reassembly: any order, repetitions, fragments of another size, and what must not be taken together.
func TestReassembly(t *testing.T) {
	first, plain := plainDelete()
	third := (len(plain) + 2) / 3
	parts := [][]byte{plain[:third], plain[third : 2*third], plain[2*third:]}
	type step struct {
		n, total uint16
		part     []byte
		first    wire.PayloadType
	}
	s := func(n int) step {
		x := step{uint16(n), 3, parts[n-1], wire.PayloadNone}
		if n == 1 {
			x.first = first
		}
		return x
	}
	halves := []step{{1, 2, plain[:100], first}, {2, 2, plain[100:], wire.PayloadNone}}
	quarters := []step{{1, 4, plain[:50], first}, {2, 4, plain[50:60], 0}, {3, 4, plain[60:61], 0}, {4, 4, plain[61:], 0}}
	for _, c := range []struct {
		name  string
		steps []step
		taken bool
	}{
		{"in order", []step{s(1), s(2), s(3)}, true},
		{"in any order", []step{s(3), s(1), s(2)}, true},
		{"F6: repeated", []step{s(3), s(3), s(1), s(1), s(2)}, true},
		{"one missing", []step{s(1), s(3), s(3)}, false},
		// F2.
		{"F2: larger total starts over", []step{s(1), s(2), quarters[0], quarters[1], quarters[2], quarters[3]}, true},
		{"F2: smaller total is dropped", []step{s(1), halves[1], s(2), s(3)}, true},
		{"F2: smaller total alone does not complete", []step{s(1), s(2), halves[0], halves[1]}, false},
		// F3: the type of the first payload is that of fragment 1, whatever others say.
		{"F3: Next Payload of others", []step{s(1), {2, 3, parts[1], wire.PayloadCERT}, {3, 3, parts[2], wire.PayloadSA}}, true},
		// F11.
		{"F11: an empty fragment", []step{{1, 3, plain, first}, {2, 3, nil, 0}, {3, 3, []byte{}, 0}}, true},
		{"F11: octet by octet", func() (out []step) {
			for i := range 40 {
				out = append(out, step{uint16(i + 1), 41, plain[i : i+1], 0})
			}
			out[0].first = first
			return append(out, step{41, 41, plain[40:], 0})
		}(), true},
		// F5: more fragments than are kept.
		{"F5: too many", []step{{1, maxFragments + 1, plain, first}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "", nil, nil, func(l *ladder) {
				for _, x := range c.steps {
					l.inject(l.x, l.fragment(l.x, x.first, x.n, x.total, x.part))
				}
				if taken := len(l.y.live()) == 0; taken != c.taken {
					l.t.Errorf("taken: %v", taken)
				}
			})
		})
	}
}

// F4: each fragment is authenticated before anything is kept of it.
func TestForgedFragment(t *testing.T) {
	first, plain := plainDelete()
	play(t, "", nil, nil, func(l *ladder) {
		one, two := l.fragment(l.x, first, 1, 2, plain[:100]), l.fragment(l.x, 0, 2, 2, plain[100:])
		for i := wire.HeaderLen; i < len(one); i++ {
			b := slices.Clone(one)
			b[i] ^= 1
			l.inject(l.x, b)
		}
		m := l.y.machine()
		if m.frag.request.have != 0 || m.frag.request.parts != nil {
			l.t.Error("something is kept of forged fragments")
		}
		l.inject(l.x, two)
		l.inject(l.x, one)
		if len(l.y.live()) != 0 {
			l.t.Error("the genuine ones were not taken")
		}
	})
}

// F6, F7: one message at a time is collected, a whole message of the same id is taken meanwhile, and what is left over is
// forgotten.
func TestFragmentsOfOneMessage(t *testing.T) {
	first, plain := plainDelete()
	t.Run("F7: SK after SKF", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.inject(l.x, l.fragment(l.x, first, 1, 2, plain[:100]))
			m := l.x.machine()
			l.inject(l.x, m.sealTo(wire.AppendProtected(nil, l.x.header(wire.ExchangeInformational), first, m.sealer.BodyLen(len(plain))), plain))
			if len(l.y.live()) != 0 {
				l.t.Error("the whole message was not taken")
			}
		})
	})
	t.Run("F5: time", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.inject(l.x, l.fragment(l.x, first, 1, 2, plain[:100]))
			m := l.y.machine()
			if m.NextTimeout().IsZero() {
				l.t.Fatal("nothing limits how long a fragment is kept")
			}
			l.r.run(fragmentTimeout)
			l.inject(l.x, l.fragment(l.x, 0, 2, 2, plain[100:]))
			if len(l.y.live()) != 1 {
				l.t.Error("a fragment has outlived its time")
			}
		})
	})
	t.Run("F6: another id", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.inject(l.x, l.fragment(l.x, first, 1, 2, plain[:100]))
			l.x.machine().window.nextSend += 5
			l.inject(l.x, l.fragment(l.x, 0, 2, 2, plain[100:]))
			if len(l.y.live()) != 1 || l.y.ignored(IgnoreMessageID) != 1 {
				l.t.Error("fragments of two messages were put together")
			}
		})
	})
	t.Run("F12: size", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			part := make([]byte, 4000)
			for n := range uint16(20) {
				l.inject(l.x, l.fragment(l.x, wire.PayloadNotify, n+1, 20, part))
			}
			if m := l.y.machine(); m.frag.request.size > maxReassembled || l.y.ignored(IgnoreFragmentLimit) == 0 {
				l.t.Errorf("%d octets are kept", m.frag.request.size)
			}
			l.sameState(l.y)
		})
	})
	t.Run("not negotiated", func(t *testing.T) {
		play(t, "", func(x, y *Config) { y.Fragmentation = false }, nil, func(l *ladder) {
			l.inject(l.x, l.fragment(l.x, first, 1, 1, plain))
			l.sameState(l.y)
		})
	})
}

// A request and an answer may both come in fragments at the same time, one by one.
func TestFragmentsOfBothDirections(t *testing.T) {
	play(t, "", func(x, y *Config) { x.FragmentSize, y.FragmentSize = 150, 150 }, nil, func(l *ladder) {
		l.word("x:rekey")
		for _, d := range l.answers(l.x) {
			l.inject(l.x, d)
		}
		answer := l.answers(l.y)
		// y makes a request of its own before x has the answer.
		m := l.y.machine()
		m.enqueue(&raw{wire.ExchangeInformational, []wire.Payload{&wire.Notify{NotifyType: 40000, Data: make([]byte, 200)}}})
		m.pump(l.r.now)
		l.y.drain(m)
		request := l.answers(l.y)
		if len(answer) < 2 || len(request) < 2 {
			t.Fatalf("%d and %d fragments", len(answer), len(request))
		}
		for i := range max(len(answer), len(request)) {
			for _, list := range [][][]byte{answer, request} {
				if i < len(list) {
					l.inject(l.y, list[i])
				}
			}
		}
		if len(l.x.machine().children) != 2 || l.x.lastAnswer() == "" {
			t.Errorf("x has %d children and answered %q", len(l.x.machine().children), l.x.lastAnswer())
		}
	})
}

// Somebody who repeats one fragment of a message from elsewhere leads nobody away (I12).
func TestFragmentsByTwoPaths(t *testing.T) {
	first, plain := wire.PayloadNotify, wire.AppendPayloads(nil, []wire.Payload{&wire.Notify{NotifyType: 40000, Data: make([]byte, 200)}})
	for _, evil := range []int{0, 1} {
		play(t, "", nil, nil, func(l *ladder) {
			m := l.y.machine()
			m.nat.local, m.nat.remote = false, true
			before := m.Path()
			for i, d := range [][]byte{l.fragment(l.x, first, 1, 2, plain[:100]), l.fragment(l.x, 0, 2, 2, plain[100:])} {
				path := before
				if i == evil {
					path.Remote = withPort(path.Remote, 6666)
				}
				l.y.receive(flight{to: l.y, path: path, data: d})
			}
			l.word("y=[,]")
			if got := m.Path(); got != before {
				l.t.Errorf("the path has become %s", got)
			}
		})
	}
}
