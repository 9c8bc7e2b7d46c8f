package sa

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

func TestConnect(t *testing.T) {
	r := newRig(t, 1, nil)
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	if !ma.Initiator() || mb.Initiator() {
		t.Error("the roles are wrong")
	}
	if got := ma.Path().Remote.Port(); got != 4500 {
		t.Errorf("the initiator did not float to 4500: %s", ma.Path())
	}
	if !ma.Children()[0].Path.UDP || !mb.Children()[0].Path.UDP {
		t.Error("ESP is not in UDP although encapsulation was forced")
	}
	if got, want := mb.RemoteID().String(), "a.example"; got != want {
		t.Errorf("the responder authenticated %q, want %q", got, want)
	}
	ma.Delete(r.now, "test")
	r.a.drain(ma)
	r.run(time.Minute)
	r.a.wantNothing()
	r.b.wantNothing()
}

// Every pair of suites that the machine may be asked for comes up and rekeys, in both roles.
func TestConnectSuites(t *testing.T) {
	for _, s := range []struct{ ike, esp string }{
		{"aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384"},
		{"chacha20poly1305-prfsha256-x25519", "chacha20poly1305-x25519"},
		{"aes128-sha256-modp2048", "aes128-sha256-modp2048"},
		{"aes256-sha512-ecp521", "aes256-sha512"},
		{"aes192ctr-aesxcbc-ecp256", "aes128ctr-sha1"},
		{"aes128gcm8-prfaescmac-ecp256", "aes192gcm12-esn"},
	} {
		t.Run(s.ike+"/"+s.esp, func(t *testing.T) {
			r := newRig(t, 2, func(a, b *Config) {
				for _, c := range []*Config{a, b} {
					c.Proposals = mustProposals(t, wire.ProtocolIKE, s.ike)
					c.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, s.esp)
				}
			})
			r.a.connect()
			r.run(time.Second)
			ma, mb := r.wantUp(1)
			mb.RekeyChild(r.now, mb.Children()[0].ID)
			r.b.drain(mb)
			r.run(10 * time.Second)
			r.wantUp(1)
			mb.RekeyIKE(r.now)
			r.b.drain(mb)
			r.run(10 * time.Second)
			na, nb := r.wantUp(1)
			if na == ma || nb == mb {
				t.Fatal("the IKE SA was not replaced")
			}
			if na.Initiator() || !nb.Initiator() {
				t.Error("whoever rekeys is the initiator of the new IKE SA, RFC 7296 section 2.18")
			}
			na.RekeyChild(r.now, na.Children()[0].ID)
			r.a.drain(na)
			r.run(10 * time.Second)
			r.wantUp(1)
		})
	}
}

