package gateway

import (
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/peertest"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// roadWarriors is a gateway for the clients that systems come with, whose users have passwords.
func roadWarriors(t *testing.T) string {
	t.Helper()
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when a bubble begins
	gw := pkitest.CA(t, now, "Road Warriors", pkitest.P256).End(t, now, "vpn.example", pkitest.P256)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(gw.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"gw.crt": {Type: "CERTIFICATE", Bytes: gw.Cert.Raw}, "gw.key": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return `
[connections.known]
local     = { id = "vpn.example", certs = "` + filepath.Join(dir, "gw.crt") + `" }
remote    = { auth = "eap", eap_id = "%any" }
send_cert = "always"
local_ts  = "10.1.0.0/16"
[credentials]
private = "` + filepath.Join(dir, "gw.key") + `"
[secrets.eap.alice]
id     = "alice"
secret = "alices password"
`
}

// login is how a client's user comes in.
type login struct {
	// name is what it says within EAP, and identity what it answers to the question for that: "-" for nothing at all.
	name, identity string
	password       string
	// fragments: its first IKE_AUTH request comes in fragments of that size. twice: each request comes twice.
	fragments int
	twice     bool
	// result is the outcome of EAP.
	result *eap.Result
}

// allTraffic are selectors for all addresses, as clients have them that get one assigned.
func allTraffic() []wire.Payload {
	all := []wire.TrafficSelector{
		{StartPort: 0, EndPort: 65535, Start: netip.MustParseAddr("0.0.0.0"), End: netip.MustParseAddr("255.255.255.255")},
		{StartPort: 0, EndPort: 65535, Start: netip.MustParseAddr("::"), End: netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")},
	}
	return []wire.Payload{&wire.TS{Selectors: all}, &wire.TS{Responder: true, Selectors: all}}
}

// says sends a request, in the client's way, and takes the answer. A request that comes again has the same answer.
func (p *product) says(l *login, why string, ps ...wire.Payload) {
	p.t.Helper()
	var request [][]byte
	if l.fragments > 0 && p.NextSend == 1 {
		request = p.RequestFragments(wire.ExchangeIKEAuth, l.fragments, ps...)
		if len(request) < 2 {
			p.t.Fatalf("%s: one fragment", p.known.Name)
		}
	} else {
		request = [][]byte{p.Request(wire.ExchangeIKEAuth, ps...)}
	}
	for _, b := range request {
		p.send(b)
	}
	d := p.next(why)
	if l.twice {
		settle(time.Second)
		for _, b := range request {
			p.send(b)
		}
		if again := p.next("the answer again"); !slices.Equal(again.data, d.data) {
			p.t.Errorf("%s: another answer to the same request", p.known.Name)
		}
	}
	var err error
	if p.h, p.got, err = p.Open(d.data); err != nil {
		p.t.Fatalf("%s: %s: %v\n%s", p.known.Name, why, err, p.n.log)
	}
}

// comesIn has a user of the client come in by EAP. It reports whether EAP has succeeded.
func (p *product) comesIn(l *login) bool {
	p.t.Helper()
	if n := p.begins(); n != 0 {
		p.t.Fatalf("%s is refused with %s\n%s", p.known.Name, n, p.n.log)
	}
	id := *p.Identity
	first := append(append([]wire.Payload{&id}, p.asked()...), p.known.Auth...)
	p.says(l, "an answer with EAP", slices.Concat(first, []wire.Payload{p.child(false)}, allTraffic())...)
	cert, err := p.VerifyECDSA(p.got)
	if err != nil || !slices.Contains(cert.DNSNames, "vpn.example") {
		p.t.Fatalf("%s: the daemon has not proven itself: %v, %s\n%s", p.known.Name, err, wire.Summary(p.h, p.got), p.n.log)
	}
	gateway := peertest.ID(p.got, true)
	client := eap.NewClient(&eap.ClientConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, Identity: l.name, Secret: eap.Password(l.password), Protected: true})
	asked := false
	for {
		e := peertest.Find[*wire.EAP](p.got)
		if e == nil {
			p.t.Fatalf("%s: no EAP: %s\n%s", p.known.Name, wire.Summary(p.h, p.got), p.n.log)
		}
		if e.Code == wire.EAPFailure {
			return false
		}
		step := client.Step(time.Now(), e.AppendBody(nil))
		if step.Err != nil && step.Out == nil {
			p.t.Fatalf("%s: %v", p.known.Name, step.Err)
		}
		if step.Done {
			l.result = step.Result
			break
		}
		out := step.Out
		if m, _, ok := e.Method(); ok && eap.Type(m) == eap.TypeIdentity {
			asked = true
			if l.identity != "" {
				out = append([]byte{wire.EAPResponse, e.Identifier, 0, 0, byte(eap.TypeIdentity)}, strings.TrimPrefix(l.identity, "-")...)
				binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
			}
		}
		p.says(l, "more of EAP", &wire.EAP{Code: out[0], Identifier: out[1], Data: out[4:]})
	}
	if !asked {
		p.t.Errorf("%s: the user was not asked for", p.known.Name)
	}
	p.says(l, "the last answer", p.AuthEAP(l.result.MSK))
	if !p.VerifyEAP(p.got, gateway, l.result.MSK) {
		p.t.Fatalf("%s: the daemon does not have the MSK: %s\n%s", p.known.Name, wire.Summary(p.h, p.got), p.n.log)
	}
	p.esp = chosen(p.got)
	return true
}

// users are how the user of each client comes in.
func users() map[string]*login {
	return map[string]*login{
		// Its identity is an address, and it writes the domain in front of the name. A request for each of the CAs that it knows makes fragments.
		peertest.WindowsFixed: {name: `EXAMPLE\alice`, fragments: 480},
		// Where an answer is lost or late, requests come again.
		peertest.Apple:      {name: "alice", twice: true},
		peertest.IOS:        {name: "alice", twice: true},
		peertest.MacOS:      {name: "alice"},
		peertest.Android11:  {name: "alice", identity: "-"},
		peertest.Android:    {name: "alice", identity: "-"},
		peertest.AndroidApp: {name: "alice"},
		peertest.NetManager: {name: "alice"},
	}
}

// TestKnownClientsUsers: a user comes in by EAP with each client's habits, and the CHILD SA is there.
func TestKnownClientsUsers(t *testing.T) {
	for name, l := range users() {
		t.Run(name, func(t *testing.T) {
			text := roadWarriors(t)
			synctest.Test(t, func(t *testing.T) {
				p := meetWith(t, peertest.KnownAs(name), text)
				l.password = "alices password"
				if !p.comesIn(l) {
					t.Fatalf("the user is refused\n%s", p.n.log)
				}
				p.up()
				if f := p.n.last("known"); f != nil {
					t.Errorf("a failure: %v", f)
				}
				if p.esp == "" || peertest.TS(p.got, false) == nil {
					t.Errorf("no CHILD SA: %s", wire.Summary(p.h, p.got))
				}
				p.quiet()
			})
		})
	}
}

// TestKnownClientsWrongPassword: with a wrong password the client hears a failure of EAP, and the operator who it was.
func TestKnownClientsWrongPassword(t *testing.T) {
	for name, l := range users() {
		t.Run(name, func(t *testing.T) {
			text := roadWarriors(t)
			synctest.Test(t, func(t *testing.T) {
				p := meetWith(t, peertest.KnownAs(name), text)
				l.password = "bobs password"
				if p.comesIn(l) {
					t.Fatal("the user comes in")
				}
				settle(time.Second)
				wantTold(t, p.n, diag.CodeEAPPassword, []string{"alice"})
				if p.n.ikeSAs() != 0 {
					t.Errorf("%d IKE SAs", p.n.ikeSAs())
				}
			})
		})
	}
}
