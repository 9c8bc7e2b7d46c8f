package eap

import (
	"errors"
	"strings"
	"testing"
)

// A client that has nothing to prove itself with says so, and says nothing to the server.
func TestClientsWithoutASecret(t *testing.T) {
	asks := map[Type]string{TypeMD5: "\x10................", TypeGTC: "Password: ", TypeMSCHAPv2: mschapAsk}
	for _, method := range withPasswords {
		for _, tt := range []struct {
			secret Secret
			says   string
		}{{Secret{}, "there is no password"}, {NTHash(ntHash("correct horse")), "only the hash"}} {
			if method == TypeMSCHAPv2 && !tt.secret.None() {
				continue
			}
			step := NewClient(clientConfig("alice", tt.secret, method)).Step(noon, request(1, method, asks[method]))
			wantFailure(t, method.String(), step, ReasonSecret, tt.says)
			if step.Out != nil || !step.Done {
				t.Errorf("%s: says %x, done %t", method, step.Out, step.Done)
			}
		}
	}
}

// Each reason has a word and a sentence of its own, and what the other side has done can be the object of one.
func TestReasons(t *testing.T) {
	words := map[string]bool{}
	for r := ReasonProtocol; r <= ReasonClosed; r++ {
		f := &Failure{Method: TypeGTC, User: "al\u202eice", Reason: r, Detail: "what came", Offered: []Type{TypeMD5, 99}, Message: "no"}
		if words[r.String()] || words[f.why()] || strings.HasPrefix(r.String(), "reason ") || f.why() == r.String() {
			t.Errorf("%d: %q, %q", r, r, f.why())
		}
		words[r.String()], words[f.why()] = true, true
		if text := f.Error(); !strings.HasPrefix(text, `eap-gtc of user "al\u202eice": `) || !strings.Contains(text, "what came") || !strings.HasSuffix(text, `(the server says "no")`) {
			t.Error(text)
		}
		if f.Came() == "" {
			t.Errorf("%s: nothing came", r)
		}
	}
	if last := ReasonClosed + 1; !strings.HasPrefix(last.String(), "reason ") {
		t.Errorf("%s is not in the test", last)
	}
	cause := errors.New("handshake")
	outer := &Failure{Method: TypeTTLS, Reason: ReasonPassword, Inner: &Failure{Method: TypeMD5, Reason: ReasonTLS, Err: cause}}
	if !errors.Is(outer, cause) || !strings.Contains(outer.Error(), "within the tunnel: eap-md5: TLS failed: handshake") {
		t.Error(outer)
	}
}

// Many methods of a Nak are not all named.
func TestManyMethods(t *testing.T) {
	var many []Type
	for n := Type(100); n < 200; n++ {
		many = append(many, n)
	}
	if s := list(many); len(s) > 200 || !strings.HasSuffix(s, "and others") {
		t.Error(s)
	}
}

// Of a user who is not asked for a name and has none in IKE, the Name of MD5 is the user.
func TestNameOfMD5(t *testing.T) {
	cfg := serverConfig(TypeMD5)
	cfg.AskIdentity = false
	o := converse(t, NewServer(cfg), NewClient(clientConfig("alice", Password("correct horse"), TypeMD5)))
	if r := wantSuccess(t, "the server", o.server); r.User.Name != "alice" {
		t.Errorf("%q", r.User.Name)
	}
}
