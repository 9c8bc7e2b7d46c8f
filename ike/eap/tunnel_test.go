package eap

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
)

// way is what is said within a tunnel.
type way struct {
	method Type
	plain  Plain
	inner  Type // 0 if plain
}

func (x way) String() string {
	switch x.plain {
	case PlainPAP:
		return fmt.Sprintf("%s (pap)", x.method)
	case PlainMSCHAPv2:
		return fmt.Sprintf("%s (mschapv2)", x.method)
	case PlainNone:
	}
	return fmt.Sprintf("%s (%s)", x.method, x.inner)
}

// ways are all there are.
func ways() []way {
	all := []way{{TypeTTLS, PlainPAP, 0}, {TypeTTLS, PlainMSCHAPv2, 0}}
	for _, inner := range []Type{TypeMSCHAPv2, TypeGTC, TypeMD5, TypeTLS} {
		all = append(all, way{TypeTTLS, PlainNone, inner}, way{TypePEAP, PlainNone, inner})
	}
	return all
}

// configs are those of a way, where each side allows nothing else.
func (x way) configs(w *world) (*ServerConfig, *ClientConfig) {
	s, c := w.configs(x.method)
	w.client.Plain = x.plain
	c.Anonymous = "anonymous@example.org"
	switch x.plain {
	case PlainNone:
		s.Inner, c.Inner = []Type{x.inner}, []Type{x.inner}
	case PlainPAP:
		s.Inner = []Type{TypeGTC}
	case PlainMSCHAPv2:
		s.Inner = []Type{TypeMSCHAPv2}
	}
	return s, c
}

func everyWay(t *testing.T, test func(t *testing.T, x way, version uint16)) {
	versions(t, func(t *testing.T, version uint16) {
		for _, x := range ways() {
			t.Run(x.String(), func(t *testing.T) { test(t, x, version) })
		}
	})
}

// Each way into each tunnel: the name is that within the tunnel, and nobody outside sees it, nor the password.
func TestTunnels(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		w := newWorld(t, version)
		for _, fragment := range []int{0, 300} {
			w.server.Fragment, w.client.Fragment = fragment, fragment
			s, c := x.configs(w)
			o := run(t, s, c)
			r := wantKeys(t, o, aliceName)
			if !r.User.In("staff") || r.User.Method != x.String() || r.Method != x.method || r.Inner != x.inner {
				t.Errorf("%+v, by %s and %s", r.User, r.Method, r.Inner)
			}
			// Whether the certificate of a user was revoked is asked within a tunnel as well.
			if (x.inner == TypeTLS) != (len(r.Chain) == 2 && r.Chain[0].Equal(w.alice.Cert)) {
				t.Errorf("a chain of %d certificates", len(r.Chain))
			}
			if c := o.client.Result; c.User.Name != aliceName || c.User.Method != x.String() || c.Inner != x.inner || len(c.Chain) != 2 {
				t.Errorf("the client: %+v", c.User)
			}
			for _, p := range o.packets {
				b, err := hex.DecodeString(p)
				if err != nil || bytes.Contains(b, []byte("alice@")) || bytes.Contains(b, []byte("correct horse")) {
					t.Fatalf("said outside of the tunnel: %s", p)
				}
			}
		}
	})
}

// Who is not let in, and why; the other side learns that it is not.
func TestTunnelPasswords(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		if x.inner == TypeTLS {
			return
		}
		w := newWorld(t, version)
		for _, tt := range []struct {
			name   string
			secret Secret
			want   Reason
		}{
			{aliceName, Password("wrong"), ReasonPassword},
			{aliceName, Password(""), ReasonPassword},
			{"mallory", Password("correct horse"), ReasonUnknownUser},
			{"locked", Password("correct horse"), ReasonLocked},
		} {
			s, c := x.configs(w)
			c.Identity, c.Secret = tt.name, tt.secret
			o := run(t, s, c)
			f := wantFailure(t, "the server with "+tt.name, o.server, tt.want, "")
			if f.Method != x.method || f.User != tt.name {
				t.Errorf("%s: %s of %q", tt.name, f.Method, f.User)
			}
			wantFailure(t, "the client of "+tt.name, o.client, ReasonPassword, "")
		}
		// A hash is enough for what MSCHAPv2 proves and for a password that is shown, and not for MD5.
		s, c := x.configs(w)
		c.Identity = "nthash"
		if o := run(t, s, c); x.inner == TypeMD5 {
			wantFailure(t, "the server", o.server, ReasonSecret, "only the hash")
		} else {
			wantKeys(t, o, "nthash")
		}
	})
}

