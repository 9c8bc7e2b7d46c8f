package eap

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
)

func TestAVPs(t *testing.T) {
	b := appendAVP(nil, 0, avpUserName, []byte("alice"))
	b = appendAVP(b, vendorMicrosoft, avpMSCHAPChallenge, []byte("12345678"))
	b = appendAVP(b, 0, avpUserPassword, nil)
	if want := "0000000140 00000d 616c696365000000 0000000bc0000014 00000137 3132333435363738 0000000240000008"; !bytes.Equal(b, unhex(t, want)) {
		t.Errorf("%x", b)
	}
	all, err := parseAVPs(b)
	if err != nil || len(all) != 3 || string(all[0].data) != "alice" || all[1].vendor != vendorMicrosoft || !all[1].mandatory || len(all[2].data) != 0 {
		t.Fatalf("%d AVPs, %v", len(all), err)
	}
	// The padding of the last one may be missing, and no other one's.
	if all, err := parseAVPs(b[:13]); err != nil || len(all) != 1 {
		t.Errorf("without padding: %v", err)
	}
	if _, err := parseAVPs(append(bytes.Clone(b[:13]), b[16:]...)); err == nil {
		t.Error("the padding of the first is missing")
	}
	for n := range b {
		if n == 13 || n == 14 || n == 15 || n == 16 || n == 36 || n == 0 {
			continue
		}
		if _, err := parseAVPs(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken", n, len(b))
		}
	}
}

// A length that is less than that of the header makes a negative length of the data, with which strongSwan read beyond its buffer
// (CVE-2026-25075).
func TestAVPLengths(t *testing.T) {
	for name, b := range map[string]string{
		"no length":                       "00000001 40000000 61626364",
		"less than a header":              "00000001 40000007 61626364",
		"less than a header, of a vendor": "00000001 c000000b 00000137 6162",
		"a vendor's header cut off":       "00000001 c000000c 000001",
		"more than there is":              "00000001 4000000d 61626364",
		"the most":                        "00000001 40ffffff 61626364",
		"half a header":                   "00000001",
		"a second of two bytes":           "00000001 40000008 0000",
	} {
		if all, err := parseAVPs(unhex(t, b)); err == nil {
			t.Errorf("%s: %d AVPs", name, len(all))
		}
	}
	if _, err := parseAVPs(bytes.Repeat(unhex(t, "00000063 00000008"), maxAVPs+1)); err == nil {
		t.Error("any number of AVPs")
	}
}

func FuzzAVPs(f *testing.F) {
	f.Add(appendAVP(appendAVP(nil, 0, avpUserName, []byte("alice")), vendorMicrosoft, avpMSCHAP2Success, []byte("S=")))
	f.Add([]byte("\x00\x00\x00\x01\x40\x00\x00\x07abcd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseAVPs(b)
		if err != nil {
			return
		}
		var again []byte
		for _, a := range all {
			again = appendAVP(again, a.vendor, a.code, a.data)
		}
		if list, err := parseAVPs(again); err != nil || len(list) != len(all) {
			t.Fatalf("%d AVPs, and %d again, %v", len(all), len(list), err)
		}
		knownAVPs(b)
	})
}

// Whatever a client says in the tunnel that authenticates nobody, nobody is authenticated by it.
func TestTTLSHostileClient(t *testing.T) {
	name := appendAVP(nil, 0, avpUserName, []byte(aliceName))
	eap := func(p []byte) []byte { return appendAVP(nil, 0, avpEAPMessage, p) }
	for what, c := range map[string]struct {
		say    []byte
		want   Reason
		detail string
	}{
		"an AVP with a length below its header": {unhex(t, "00000001 40000007 61626364"), ReasonProtocol, "with length 7"},
		"only a name":                           {name, ReasonProtocol, "nothing in the tunnel that authenticates"},
		"no name":                               {appendAVP(nil, 0, avpUserPassword, []byte("correct horse")), ReasonProtocol, "no User-Name"},
		"two names":                             {append(bytes.Clone(name), name...), ReasonProtocol, "twice"},
		"a mandatory AVP of somebody":           {append(bytes.Clone(name), appendAVP(nil, 9, 1, nil)...), ReasonProtocol, "mandatory and not known"},
		"a name with a zero":                    {appendAVP(appendAVP(nil, 0, avpUserName, []byte("a\x00b")), 0, avpUserPassword, nil), ReasonIdentity, "control characters"},
		"a long password":                       {appendAVP(bytes.Clone(name), 0, avpUserPassword, make([]byte, 4000)), ReasonProtocol, "a password of 4000 bytes"},
		"no password":                           {appendAVP(bytes.Clone(name), 0, avpUserPassword, nil), ReasonPassword, ""},
		"a short response":                      {appendAVP(bytes.Clone(name), vendorMicrosoft, avpMSCHAP2Response, make([]byte, 49)), ReasonProtocol, "49 bytes"},
		"a challenge of its own": {appendAVP(appendAVP(bytes.Clone(name), vendorMicrosoft, avpMSCHAPChallenge, make([]byte, 16)),
			vendorMicrosoft, avpMSCHAP2Response, make([]byte, 50)), ReasonProtocol, "another challenge"},
		"no challenge":        {appendAVP(bytes.Clone(name), vendorMicrosoft, avpMSCHAP2Response, make([]byte, 50)), ReasonProtocol, "another challenge"},
		"Success":             {eap(packet{code: codeSuccess}.bytes()), ReasonProtocol, "a Success"},
		"a Request":           {eap(request(0, TypeIdentity, "alice")), ReasonProtocol, "a Request"},
		"half a packet":       {eap([]byte{2, 0, 0}), ReasonProtocol, "a packet of 3 bytes"},
		"an empty EAP packet": {eap(nil), ReasonProtocol, "a packet of 0 bytes"},
		"another type":        {eap(response(0, TypeMSCHAPv2, "\x03")), ReasonProtocol, ""},
	} {
		t.Run(what, func(t *testing.T) {
			s := speaking(t, newWorld(t, tls.VersionTLS13), TypeTTLS, c.say)
			f := wantFailure(t, "the server", s, c.want, c.detail)
			if strings.Contains(f.Error(), "correct horse") {
				t.Errorf("it shows the password: %v", f)
			}
		})
	}
}

