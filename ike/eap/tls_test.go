package eap

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"esplanade/ike/eap/tunnel"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
)

func TestTLS(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		w := newWorld(t, version)
		for _, identity := range []string{aliceName, "anonymous@example.org", "@example.org", ""} {
			for _, fragment := range []int{0, 300} {
				w.server.Fragment, w.client.Fragment = fragment, fragment
				s, c := w.configs(TypeTLS)
				c.Identity = identity
				o := run(t, s, c)
				r := wantKeys(t, o, aliceName)
				if len(r.Chain) != 2 || !r.Chain[0].Equal(w.alice.Cert) || len(o.client.Result.Chain) != 2 || !o.client.Result.Chain[0].Equal(w.gateway.Cert) {
					t.Errorf("%q: chains of %d and %d certificates", identity, len(r.Chain), len(o.client.Result.Chain))
				}
				if r.User.Method != "eap-tls" || !r.User.In("staff") {
					t.Errorf("%q: %+v", identity, r.User)
				}
			}
		}
	})
}

// The client's name is the one that was given, and its certificate is for that: somebody with a certificate is not whoever it wants to be
// (CVE-2022-4967).
func TestTLSIdentityIsBound(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		w := newWorld(t, version)
		for _, name := range []string{"bob@example.org", "alice@example.com", "example.org", "alice"} {
			s, c := w.configs(TypeTLS)
			c.Identity = name
			o := run(t, s, c)
			f := wantFailure(t, "the server", o.server, ReasonCertificate, "")
			if r, ok := refusal(f); !ok || r.Reason != pki.NotItsIdentity {
				t.Errorf("%s: %v", name, f)
			}
			wantFailure(t, "the client", o.client, ReasonTLS, "bad certificate")
		}
		// The same if the name is that of IKE, which the server does not ask for.
		s, c := w.configs(TypeTLS)
		s.AskIdentity, s.Identity = false, "bob@example.org"
		wantFailure(t, "the server", run(t, s, c).server, ReasonCertificate, "")
		// A judge that lets somebody in who gives another name has it under that of the certificate.
		s, c = w.configs(TypeTLS)
		w.server.Judge = func(time.Time, Shown) (Verdict, error) { return Verdict{Name: aliceName}, nil }
		s.Users = directory{"host/laptop": Password("of another user"), aliceName: {}}
		c.Identity = "host/laptop"
		if r := wantKeys(t, run(t, s, c), aliceName); !r.User.In("staff") {
			t.Errorf("%+v", r.User)
		}
		w.server.Judge = func(time.Time, Shown) (Verdict, error) { return Verdict{}, nil }
		wantFailure(t, "the server", run(t, s, c).server, ReasonCertificate, "for nobody")
	})
}

// Both sides refuse certificates that they should not accept, and say which and why.
func TestTLSCertificates(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		for _, tt := range []struct {
			name   string
			change func(t *testing.T, w *world)
			server bool // it is the server that refuses
			want   pki.Reason
		}{
			{"a client of another CA", func(t *testing.T, w *world) {
				w.client.Certificate = pair(userCertificate(t, pkitest.CA(t, noon, "Example CA", pkitest.P256), noon, aliceName))
			}, true, pki.BadSignature},
			{"a server of another CA", func(t *testing.T, w *world) {
				w.server.Certificate = pair(pkitest.CA(t, noon, "Other", pkitest.P256).End(t, noon, gatewayName, pkitest.P256))
			}, false, pki.UnknownCA},
			{"a client that has expired", func(t *testing.T, w *world) {
				w.client.Certificate = pair(userCertificate(t, w.ca, noon.Add(-2*pkitest.Validity), aliceName))
			}, true, pki.Expired},
			{"a server that has expired", func(t *testing.T, w *world) {
				w.server.Certificate = pair(w.ca.End(t, noon.Add(-2*pkitest.Validity), gatewayName, pkitest.P256))
			}, false, pki.Expired},
			{"a server that is another one", func(t *testing.T, w *world) {
				w.server.Certificate = pair(w.ca.End(t, noon, "other.example.org", pkitest.P256))
			}, false, pki.NotItsIdentity},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, version)
				tt.change(t, w)
				s, c := w.configs(TypeTLS)
				o := run(t, s, c)
				refuses, refused := o.client, o.server
				if tt.server {
					refuses, refused = o.server, o.client
				}
				f := wantFailure(t, "who refuses", refuses, ReasonCertificate, "the certificate of the other side")
				if r, ok := refusal(f); !ok || r.Reason != tt.want {
					t.Errorf("%v", f)
				}
				wantFailure(t, "who is refused", refused, ReasonTLS, "bad certificate")
			})
		}
	})
}

