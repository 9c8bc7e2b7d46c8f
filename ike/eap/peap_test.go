package eap

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
)

// Each way to demand a binding of the tunnel, on both sides: it fails where one demands it and the other one refuses, and otherwise both have
// the same key. That of a bound tunnel is another one.
func TestPEAPCryptoBinding(t *testing.T) {
	all := []CryptoBinding{BindingOptional, BindingOff, BindingRequired}
	versions(t, func(t *testing.T, version uint16) {
		for _, inner := range []Type{TypeMSCHAPv2, TypeGTC, TypeTLS} {
			for _, server := range all {
				for _, client := range all {
					w := newWorld(t, version)
					w.server.CryptoBinding, w.client.CryptoBinding = server, client
					s, c := way{TypePEAP, PlainNone, inner}.configs(w)
					a, b := NewServer(s), NewClient(c)
					closeAll(t, a, b)
					o := converse(t, a, b)
					switch {
					case server == BindingRequired && client == BindingOff:
						wantFailure(t, "the server", o.server, ReasonBinding, "has not answered")
						continue
					case server != BindingRequired && client == BindingRequired:
						wantFailure(t, "the client", o.client, ReasonBinding, "has sent no Cryptobinding TLV")
						if o.server.Result != nil {
							t.Error("the server lets it in")
						}
						continue
					}
					wantKeys(t, o, aliceName)
					plain := b.method.(*peapClient).keys[:MSKLen]
					if bound := server == BindingRequired; bound == bytes.Equal(plain, o.server.Result.MSK) {
						t.Errorf("server %d, client %d: the key is that of the tunnel: %t", server, client, !bound)
					}
				}
			}
		}
	})
}

// Whoever relays a method from one tunnel into another has the keys of one of them only.
func TestPEAPBindingOfAnotherTunnel(t *testing.T) {
	tunnel, other := bytes.Repeat([]byte{1}, 128), bytes.Repeat([]byte{2}, 128)
	inner := bytes.Repeat([]byte{3}, 64)
	nonce := bytes.Repeat([]byte{4}, bindingNonceLen)
	own := newCompound(tunnel, inner)
	good := own.bindingTLV(bindingRequest, nonce)
	if wrong := own.bound(good, bindingRequest, nil); wrong != "" || len(good) != tlvHeader+bindingLen {
		t.Fatalf("%d bytes, %s", len(good), wrong)
	}
	change := func(i int) []byte { b := bytes.Clone(good); b[i] ^= 1; return b }
	for name, b := range map[string][]byte{
		"another tunnel":        newCompound(other, inner).bindingTLV(bindingRequest, nonce),
		"another method":        newCompound(tunnel, inner[:31]).bindingTLV(bindingRequest, nonce),
		"no key of the method":  newCompound(tunnel, nil).bindingTLV(bindingRequest, nonce),
		"another nonce":         change(10),
		"another MAC":           change(len(good) - 1),
		"a version":             change(5),
		"a version it has seen": change(6),
		"a sub-type":            change(7),
	} {
		if own.bound(b, bindingRequest, nil) == "" {
			t.Errorf("%s is believed", name)
		}
	}
	// A request that is sent back is no answer, nor is the answer to another one.
	if own.bound(good, bindingResponse, nonce) == "" {
		t.Error("a request is taken for an answer")
	}
	if own.bound(own.bindingTLV(bindingResponse, make([]byte, bindingNonceLen)), bindingResponse, nonce) == "" {
		t.Error("the answer to another request is taken")
	}
	if bytes.Equal(own.msk(), newCompound(tunnel, nil).msk()) || len(own.msk()) != MSKLen {
		t.Error("the key does not depend on the method")
	}
}

