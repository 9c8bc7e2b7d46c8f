package tunnel

import (
	"bytes"
	"crypto/tls"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/pki/pkitest"
)

// Both sides derive the same keys, others for each method, and data goes both ways.
func TestHandshake(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		server, client := established(t, version)
		if server.Version() != version || client.Version() != version {
			t.Fatalf("versions %#x and %#x", server.Version(), client.Version())
		}
		seen := make(map[string]byte)
		for _, m := range []struct {
			label string
			typ   byte
		}{{"client EAP encryption", 13}, {"ttls keying material", 21}} {
			a, err := server.Keys(m.label, m.typ)
			b, err2 := client.Keys(m.label, m.typ)
			if err != nil || err2 != nil || len(a) != 128 || !bytes.Equal(a, b) {
				t.Fatalf("keys of type %d: %x %v, %x %v", m.typ, a, err, b, err2)
			}
			if other := seen[string(a)]; other != 0 {
				t.Fatalf("types %d and %d have the same keys", other, m.typ)
			}
			seen[string(a)] = m.typ
		}
		for i := range 3 {
			want := bytes.Repeat([]byte{byte(i)}, 3000)
			out, err := client.Write(want)
			if err != nil {
				t.Fatal(err)
			}
			if _, plain, err := server.Feed(now, out); err != nil || !bytes.Equal(plain, want) {
				t.Fatalf("the server got %d bytes, %v", len(plain), err)
			}
			if out, err = server.Write(want[:1]); err != nil {
				t.Fatal(err)
			}
			if _, plain, err := client.Feed(now, out); err != nil || !bytes.Equal(plain, want[:1]) {
				t.Fatalf("the client got %x, %v", plain, err)
			}
		}
	})
}

// TLS comes in pieces of any size.
func TestHandshakeByteByByte(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		server, client := newSides(t, version).conns(t)
		feed := func(c *Conn, in []byte) (out []byte) {
			for i := range in {
				o, _, err := c.Feed(now, in[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, o...)
			}
			return out
		}
		out, _, err := client.Feed(now, nil)
		if err != nil {
			t.Fatal(err)
		}
		for len(out) > 0 {
			out = feed(client, feed(server, out))
		}
		if !server.Established() || !client.Established() {
			t.Fatal("no handshake")
		}
	})
}

// Nobody is let in whom the judge refuses, and the other side is told so by an alert.
func TestJudge(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		for name, change := range map[string]func(s *sides, stranger *pkitest.Holder){
			"an unknown client": func(s *sides, h *pkitest.Holder) { s.client.Certificate = pair(h) },
			"an unknown server": func(s *sides, h *pkitest.Holder) { s.server.Certificate = pair(h) },
		} {
			t.Run(name, func(t *testing.T) {
				s := newSides(t, version)
				change(s, pkitest.CA(t, now, "CA", pkitest.P256).End(t, now, "gateway.example.org", pkitest.P256))
				server, client := s.conns(t)
				o := shake(server, client, nil)
				refusing, refused, conn := o.server, o.client, server
				if name == "an unknown server" {
					refusing, refused, conn = o.client, o.server, client
				}
				var r *Refused
				if !errors.As(refusing, &r) || refused == nil || !strings.Contains(refused.Error(), "bad certificate") {
					t.Fatalf("server %v, client %v", o.server, o.client)
				}
				if conn.Established() {
					t.Fatal("established")
				}
				if _, err := conn.Keys("client EAP encryption", 13); err == nil {
					t.Fatal("it has keys")
				}
			})
		}
		t.Run("a client without a certificate", func(t *testing.T) {
			s := newSides(t, version)
			s.client.Certificate = nil
			server, client := s.conns(t)
			if o := shake(server, client, nil); o.server == nil || server.Established() {
				t.Fatalf("server %v", o.server)
			}
		})
		// Whoever shows another's certificate has not its key.
		t.Run("a stolen certificate", func(t *testing.T) {
			s := newSides(t, version)
			s.client.Certificate.PrivateKey = pkitest.Key(t, pkitest.P256)
			server, client := s.conns(t)
			if o := shake(server, client, nil); o.server == nil || server.Established() {
				t.Fatalf("server %v", o.server)
			}
			s = newSides(t, version)
			s.server.Certificate.PrivateKey = pkitest.Key(t, pkitest.P256)
			server, client = s.conns(t)
			if o := shake(server, client, nil); o.client == nil || client.Established() {
				t.Fatalf("client %v", o.client)
			}
		})
	})
}