// No password goes to a server that is not the one that is meant.
func TestTunnelServerIsJudged(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		for _, of := range []string{"another CA", "another name", "another time"} {
			w := newWorld(t, version)
			switch of {
			case "another CA":
				w.server.Certificate = pair(pkitest.CA(t, noon, "Example CA", pkitest.P256).End(t, noon, gatewayName, pkitest.P256))
			case "another name":
				w.server.Certificate = pair(w.ca.End(t, noon, "other.example.org", pkitest.P256))
			case "another time":
				w.server.Certificate = pair(w.ca.End(t, noon.Add(-2*pkitest.Validity), gatewayName, pkitest.P256))
			}
			s, c := x.configs(w)
			server, client := NewServer(s), NewClient(c)
			closeAll(t, server, client)
			o := converse(t, server, client)
			wantFailure(t, "the client", o.client, ReasonCertificate, "the certificate of the other side")
			wantFailure(t, "the server", o.server, ReasonTLS, "bad certificate")
			switch m := client.method.(type) {
			case *ttlsClient:
				if m.spoken {
					t.Errorf("%s: it has spoken", of)
				}
			case *peapClient:
				if m.spoken {
					t.Errorf("%s: it has spoken", of)
				}
			}
		}
	})
}

// A Success at any point before the end is none.
func TestTunnelEarlySuccess(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		w := newWorld(t, version)
		s, c := x.configs(w)
		packets := run(t, s, c).packets
		last := (len(packets) - 1) / 2 // of the server: the Success itself
		if p := packets[len(packets)-1]; !strings.HasPrefix(p, "03") {
			t.Fatalf("the last packet is %s", p)
		}
		for n := range last {
			if x.plain == PlainPAP && n == last-1 {
				continue
			}
			s, c := x.configs(w)
			_, client := tamper{n: n, ofServer: true, change: func(p []byte) []byte {
				return packet{code: codeSuccess, id: p[1]}.bytes()
			}}.play(t, s, c)
			if client.Result != nil {
				t.Fatalf("packet %d of %d: a Success is believed", n, last)
			}
			wantFailure(t, "the client", client, ReasonEarlySuccess, "")
		}
	})
}

// A Failure at any point ends it, and the client knows what it can.
func TestTunnelFailureAnywhere(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		w := newWorld(t, version)
		for n := range 12 {
			s, c := x.configs(w)
			if _, client := (tamper{n: n, ofServer: true, change: func(p []byte) []byte {
				return packet{code: codeFailure, id: p[1]}.bytes()
			}}).play(t, s, c); client.Result == nil && client.Err == nil {
				t.Fatalf("packet %d: %+v", n, client)
			}
		}
	})
}

// Whatever is cut off, repeated or changed, nobody is let in by it, and nobody fails to end.
func TestTunnelChangedPackets(t *testing.T) {
	changes := map[string]func(p []byte) []byte{
		"cut":     func(p []byte) []byte { return fit(p[:len(p)-1]) },
		"flipped": func(p []byte) []byte { p[len(p)-1] ^= 1; return p },
		"empty":   func(p []byte) []byte { return fit(p[:min(len(p), 5)]) },
		"longer":  func(p []byte) []byte { return fit(append(p, 0)) },
		"more":    func(p []byte) []byte { return more(p) },
		"version": func(p []byte) []byte { return flags(p, 1) },
		"start":   func(p []byte) []byte { return flags(p, 0x20) },
	}
	everyWay(t, func(t *testing.T, x way, version uint16) {
		if x.inner == TypeTLS || x.inner == TypeMD5 {
			return // as the others
		}
		w := newWorld(t, version)
		for name, change := range changes {
			for n := 1; n < 9; n++ {
				for _, ofServer := range []bool{true, false} {
					s, c := x.configs(w)
					hit := false
					server, client := tamper{n: n, ofServer: ofServer, change: func(p []byte) []byte {
						if len(p) < 6 || Type(p[4]) != x.method {
							return p // Identity, Success, acknowledgements
						}
						was := bytes.Clone(p)
						p = change(p)
						hit = !bytes.Equal(was, p)
						return p
					}}.play(t, s, c)
					if hit && server.Result != nil && client.Result != nil && !harmless(name, n) {
						t.Errorf("%s, packet %d, of the server %t: nobody noticed", name, n, ofServer)
					}
				}
			}
		}
	})
}