func TestTLVs(t *testing.T) {
	b := extensions{result: resultSuccess}.bytes()
	if !bytes.Equal(b, unhex(t, "8003 0002 0001")) {
		t.Errorf("%x", b)
	}
	for name, c := range map[string]struct{ b, detail string }{
		"nothing":                        {"", "the result 0"},
		"half a header":                  {"8003 00", "3 bytes"},
		"too long":                       {"8003 0003 0001", "length 3"},
		"the longest":                    {"8003 ffff 0001", "length 65535"},
		"a short result":                 {"8003 0001 01", "a Result TLV of 1 bytes"},
		"a long result":                  {"8003 0003 000100", "a Result TLV of 3 bytes"},
		"another result":                 {"8003 0002 0003", "the result 3"},
		"no result":                      {"0063 0000", "the result 0"},
		"two results":                    {"8003 0002 0002 8003 0002 0001", "twice"},
		"something that has to be known": {"8003 0002 0001 8063 0000", "mandatory"},
		"a short binding":                {"8003 0002 0001 000c 0004 00000000", "a Cryptobinding TLV of 4 bytes"},
		"many":                           {strings.Repeat("0001 0000", maxTLVs+1), "more than"},
	} {
		if _, f := parseExtensions(unhex(t, c.b)); f == nil || !strings.Contains(f.Error(), c.detail) {
			t.Errorf("%s: %v", name, f)
		}
	}
	// What is not known and need not be is skipped, in any order.
	if e, f := parseExtensions(unhex(t, "0063 0002 abcd 8003 0002 0002")); f != nil || e.result != resultFailure {
		t.Errorf("%+v, %v", e, f)
	}
}

func FuzzTLVs(f *testing.F) {
	f.Add(extensions{result: resultSuccess, binding: compound{cmk: make([]byte, 20)}.bindingTLV(0, make([]byte, 32))}.bytes())
	f.Add([]byte("\x80\x03\x00\x02\x00\x02\x00\x63\x00\x01a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, fail := parseExtensions(b)
		if fail != nil {
			return
		}
		if e.binding != nil {
			compound{cmk: make([]byte, 20)}.bound(e.binding, bindingRequest, nil)
		}
		if again, fail := parseExtensions(e.bytes()); fail != nil || again.result != e.result || !bytes.Equal(again.binding, e.binding) {
			t.Fatalf("%+v and %+v, %v", e, again, fail)
		}
	})
}

func FuzzUnwrapPEAP(f *testing.F) {
	f.Add([]byte{1}, uint8(codeRequest))
	f.Add([]byte{1, 7, 0, 5, 1}, uint8(codeRequest))
	f.Add([]byte{2, 7, 0, 11, 33, 0x80, 3, 0, 2, 0, 1}, uint8(codeResponse))
	f.Fuzz(func(t *testing.T, b []byte, code uint8) {
		p, fail := unwrapPEAP(b, code%2+1, 9)
		if fail != nil {
			return
		}
		if parsed, err := parse(p); err == nil && (parsed.code != code%2+1 || parsed.id != 9) {
			t.Fatalf("%x becomes %x", b, p)
		}
		saidExtensions(b, codeRequest)
	})
}

// What has a header in the tunnel and what has none.
func TestPEAPHeaders(t *testing.T) {
	for _, c := range []struct{ say, want string }{
		{"01", "01 09 0005 01"},
		{"01 05 0005 01", "01 09 0005 01"},
		{"06 50617373", "01 09 0009 06 50617373"},
		{"01 01 0005 01", "01 09 0005 01"},
		// A length that does not fit is none: it is a request for the identity with a text.
		{"01 05 0006 01", "01 09 0009 01 05 0006 01"},
		{"02 05 0005 01", "01 09 0009 02 05 0005 01"},
	} {
		b, f := unwrapPEAP(unhex(t, c.say), codeRequest, 9)
		if f != nil || !bytes.Equal(b, unhex(t, c.want)) {
			t.Errorf("%s becomes %x, %v", c.say, b, f)
		}
	}
	for _, n := range []int{0, MaxPacket, 64 << 10} {
		if _, f := unwrapPEAP(make([]byte, n), codeRequest, 9); f == nil {
			t.Errorf("%d bytes are taken", n)
		}
	}
	if got := wrapPEAP(request(1, TypeGTC, "x")); !bytes.Equal(got, []byte{6, 'x'}) {
		t.Errorf("%x", got)
	}
	if p := request(1, typeExtensions, "x"); !bytes.Equal(wrapPEAP(p), p) {
		t.Error("a packet of TLVs has lost its header")
	}
}

