package eap

import (
	"fmt"
	"slices"
	"testing"

	"esplanade/ike/aaa"
)

// Every list of a server against every list of a client: the method is the best of the server that the client has, in either spelling, and
// each is offered once.
func TestNegotiation(t *testing.T) {
	lists := [][]Type{{TypeMD5}, {TypeGTC}, {TypeMSCHAPv2}, {TypeMSCHAPv2, TypeMD5}, {TypeMD5, TypeGTC, TypeMSCHAPv2}, {TypeGTC, TypeGTC, TypeMD5}}
	for _, server := range lists {
		for _, client := range lists {
			name := fmt.Sprintf("%v with %v", server, client)
			o := converse(t, NewServer(serverConfig(server...)), NewClient(clientConfig("alice", Password("correct horse"), client...)))
			i := slices.IndexFunc(server, func(m Type) bool { return slices.Contains(client, m) })
			if i < 0 {
				f := wantFailure(t, name, o.server, ReasonNak, "no method in common")
				if f.Offered[0] != server[0] || !slices.Equal(f.Wanted, compact(client)) {
					t.Errorf("%s: offered %v, wanted %v", name, f.Offered, f.Wanted)
				}
				f = wantFailure(t, name, o.client, ReasonNak, "")
				if !slices.Equal(f.Offered, server[:1]) || !slices.Equal(f.Wanted, compact(client)) {
					t.Errorf("%s, the client: offered %v, wanted %v", name, f.Offered, f.Wanted)
				}
				continue
			}
			if r := wantSuccess(t, name, o.server); r.Method != server[i] || wantSuccess(t, name, o.client).Method != r.Method {
				t.Errorf("%s: %s", name, r.Method)
			}
		}
	}
}

