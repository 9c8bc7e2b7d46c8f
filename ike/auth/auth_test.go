package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// sides are the transcripts of both sides of one IKE SA.
func sides(t testing.TB) (i, r *Transcript) {
	t.Helper()
	prf, err := suite.NewPRF(wire.PRF_HMAC_SHA2_256)
	if err != nil {
		t.Fatal(err)
	}
	keys := suite.Keys{D: fill(32, 1), Pi: fill(32, 2), Pr: fill(32, 3)}
	idi := &wire.ID{IDType: wire.IDFQDN, Reserved: [3]byte{7, 8, 9}, Data: []byte("i.example")}
	idr := &wire.ID{Responder: true, IDType: wire.IDFQDN, Data: []byte("r.example")}
	i = &Transcript{
		PRF: prf, Keys: keys, Initiator: true, OwnMessage: []byte("message 1"), PeerMessage: []byte("message 2"),
		Ni: fill(16, 4), Nr: fill(24, 5), OwnID: idi, PeerID: idr, IntAuth: []byte("IntAuth"),
	}
	r = &Transcript{
		PRF: prf, Keys: keys, OwnMessage: i.PeerMessage, PeerMessage: i.OwnMessage, Ni: i.Ni, Nr: i.Nr, OwnID: idr, PeerID: idi,
		IntAuth: i.IntAuth,
	}
	return i, r
}

func fill(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }

func key(s string) Secret {
	return func() (Credential, bool) { return Credential{Secret: []byte(s)}, s != "" }
}

func mac(key []byte, data ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, d := range data {
		h.Write(d)
	}
	return h.Sum(nil)
}

// What an AUTH value is, by the formulas of the RFCs and crypto/hmac alone.
func TestAuthValues(t *testing.T) {
	i, r := sides(t)
	// InitiatorSignedOctets = RealMessage1 | NonceRData | MACedIDForI, and IntAuth behind it: RFC 7296 section 2.15, RFC 9242
	// section 3.3.2.
	octets := slices.Concat([]byte("message 1"), fill(24, 5), mac(fill(32, 2), []byte{2, 7, 8, 9}, []byte("i.example")), []byte("IntAuth"))
	if got := i.OwnOctets(); !bytes.Equal(got, octets) {
		t.Errorf("the initiator authenticates %x, want %x", got, octets)
	}
	if got := r.PeerOctets(); !bytes.Equal(got, octets) {
		t.Errorf("the responder expects %x, want %x", got, octets)
	}
	answer := slices.Concat([]byte("message 2"), fill(16, 4), mac(fill(32, 3), []byte{2, 0, 0, 0}, []byte("r.example")), []byte("IntAuth"))
	if got := r.OwnOctets(); !bytes.Equal(got, answer) {
		t.Errorf("the responder authenticates %x, want %x", got, answer)
	}
	r.PeerProved = true
	for name, c := range map[string]struct {
		a    Authenticator
		t    *Transcript
		want []byte
	}{
		// AUTH = prf( prf(Shared Secret, "Key Pad for IKEv2"), <InitiatorSignedOctets>)
		"PSK, initiator": {ProvePSK(key("secret")), i, mac(mac([]byte("secret"), []byte("Key Pad for IKEv2")), octets)},
		"PSK, responder": {ProvePSK(key("secret")), r, mac(mac([]byte("secret"), []byte("Key Pad for IKEv2")), answer)},
		// AUTH = prf(SK_px, <message octets>): RFC 5723 section 4.3.3
		"resumed, initiator": {ProveResumed(key("secret")), i, mac(fill(32, 2), octets)},
		"resumed, responder": {ProveResumed(key("secret")), r, mac(fill(32, 3), answer)},
	} {
		s, err := c.a.Build(c.t)
		if err != nil || s.Status != Done || len(s.Payloads) != 1 {
			t.Fatalf("%s: %+v, %v", name, s, err)
		}
		if a := findAuth(s.Payloads); a.Method != wire.AuthSharedKey || !bytes.Equal(a.Data, c.want) {
			t.Errorf("%s: %s %x, want %x", name, a.Method, a.Data, c.want)
		}
	}
}

// Whatever a proof covers makes another value when it is another one, and whoever checks notices.
func TestWhatAProofCovers(t *testing.T) {
	for name, change := range map[string]func(x *Transcript){
		"nothing":              func(*Transcript) {},
		"own message":          func(x *Transcript) { x.OwnMessage = []byte("message 3") },
		"the peer's nonce":     func(x *Transcript) { x.Ni, x.Nr = fill(16, 9), fill(24, 9) },
		"own identity":         func(x *Transcript) { x.OwnID = &wire.ID{IDType: wire.IDFQDN, Data: []byte("z.example")} },
		"reserved of identity": func(x *Transcript) { x.OwnID = &wire.ID{IDType: wire.IDFQDN, Data: x.OwnID.Data, Reserved: [3]byte{1}} },
		"SK_p":                 func(x *Transcript) { x.Keys.Pi, x.Keys.Pr = fill(32, 9), fill(32, 9) },
		"IntAuth":              func(x *Transcript) { x.IntAuth = nil },
	} {
		for method, m := range map[string][2]func(Secret) Authenticator{"PSK": {ProvePSK, CheckPSK}, "resumed": {ProveResumed, CheckResumed}} {
			for _, byResponder := range []bool{false, true} {
				prover, verifier := sides(t)
				if byResponder {
					prover, verifier = verifier, prover
					prover.PeerProved, verifier.OwnProved = true, true
				}
				change(prover)
				s, err := m[0](key("secret")).Build(prover)
				if err != nil {
					t.Fatal(err)
				}
				got, err := m[1](key("secret")).Process(verifier, s.Payloads)
				if good := name == "nothing"; good && (err != nil || got.Status != Done) || !good && !errors.Is(err, ErrMismatch) {
					t.Errorf("%s, %s, by the responder %v: %v, %v", method, name, byResponder, got.Status, err)
				}
			}
		}
	}
}