// Whatever a client says in the tunnel that authenticates nobody, nobody is authenticated by it.
func TestPEAPHostileClient(t *testing.T) {
	result := func(n byte) []byte { return response(1, typeExtensions, "\x80\x03\x00\x02\x00"+string(n)) }
	for what, c := range map[string]struct {
		say    []byte
		want   Reason
		detail string
	}{
		"a result, for nothing": {result(1), ReasonProtocol, "EAP type 33"},
		"a failed result":       {result(2), ReasonProtocol, "EAP type 33"},
		"no identity":           {[]byte{byte(TypeMSCHAPv2), 3}, ReasonProtocol, "Identity"},
		"Success":               {[]byte{3, 1, 0, 4}, ReasonProtocol, ""},
		"a name with a zero":    {[]byte("\x01a\x00b"), ReasonIdentity, "control characters"},
		"a Request":             {request(1, TypeIdentity, ""), ReasonIdentity, "control characters"},
	} {
		t.Run(what, func(t *testing.T) {
			versions(t, func(t *testing.T, version uint16) {
				s := speaking(t, newWorld(t, version), TypePEAP, c.say)
				if s.Err == nil || s.Result != nil {
					t.Fatalf("%+v", s)
				}
				wantFailure(t, "the server", s, c.want, c.detail)
			})
		})
	}
	// "MSCHAPv2 has succeeded", says a client that has answered no challenge, and takes the result for granted.
	s := speaking(t, newWorld(t, tls.VersionTLS13), TypePEAP, []byte("\x01"+aliceName), []byte{byte(TypeMSCHAPv2), 3}, result(1))
	wantFailure(t, "the server", s, ReasonProtocol, "in answer to a Challenge")
}

// A server that says within the tunnel, or outside of it, that it is done, before it is, is not believed.
func TestPEAPHostileServer(t *testing.T) {
	result := func(n byte) []byte { return request(7, typeExtensions, "\x80\x03\x00\x02\x00"+string(n)) }
	identity := []byte{byte(TypeIdentity)}
	for what, c := range map[string]struct {
		say    [][]byte
		want   Reason
		detail string
	}{
		"nothing":                {nil, ReasonEarlySuccess, ""},
		"a result at once":       {[][]byte{result(1)}, ReasonEarlySuccess, ""},
		"a result too early":     {[][]byte{identity, result(1)}, ReasonEarlySuccess, ""},
		"a failed result":        {[][]byte{identity, result(2)}, ReasonRefused, ""},
		"no result":              {[][]byte{identity, request(7, typeExtensions, "")}, ReasonProtocol, "the result 0"},
		"Success":                {[][]byte{identity, {3, 7, 0, 4}}, ReasonProtocol, "a Nak"},
		"a method with no tries": {[][]byte{identity, {byte(TypeGTC), 'x'}}, ReasonEarlySuccess, ""},
		"the identity for ever":  {[][]byte{identity, identity, identity, identity}, ReasonProtocol, "asks for the identity again"},
	} {
		t.Run(what, func(t *testing.T) {
			versions(t, func(t *testing.T, version uint16) {
				client, end := listening(t, newWorld(t, version), way{TypePEAP, PlainNone, TypeMSCHAPv2}, c.say...)
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
}

// A server that has a later version offers it, and uses the one of the client (hostapd does).
func TestPEAPVersion(t *testing.T) {
	w := newWorld(t, 0)
	s, c := way{TypePEAP, PlainNone, TypeMSCHAPv2}.configs(w)
	server, client := tamper{n: 1, ofServer: true, change: func(p []byte) []byte { p[5] |= 2; return p }}.play(t, s, c)
	wantKeys(t, outcome{server: server, client: client}, aliceName)
	server, _ = tamper{n: 1, change: func(p []byte) []byte { p[5] |= 1; return p }}.play(t, s, c)
	wantFailure(t, "the server", server, ReasonProtocol, "version 1")
}
