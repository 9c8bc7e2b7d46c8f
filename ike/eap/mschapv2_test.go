package eap

import (
	"bytes"
	"testing"
)

// The two sides have the same key, whatever is known of the password on either, and the server has proved itself.
func TestMSCHAPv2Keys(t *testing.T) {
	nt := NTHash(ntHash("correct horse"))
	for _, tt := range []struct {
		user   string
		secret Secret
	}{{"alice", Password("correct horse")}, {"alice", nt}, {"nthash", Password("correct horse")}, {"nthash", nt}} {
		o := converse(t, NewServer(serverConfig(TypeMSCHAPv2)), NewClient(clientConfig(tt.user, tt.secret, TypeMSCHAPv2)))
		s, c := wantSuccess(t, "the server", o.server), wantSuccess(t, "the client", o.client)
		if len(s.MSK) != MSKLen || !bytes.Equal(s.MSK, c.MSK) || bytes.Equal(s.MSK[:32], make([]byte, 32)) || !bytes.Equal(s.MSK[32:], make([]byte, 32)) {
			t.Errorf("%s: MSK %x and %x", tt.user, s.MSK, c.MSK)
		}
		if !s.Mutual || !c.Mutual {
			t.Error("the server has not proved itself")
		}
	}
}

// The names of EAP, of MSCHAPv2 and of the directory, with and without a Windows domain in front. Whoever is found is whose password was proved.
func TestMSCHAPv2Names(t *testing.T) {
	right := Password("correct horse")
	for _, tt := range []struct{ identity, name, want string }{
		{"alice", "alice", "alice"},
		{"", "alice", "alice"},
		{`CORP\alice`, `CORP\alice`, "alice"},
		{`CORP\alice`, "alice", "alice"},
		{"alice", `CORP\alice`, "alice"},
		{`CORP\domained`, `CORP\domained`, `CORP\domained`},
		{`CORP\domained`, "domained", `CORP\domained`},
		{"domained", `CORP\domained`, `CORP\domained`},
		{"", `CORP\domained`, `CORP\domained`},
		{`EVIL\domained`, `EVIL\domained`, ""},
		{"domained", "domained", ""},
	} {
		s := NewServer(serverConfig(TypeMSCHAPv2))
		step := s.Step(noon, nil)
		step = s.Step(noon, response(step.Out[1], TypeIdentity, tt.identity))
		c := NewClient(clientConfig(tt.name, right, TypeMSCHAPv2))
		step = s.Step(noon, c.Step(noon, step.Out).Out)
		step = s.Step(noon, c.Step(noon, step.Out).Out)
		if tt.want == "" {
			wantFailure(t, tt.identity+" and "+tt.name, step, ReasonUnknownUser, "")
			continue
		}
		if r := wantSuccess(t, tt.identity+" and "+tt.name, step); r.User.Name != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.identity, tt.name, r.User.Name, tt.want)
		}
	}
}

// The server says why before the end, since some clients never come back to hear it.
func TestVerdictBeforeTheEnd(t *testing.T) {
	s := NewServer(serverConfig(TypeMSCHAPv2))
	c := NewClient(clientConfig("alice", Password("wrong"), TypeMSCHAPv2))
	step := s.Step(noon, nil)
	step = s.Step(noon, c.Step(noon, step.Out).Out)
	step = s.Step(noon, c.Step(noon, step.Out).Out)
	first := wantFailure(t, "the server", step, ReasonPassword, "")
	if step.Done || step.Out[0] != codeRequest {
		t.Fatalf("%x, done %t", step.Out, step.Done)
	}
	step = s.Step(noon, c.Step(noon, step.Out).Out)
	if again := wantFailure(t, "the server", step, ReasonPassword, ""); again != first || !step.Done {
		t.Errorf("%v, done %t", again, step.Done)
	}
}