// A user that is locked is not let in by a certificate either, also one that has no password.
func TestTLSLocked(t *testing.T) {
	w := newWorld(t, 0)
	s, c := w.configs(TypeTLS)
	for _, secret := range []Secret{{Locked: true}, users["locked"]} {
		s.Users = directory{aliceName: secret}
		wantFailure(t, "the server", run(t, s, c).server, ReasonLocked, aliceName)
	}
	s.Users = nil
	wantKeys(t, run(t, s, c), aliceName)
}

// A user of a CA of others has nothing of the user who has the same name here: no groups, and no lock.
func TestTLSForeign(t *testing.T) {
	w := newWorld(t, 0)
	judge := w.server.Judge
	w.server.Judge = func(now time.Time, s Shown) (Verdict, error) {
		v, err := judge(now, s)
		v.Foreign = "another CA"
		return v, err
	}
	s, c := w.configs(TypeTLS)
	s.Users = directory{aliceName: Secret{Locked: true}}
	if r := wantKeys(t, run(t, s, c), aliceName); r.User.Foreign != "another CA" || r.User.In("staff") {
		t.Errorf("%+v", r.User)
	}
}

// Whoever lacks what the method needs says what it is.
func TestTLSNotConfigured(t *testing.T) {
	w := newWorld(t, 0)
	s, c := w.configs(TypeTLS)
	s.TLS = nil
	wantFailure(t, "a server without TLS", run(t, s, c).server, ReasonTLS, "no certificate")
	s.TLS = &TLSServer{Judge: w.server.Judge}
	wantFailure(t, "a server without a certificate", run(t, s, c).server, ReasonTLS, "needs a certificate")
	s.TLS = &TLSServer{Certificate: w.server.Certificate}
	wantFailure(t, "a server without a judge", run(t, s, c).server, ReasonTLS, "nobody judges")
	s.TLS = &w.server
	c.TLS = nil
	wantFailure(t, "a client without TLS", run(t, s, c).client, ReasonTLS, "which server is trusted")
	c.TLS = &TLSClient{Judge: w.client.Judge}
	wantFailure(t, "a client without a certificate", run(t, s, c).client, ReasonSecret, "no certificate to show")
	c.TLS = &TLSClient{Certificate: w.client.Certificate}
	wantFailure(t, "a client without a judge", run(t, s, c).client, ReasonTLS, "nobody judges")
}

// A Success at any point before the end is none, and nothing is kept of it.
func TestTLSEarlySuccess(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		w := newWorld(t, version)
		ends := 0
		for n := range 12 {
			s, c := w.configs(TypeTLS)
			_, client := tamper{n: n, ofServer: true, change: func(p []byte) []byte {
				return packet{code: codeSuccess, id: p[1]}.bytes()
			}}.play(t, s, c)
			if client.Result != nil {
				ends++
				continue
			}
			wantFailure(t, "the client", client, ReasonEarlySuccess, "")
		}
		// The flights of the server: Identity, Start, its two or three, and the Success itself in whose place the others come.
		if ends == 0 || ends > 8 {
			t.Errorf("%d of 12 succeed", ends)
		}
	})
}

// What one side says out of order, or not at all, the other one does not put up with.
func TestTLSHostileServer(t *testing.T) {
	data := func(d ...byte) func([]byte) []byte {
		return func(p []byte) []byte { return packet{code: codeRequest, id: p[1], typ: TypeTLS, data: d}.bytes() }
	}
	for _, tt := range []struct {
		name   string
		n      int
		change func([]byte) []byte
		want   Reason
		detail string
	}{
		{"no flags", 1, data(), ReasonProtocol, "without flags"},
		{"no start", 1, data(0), ReasonProtocol, "an empty packet"},
		{"a message in place of a start", 1, data(0, 22, 3, 3), ReasonProtocol, "where a start was due"},
		{"a second start", 2, data(0x20), ReasonProtocol, "a start"},
		{"nothing in place of a flight", 3, data(0), ReasonProtocol, "an empty packet"},
		{"more without a length", 3, data(0x40, 1), ReasonProtocol, "without the length"},
		{"a huge length", 3, data(0xc0, 0x7f, 0, 0, 0, 1), ReasonProtocol, "a message of more than"},
		{"application data", 3, data(0, 23, 3, 3, 0, 1, 0), ReasonTLS, ""},
		{"close_notify", 3, data(0, 21, 3, 3, 0, 2, 1, 0), ReasonTLS, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tls.VersionTLS13)
			w.server.Fragment = tunnel.MaxFragment
			s, c := w.configs(TypeTLS)
			_, client := tamper{n: tt.n, ofServer: true, change: tt.change}.play(t, s, c)
			wantFailure(t, "the client", client, tt.want, tt.detail)
		})
	}
}

