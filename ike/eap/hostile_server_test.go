package eap

import (
	"strings"
	"testing"
	"time"
)

// Parts of what servers of MSCHAPv2 say.
const (
	mschapAsk = "\x01\x09\x00\x1c\x10................gateway"
	noS       = "\x03\x09\x00\x0dM=Welcome"
)

func mschapSays(code byte, message string) string {
	return string(mschapPacket(code, 9, []byte(message)))
}

// What a server may say that it must not: the client fails, never says that it is authenticated, and its operator learns why.
func TestHostileServers(t *testing.T) {
	success := func(id uint8) []byte { return packet{code: codeSuccess, id: id}.bytes() }
	failure := func(id uint8) []byte { return packet{code: codeFailure, id: id}.bytes() }
	md5Ask := "\x10................gateway"
	wrongS := mschapSays(3, "S="+strings.Repeat("0", 40)+" M=Welcome")
	for _, tt := range []struct {
		name    string
		methods []Type
		says    [][]byte
		reason  Reason
		detail  string
	}{
		// Success where it may not be.
		{"success at once", nil, [][]byte{success(1)}, ReasonEarlySuccess, ""},
		{"success after the identity", nil, [][]byte{request(1, TypeIdentity, ""), success(1)}, ReasonEarlySuccess, ""},
		{"success after a notification", nil, [][]byte{request(1, TypeNotification, "hello"), success(1)}, ReasonEarlySuccess, ""},
		{"success after a nak", nil, [][]byte{request(1, TypeTLS, "\x20"), success(1)}, ReasonEarlySuccess, ""},
		{"success in the middle of mschapv2", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), success(1)}, ReasonEarlySuccess, ""},
		{"success after a proof that is none", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, wrongS)}, ReasonServer, "has not proved"},
		{"success after a failure", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapSays(4, "E=691 R=0")), success(2)}, ReasonPassword, ""},
		{"success of another request", []Type{TypeMD5}, [][]byte{request(7, TypeMD5, md5Ask), success(6)}, ReasonProtocol, "a Success with identifier 6"},

		// The conversation.
		{"failure at once", nil, [][]byte{failure(1)}, ReasonRefused, "the server refuses"},
		{"failure after the identity", nil, [][]byte{request(1, TypeIdentity, ""), failure(1)}, ReasonRefused, ""},
		{"failure with a reason before it", nil, [][]byte{request(1, TypeNotification, "no\x1b[2J more seats"), failure(1)}, ReasonRefused, `the server says "no [2J more seats"`},
		{"failure after a nak", nil, [][]byte{request(1, TypeTLS, "\x20"), failure(1)}, ReasonNak, "the server has offered eap-tls, the client wants eap-mschapv2"},
		{"a response", nil, [][]byte{response(1, TypeIdentity, "gateway")}, ReasonProtocol, "a Response of Identity where the server is to ask"},
		{"nothing", nil, [][]byte{{}}, ReasonProtocol, "a packet of 0 bytes"},
		{"another length", nil, [][]byte{{1, 1, 0, 9, 1}}, ReasonProtocol, "whose length says 9"},
		{"the same identifier", nil, [][]byte{request(1, TypeIdentity, ""), request(1, TypeMSCHAPv2, mschapAsk)}, ReasonProtocol, "identifier 1, which was answered"},
		{"the same request", nil, [][]byte{request(1, TypeIdentity, ""), request(1, TypeIdentity, "")}, ReasonProtocol, "identifier 1, which was answered"},
		{"identities without end", nil, [][]byte{request(1, TypeIdentity, ""), request(2, TypeIdentity, ""), request(3, TypeIdentity, "")}, ReasonProtocol, "the identity again"},
		{"the identity in the middle", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeIdentity, "")}, ReasonProtocol, "the identity again"},
		{"a nak", nil, [][]byte{request(1, TypeNak, "\x1a")}, ReasonProtocol, "a Nak in a Request"},
		{"type 0", nil, [][]byte{request(1, 0, "")}, ReasonProtocol, "none of a method"},
		{"another method in the middle", []Type{TypeMSCHAPv2, TypeGTC}, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeGTC, "Password?")}, ReasonProtocol, "eap-gtc while the method is eap-mschapv2"},
		{"the method that was refused", nil, [][]byte{request(1, TypeTLS, "\x20"), request(2, TypeTLS, "\x20")}, ReasonNak, "offered eap-tls"},
		{"a password is asked for that is not to go out", nil, [][]byte{request(1, TypeGTC, "Password?"), request(2, TypeGTC, "Password?")}, ReasonNak, "offered eap-gtc"},

		// MD5 and GTC.
		{"md5 of nothing", []Type{TypeMD5}, [][]byte{request(1, TypeMD5, "")}, ReasonProtocol, "no Value-Size"},
		{"md5 size 0", []Type{TypeMD5}, [][]byte{request(1, TypeMD5, "\x00abc")}, ReasonProtocol, "Value-Size 0"},
		{"md5 beyond the end", []Type{TypeMD5}, [][]byte{request(1, TypeMD5, "\xffabc")}, ReasonProtocol, "Value-Size 255 in 4 bytes"},
		{"md5 again", []Type{TypeMD5}, [][]byte{request(1, TypeMD5, md5Ask), request(2, TypeMD5, md5Ask)}, ReasonProtocol, "a second challenge"},
		{"md5 fails", []Type{TypeMD5}, [][]byte{request(1, TypeMD5, md5Ask), failure(1)}, ReasonPassword, "the password is wrong"},
		{"gtc again", []Type{TypeGTC}, [][]byte{request(1, TypeGTC, "Password?"), request(2, TypeGTC, "Token?")}, ReasonProtocol, `the server asks again (the server says "Token?")`},
		{"gtc fails", []Type{TypeGTC}, [][]byte{request(1, TypeGTC, "Password?"), failure(1)}, ReasonPassword, ""},

		// MSCHAPv2.
		{"mschapv2 of nothing", nil, [][]byte{request(1, TypeMSCHAPv2, "")}, ReasonProtocol, "of 0 bytes"},
		{"mschapv2 short", nil, [][]byte{request(1, TypeMSCHAPv2, "\x01\x09\x00")}, ReasonProtocol, "of 3 bytes"},
		{"mschapv2 length", nil, [][]byte{request(1, TypeMSCHAPv2, "\x01\x09\xff\xff\x10................")}, ReasonProtocol, "whose length says 65535"},
		{"mschapv2 length 0", nil, [][]byte{request(1, TypeMSCHAPv2, "\x01\x09\x00\x00\x10................")}, ReasonProtocol, "whose length says 0"},
		{"mschapv2 challenge cut", nil, [][]byte{request(1, TypeMSCHAPv2, "\x01\x09\x00\x14\x10...............")}, ReasonProtocol, "takes 17"},
		{"mschapv2 challenge of 15", nil, [][]byte{request(1, TypeMSCHAPv2, "\x01\x09\x00\x15\x0f................")}, ReasonProtocol, "Value-Size 15"},
		{"mschapv2 success first", nil, [][]byte{request(1, TypeMSCHAPv2, wrongS)}, ReasonProtocol, "an MSCHAPv2 Success before a Challenge"},
		{"mschapv2 failure first", nil, [][]byte{request(1, TypeMSCHAPv2, mschapSays(4, "E=691 R=0"))}, ReasonProtocol, "an MSCHAPv2 Failure before a Challenge"},
		{"mschapv2 challenge again", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapAsk)}, ReasonProtocol, "an MSCHAPv2 Challenge after a Response"},
		{"mschapv2 response", nil, [][]byte{request(1, TypeMSCHAPv2, mschapSays(2, ""))}, ReasonProtocol, "an MSCHAPv2 Response before"},
		{"mschapv2 unknown code", nil, [][]byte{request(1, TypeMSCHAPv2, mschapSays(99, ""))}, ReasonProtocol, "code 99"},
		{"mschapv2 success of nothing", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, "\x03")}, ReasonProtocol, "of 1 bytes"},
		{"mschapv2 success without a message", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapSays(3, ""))}, ReasonServer, "no authenticator response"},
		{"mschapv2 success without S", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, noS)}, ReasonServer, "no authenticator response"},
		{"mschapv2 success, S cut", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapSays(3, "S=00"))}, ReasonServer, "no authenticator response"},
		{"mschapv2 success, S long", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapSays(3, "S="+strings.Repeat("0", 41)))}, ReasonServer, "no authenticator response"},
		{"mschapv2 success, huge", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), request(2, TypeMSCHAPv2, mschapSays(3, "S="+strings.Repeat("0", 40)+" "+strings.Repeat("x", 2000)))}, ReasonProtocol, "a message of 2043 bytes"},
		{"eap failure after a response", nil, [][]byte{request(1, TypeMSCHAPv2, mschapAsk), failure(1)}, ReasonRefused, "has not said why"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			methods := tt.methods
			if methods == nil {
				methods = []Type{TypeMSCHAPv2}
			}
			c := NewClient(clientConfig("alice", Password("correct horse"), methods...))
			var step Step
			for i, say := range tt.says {
				if step.Done || step.Result != nil {
					t.Fatalf("it is over before packet %d: %v", i, step.Err)
				}
				if i > 0 && step.Out == nil {
					t.Fatalf("no answer to packet %d", i-1)
				}
				step = c.Step(noon, say)
			}
			wantFailure(t, "the client", step, tt.reason, tt.detail)
			if !step.Done || step.Out != nil {
				t.Errorf("it ends with %x, done %t", step.Out, step.Done)
			}
			wantFailure(t, "after the end", c.Step(noon, success(9)), ReasonProtocol, "after the end")
		})
	}
}