// What a peer may send in place of the right AUTH payload.
func TestMalformedProofs(t *testing.T) {
	i, r := sides(t)
	good, err := ProvePSK(key("secret")).Build(i)
	if err != nil {
		t.Fatal(err)
	}
	value := findAuth(good.Payloads).Data
	auth := func(method wire.AuthMethod, data []byte) []wire.Payload {
		return []wire.Payload{&wire.Auth{Method: method, Data: data}}
	}
	for name, c := range map[string]struct {
		in     []wire.Payload
		secret string
		want   error
	}{
		"nothing":            {nil, "secret", &MethodError{Missing: true}},
		"another payload":    {[]wire.Payload{&wire.Nonce{Data: value}}, "secret", &MethodError{Missing: true}},
		"a signature":        {auth(wire.AuthDigitalSignature, value), "secret", &MethodError{Got: wire.AuthDigitalSignature}},
		"method 0":           {auth(0, value), "secret", &MethodError{}},
		"NULL":               {auth(wire.AuthNull, value), "secret", &MethodError{Got: wire.AuthNull}},
		"no value":           {auth(wire.AuthSharedKey, nil), "secret", ErrMismatch},
		"a part":             {auth(wire.AuthSharedKey, value[:31]), "secret", ErrMismatch},
		"more":               {auth(wire.AuthSharedKey, append(slices.Clone(value), 0)), "secret", ErrMismatch},
		"zeros":              {auth(wire.AuthSharedKey, make([]byte, 32)), "secret", ErrMismatch},
		"the second is good": {append(auth(wire.AuthSharedKey, make([]byte, 32)), good.Payloads...), "secret", ErrMismatch},
		"another key":        {good.Payloads, "other", ErrMismatch},
		"no key":             {good.Payloads, "", ErrNoSecret},
	} {
		s, err := CheckPSK(key(c.secret)).Process(r, c.in)
		var method, wanted *MethodError
		switch {
		case s.Status == Done:
			t.Errorf("%s: done", name)
		case errors.As(c.want, &wanted):
			if !errors.As(err, &method) || method.Missing != wanted.Missing || method.Got != wanted.Got || method.Want != wire.AuthSharedKey {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := ProvePSK(key("")).Build(i); !errors.Is(err, ErrNoSecret) {
		t.Errorf("a proof without a key: %v", err)
	}
}

// A responder makes nothing with its key before the initiator has shown that it has the key: whoever got a value without that
// could try passwords on it. And an initiator that has not proved itself waits for it.
func TestResponderProvesLast(t *testing.T) {
	i, r := sides(t)
	p := ProvePSK(key("secret"))
	if s, err := p.Build(r); err != nil || s.Status != NeedMore || len(s.Payloads) != 0 {
		t.Fatalf("to a peer that has not proved itself: %+v, %v", s, err)
	}
	c := CheckPSK(key("secret"))
	if s, err := c.Process(i, nil); err != nil || s.Status != NeedMore {
		t.Fatalf("an answer without AUTH: %+v, %v", s, err)
	}
	r.PeerProved, i.OwnProved = true, true
	s, err := p.Build(r)
	if err != nil || s.Status != Done {
		t.Fatal(s, err)
	}
	if s, err := c.Process(i, s.Payloads); err != nil || s.Status != Done {
		t.Errorf("%+v, %v", s, err)
	}
	var method *MethodError
	if _, err := CheckPSK(key("secret")).Process(i, nil); !errors.As(err, &method) {
		t.Errorf("no AUTH in the end: %v", err)
	}
}

// A mark says whether a credential is the one of before.
func TestMark(t *testing.T) {
	a, b := Credential{Secret: []byte("a")}, Credential{Secret: []byte("b")}
	if a.Mark() != (Credential{Secret: []byte("a")}).Mark() || a.Mark() == b.Mark() || a.Mark() == (Credential{}).Mark() {
		t.Error("marks don't tell credentials apart")
	}
}

// No verb, no JSON and no log handler shows a secret.
func TestNothingPrintsSecrets(t *testing.T) {
	c, p := Credential{Secret: []byte("S3CRET")}, PPK{ID: "office", Secret: []byte("S3CRET")}
	i, _ := sides(t)
	i.Keys.Pi = []byte("S3CRET")
	for name, v := range map[string]any{"Credential": c, "*Credential": &c, "PPK": p, "*PPK": &p, "Transcript": *i, "field": struct{ C Credential }{c}} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		for _, shown := range []string{"S3CRET", fmt.Sprintf("%x", "S3CRET"), "83 51 67", base64.StdEncoding.EncodeToString([]byte("S3CRET"))} {
			if strings.Contains(out.String(), shown) {
				t.Errorf("%s shows its secret: %s", name, out.String())
			}
		}
	}
}
