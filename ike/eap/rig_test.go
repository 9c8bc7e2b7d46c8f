package eap

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"esplanade/ike/aaa"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// directory is users by name.
type directory map[string]Secret

func (d directory) User(name string) (Secret, aaa.User, bool) {
	s, ok := d[name]
	return s, aaa.User{Groups: []string{"staff"}}, ok
}

var users = directory{
	"alice":         Password("correct horse"),
	"nthash":        NTHash(ntHash("correct horse")),
	"expired":       {v: Password("correct horse").v, Expired: true},
	"locked":        {v: Password("correct horse").v, Locked: true},
	"certificate":   {},
	`CORP\domained`: Password("correct horse"),
	"jürgen":        Password("größe 🐴"),
	"":              Password("empty"),
}

// counter is a source of octets that are the same for each test.
func counter() func(int) []byte {
	next := byte(0)
	return func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			next++
			b[i] = next
		}
		return b
	}
}

func serverConfig(methods ...Type) *ServerConfig {
	return &ServerConfig{Methods: methods, AskIdentity: true, Protected: true, Users: users, Random: counter()}
}

func clientConfig(name string, s Secret, methods ...Type) *ClientConfig {
	return &ClientConfig{Methods: methods, Identity: name, Secret: s, Protected: true, Random: counter()}
}

// outcome is how a conversation has ended for both sides.
type outcome struct {
	server, client Step
	packets        []string // what was said, in hexadecimal
}

// converse has a client and a server talk to the end.
func converse(t *testing.T, s *Server, c *Client) outcome {
	t.Helper()
	var o outcome
	o.server = s.Step(noon, nil)
	for range 2 * MaxRounds {
		if o.server.Out == nil {
			t.Fatal("the server has nothing to say")
		}
		o.packets = append(o.packets, hex.EncodeToString(o.server.Out))
		o.client = c.Step(noon, o.server.Out)
		if o.client.Out != nil {
			o.packets = append(o.packets, hex.EncodeToString(o.client.Out))
		}
		if o.server.Done || o.client.Out == nil {
			return o
		}
		o.server = s.Step(noon, o.client.Out)
	}
	t.Fatal("they never come to an end")
	return o
}

// wantFailure holds the end of a conversation to a reason.
func wantFailure(t *testing.T, who string, s Step, r Reason, detail string) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(s.Err, &f) {
		t.Fatalf("%s: Err is %v; it should fail for %q", who, s.Err, r)
	}
	if f.Reason != r || !strings.Contains(f.Error(), detail) {
		t.Errorf("%s: fails for %q, %v; it should be %q and say %q", who, f.Reason, f, r, detail)
	}
	if s.Result != nil {
		t.Errorf("%s: has failed and has a result", who)
	}
	return f
}

// wantSuccess holds the end of a conversation to a result.
func wantSuccess(t *testing.T, who string, s Step) *Result {
	t.Helper()
	if s.Err != nil || !s.Done || s.Result == nil {
		t.Fatalf("%s: done %t, %v", who, s.Done, s.Err)
	}
	return s.Result
}

// request and response are packets of the legacy spelling.
func request(id uint8, t Type, data string) []byte {
	return packet{code: codeRequest, id: id, typ: t, data: []byte(data)}.bytes()
}

func response(id uint8, t Type, data string) []byte {
	return packet{code: codeResponse, id: id, typ: t, data: []byte(data)}.bytes()
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