// Failures of MSCHAPv2 as servers write them, and as nobody should: the client acknowledges each and fails, with what it could read.
func TestMSCHAPv2Failures(t *testing.T) {
	huge := "E=691 " + strings.Repeat("R=0 ", 4000)
	for _, tt := range []struct {
		message string
		reason  Reason
		code    int
		says    string
	}{
		{"E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Authentication failed", ReasonPassword, 691, `the password is wrong (the server says "Authentication failed")`},
		{"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3", ReasonPassword, 691, "the password is wrong: another one may be tried"},
		{"E=648 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Expired", ReasonPasswordExpired, 648, "has expired and has to be changed"},
		{"E=0000000648 R=0", ReasonPasswordExpired, 648, ""},
		{"E=647 R=0 V=3", ReasonLocked, 647, "it is disabled (E=647)"},
		{"E=646 R=0 V=3", ReasonLocked, 646, "at this hour"},
		{"E=649 R=0 V=3", ReasonLocked, 649, "no permission to dial in"},
		{"E=709 R=0 V=3", ReasonRefused, 709, "could not be changed"},
		{"E=4711 R=0 V=3", ReasonRefused, 4711, "E=4711"},
		{"R=0 E=691", ReasonPassword, 691, ""},
		{"M=E=648 R=1", ReasonRefused, 0, `the server says "E=648 R=1"`},
		{"M=\x00\x07\xff\xfe", ReasonRefused, 0, "the server refuses"},
		{"", ReasonRefused, 0, "the server refuses"},
		{"E", ReasonRefused, 0, ""},
		{"E=", ReasonRefused, 0, ""},
		{"E=-1", ReasonRefused, 0, ""},
		{"E=99999999999999999999", ReasonRefused, 0, ""},
		{"C=0", ReasonRefused, 0, ""},
		{"    ", ReasonRefused, 0, ""},
		{huge, ReasonPassword, 691, ""},
	} {
		c := NewClient(clientConfig("alice", Password("correct horse"), TypeMSCHAPv2))
		c.Step(noon, request(1, TypeMSCHAPv2, mschapAsk))
		data := mschapPacket(mschapFailure, 9, []byte(tt.message))
		step := c.Step(noon, request(2, TypeMSCHAPv2, string(data)))
		f := wantFailure(t, tt.message, step, tt.reason, tt.says)
		if f.Code != tt.code || f.User != "alice" || f.Method != TypeMSCHAPv2 {
			t.Errorf("%.40q: E=%d, user %q, method %s", tt.message, f.Code, f.User, f.Method)
		}
		if string(step.Out) != string(response(2, TypeMSCHAPv2, "\x04")) || step.Done {
			t.Errorf("%.40q: answers %x, done %t", tt.message, step.Out, step.Done)
		}
		end := c.Step(noon, packet{code: codeFailure, id: 2}.bytes())
		if g := wantFailure(t, tt.message, end, tt.reason, tt.says); g != f || !end.Done {
			t.Errorf("%.40q: ends with %v, done %t", tt.message, g, end.Done)
		}
	}
}

