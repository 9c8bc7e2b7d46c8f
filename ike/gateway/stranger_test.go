package gateway

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/wire"
)

// stranger sends datagrams to a daemon and keeps what it gets back.
type stranger struct {
	f    *fabric
	addr netip.AddrPort
	mu   sync.Mutex
	got  [][]byte
}

// newStranger must be called before any other use of setDeliver.
func newStranger(f *fabric, addr string) *stranger {
	s := &stranger{f: f, addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 500)}
	f.setDeliver(func(_, to netip.AddrPort, b []byte) bool {
		if to == s.addr {
			s.mu.Lock()
			s.got = append(s.got, append([]byte(nil), b...))
			s.mu.Unlock()
		}
		return true
	})
	return s
}

func (s *stranger) send(to string, b []byte) {
	s.f.send(s.addr, netip.AddrPortFrom(netip.MustParseAddr(to), 500), b)
}

func (s *stranger) answers() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// M11: "If an endpoint receives a message with a higher major version number, it MUST drop the message and SHOULD send an
// unauthenticated Notify message of type INVALID_MAJOR_VERSION containing the highest (closest) version number it
// supports." https://www.rfc-editor.org/rfc/rfc7296#section-2.5 An older one is not answered; both get a line, and a flood
// of them few.
func TestOtherMajorVersions(t *testing.T) {
	for _, c := range []struct {
		name     string
		major    uint8
		flags    wire.Flags
		answered bool
		line     string
	}{
		{"IKEv1", 1, 0, false, "IKEv1"},
		{"3", 3, wire.FlagInitiator, true, "IKE version 3"},
		{"12", 12, wire.FlagInitiator, true, "IKE version 12"},
		{"3, from the responder", 3, 0, true, "IKE version 3"},
		{"3, a response", 3, wire.FlagInitiator | wire.FlagResponse, false, "IKE version 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				s := newStranger(f, "192.0.2.77")
				b := f.start(addrB, toml("", right("none")))
				m := wire.Message{Header: wire.Header{SPIi: 0x1122334455667788, Major: c.major, Exchange: wire.ExchangeIKESAInit,
					Flags: c.flags, MessageID: 7}}
				s.send(addrB, m.Append(nil))
				settle(time.Second)
				got := s.answers()
				if answered := len(got) == 1; answered != c.answered {
					t.Fatalf("%d answers", len(got))
				}
				if c.answered {
					a, err := wire.Parse(got[0])
					if err != nil {
						t.Fatal(err)
					}
					want := m.Header
					want.Major, want.Flags = 2, wire.FlagResponse|c.flags^wire.FlagInitiator
					if h := a.Header; h.SPIi != want.SPIi || h.Major != want.Major || h.Flags != want.Flags || h.MessageID != want.MessageID {
						t.Errorf("the header is %+v, want %+v", h, want)
					}
					if n, ok := a.Payloads[0].(*wire.Notify); !ok || len(a.Payloads) != 1 || n.NotifyType != wire.NotifyInvalidMajorVersion {
						t.Errorf("the answer is %v", a.Payloads)
					}
				}
				for range 1000 {
					s.send(addrB, m.Append(nil))
				}
				settle(time.Second)
				if n := len(s.answers()); n > 2*statelessOfSource {
					t.Errorf("%d answers to a flood", n)
				}
				lines := strings.Count(b.log.String(), "E-VERSION: ")
				if !strings.Contains(b.log.String(), c.line) || lines == 0 || lines > 3 {
					t.Errorf("%d lines\n%s", lines, b.log)
				}
				if n := b.ikeSAs(); n != 0 {
					t.Errorf("%d IKE SAs", n)
				}
				b.stop()
			})
		})
	}
}

// I15: INITIAL_CONTACT is about the IKE SAs "between the authenticated identities": what another peer has stays, be it
// behind the same address. https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func TestInitialContactOfAnotherPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		r := right("none")
		r.remote = "%any"
		other := r
		other.name, other.remoteID = "other", "c.example"
		other.children = []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}
		b := f.start(addrB, toml("", r, other))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		ikes, children := saIDs(b, "a")
		l := left("start")
		l.local, l.localID = "192.0.2.3", "c.example"
		l.children[0].local = "10.3.0.0/16"
		c := f.start("192.0.2.3", toml("", l))
		settle(time.Second)
		if !strings.Contains(c.log.String(), "N(INIT_CONTACT)") {
			t.Fatal("the other peer has not claimed INITIAL_CONTACT")
		}
		now, kept := saIDs(b, "a")
		if len(ikes) != 1 || len(children) != 1 || len(now) != 1 || len(kept) != 1 || now[0] != ikes[0] || kept[0] != children[0] {
			t.Errorf("IKE SAs %v, children %v before; %v, %v after", ikes, children, now, kept)
		}
		if ikes, children := saIDs(b, "other"); len(ikes) != 1 || len(children) != 1 {
			t.Errorf("the other peer has %v, %v", ikes, children)
		}
		// The same peer again, which has lost all: its old IKE SA goes at once.
		a.crash()
		a = f.start(addrA, toml("", left("start")))
		settle(time.Second)
		if now, _ := saIDs(b, "a"); len(now) != 1 || now[0] == ikes[0] {
			t.Errorf("IKE SAs of the peer that came again: %v, before %v", now, ikes)
		}
		if ikes, _ := saIDs(b, "other"); len(ikes) != 1 {
			t.Errorf("the other peer has %v", ikes)
		}
		a.stop()
		c.stop()
		b.stop()
	})
}
