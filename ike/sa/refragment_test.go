package sa

import (
	"fmt"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// F8: RFC 7383 section 2.5.2. A path drops what the configured size lets through, in one direction or in both, and nobody
// says so: after some repetitions the message goes in smaller fragments, and so does what follows.
func TestSmallerFragmentsAfterLoss(t *testing.T) {
	for _, size := range []int{1280, 4000} { // in fragments, and in one piece
		for _, narrow := range []string{"a", "b", "both"} {
			t.Run(fmt.Sprint(size, narrow), func(t *testing.T) {
				r := newRig(t, 102, func(a, b *Config) {
					ikeProposals(t, hybrid+"-ke2_mlkem1024", hybrid+"-ke2_mlkem1024")(a, b)
					oneChildKE(t, a, b)
					a.FragmentSize, b.FragmentSize = size, size
					a.HalfOpenTimeout, b.HalfOpenTimeout = 5*time.Minute, 5*time.Minute
				})
				dropped, totals := 0, map[string]uint16{}
				r.drop = func(e *end, d []byte) bool {
					msg, err := wire.Parse(d)
					if err != nil {
						t.Fatal(err)
					}
					if msg.Encrypted != nil {
						// The number of fragments of a message only grows.
						k := fmt.Sprint(e.name, msg.Header.SPIi, msg.Header.Flags, msg.Header.MessageID)
						if n := max(msg.Encrypted.Total, 1); n < totals[k] {
							t.Errorf("message %d of %s in %d fragments after %d", msg.Header.MessageID, e.name, n, totals[k])
						} else {
							totals[k] = n
						}
					}
					if len(d) > 600 && (narrow == "both" || narrow == e.name) {
						dropped++
						return true
					}
					return false
				}
				r.a.connect()
				r.run(2 * time.Minute)
				ma, _ := r.wantUp(1)
				if dropped == 0 {
					t.Error("nothing was too large")
				}
				// The path is known by now: nothing is dropped any more, in this IKE SA and in its successor.
				dropped = 0
				for range 2 {
					ma.RekeyChild(r.now, ma.children[0].ID)
					r.a.drain(ma)
					r.run(20 * time.Second)
					ma.RekeyIKE(r.now)
					r.a.drain(ma)
					r.run(20 * time.Second)
					ma, _ = r.wantUp(1)
				}
				if dropped != 0 {
					t.Errorf("%d large datagrams on a path that is known to drop them", dropped)
				}
			})
		}
	}
}

func oneChildKE(t *testing.T, a, b *Config) {
	p := mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519-ke1_mlkem1024")
	a.Children[0].Proposals, b.Children[0].Proposals = p, p
}

// What is small already, or may not be fragmented, is repeated as it is.
func TestNoSmallerFragments(t *testing.T) {
	for name, edit := range map[string]func(x, y *Config){
		"small":            func(x, y *Config) {},
		"not negotiated":   func(x, y *Config) { oneChildKE(t, x, y); y.Fragmentation = false },
		"configured small": func(x, y *Config) { oneChildKE(t, x, y); x.FragmentSize = 500 },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, "x:rekey x> y>", edit, nil, func(l *ladder) {
				m := l.x.machine()
				if m.pending == nil {
					t.Fatal("no request")
				}
				before := fmt.Sprint(m.pending.datagrams)
				for range 4 {
					l.word("x^")
				}
				if fmt.Sprint(m.pending.datagrams) != before || m.frag.small {
					t.Error("the request has changed")
				}
			})
		})
	}
}

// "When starting a new probe, the node MUST reset its retransmission timers so that if it employs exponential back-off the timers will
// start over": the pauses behind the first request in smaller fragments are those behind the first request, and there are as many
// repetitions as ever. https://www.rfc-editor.org/rfc/rfc7383#section-2.5.2
func TestTimersStartOverWithSmallerFragments(t *testing.T) {
	r := newRig(t, 103, func(a, b *Config) {
		ikeProposals(t, hybrid, hybrid)(a, b)
		a.FragmentSize, a.Retransmit.Jitter = 1280, 0
	})
	var at []time.Duration
	small := 0
	r.drop = func(e *end, d []byte) bool {
		if h := headerOf(d); e != r.a || h.Exchange != wire.ExchangeIKEIntermediate {
			return false
		}
		if len(at) == 0 || at[len(at)-1] != r.now.Sub(epoch) {
			at = append(at, r.now.Sub(epoch))
			if msg, _ := wire.Parse(d); msg.Encrypted.Total > 1 && len(d) <= smallFragment {
				small++
			}
		}
		return true
	}
	r.a.connect()
	r.run(5 * time.Minute)
	rt := r.a.cfg.Retransmit
	if len(at) != 1+refragmentAfter+rt.Tries || small != 1+rt.Tries {
		t.Fatalf("sent %d times, %d of them in small fragments: %v", len(at), small, at)
	}
	for i := 1; i < len(at); i++ {
		n := i - 1
		if i > refragmentAfter {
			n = i - 1 - refragmentAfter
		}
		if got, want := at[i]-at[i-1], rt.interval(n, 0); got != want {
			t.Errorf("pause %d is %s, want %s", i, got, want)
		}
	}
}