// What a client says of MSCHAPv2 with the challenge of another tunnel is nothing to this one: it could have been recorded, or be relayed.
func TestTTLSImplicitChallenge(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		w := newWorld(t, version)
		x := way{TypeTTLS, PlainMSCHAPv2, 0}
		s, c := x.configs(w)
		a, b := NewServer(s), NewClient(c)
		closeAll(t, a, b)
		converse(t, a, b)
		m := b.method.(*ttlsClient)
		response := append([]byte{m.ident, 0}, m.x.client[:]...)
		response = append(response, make([]byte, 8)...)
		response = append(response, m.x.response[:]...)
		say := appendAVP(nil, 0, avpUserName, []byte(aliceName))
		say = appendAVP(say, vendorMicrosoft, avpMSCHAPChallenge, m.x.server[:])
		say = appendAVP(say, vendorMicrosoft, avpMSCHAP2Response, response)
		wantFailure(t, "the server", speaking(t, w, TypeTTLS, say), ReasonProtocol, "another challenge")
	})
}

// A server that has not proved that it knows the password, or says something that was not asked for, is not believed.
func TestTTLSHostileServer(t *testing.T) {
	mschap := way{TypeTTLS, PlainMSCHAPv2, 0}
	success := func(s string) []byte { return appendAVP(nil, vendorMicrosoft, avpMSCHAP2Success, []byte(s)) }
	zeros := "S=0000000000000000000000000000000000000000"
	for what, c := range map[string]struct {
		x      way
		say    []byte
		want   Reason
		detail string
	}{
		"nothing":                       {mschap, nil, ReasonEarlySuccess, ""},
		"a Success without an ident":    {mschap, success(""), ReasonProtocol, "another identifier"},
		"a Success of nobody":           {mschap, success("?" + zeros), ReasonProtocol, "another identifier"},
		"an error":                      {mschap, appendAVP(nil, vendorMicrosoft, avpMSCHAPError, []byte("\x01E=691 R=0 V=3")), ReasonPassword, ""},
		"a locked account":              {mschap, appendAVP(nil, vendorMicrosoft, avpMSCHAPError, []byte("\x01E=647 R=0 V=3")), ReasonLocked, ""},
		"EAP":                           {mschap, appendAVP(nil, 0, avpEAPMessage, request(1, TypeGTC, "Password")), ReasonProtocol, "that the client has asked for"},
		"an AVP that must be":           {mschap, appendAVP(nil, 9, 9, nil), ReasonProtocol, "mandatory"},
		"a Success of MSCHAPv2":         {way{TypeTTLS, PlainNone, TypeMSCHAPv2}, success("?" + zeros), ReasonProtocol, "that the client has asked for"},
		"a method that is not allowed":  {way{TypeTTLS, PlainNone, TypeMSCHAPv2}, appendAVP(nil, 0, avpEAPMessage, request(1, TypeGTC, "Password")), ReasonEarlySuccess, ""},
		"an early Success":              {way{TypeTTLS, PlainNone, TypeMSCHAPv2}, appendAVP(nil, 0, avpEAPMessage, packet{code: codeSuccess, id: 1}.bytes()), ReasonEarlySuccess, ""},
		"a question in answer to a PAP": {way{TypeTTLS, PlainPAP, 0}, appendAVP(nil, 0, avpUserName, []byte("you")), ReasonProtocol, "that the client has asked for"},
	} {
		t.Run(what, func(t *testing.T) {
			versions(t, func(t *testing.T, version uint16) {
				var say [][]byte
				if c.say != nil {
					say = [][]byte{c.say}
				}
				client, end := listening(t, newWorld(t, version), c.x, say...)
				if client.Err == nil {
					client = end
				}
				wantFailure(t, "the client", client, c.want, c.detail)
				if end.Result != nil {
					t.Error("a Success is believed")
				}
			})
		})
	}
	// One that has the right ident and not the password.
	m := &ttlsClient{session: &session{}, ident: '?'}
	if v := m.succeeded([]byte("?" + zeros)); v.fail == nil || v.fail.Reason != ReasonServer || m.done {
		t.Errorf("a Success that is made without the password: %+v", v.fail)
	}
}
