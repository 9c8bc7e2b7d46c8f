package auth

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"esplanade/ike/aaa"
	"esplanade/ike/eap"
	"esplanade/ike/wire"
)

// oneUser is a directory of one.
type oneUser struct{}

func (oneUser) User(name string) (eap.Secret, aaa.User, bool) {
	return eap.Password("correct"), aaa.User{Name: name}, name == "ann"
}

func eapChecking(methods ...eap.Type) EAPChecking {
	return EAPChecking{
		Server: func() (EAPServer, bool) {
			return EAPServer{Config: &eap.ServerConfig{Methods: methods, AskIdentity: true, Users: oneUser{}}}, true
		},
		Identity: func() string { return "i.example" },
	}
}

// answered carries out at once what is asked for.
func answered(t *Transcript) {
	t.Ask = func(w Want) (Answer, bool) { return w.(Work).CarryOut(), true }
}

// The AUTH values behind EAP, by the formulas of RFC 7296 section 2.15 and crypto/hmac alone: "If the EAP method is key-generating, substitute
// master session key (MSK) for the shared secret in the computation. For non-key-generating methods, substitute SK_pi and SK_pr, respectively".
func TestAuthBehindEAP(t *testing.T) {
	i, r := sides(t)
	pad := []byte("Key Pad for IKEv2")
	msk := fill(64, 9)
	for name, c := range map[string]struct {
		msk        []byte
		keyI, keyR []byte
	}{"with a key": {msk, msk, msk}, "without": {nil, i.Keys.Pi, i.Keys.Pr}} {
		result := &eap.Result{MSK: c.msk}
		if got, want := eapAuth(i, result, true), mac(mac(c.keyI, pad), i.OwnOctets()); !bytes.Equal(got, want) {
			t.Errorf("%s, initiator: %x, want %x", name, got, want)
		}
		if got, want := eapAuth(r, result, true), mac(mac(c.keyR, pad), r.OwnOctets()); !bytes.Equal(got, want) {
			t.Errorf("%s, responder: %x, want %x", name, got, want)
		}
		if !bytes.Equal(eapAuth(i, result, false), eapAuth(r, result, true)) || !bytes.Equal(eapAuth(r, result, false), eapAuth(i, result, true)) {
			t.Errorf("%s: the sides expect other values", name)
		}
	}
}

// What a client has said of EAP is counted, and has an end, whatever the server makes of it.
func TestUserSaysTooMuch(t *testing.T) {
	_, r := sides(t)
	c := CheckEAP(EAPChecking{
		Server:   func() (EAPServer, bool) { return EAPServer{}, true },
		Relay:    func() EAPRelay { return EAPRelay{} },
		Identity: func() string { return "i.example" },
	})
	turns := 0
	r.Ask = func(w Want) (Answer, bool) {
		turns++
		return Answer{Value: Relayed{Step: eap.Step{Out: []byte{wire.EAPRequest, byte(turns), 0, 5, byte(eap.TypeTLS)}}}}, true
	}
	if s, err := c.Process(r, nil); err != nil || s.Status != NeedMore {
		t.Fatal(s, err)
	}
	for n := 0; ; n++ {
		if _, err := c.Build(r); err != nil {
			t.Fatal(err)
		}
		_, err := c.Process(r, []wire.Payload{&wire.EAP{Code: wire.EAPResponse, Data: append([]byte{byte(eap.TypeTLS)}, make([]byte, 10_000)...)}})
		if c.Held() > MaxEAPOctets {
			t.Fatalf("%d octets", c.Held())
		}
		var e *EAPError
		if errors.As(err, &e) && e.Reason == EAPTooMuch && e.Out != nil && e.Out.Code == wire.EAPFailure {
			return
		}
		if err != nil || n > 50 {
			t.Fatal(n, err)
		}
	}
}

// A name that no user can have goes to no RADIUS server, which would make it that of the user.
func TestNameForRADIUS(t *testing.T) {
	for name, good := range map[string]bool{"ann": true, "ann\nben": false, "ann\x00": false, strings.Repeat("a", eap.MaxIdentity+1): false, strings.Repeat("a", eap.MaxIdentity): true} {
		_, r := sides(t)
		c := CheckEAP(EAPChecking{
			// The name leads from a server of this gateway to one of RADIUS.
			Server:     eapChecking(eap.TypeMSCHAPv2).Server,
			Identified: func(string) (EAPServer, error) { return EAPServer{AskIdentity: true}, nil },
			Relay:      func() EAPRelay { return EAPRelay{} },
			Identity:   func() string { return "i.example" },
		})
		answered(r)
		if _, err := c.Process(r, nil); err != nil {
			t.Fatal(err)
		}
		asked := false
		r.Ask = func(Want) (Answer, bool) { asked = true; return Answer{}, false }
		_, err := c.Process(r, []wire.Payload{&wire.EAP{Code: wire.EAPResponse, Data: append([]byte{byte(eap.TypeIdentity)}, name...)}})
		var e *EAPError
		if asked != good || (err == nil) != good || !good && (!errors.As(err, &e) || e.Reason != EAPBroken || e.Out == nil) {
			t.Errorf("%q: asked %v, %v", name, asked, err)
		}
	}
}