func compact(list []Type) (all []Type) {
	for _, t := range list {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// A server that spells types in the long way gets its answers in the same way, and its Naks as well.
func TestExpandedTypes(t *testing.T) {
	c := NewClient(clientConfig("alice", Password("correct horse"), TypeMSCHAPv2, TypeMD5))
	step := c.Step(noon, unhex(t, "01 01 000c fe 000000 00000001"))
	if want := "020100 11 fe000000 00000001 616c696365"; fmt.Sprintf("%x", step.Out) != fmt.Sprintf("%x", unhex(t, want)) {
		t.Errorf("the identity: %x", step.Out)
	}
	step = c.Step(noon, unhex(t, "01 02 000c fe 000014 00000006"))
	if want := "0202001c fe000000 00000003 fe000000 0000001a fe000000 00000004"; fmt.Sprintf("%x", step.Out) != fmt.Sprintf("%x", unhex(t, want)) {
		t.Errorf("a vendor's method: %x", step.Out)
	}
	step = c.Step(noon, unhex(t, "01 03 0006 06 3f"))
	if want := "02030007 03 1a04"; fmt.Sprintf("%x", step.Out) != fmt.Sprintf("%x", unhex(t, want)) {
		t.Errorf("GTC: %x", step.Out)
	}
	step = c.Step(noon, packet{code: codeRequest, id: 4, expanded: true, vendorType: uint32(TypeMD5), data: []byte("\x02ab")}.bytes())
	p, err := parse(step.Out)
	if err != nil || !p.expanded || p.typ != TypeMD5 || len(p.data) != 17+len("alice") {
		t.Errorf("MD5 in the long spelling: %x, %v", step.Out, err)
	}
	if r := wantSuccess(t, "the client", c.Step(noon, packet{code: codeSuccess, id: 4}.bytes())); r.Method != TypeMD5 {
		t.Errorf("method %s", r.Method)
	}
}

// A Nak in the long spelling counts as any other, and asks for what is known here.
func TestExpandedNak(t *testing.T) {
	s := NewServer(serverConfig(TypeMD5, TypeGTC))
	first := s.Step(noon, nil)
	second := s.Step(noon, response(first.Out[1], TypeIdentity, "alice"))
	p := nak(packet{id: second.Out[1], expanded: true}, []Type{TypeTLS, TypeGTC})
	third := s.Step(noon, p.bytes())
	if q, err := parse(third.Out); err != nil || q.code != codeRequest || q.typ != TypeGTC {
		t.Fatalf("%x, %v", third.Out, third.Err)
	}
	wantSuccess(t, "the server", s.Step(noon, response(third.Out[1], TypeGTC, "correct horse")))
}

// What a password is worth where nobody has authenticated the server: no method with passwords is used, in neither role
// (RFC 5998 section 4).
func TestNothingButSafeMethodsUnprotected(t *testing.T) {
	for _, method := range withPasswords {
		cfg := serverConfig(method)
		cfg.Protected = false
		s := NewServer(cfg).Step(noon, nil)
		wantFailure(t, "the server", s, ReasonUnsafe, method.String())
		if !s.Done || s.Out[0] != codeFailure {
			t.Errorf("%s: %x", method, s.Out)
		}
		client := clientConfig("alice", Password("correct horse"), method)
		client.Protected = false
		c := NewClient(client)
		step := c.Step(noon, request(1, method, "\x10................"))
		wantFailure(t, "the client", step, ReasonUnsafe, method.String())
		if step.Out != nil {
			t.Errorf("%s: the client answers %x", method, step.Out)
		}
		// With a safe one in the list it asks for that.
		client.Methods = []Type{method, TypeTLS}
		step = NewClient(client).Step(noon, request(1, method, "\x10................"))
		if p, err := parse(step.Out); err != nil || p.typ != TypeNak || string(p.data) != "\x0d" {
			t.Errorf("%s: the client answers %x", method, step.Out)
		}
	}
}

// The name that was given is the one that the method is about.
func TestIdentityNotAskedFor(t *testing.T) {
	for _, method := range withPasswords {
		cfg := serverConfig(method)
		cfg.AskIdentity, cfg.Identity = false, "alice"
		o := converse(t, NewServer(cfg), NewClient(clientConfig("alice", Password("correct horse"), method)))
		if r := wantSuccess(t, method.String(), o.server); r.User.Name != "alice" {
			t.Errorf("%s: %q", method, r.User.Name)
		}
	}
}

// A client that has no name to say is whom IKE has named, unless the method has a name of its own.
func TestEmptyIdentity(t *testing.T) {
	for _, method := range withPasswords {
		cfg := serverConfig(method)
		cfg.Identity = "alice"
		client := clientConfig("", Password("correct horse"), method)
		if method == TypeMSCHAPv2 {
			cfg.Identity, client.Identity = "phone", "alice"
		}
		s, c := NewServer(cfg), NewClient(client)
		step := s.Step(noon, nil)
		step = s.Step(noon, response(step.Out[1], TypeIdentity, ""))
		for !step.Done {
			step = s.Step(noon, c.Step(noon, step.Out).Out)
		}
		if r := wantSuccess(t, method.String(), step); r.User.Name != "alice" {
			t.Errorf("%s: %q", method, r.User.Name)
		}
	}
}

// spelled is a directory that has everybody as alice.
type spelled struct{}

func (spelled) User(string) (Secret, aaa.User, bool) {
	return Password("correct horse"), aaa.User{Name: "alice"}, true
}

// The directory has the last word about how a name is spelled.
func TestSpellingOfNames(t *testing.T) {
	for _, method := range withPasswords {
		cfg := serverConfig(method)
		cfg.Users = spelled{}
		o := converse(t, NewServer(cfg), NewClient(clientConfig("ALICE", Password("correct horse"), method)))
		if r := wantSuccess(t, method.String(), o.server); r.User.Name != "alice" {
			t.Errorf("%s: %q", method, r.User.Name)
		}
	}
}

// A conversation may begin where somebody else has asked for the identity: its requests go on behind that one.
func TestAdopted(t *testing.T) {
	for id := range 256 {
		s := NewServer(serverConfig(TypeGTC))
		s.Adopt(uint8(id))
		step := s.Step(noon, response(uint8(id), TypeIdentity, "alice"))
		if p, err := parse(step.Out); err != nil || p.id != uint8(id+1) || p.typ != TypeGTC {
			t.Fatalf("behind %d comes %x, %v", id, step.Out, step.Err)
		}
		wantSuccess(t, "the server", s.Step(noon, response(uint8(id+1), TypeGTC, "correct horse")))
	}
	s := NewServer(serverConfig(TypeGTC))
	s.Adopt(7)
	wantFailure(t, "the server", s.Step(noon, response(8, TypeIdentity, "alice")), ReasonProtocol, "identifier 8 to a Request with 7")
	s = NewServer(serverConfig())
	s.Adopt(7)
	wantFailure(t, "a server without methods", s.Step(noon, response(7, TypeIdentity, "alice")), ReasonNak, "")
}
