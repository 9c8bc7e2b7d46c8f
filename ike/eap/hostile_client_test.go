package eap

import (
	"bytes"
	"strings"
	"testing"
)

// say is what a hostile client answers to a request.
type say func(request packet) []byte

// does answers with a type and data, and the identifier as it should be.
func does(t Type, data string) say {
	return func(p packet) []byte { return response(p.id, t, data) }
}

func raw(hex string) say {
	return func(packet) []byte { return mustHex(hex) }
}

func callsItself(name string) say { return does(TypeIdentity, name) }

// a good response of MSCHAPv2 for alice, whose parts may be broken.
func mschapReply(name string, edit func(b []byte) []byte) say {
	return func(p packet) []byte {
		c := &mschapClient{cfg: clientConfig(name, Password("correct horse"))}
		out := c.step(noon, p.id, p.data).out
		if edit != nil {
			out = edit(out)
		}
		return response(p.id, TypeMSCHAPv2, string(out))
	}
}

// What a client may send that it must not: the conversation ends with EAP-Failure, never with a Success, and the operator learns why.
func TestHostileClients(t *testing.T) {
	md5Good := func(p packet) []byte {
		return response(p.id, TypeMD5, "\x10"+string(md5Response(p.id, "correct horse", p.data[1:17])))
	}
	long := strings.Repeat("x", MaxIdentity+1)
	for _, tt := range []struct {
		name    string
		methods []Type
		says    []say
		reason  Reason
		detail  string
	}{
		// The conversation, before any method.
		{"a success", []Type{TypeMD5}, []say{raw("03010004")}, ReasonProtocol, "a Success in answer to a Request"},
		{"a failure", []Type{TypeMD5}, []say{raw("04010004")}, ReasonProtocol, "a Failure in answer to a Request"},
		{"a request", []Type{TypeMD5}, []say{func(p packet) []byte { return request(p.id, TypeIdentity, "") }}, ReasonProtocol, "a Request of Identity in answer"},
		{"nothing", []Type{TypeMD5}, []say{raw("")}, ReasonProtocol, "a packet of 0 bytes"},
		{"another length", []Type{TypeMD5}, []say{raw("0201000601")}, ReasonProtocol, "whose length says 6"},
		{"another code", []Type{TypeMD5}, []say{raw("0601000501")}, ReasonProtocol, "code 6"},
		{"another identifier", []Type{TypeMD5}, []say{func(p packet) []byte { return response(p.id+1, TypeIdentity, "alice") }}, ReasonProtocol, "identifier"},
		{"no identity", []Type{TypeMD5}, []say{does(TypeNotification, "")}, ReasonProtocol, "a Response of Notification in answer to a Request of Identity"},
		{"a nak of the identity", []Type{TypeMD5}, []say{does(TypeNak, "\x1a")}, ReasonProtocol, "a Response of Nak in answer to a Request of Identity"},
		{"a method at once", []Type{TypeGTC}, []say{does(TypeGTC, "correct horse")}, ReasonProtocol, "a Response of eap-gtc in answer to a Request of Identity"},
		{"a name with a NUL", []Type{TypeMD5}, []say{callsItself("alice\x00")}, ReasonIdentity, "control characters"},
		{"a name with an escape of eight bits", []Type{TypeMD5}, []say{callsItself("al\u009b2Jice")}, ReasonIdentity, "control characters"},
		{"a name that turns round", []Type{TypeMD5}, []say{callsItself("al\u202eice")}, ReasonIdentity, "control characters"},
		{"a name with an escape", []Type{TypeMD5}, []say{callsItself("al\x1b[2Jice")}, ReasonIdentity, "control characters"},
		{"a long name", []Type{TypeMD5}, []say{callsItself(long)}, ReasonIdentity, "254 bytes"},

		// Naks.
		{"a nak without a type", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeNak, "")}, ReasonProtocol, "a Nak without a type"},
		{"nothing is wanted", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeNak, "\x00")}, ReasonNak, "the client wants nothing"},
		{"the same again", []Type{TypeMD5, TypeGTC}, []say{callsItself("alice"), does(TypeNak, "\x04")}, ReasonNak, "offered eap-md5, the client wants eap-md5"},
		{"round and round", []Type{TypeMD5, TypeGTC}, []say{callsItself("alice"), does(TypeNak, "\x06"), does(TypeNak, "\x04")}, ReasonNak, "offered eap-md5, eap-gtc"},
		{"what is not allowed", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeNak, "\x04\x06")}, ReasonNak, "wants eap-md5, eap-gtc"},
		{"the response to a method that was given up", []Type{TypeMD5, TypeGTC}, []say{callsItself("alice"), does(TypeNak, "\x06"), does(TypeMD5, "\x10................")}, ReasonProtocol, "eap-md5 in answer to a Request of eap-gtc"},
		{"a nak after the first response", []Type{TypeMSCHAPv2, TypeGTC}, []say{callsItself("alice"), mschapReply("alice", nil), does(TypeNak, "\x06")}, ReasonProtocol, "a Response of Nak"},
		{"another identity", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), callsItself("nthash")}, ReasonProtocol, "a Response of Identity in answer to a Request of eap-mschapv2"},
		{"many types in a nak", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeNak, strings.Repeat("\x04\x05\xc8", 3000))}, ReasonNak, ""},

		// MD5.
		{"md5 of nothing", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeMD5, "")}, ReasonProtocol, "no Value-Size"},
		{"md5 size 0", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeMD5, "\x00")}, ReasonProtocol, "Value-Size 0"},
		{"md5 beyond the end", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeMD5, "\x10...............")}, ReasonProtocol, "Value-Size 16 in 16 bytes"},
		{"md5 cut", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeMD5, "\x0f...............")}, ReasonProtocol, "a Value of 15 bytes"},
		{"md5 too long", []Type{TypeMD5}, []say{callsItself("alice"), does(TypeMD5, "\x11.................")}, ReasonProtocol, "a Value of 17 bytes"},
		{"md5 of another user", []Type{TypeMD5}, []say{callsItself("mallory"), md5Good}, ReasonUnknownUser, ""},
		{"md5 of nobody, with a bad name", []Type{TypeMD5}, []say{callsItself(""), does(TypeMD5, "\x10................\x00")}, ReasonIdentity, "control"},
		{"md5 with a hash", []Type{TypeMD5}, []say{callsItself("nthash"), md5Good}, ReasonSecret, "only the hash"},
		{"md5 with an empty password", []Type{TypeMD5}, []say{callsItself("nthash"), func(p packet) []byte {
			return response(p.id, TypeMD5, "\x10"+string(md5Response(p.id, "", p.data[1:17])))
		}}, ReasonSecret, "only the hash"},
		{"md5 with an empty password of a user without one", []Type{TypeMD5}, []say{callsItself("certificate"), func(p packet) []byte {
			return response(p.id, TypeMD5, "\x10"+string(md5Response(p.id, "", p.data[1:17])))
		}}, ReasonSecret, "no password"},

		// GTC.
		{"gtc of nothing", []Type{TypeGTC}, []say{callsItself("alice"), does(TypeGTC, "")}, ReasonPassword, ""},
		{"gtc of nothing for nobody's password", []Type{TypeGTC}, []say{callsItself("certificate"), does(TypeGTC, "")}, ReasonSecret, ""},
		{"gtc too long", []Type{TypeGTC}, []say{callsItself("alice"), does(TypeGTC, strings.Repeat("x", MaxPassword+1))}, ReasonProtocol, "at most 512"},
		{"gtc cut", []Type{TypeGTC}, []say{callsItself("alice"), does(TypeGTC, "correct hors")}, ReasonPassword, ""},
		{"gtc with a NUL", []Type{TypeGTC}, []say{callsItself("alice"), does(TypeGTC, "correct horse\x00")}, ReasonPassword, ""},

		// MSCHAPv2.
		{"mschapv2 success at once", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeMSCHAPv2, "\x03")}, ReasonProtocol, "an MSCHAPv2 Success in answer to a Challenge"},
		{"mschapv2 of nothing", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeMSCHAPv2, "")}, ReasonProtocol, "an empty MSCHAPv2 packet"},
		{"mschapv2 challenge", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeMSCHAPv2, "\x01\x01\x00\x15\x10................")}, ReasonProtocol, "an MSCHAPv2 Challenge in answer"},
		{"mschapv2 code alone", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeMSCHAPv2, "\x02")}, ReasonProtocol, "of 1 bytes"},
		{"mschapv2 length", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[3]++; return b })}, ReasonProtocol, "whose length says 60"},
		{"mschapv2 length of the value", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[4]--; return b })}, ReasonProtocol, "Value-Size 48; it is 49"},
		{"mschapv2 cut", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { return mschapPacket(2, 1, b[4:53]) })}, ReasonProtocol, "takes 50"},
		{"mschapv2 long name", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply(long, nil)}, ReasonIdentity, "254 bytes"},
		{"mschapv2 name with a NUL", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice\x00", nil)}, ReasonIdentity, "control"},
		{"mschapv2 of another user", []Type{TypeMSCHAPv2}, []say{callsItself("admin"), mschapReply("alice", nil)}, ReasonIdentity, `MSCHAPv2 is for "alice"`},
		{"mschapv2 of another domain", []Type{TypeMSCHAPv2}, []say{callsItself(`EVIL\domained`), mschapReply(`CORP\domained`, nil)}, ReasonIdentity, `MSCHAPv2 is for "CORP\\domained"`},
		{"mschapv2 without the name in front", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("", nil)}, ReasonIdentity, `MSCHAPv2 is for ""`},
		{"mschapv2 one bit", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[40] ^= 1; return b }), does(TypeMSCHAPv2, "\x04")}, ReasonPassword, ""},
		{"mschapv2 last bit", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[52] ^= 1; return b }), does(TypeMSCHAPv2, "\x04")}, ReasonPassword, ""},
		{"mschapv2 another challenge", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[5] ^= 1; return b }), does(TypeMSCHAPv2, "\x04")}, ReasonPassword, ""},
		{"mschapv2 success after a failure", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[40] ^= 1; return b }), does(TypeMSCHAPv2, "\x03")}, ReasonPassword, ""},
		{"mschapv2 another response after a failure", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", func(b []byte) []byte { b[40] ^= 1; return b }), mschapReply("alice", nil)}, ReasonPassword, ""},
		{"mschapv2 failure after a success", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", nil), does(TypeMSCHAPv2, "\x04")}, ReasonProtocol, "does not believe"},
		{"mschapv2 response after a success", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", nil), does(TypeMSCHAPv2, "\x02\x00")}, ReasonProtocol, "in answer to a Success"},
		{"mschapv2 nothing after a success", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", nil), does(TypeMSCHAPv2, "")}, ReasonProtocol, "in answer to a Success"},
		{"eap success after a success", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), mschapReply("alice", nil), raw("03030004")}, ReasonProtocol, "a Success in answer"},
		{"mschapv2 change of a password that has not expired", []Type{TypeMSCHAPv2}, []say{callsItself("alice"), does(TypeMSCHAPv2, "\x07\x01\x00\x04")}, ReasonProtocol, "Change-Password in answer to a Challenge"},
		{"mschapv2 change of an expired password", []Type{TypeMSCHAPv2}, []say{callsItself("expired"), mschapReply("expired", nil), does(TypeMSCHAPv2, "\x07\x01\x00\x04")}, ReasonPasswordExpired, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewServer(serverConfig(tt.methods...))
			step := s.Step(noon, nil)
			for i, say := range tt.says {
				p, err := parse(step.Out)
				if err != nil || p.code != codeRequest || step.Done || step.Result != nil {
					t.Fatalf("packet %d of the server: %x, %v, %v", i, step.Out, err, step.Err)
				}
				step = s.Step(noon, say(p))
			}
			wantFailure(t, "the server", step, tt.reason, tt.detail)
			if !step.Done || len(step.Out) != 4 || step.Out[0] != codeFailure {
				t.Errorf("it ends with %x, done %t", step.Out, step.Done)
			}
			// It is over, whatever comes.
			again := s.Step(noon, response(step.Out[1], TypeMSCHAPv2, "\x03"))
			wantFailure(t, "after the end", again, ReasonProtocol, "after the end")
			if again.Out != nil {
				t.Errorf("after the end: %x", again.Out)
			}
		})
	}
}

// Whoever has a packet ready before it was asked gets nowhere.
func TestPacketBeforeTheFirstRequest(t *testing.T) {
	step := NewServer(serverConfig(TypeMD5)).Step(noon, response(1, TypeIdentity, "alice"))
	wantFailure(t, "the server", step, ReasonProtocol, "before the first request")
}

// A response that was right once is not right for another challenge.
func TestReplayedResponses(t *testing.T) {
	for _, method := range []Type{TypeMD5, TypeMSCHAPv2} {
		cfg := serverConfig(method)
		cfg.AskIdentity, cfg.Identity = false, "alice"
		c := NewClient(clientConfig("alice", Password("correct horse"), method))
		first := NewServer(cfg).Step(noon, nil)
		answer := c.Step(noon, first.Out).Out
		s := NewServer(cfg)
		second := s.Step(noon, nil)
		if bytes.Equal(first.Out[6:], second.Out[6:]) {
			t.Fatal("the same challenge")
		}
		answer[1] = second.Out[1]
		wantFailure(t, method.String(), s.Step(noon, answer), ReasonPassword, "")
	}
}