func TestTLSHostileClient(t *testing.T) {
	data := func(d ...byte) func([]byte) []byte {
		return func(p []byte) []byte { return packet{code: codeResponse, id: p[1], typ: TypeTLS, data: d}.bytes() }
	}
	for _, tt := range []struct {
		name   string
		n      int
		change func([]byte) []byte
		want   Reason
		detail string
	}{
		{"no flags", 1, data(), ReasonProtocol, "without flags"},
		{"nothing", 1, data(0), ReasonProtocol, "an empty packet"},
		{"a start", 1, data(0x20), ReasonProtocol, "a start"},
		{"a start later", 3, data(0x20), ReasonProtocol, "a start"},
		{"data in place of an acknowledgement", 3, data(0, 1, 2, 3), ReasonProtocol, "in place of an acknowledgement"},
		{"garbage", 1, data(0, 1, 2, 3, 4, 5), ReasonTLS, ""},
		{"application data", 1, data(0, 23, 3, 3, 0, 1, 0), ReasonTLS, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tls.VersionTLS13)
			w.server.Fragment = 300
			s, c := w.configs(TypeTLS)
			server, _ := tamper{n: tt.n, change: tt.change}.play(t, s, c)
			wantFailure(t, "the server", server, tt.want, tt.detail)
		})
	}
}

// A handshake that ends before it is over is no success: a server of TLS 1.3 says within the tunnel that it is done.
func TestTLS13ProtectedSuccess(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	s, c := w.configs(TypeTLS)
	server, client := NewServer(s), NewClient(c)
	closeAll(t, server, client)
	step := server.Step(noon, nil)
	for {
		answer := client.Step(noon, step.Out)
		if m, ok := client.method.(*tlsClient); ok && m.established() {
			if m.done {
				t.Fatal("done by its own Finished")
			}
			// Something else than the octet.
			server.Step(noon, answer.Out)
			for name, plain := range map[string][]byte{"another octet": {1}, "two octets": {0, 0}} {
				sm := server.method.(*tlsServer)
				out, err := sm.conn.Write(plain)
				if err != nil {
					t.Fatal(err)
				}
				if name == "two octets" {
					continue // the connection has seen a record that the client has not
				}
				end := client.Step(noon, packet{code: codeRequest, id: step.Out[1] + 1, typ: TypeTLS, data: append([]byte{0}, out...)}.bytes())
				wantFailure(t, "the client", end, ReasonTLS, "")
			}
			return
		}
		step = server.Step(noon, answer.Out)
	}
}

// Cost says which step has a handshake's work in it, before it is done.
func TestTLSCost(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	s, c := w.configs(TypeTLS)
	server, client := NewServer(s), NewClient(c)
	closeAll(t, server, client)
	var most, all time.Duration
	step := server.Step(noon, nil)
	for !step.Done {
		answer := client.Step(noon, step.Out)
		cost := server.Cost(answer.Out)
		most, all = max(most, cost), all+cost
		step = server.Step(noon, answer.Out)
	}
	if most < 200*time.Microsecond || all > 20*time.Millisecond {
		t.Errorf("the most expensive step %v, all %v", most, all)
	}
	for _, in := range [][]byte{nil, {1}, request(1, TypeTLS, ""), response(1, TypeTLS, "\x40abc")} {
		if d := NewServer(s).Cost(in); d != 0 {
			t.Errorf("%x costs %v", in, d)
		}
	}
}

// The words of a failure have both sides' part, and no key.
func TestTLSFailureReads(t *testing.T) {
	w := newWorld(t, 0)
	s, c := w.configs(TypeTLS)
	c.Identity = "bob@example.org"
	err := run(t, s, c).server.Err
	for _, want := range []string{"eap-tls", `"bob@example.org"`, "certificate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %s", err, want)
		}
	}
}