// Naks, notifications and requests without end come to one.
func TestEndlessServers(t *testing.T) {
	c := NewClient(clientConfig("alice", Password("correct horse"), TypeMSCHAPv2))
	n := 0
	for id := uint8(0); ; id++ {
		step := c.Step(noon, request(id, 60+Type(n), ""))
		if step.Done {
			wantFailure(t, "naks", step, ReasonTooLong, "")
			break
		}
		n++
	}
	if n != MaxRounds {
		t.Errorf("%d naks", n)
	}
	c = NewClient(clientConfig("alice", Password("correct horse"), TypeMSCHAPv2))
	for id := uint8(0); ; id++ {
		step := c.Step(noon, request(id, TypeNotification, "wait"))
		if step.Done {
			wantFailure(t, "notifications", step, ReasonProtocol, "notifications")
			if id != maxNotifications {
				t.Errorf("%d notifications", id)
			}
			break
		}
		if string(step.Out) != string(response(id, TypeNotification, "")) {
			t.Fatalf("a notification is answered with %x", step.Out)
		}
	}
}

// A method that goes on for ever, in either role.
func TestRoundsAreBounded(t *testing.T) {
	s := NewServer(serverConfig(TypeMD5))
	first := s.Step(noon, nil)
	step := s.Step(noon, response(first.Out[1], TypeIdentity, "alice"))
	s.method = forever{}
	for n := 2; ; n++ {
		step = s.Step(noon, response(step.Out[1], TypeMD5, "x"))
		if step.Done {
			wantFailure(t, "the server", step, ReasonTooLong, "")
			if n != MaxRounds {
				t.Errorf("%d rounds", n)
			}
			break
		}
	}
	c := NewClient(clientConfig("alice", Password("correct horse"), TypeMD5))
	c.method, c.typ = foreverClient{}, TypeMD5
	for n := 0; ; n++ {
		step := c.Step(noon, request(uint8(n), TypeMD5, "x"))
		if step.Done {
			wantFailure(t, "the client", step, ReasonTooLong, "")
			if n != MaxRounds {
				t.Errorf("%d rounds", n)
			}
			break
		}
	}
}

