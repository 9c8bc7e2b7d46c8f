package radius

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"esplanade/ike/radius/radiustest"
)

const testSecret = "a secret of the tests"

// TestSealAccess: an Access-Request has its Message-Authenticator in front, as a server with code of its own checks it.
func TestSealAccess(t *testing.T) {
	p := Packet{Code: AccessRequest, ID: 9, Authenticator: [16]byte{1, 2, 3}}
	p.addText(UserName, "alice")
	b, err := p.sealAccess(NewSecret([]byte(testSecret)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := radiustest.Open(testSecret, b)
	if err != nil || r.Text(1) != "alice" || r.ID != 9 || r.Authenticator != p.Authenticator {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := radiustest.Open("another", b); err == nil {
		t.Error("it is right with another secret, too")
	}
}

// TestCheckAnswer: only an answer with both authenticators right counts, and what is wrong has a name.
func TestCheckAnswer(t *testing.T) {
	r := radiustest.Request{Code: 1, ID: 3, Authenticator: [16]byte{9, 8, 7}}
	s := NewSecret([]byte(testSecret))
	for _, tt := range []struct {
		why  string
		b    []byte
		want error
	}{
		{"the truth", radiustest.Answer(testSecret, r, 2, radiustest.Truth, radiustest.Text(18, "hello")), nil},
		{"another secret", radiustest.Answer("another", r, 2, radiustest.Truth), ErrAuthenticator},
		{"a wrong authenticator", radiustest.Answer(testSecret, r, 2, radiustest.WrongAuthenticator), ErrAuthenticator},
		{"no Message-Authenticator", radiustest.Answer(testSecret, r, 2, radiustest.NoMessageAuthenticator), ErrNoMessageAuthenticator},
		{"a wrong Message-Authenticator", radiustest.Answer(testSecret, r, 2, radiustest.WrongMessageAuthenticator), ErrMessageAuthenticator},
	} {
		if err := checkAnswer(tt.b, s, r.Authenticator, true); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
	// Two of them, of which either one is right: which of them counts is nobody's choice.
	for _, right := range []int{22, 40} {
		b := radiustest.Answer(testSecret, r, 2, radiustest.NoMessageAuthenticator, radiustest.Attribute{Type: 80, Value: make([]byte, 16)}, radiustest.Attribute{Type: 80, Value: make([]byte, 16)})
		copy(b[4:], r.Authenticator[:])
		b[62-right] = 7 // in the other one
		copy(b[right:], s.hmac(b))
		copy(b[4:], s.md5(b))
		if err := checkAnswer(b, s, r.Authenticator, true); err == nil {
			t.Errorf("two Message-Authenticators are believed, with the right one at %d", right)
		}
	}
	short := radiustest.Answer(testSecret, r, 2, radiustest.NoMessageAuthenticator, radiustest.Attribute{Type: 80, Value: make([]byte, 15)})
	if err := checkAnswer(short, s, r.Authenticator, true); err == nil {
		t.Error("a Message-Authenticator of 15 octets is believed")
	}
	// A change of any bit shows, and so does the answer to another request.
	good := radiustest.Answer(testSecret, r, 3, radiustest.Truth, radiustest.Text(18, "no"))
	for i := range good {
		for bit := range 8 {
			c := bytes.Clone(good)
			c[i] ^= 1 << bit
			if err := checkAnswer(c, s, r.Authenticator, true); err == nil {
				t.Errorf("bit %d of octet %d does not count", bit, i)
			}
		}
	}
	if err := checkAnswer(good, s, [16]byte{1}, true); !errors.Is(err, ErrAuthenticator) {
		t.Errorf("an answer to another request: %v", err)
	}
}

// TestSecretIsNotPrinted by any verb.
func TestSecretIsNotPrinted(t *testing.T) {
	c := Config{Servers: []Server{{Name: "r1", Secret: NewSecret([]byte("hunter2"))}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if s := fmt.Sprintf(verb, c); bytes.Contains([]byte(s), []byte("hunter2")) || bytes.Contains([]byte(s), []byte("68756e74657232")) {
			t.Errorf("%s prints it: %s", verb, s)
		}
	}
}

// TestKeys: the keys in an Access-Accept are the master session key, first half the Recv-Key, and what can't be read is an error.
func TestKeys(t *testing.T) {
	auth, s := [16]byte{4, 4}, NewSecret([]byte(testSecret))
	msk := make([]byte, 64)
	for i := range msk {
		msk[i] = byte(i)
	}
	read := func(list ...radiustest.Attribute) ([]byte, error) {
		p := Packet{Code: AccessAccept}
		for _, a := range list {
			p.add(Attribute{Type(a.Type), a.Value})
		}
		return p.msk(s, auth)
	}
	r := radiustest.Request{Authenticator: auth}
	keys := radiustest.Keys(testSecret, r, msk)
	if got, err := read(keys...); err != nil || !bytes.Equal(got, msk) {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := read(keys[1], keys[0]); err != nil || !bytes.Equal(got, msk) {
		t.Errorf("the other way round: %x, %v", got, err)
	}
	if got, err := read(); got != nil || err != nil {
		t.Errorf("none: %x, %v", got, err)
	}
	short := []radiustest.Attribute{
		radiustest.Microsoft(17, radiustest.Hide(testSecret, auth, [2]byte{0x80, 1}, msk[:16])), radiustest.Microsoft(16, radiustest.Hide(testSecret, auth, [2]byte{0x80, 2}, msk[16:32])),
	}
	if got, err := read(short...); err != nil || !bytes.Equal(got, append(bytes.Clone(msk[:32]), make([]byte, 32)...)) {
		t.Errorf("those of MSCHAPv2: %x, %v", got, err)
	}
	for why, list := range map[string][]radiustest.Attribute{"one half": keys[:1], "halves of different lengths": {keys[0], short[1]}} {
		if got, err := read(list...); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %x, %v", why, got, err)
		}
	}
	for n := range 34 { // every length of a key comes out again
		if got, ok := openKey(radiustest.Hide(testSecret, auth, [2]byte{0x80, 3}, msk[:n]), s, auth); !ok || !bytes.Equal(got, msk[:n]) {
			t.Errorf("a key of %d octets: %x", n, got)
		}
	}
	whole := radiustest.Hide(testSecret, auth, [2]byte{0x80, 3}, msk[:32])
	for n := range whole {
		if (n-2)%16 == 0 && n > 2 {
			continue // a length that is possible, of a key that is said to be longer: below
		}
		if _, ok := openKey(whole[:n], s, auth); ok {
			t.Errorf("%d octets of it are a key", n)
		}
	}
	if _, ok := openKey(whole[:34], s, auth); ok {
		t.Error("a key that is longer than its attribute")
	}
	if _, err := read(keys[0], keys[0], keys[1]); !errors.Is(err, ErrKeys) {
		t.Errorf("two Recv-Keys: %v", err)
	}
	if _, err := read(radiustest.Attribute{Type: 26, Value: []byte{0, 0, 1, 55, 17, 1}}, keys[1]); err == nil {
		t.Error("a Recv-Key of length 1")
	}
}