// Without a judge there is no connection that would accept anybody.
func TestJudgeIsNeeded(t *testing.T) {
	s := newSides(t, 0)
	if _, err := Server(&s.server, nil); err == nil {
		t.Error("a server that asks for certificates and accepts all")
	}
	if _, err := Client(&s.client, nil); err == nil {
		t.Error("a client that accepts all")
	}
	if _, err := Server(&Config{}, s.byServer); err == nil {
		t.Error("a server without a certificate")
	}
}

// hello is what a client of crypto/tls begins with.
func hello(t *testing.T, c *tls.Config) []byte {
	t.Helper()
	p := &pipe{}
	tls.Client(p, c).Handshake() // ends with nothing to read
	if len(p.out) == 0 {
		t.Fatal("no ClientHello")
	}
	return p.out
}

func TestOldVersionsAreRefused(t *testing.T) {
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		server, _ := newSides(t, 0).conns(t)
		out, _, err := server.Feed(now, hello(t, &tls.Config{MinVersion: v, MaxVersion: v, InsecureSkipVerify: true}))
		if err == nil || !strings.Contains(err.Error(), "version") || len(out) == 0 {
			t.Errorf("%s: %v, and %d bytes of an alert", tls.VersionName(v), err, len(out))
		}
	}
}

// Data within the tunnel before the handshake is over is refused; garbage as well.
func TestOutOfOrder(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		// A record of application data with whatever in it.
		data := append([]byte{23, 3, 3, 0, 20}, make([]byte, 20)...)
		for name, b := range map[string][]byte{
			"application data":   data,
			"garbage":            bytes.Repeat([]byte{0xff}, 100),
			"a huge record":      {22, 3, 3, 0xff, 0xff},
			"a huge message":     {22, 3, 3, 0, 4, 1, 0xff, 0xff, 0xff},
			"a ServerHello":      {22, 3, 3, 0, 4, 2, 0, 0, 0},
			"a Finished":         {22, 3, 3, 0, 4, 20, 0, 0, 0},
			"an alert":           {21, 3, 3, 0, 2, 2, 40},
			"close_notify":       {21, 3, 3, 0, 2, 1, 0},
			"change_cipher_spec": {20, 3, 3, 0, 1, 1},
		} {
			t.Run(name, func(t *testing.T) {
				server, _ := newSides(t, version).conns(t)
				if _, _, err := server.Feed(now, b); err == nil && name != "change_cipher_spec" {
					t.Error("the server goes on")
				}
				if server.Established() {
					t.Error("established")
				}
				// In place of the client's second flight.
				server, client := newSides(t, version).conns(t)
				o := shake(server, client, func(n int, toServer bool, f []byte) []byte {
					if n == 2 {
						return b
					}
					return f
				})
				if server.Established() || o.server == nil && name != "change_cipher_spec" {
					t.Errorf("server %v, established %v", o.server, server.Established())
				}
				server, client = newSides(t, version).conns(t)
				o = shake(server, client, func(n int, toServer bool, f []byte) []byte {
					if n == 1 {
						return b
					}
					return f
				})
				if client.Established() || o.client == nil && name != "change_cipher_spec" {
					t.Errorf("client %v, established %v", o.client, client.Established())
				}
			})
		}
	})
}

// A flight that was changed anywhere ends the handshake.
func TestChangedFlights(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		for flight := range 4 {
			for _, at := range []int{5, 11, 40, -1} {
				server, client := newSides(t, version).conns(t)
				hit := false
				shake(server, client, func(n int, _ bool, f []byte) []byte {
					i := at
					if i < 0 {
						i += len(f)
					}
					if n != flight || i >= len(f) {
						return f
					}
					hit = true
					f = bytes.Clone(f)
					f[i] ^= 0x40
					return f
				})
				if hit && server.Established() && client.Established() {
					t.Errorf("flight %d, byte %d: nobody noticed", flight, at)
				}
			}
		}
	})
}