// forever is a method without an end.
type forever struct{ quick }

func (forever) start(time.Time, uint8) methodStep { return methodStep{out: []byte("x")} }
func (forever) step(time.Time, uint8, uint8, []byte) methodStep {
	return methodStep{out: []byte("x")}
}

type foreverClient struct{ quick }

func (foreverClient) step(time.Time, uint8, []byte) methodStep { return methodStep{out: []byte("x")} }
func (foreverClient) success() (*Result, *Failure) {
	return nil, &Failure{Reason: ReasonEarlySuccess}
}
func (foreverClient) failure() *Failure { return nil }

// A conversation that was closed from this side says so, and proves nothing.
func TestClose(t *testing.T) {
	s := NewServer(serverConfig(TypeMD5))
	first := s.Step(noon, nil)
	s.Close()
	wantFailure(t, "the server", s.Step(noon, response(first.Out[1], TypeIdentity, "alice")), ReasonClosed, "")
	c := NewClient(clientConfig("alice", Password("correct horse"), TypeMD5))
	c.Close()
	wantFailure(t, "the client", c.Step(noon, request(1, TypeMD5, "\x01x")), ReasonClosed, "")
}

// A conversation may be closed while somebody else is in it.
func TestCloseWhileItGoesOn(t *testing.T) {
	for _, method := range withPasswords {
		s, c := NewServer(serverConfig(method)), NewClient(clientConfig("alice", Password("correct horse"), method))
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			s.Close()
			c.Close()
		}()
		step := s.Step(noon, nil)
		for !step.Done {
			answer := c.Step(noon, step.Out)
			if answer.Out == nil {
				break
			}
			s.Cost(answer.Out)
			step = s.Step(noon, answer.Out)
		}
		<-closed
	}
}
