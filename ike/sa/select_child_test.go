package sa

import (
	"bytes"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// withChildren gives a connection children for networks of its own, each towards the same networks of the peer.
func withChildren(t *testing.T, y *Config, of ...string) {
	first := *y.Children[0]
	y.Children = nil
	for _, n := range of {
		c := first
		c.Name, c.LocalTS = n, mustTS(t, n)
		y.Children = append(y.Children, &c)
	}
}

// Which child a request gets, RFC 7296 section 2.9: the one that takes the first selectors, which are those of the packet that
// wants through; else the one that is configured for just this; else the one that takes most; else the first.
func TestWhichChildIsMeant(t *testing.T) {
	all := wireTS("10.1.0.0", "10.1.255.255", 0)
	for _, c := range []struct {
		name     string
		children []string
		tsr      []wire.TrafficSelector
		want     string
		more     bool
	}{
		{"the packet's", []string{"10.2.0.0/24", "10.2.9.0/24"},
			[]wire.TrafficSelector{wireTS("10.2.9.4", "10.2.9.4", 17, 53, 53), wireTS("10.2.0.0", "10.2.255.255", 0)}, "10.2.9.0/24", true},
		{"the packet's before the larger", []string{"10.2.128.0/17", "10.2.9.0/24"},
			[]wire.TrafficSelector{wireTS("10.2.9.4", "10.2.9.4", 0), wireTS("10.2.0.0", "10.2.255.255", 0)}, "10.2.9.0/24", true},
		{"the same before a wider one", []string{"10.0.0.0/8", "10.2.9.0/24"}, []wire.TrafficSelector{wireTS("10.2.9.0", "10.2.9.255", 0)}, "10.2.9.0/24", false},
		{"the narrower one that holds it", []string{"10.0.0.0/8", "10.2.8.0/21"}, []wire.TrafficSelector{wireTS("10.2.9.0", "10.2.9.255", 0)}, "10.2.8.0/21", false},
		{"the largest part", []string{"10.2.0.0/24", "10.2.128.0/17"}, []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 0)}, "10.2.128.0/17", true},
		{"the first of equals", []string{"10.2.1.0/24", "10.2.2.0/24"}, []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 0)}, "10.2.1.0/24", true},
		{"one of them alone", []string{"10.2.1.0/24", "10.3.2.0/24"}, []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 0)}, "10.2.1.0/24", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "", nets(t), nil, func(l *ladder) {
				m := l.y.machine()
				withChildren(t, m.cfg, c.children...)
				l.offerTS(false, []wire.TrafficSelector{all}, c.tsr)
				l.word("y=TSi,TSr")
				fresh := m.children[len(m.children)-1]
				if fresh.Config.Name != c.want {
					l.t.Errorf("y has made %s, want %s", fresh.Config.Name, c.want)
				}
				if first := fromWireTS(&wire.TS{Selectors: c.tsr[:1]}); selector.Covered(first, mustTS(t, c.want)) && !selector.Covered(first, fresh.TS.Local) {
					l.t.Errorf("the answer %s is without the first choice %s", fresh.TS.String(), selector.Format(first))
				}
				if got := contains(fields(l.y.lastAnswer()), "N(ADD_TS_POSS)"); got != c.more {
					l.t.Errorf("ADDITIONAL_TS_POSSIBLE: %v, want %v: %s", got, c.more, l.y.lastAnswer())
				}
			})
		})
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// A rekeying that leaves out what is in use is refused by the responder, and not taken by the initiator: "The responder MUST NOT
// narrow down the Traffic Selectors narrower than the scope currently in use." https://www.rfc-editor.org/rfc/rfc7296#section-2.9.2
func TestNarrowerRekeyingIsNotTaken(t *testing.T) {
	t.Run("answer", func(t *testing.T) {
		play(t, "", nets(t), nil, func(l *ladder) {
			old := l.x.liveChildren()[0]
			narrower := mustTS(t, "10.2.7.0/24")
			l.y.liveChildren()[0].TS.Local, l.y.machine().cfg.Children[0].LocalTS = narrower, narrower
			l.y.liveChildren()[0].agreed.Local = narrower
			for _, w := range fields("x:rekey x> y=TSi,TSr y>") {
				l.word(w)
			}
			if f := l.x.wantFailure(diag.CodeNarrowed); f.Child != "net" || f.Fix == "" {
				l.t.Errorf("%v", f)
			}
			if !old.live() || old.State != ChildInstalled {
				l.t.Errorf("the old child is %s", old.State)
			}
			l.word("x>") // the DELETE of what y has made
			l.word("y>")
			if out := l.x.outbound[old.Policy]; out != old {
				l.t.Error("x sends on another SA")
			}
		})
	})
}