// While a packet waits for its answer no other one takes its place: the server may be at it. The same one is taken again, once.
func TestPacketThatWaits(t *testing.T) {
	_, r := sides(t)
	c := CheckEAP(eapChecking(eap.TypeMSCHAPv2))
	answered(r)
	if _, err := c.Process(r, nil); err != nil {
		t.Fatal(err)
	}
	name := func(s string) []wire.Payload {
		first, _ := c.Build(r)
		return []wire.Payload{&wire.EAP{Code: wire.EAPResponse, Identifier: first.Payloads[0].(*wire.EAP).Identifier, Data: append([]byte{byte(eap.TypeIdentity)}, s...)}}
	}
	var asked []Want
	r.Ask = func(w Want) (Answer, bool) {
		asked = append(asked, w)
		return Answer{}, false
	}
	packet := name("ann")
	for range 3 {
		if s, err := c.Process(r, packet); err != nil || s.Status != Wait {
			t.Fatal(s, err)
		}
	}
	for _, w := range asked {
		if !w.Same(asked[0]) {
			t.Error("it is asked for anew")
		}
		w.(Work).CarryOut()
	}
	if c.Held() != len(packet[0].(*wire.EAP).Data)+4 {
		t.Errorf("%d octets are held", c.Held())
	}
	var e *EAPError
	if _, err := c.Process(r, name("ben")); !errors.As(err, &e) || e.Reason != EAPBroken {
		t.Errorf("another one: %v", err)
	}
	answered(r)
	if s, err := c.Process(r, packet); err != nil || s.Status != NeedMore {
		t.Error(s, err)
	}
	if s, err := c.Build(r); err != nil || s.Payloads[0].(*wire.EAP).Data[0] != byte(eap.TypeMSCHAPv2) {
		t.Error(s, err)
	}
}

// A responder that is proved by EAP alone is proved by nothing else: not by that this side has proved itself, nor by a signature.
func TestByEAPAlone(t *testing.T) {
	i, _ := sides(t)
	i.OwnProved = true
	if s, err := CheckByEAP().Process(i, nil); err != nil || s.Status == Done {
		t.Errorf("%v, %v", s.Status, err)
	}
	var method *MethodError
	if _, err := CheckByEAP().Process(i, []wire.Payload{&wire.Auth{Method: wire.AuthDigitalSignature}}); !errors.As(err, &method) || !method.EAP {
		t.Errorf("a signature: %v", err)
	}
	_, r := sides(t)
	r.PeerProved = true
	if s, err := ProveByEAP().Build(r); err != nil || s.Status == Done {
		t.Errorf("%v, %v", s.Status, err)
	}
}

// Nothing that is asked for shows what is in it.
func TestEAPWantsShowNothing(t *testing.T) {
	server := eap.NewServer(&eap.ServerConfig{Methods: []eap.Type{eap.TypeGTC}, Identity: "ann", Protected: true, Users: oneUser{}})
	for _, w := range []Want{EAPStep{turn: newTurn(server, noon, []byte("a password"))}, EAPRelay{In: []byte("a password"), State: "a password"}} {
		for _, f := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(f, w); bytes.Contains([]byte(text), []byte("password")) {
				t.Errorf("%s shows %s", f, text)
			}
		}
	}
}

// A client says nothing of EAP to a gateway that has not proved itself, whatever it is asked, unless EAP is to prove it.
func TestNothingForNobody(t *testing.T) {
	for _, only := range []bool{false, true} {
		for _, proved := range []bool{false, true} {
			i, _ := sides(t)
			answered(i)
			asked := false
			p := ProveEAP(EAPProving{Only: only, Client: func() (*eap.ClientConfig, bool) {
				asked = true
				return &eap.ClientConfig{Methods: []eap.Type{eap.TypeMSCHAPv2, eap.TypeTLS}, TLS: &eap.TLSClient{}, Identity: "ann", Secret: eap.Password("correct")}, true
			}})
			if _, err := p.Build(i); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Process(i, []wire.Payload{identityRequest()}); err != nil {
				t.Fatal(err)
			}
			i.PeerProved = proved
			s, err := p.Build(i)
			if want := only || proved; asked != want || want != (err == nil && findEAP(s.Payloads) != nil) {
				t.Errorf("only %v, proved %v: asked for the user %v, says %v, %v", only, proved, asked, s.Payloads, err)
			}
		}
	}
}

// A gateway that proves itself by EAP alone begins no method that does not prove it.
func TestGatewayAloneIsSafe(t *testing.T) {
	for _, only := range []bool{false, true} {
		_, r := sides(t)
		answered(r)
		c := eapChecking(eap.TypeMSCHAPv2, eap.TypeGTC)
		c.Only = only
		check := CheckEAP(c)
		_, err := check.Process(r, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyEAPOnlyAuthentication}})
		if err == nil {
			s, _ := check.Build(r)
			response := &wire.EAP{Code: wire.EAPResponse, Identifier: s.Payloads[0].(*wire.EAP).Identifier, Data: append([]byte{byte(eap.TypeIdentity)}, "ann"...)}
			_, err = check.Process(r, []wire.Payload{response})
		}
		if (err != nil) != only {
			t.Errorf("alone %v: %v", only, err)
		}
	}
}