// What comes after the end: close_notify is an end and no error, a changed record is an error for good.
func TestAfterHandshake(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		server, client := established(t, version)
		out, err := client.Write([]byte("one"))
		if err != nil {
			t.Fatal(err)
		}
		client.tls.CloseWrite()
		out = append(out, client.pipe.take()...)
		_, plain, err := server.Feed(now, out)
		if err != nil || string(plain) != "one" || !server.Ended() {
			t.Fatalf("%q, %v, ended %v", plain, err, server.Ended())
		}

		server, client = established(t, version)
		out, err = client.Write([]byte("one"))
		if err != nil {
			t.Fatal(err)
		}
		out[len(out)-1] ^= 1
		if _, _, err := server.Feed(now, out); err == nil || server.Established() {
			t.Fatalf("a changed record: %v", err)
		}
		if _, err := server.Write(nil); err == nil {
			t.Fatal("it goes on after an error")
		}
	})
}

// More than a message may hold is refused.
func TestPlainIsBounded(t *testing.T) {
	server, client := established(t, tls.VersionTLS13)
	var all []byte
	for range MaxPlain/16000 + 2 {
		out, err := client.Write(make([]byte, 16000))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out...)
	}
	if _, _, err := server.Feed(now, all); !errors.Is(err, ErrPlain) {
		t.Fatalf("%v", err)
	}
}

// A connection that is closed leaves no goroutine behind, wherever it was.
func TestClose(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		synctest.Test(t, func(t *testing.T) {
			// The bubble does not end while a goroutine of it is left.
			s := newSides(t, version)
			for flights := range 5 {
				server, client := s.conns(t)
				shake(server, client, func(n int, _ bool, f []byte) []byte {
					if n >= flights {
						return nil
					}
					return f
				})
				server.Close()
				client.Close()
				server.Close()
				if _, _, err := server.Feed(now, nil); !errors.Is(err, ErrClosed) {
					t.Fatal(err)
				}
				if _, err := client.Write(nil); !errors.Is(err, ErrClosed) {
					t.Fatal(err)
				}
			}
		})
	})
}

// After the handshake no goroutine is left, closed or not.
func TestNoGoroutineAfterHandshake(t *testing.T) {
	before := runtime.NumGoroutine()
	var all []*Conn
	for range 50 {
		server, client := established(t, tls.VersionTLS13)
		all = append(all, server, client)
	}
	// Goroutines that have returned may take a moment to be gone.
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			break
		}
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before and %d after, with %d connections", before, after, len(all))
	}
}

// Close in one goroutine while another one is in Feed ends the connection at the end of that: the bubble does not end while its coroutine is
// left.
func TestCloseDuringFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A client of TLS 1.2 judges the server before the handshake is over.
		s := newSides(t, tls.VersionTLS12)
		var client *Conn
		closed := make(chan struct{})
		in := make(chan struct{})
		judge := s.byPeer
		s.byPeer = func(now time.Time, chain [][]byte) error {
			close(in)
			<-closed
			return judge(now, chain)
		}
		server, err := Server(&s.server, s.byServer)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		if client, err = Client(&s.client, s.byPeer); err != nil {
			t.Fatal(err)
		}
		go func() {
			<-in
			client.Close()
			close(closed)
		}()
		if o := shake(server, client, func(n int, _ bool, f []byte) []byte {
			if n > 1 {
				return nil // nothing arrives any more
			}
			return f
		}); o.client != nil {
			t.Fatalf("the Feed that ran: %v", o.client)
		}
		if _, _, err := client.Feed(now, nil); !errors.Is(err, ErrClosed) {
			t.Fatalf("the next one: %v", err)
		}
	})
}

// What a Feed costs is said before it: a signature with a long key most.
func TestCost(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		s := newSides(t, version)
		rsa := pkitest.CA(t, now, "CA", pkitest.P256).End(t, now, "gateway.example.org", pkitest.RSA2048)
		s.server.Certificate, s.byPeer = pair(rsa), trust(rsa)
		server, client := s.conns(t)
		want := []time.Duration{exchangeCost, exchangeCost + 1600*time.Microsecond, exchangeCost + judgementCost + 30*time.Microsecond, exchangeCost + judgementCost}
		got := []time.Duration{client.Cost()}
		shake(server, client, func(n int, toServer bool, f []byte) []byte {
			if toServer {
				got = append(got, server.Cost())
			} else {
				got = append(got, client.Cost())
			}
			return f
		})
		for i, w := range want {
			if i >= len(got) || got[i] != w {
				t.Fatalf("costs %v, want %v", got, want)
			}
		}
		if server.Cost() != recordCost || client.Cost() != recordCost {
			t.Errorf("after the handshake %v and %v", server.Cost(), client.Cost())
		}
	})
}
