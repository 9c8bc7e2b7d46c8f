package radius

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius/radiustest"
)

// TestUnusable: an answer of the server's that makes no sense ends the request, and says why.
func TestUnusable(t *testing.T) {
	for why, list := range map[string][]radiustest.Attribute{
		"half a key":       {radiustest.Microsoft(17, radiustest.Hide(testSecret, [16]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, [2]byte{128, 1}, make([]byte, 32)))},
		"a key of garbage": {radiustest.Microsoft(17, make([]byte, 21))},
		"an address":       {{Type: 8, Value: []byte{1, 2, 3}}},
		"another address":  {{Type: 8, Value: []byte{127, 0, 0, 1}}},
		"parts of EAP":     {{Type: 79, Value: []byte{3}}, {Type: 24, Value: []byte{3}}, {Type: 79, Value: []byte{3}}},
		"too many classes": {{Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)},
			{Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}, {Type: 25, Value: make([]byte, 253)}},
	} {
		r := newRig(t, server(1), server(2))
		r.answer = func(_ string, q radiustest.Request) []byte { return radiustest.Answer(testSecret, q, 2, 0, list...) }
		id := r.access("", time.Minute)
		r.until(time.Minute)
		if f := r.answered[id].Failure; f == nil || f.Reason != Unusable || len(f.Tried) != 1 || f.Tried[0].Err == nil || len(r.sent) != 1 {
			t.Errorf("%s: %+v after %d requests", why, f, len(r.sent))
		}
	}
}

// TestReplyMessage: what a server says for people is one line, and has nothing that changes what the line before it shows.
func TestReplyMessage(t *testing.T) {
	p := Packet{Code: AccessReject}
	p.addText(ReplyMessage, "a\nb\x1b[2J\u202ec\u0085d\u2028e\xff")
	if got := p.message(); got != "a b [2J c d e?" {
		t.Errorf("%q", got)
	}
}

// TestRejectWithoutMessageAuthenticator: a rejection that lacks it is not believed, the failure says so, and nobody has a server count as silent by
// being rejected so.
func TestRejectWithoutMessageAuthenticator(t *testing.T) {
	r := newRig(t, server(1))
	r.answer = func(_ string, q radiustest.Request) []byte {
		return radiustest.Answer(testSecret, q, 3, radiustest.NoMessageAuthenticator)
	}
	id := r.access("", time.Minute)
	r.until(time.Minute)
	f := r.answered[id].Failure
	if f == nil || f.Reason != Lying || f.Tried[0].Err.Error() != "there is no Message-Authenticator in its Access-Reject" || len(r.turns) != 0 {
		t.Errorf("%+v, %+v", f, r.turns)
	}
}

// TestUser reads what an Access-Accept says of a user.
func TestUser(t *testing.T) {
	p := Packet{Code: AccessAccept}
	p.addText(UserName, "alice@inner")
	p.add(Attribute{Class, []byte("staff")}, Attribute{Class, []byte{0, 1}}, Attribute{FilterID, []byte("vpn")})
	p.add(Attribute{FramedIPAddress, []byte{10, 3, 0, 9}}, Attribute{FramedIPAddress, []byte{10, 3, 0, 10}})
	p.addAddr(FramedIPAddress, FramedIPv6Address, netip.MustParseAddr("2001:db8::9"))
	p.addText(FramedPool, "pool4")
	p.addText(StatefulIPv6Pool, "pool6")
	p.addUint32(SessionTimeout, 3600)
	p.addUint32(AcctInterimInterval, 10)
	p.add(Attribute{VendorSpecific, []byte{0, 0, 1, 55, 28, 6, 10, 3, 0, 1}}, Attribute{VendorSpecific, []byte{0, 0, 1, 55, 29, 6, 10, 3, 0, 2}})
	both := Rules{ClassGroup: true, FilterID: true}
	u, err := both.user(&p, "alice")
	if err != nil {
		t.Fatal(err)
	}
	want := aaa.User{
		Name: "alice@inner", Method: "eap-radius", Groups: []string{"staff", "vpn"}, Pools: []string{"pool4", "pool6"},
		Addresses: []netip.Addr{netip.MustParseAddr("10.3.0.9"), netip.MustParseAddr("2001:db8::9")},
		DNS:       []netip.Addr{netip.MustParseAddr("10.3.0.1"), netip.MustParseAddr("10.3.0.2")},
		Session:   time.Hour, Interim: time.Minute, Class: [][]byte{[]byte("staff"), {0, 1}},
	}
	if got := fmt.Sprintf("%+v", *u); got != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %s\nwant %+v", got, want)
	}
	if u, _ := (Rules{}).user(&p, "alice"); len(u.Groups) != 0 {
		t.Errorf("groups that nobody has asked for: %v", u.Groups)
	}
	p.addUint32(TunnelType, 3) // L2TP
	if u, _ := both.user(&p, "alice"); len(u.Groups) != 1 {
		t.Errorf("a Filter-Id for L2TP: %v", u.Groups)
	}
	for _, a := range [][]byte{{255, 255, 255, 255}, {255, 255, 255, 254}} {
		p := Packet{Attributes: []Attribute{{FramedIPAddress, a}}}
		if u, err := both.user(&p, "alice"); err != nil || len(u.Addresses) != 0 || u.Name != "alice" {
			t.Errorf("%v: %+v, %v", a, u, err)
		}
	}
}

// TestMessage: what a server says to the operator is one line of text, bounded.
func TestMessage(t *testing.T) {
	p := Packet{Attributes: []Attribute{{ReplyMessage, []byte("account\nlocked\x00")}, {ReplyMessage, []byte("until \xff monday")}}}
	if got := p.message(); got != "account locked  until ? monday" {
		t.Errorf("%q", got)
	}
	for range 9 {
		p.add(Attribute{ReplyMessage, bytes.Repeat([]byte("ä"), 120)})
	}
	if n := len(p.message()); n > maxMessage {
		t.Errorf("%d bytes", n)
	}
}