func TestWrongPSK(t *testing.T) {
	r := newRig(t, 3, nil)
	r.b.psk[""] = "another"
	r.a.connect()
	r.run(time.Minute)
	f := r.b.wantFailure(diag.CodeAuthPSK)
	if f.ByPeer || f.PeerID != "a.example" {
		t.Errorf("responder's failure: %v", f)
	}
	if f := r.a.wantFailure(diag.CodeAuthRefused); !f.ByPeer || f.Notify != "AUTHENTICATION_FAILED" || f.PeerID != "" {
		t.Errorf("initiator's failure: %v", f)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

// A responder that knows the secret only for the request direction: here the *initiator* finds the responder's AUTH
// wrong, and must tell it (pitfall A12).
func TestResponderNotAuthentic(t *testing.T) {
	r := newRig(t, 4, func(a, b *Config) { a.RemoteID = mustID(t, "%any") })
	r.a.psk["b.example"] = "another" // what the initiator expects of b once b has shown its identity
	r.a.connect()
	r.run(time.Minute)
	r.a.wantFailure(diag.CodeAuthPSK)
	if f := r.b.wantFailure(diag.CodeAuthRefused); !f.ByPeer || f.PeerID != "a.example" || strings.Contains(f.Error(), "asked for") {
		t.Errorf("the responder was not told: %v", f)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestWrongIdentity(t *testing.T) {
	r := newRig(t, 5, func(a, b *Config) { b.RemoteID = mustID(t, "c.example") })
	r.a.connect()
	r.run(time.Minute)
	f := r.b.wantFailure(diag.CodeAuthID)
	if f.Theirs == "" || f.Ours == "" {
		t.Errorf("both sides must be named: %v", f)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestNoCommonProposal(t *testing.T) {
	r := newRig(t, 6, func(a, b *Config) { b.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp384") })
	r.a.connect()
	r.run(time.Minute)
	f := r.b.wantFailure(diag.CodeProposalIKE)
	if f.Differs == "" || f.Closest == "" {
		t.Errorf("the failure does not say what differs: %v", f)
	}
	if f := r.a.wantFailure(diag.CodeInitRefused); !f.ByPeer || f.Ours == "" {
		t.Errorf("initiator's failure: %v", f)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestNoConnection(t *testing.T) {
	r := newRig(t, 7, nil)
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { return nil }
	r.a.connect()
	r.run(time.Minute)
	r.b.wantFailure(diag.CodeConnNone)
	r.a.wantFailure(diag.CodeInitRefused)
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestDisjointSelectors(t *testing.T) {
	r := newRig(t, 8, func(a, b *Config) { b.Children[0].LocalTS = mustTS(t, "10.9.0.0/16") })
	r.a.connect()
	r.run(2 * time.Minute)
	f := r.b.wantFailure(diag.CodeTS)
	if f.Child != "net" || f.Ours != "10.9.0.0/16 === 10.1.0.0/16" || f.Theirs != "10.2.0.0/16 === 10.1.0.0/16" {
		t.Errorf("both sides must be named: %v", f)
	}
	r.a.wantFailure(diag.CodeTS)
	if countEvents[Established](r.a) != 1 {
		t.Error("a refused child does not end the IKE SA, RFC 7296 section 1.2")
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestNoCommonESPProposal(t *testing.T) {
	r := newRig(t, 9, func(a, b *Config) { b.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes256-sha256") })
	r.a.connect()
	r.run(2 * time.Minute)
	if f := r.b.wantFailure(diag.CodeProposalChild); f.Differs == "" {
		t.Errorf("the failure does not say what differs: %v", f)
	}
	r.a.wantFailure(diag.CodeProposalChild)
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestPeerSilent(t *testing.T) {
	r := newRig(t, 10, nil)
	r.drop = func(*end, []byte) bool { return true }
	r.a.connect()
	r.run(5 * time.Minute)
	r.a.wantFailure(diag.CodeTimeoutInit)
	r.a.wantNothing()
}

func TestAuthSilent(t *testing.T) {
	r := newRig(t, 11, nil)
	r.drop = func(_ *end, d []byte) bool { return headerOf(d).Exchange == wire.ExchangeIKEAuth }
	r.a.connect()
	r.run(5 * time.Minute)
	r.a.wantFailure(diag.CodeTimeoutAuth)
	r.b.wantFailure(diag.CodeHalfOpen)
	r.a.wantNothing()
	r.b.wantNothing()
}

func TestDeadPeer(t *testing.T) {
	r := newRig(t, 12, nil)
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	r.drop = func(*end, []byte) bool { return true }
	r.run(5 * time.Minute)
	r.a.wantFailure(diag.CodeDPD)
	r.b.wantFailure(diag.CodeDPD)
	r.a.wantNothing()
	r.b.wantNothing()
}

// ESP that arrives is proof of life: no liveness check is sent while it does (pitfall C19).
func TestNoLivenessCheckWhileTrafficArrives(t *testing.T) {
	r := newRig(t, 13, nil)
	r.a.connect()
	r.run(time.Second)
	sent := 0
	r.drop = func(_ *end, d []byte) bool { sent++; return false }
	for range 20 {
		r.a.lastESP, r.b.lastESP = r.now, r.now
		r.run(10 * time.Second)
	}
	if sent != 0 {
		t.Errorf("%d IKE messages while ESP arrived", sent)
	}
	r.run(2 * time.Minute)
	if sent == 0 {
		t.Error("no liveness check when everything is silent")
	}
	r.wantUp(1)
}

func TestLifetimesRekeyWithoutHelp(t *testing.T) {
	r := newRig(t, 14, nil)
	r.a.connect()
	r.run(24 * time.Hour)
	r.wantUp(1)
	if n := countEvents[ChildReplaced](r.a); n < 20 {
		t.Errorf("%d child rekeyings in a day of hourly ones", n)
	}
	if n := countEvents[Replaced](r.a); n < 4 {
		t.Errorf("%d IKE rekeyings in a day of four-hourly ones", n)
	}
	if n := countEvents[ChildDown](r.a) + countEvents[ChildDown](r.b); n != 0 {
		t.Errorf("%d children went down", n)
	}
}