// An error in addition to an SA payload fails the request: "An implementation receiving a Notify payload with one of these types that it does
// not recognize in a response MUST assume that the corresponding request has failed entirely."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1
func TestErrorBesideAChild(t *testing.T) {
	unknown := &wire.Notify{NotifyType: 8191}
	t.Run("CREATE_CHILD_SA", func(t *testing.T) {
		play(t, "x:delete x> y> !", nil, nil, func(l *ladder) {
			l.x.failures = nil
			for _, w := range fields("x:create x>") {
				l.word(w)
			}
			f := &l.held[l.find(l.y, 1)]
			f.data = amended(l.t, l.y.machine(), f.data, unknown)
			for _, w := range fields("y> x#0 !") {
				l.word(w)
			}
			l.x.wantFailure(diag.CodePeerError)
			l.wantGone() // there was nothing else that the IKE SA was for
		})
	})
	t.Run("IKE_AUTH", func(t *testing.T) {
		r := newRig(t, 7, nil)
		r.a.connect()
		r.run(35 * time.Millisecond)
		r.wire[0].data = amended(t, r.b.machine(), r.wire[0].data, unknown)
		r.run(time.Second)
		r.a.wantFailure(diag.CodePeerError)
		if n := len(r.a.liveChildren()); n != 0 {
			t.Errorf("a has %d children", n)
		}
	})
	t.Run("INVALID_SYNTAX in IKE_AUTH", func(t *testing.T) {
		// The peer takes the IKE SA for gone, whatever else it says.
		r := newRig(t, 7, nil)
		r.a.connect()
		r.run(35 * time.Millisecond)
		r.wire[0].data = amended(t, r.b.machine(), r.wire[0].data, &wire.Notify{NotifyType: wire.NotifyInvalidSyntax})
		r.run(5 * time.Millisecond)
		r.a.wantFailure(diag.CodeSyntax)
		r.a.wantNothing()
		if countEvents[Established](r.a) != 0 {
			t.Error("established all the same")
		}
	})
}

// amended is a message of m with something in addition.
func amended(t *testing.T, m *Machine, datagram []byte, more ...wire.Payload) []byte {
	t.Helper()
	msg, err := wire.Parse(datagram)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := m.sealer.Open(bytes.Clone(datagram), msg.Encrypted.AADLen)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := wire.ParsePayloads(msg.Encrypted.First, plain, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m.seal(msg.Header, append(ps, more...))[0]
}

// Half of a child in IKE_AUTH is an error that ends the IKE SA for the peer: the request is refused as a whole, without IDr and AUTH.
func TestHalfAChildInAuth(t *testing.T) {
	for name, left := range map[string]func(p wire.Payload) bool{
		"no TS":  func(p wire.Payload) bool { _, ok := p.(*wire.TS); return !ok },
		"no SA":  func(p wire.Payload) bool { _, ok := p.(*wire.SA); return !ok },
		"no TSr": func(p wire.Payload) bool { ts, ok := p.(*wire.TS); return !ok || !ts.Responder },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 7, nil)
			m := r.a.connect()
			r.run(25 * time.Millisecond)
			msg, err := wire.Parse(r.wire[0].data)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := m.sealer.Open(bytes.Clone(r.wire[0].data), msg.Encrypted.AADLen)
			if err != nil {
				t.Fatal(err)
			}
			ps, _ := wire.ParsePayloads(msg.Encrypted.First, plain, 0)
			var half []wire.Payload
			for _, p := range ps {
				if left(p) {
					half = append(half, p)
				}
			}
			r.wire[0].data = m.seal(msg.Header, half)[0]
			r.run(time.Second)
			if got := r.b.lastAnswer(); got != "IKE_AUTH response 1 [ N(INVAL_SYN) ]" {
				t.Errorf("the answer is %q", got)
			}
			if len(r.b.live()) != 0 || countEvents[Established](r.b) != 0 {
				t.Error("b has an IKE SA")
			}
			r.a.wantFailure(diag.CodeSyntax)
			r.a.wantNothing()
		})
	}
}