// harmless are changes that are none: a server's start may offer a later version, which the client does not take up, and has nothing behind it
// that is read; and the beginning of a record behind the last one never becomes a record.
func harmless(change string, n int) bool {
	return change == "longer" || n == 1 && (change == "version" || change == "flipped")
}

// fit corrects the length of a packet.
func fit(p []byte) []byte {
	p[2], p[3] = byte(len(p)>>8), byte(len(p))
	return p
}

func flags(p []byte, f byte) []byte {
	if len(p) > 5 {
		p[5] ^= f
	}
	return p
}

func more(p []byte) []byte { return flags(p, 0x40) }

// A method in the tunnel that the server does not allow gets nobody in.
func TestTunnelInnerIsNegotiated(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		w := newWorld(t, version)
		for _, x := range []way{{TypeTTLS, PlainNone, TypeMSCHAPv2}, {TypePEAP, PlainNone, TypeMSCHAPv2}} {
			s, c := x.configs(w)
			s.Inner, c.Inner = nil, []Type{TypeGTC}
			if r := wantKeys(t, run(t, s, c), aliceName); r.Inner != TypeGTC {
				t.Errorf("%s: inner method %s", x, r.Inner)
			}
			s, c = x.configs(w)
			c.Inner = []Type{TypeMD5}
			f := wantFailure(t, "the server", run(t, s, c).server, ReasonNak, "eap-mschapv2")
			if f.Inner == nil || !slices.Equal(f.Inner.Wanted, []Type{TypeMD5}) {
				t.Errorf("%s: %v", x, f)
			}
			// No tunnel within a tunnel.
			s, c = x.configs(w)
			s.Inner, c.Inner = []Type{TypeTTLS, TypePEAP}, []Type{TypeTTLS, TypePEAP}
			if o := run(t, s, c); o.server.Result != nil || o.client.Result != nil {
				t.Errorf("%s: a tunnel in a tunnel", x)
			}
		}
		for _, x := range []way{{TypeTTLS, PlainPAP, 0}, {TypeTTLS, PlainMSCHAPv2, 0}} {
			s, c := x.configs(w)
			s.Inner = []Type{TypeMD5}
			wantFailure(t, "the server", run(t, s, c).server, ReasonNak, "where the client wants")
		}
	})
}

// A user that does not exist hears the same as one whose password is wrong: as much, in as many packets.
func TestTunnelUnknownUserHearsTheSame(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		if x.inner == TypeTLS {
			return
		}
		w := newWorld(t, version)
		var before []int
		for _, name := range []string{aliceName, "malic@example.org"} {
			s, c := x.configs(w)
			c.Identity, c.Secret = name, Password("wrong")
			var heard []int
			o := run(t, s, c)
			// The last two: before the tunnel there are signatures, whose lengths differ.
			for i := len(o.packets) - 1; i > len(o.packets)-5; i -= 2 {
				heard = append(heard, len(o.packets[i]))
			}
			if before != nil && !slices.Equal(heard, before) {
				t.Errorf("%v, and %v before", heard, before)
			}
			before = heard
		}
	})
}

// The tunnel is closed at any point, and nothing is left of it.
func TestTunnelClose(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		w := newWorld(t, version)
		for n := range 10 {
			s, c := x.configs(w)
			server, client := NewServer(s), NewClient(c)
			step := server.Step(noon, nil)
			for range n {
				answer := client.Step(noon, step.Out)
				if step.Done || answer.Out == nil {
					break
				}
				step = server.Step(noon, answer.Out)
			}
			server.Close()
			client.Close()
			if s := server.Step(noon, response(server.id, x.method, "\x00")); s.Err == nil {
				t.Errorf("after %d: the server goes on", n)
			}
			if s := client.Step(noon, request(client.id+1, x.method, "\x00")); s.Err == nil {
				t.Errorf("after %d: the client goes on", n)
			}
		}
	})
}

// How long a step within a tunnel takes is said.
func TestTunnelCost(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		w := newWorld(t, version)
		s, c := x.configs(w)
		server, client := NewServer(s), NewClient(c)
		closeAll(t, server, client)
		var costs []time.Duration
		step := server.Step(noon, nil)
		for !step.Done {
			answer := client.Step(noon, step.Out)
			costs = append(costs, server.Cost(answer.Out))
			client.Cost(step.Out)
			step = server.Step(noon, answer.Out)
		}
		if slices.Max(costs) < 200*time.Microsecond {
			t.Errorf("costs %v", costs)
		}
	})
}
