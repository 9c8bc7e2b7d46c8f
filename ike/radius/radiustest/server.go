package radiustest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
)

// Request is what a server has received.
type Request struct {
	Code, ID      byte
	Authenticator [16]byte
	// Attributes are in their order.
	Attributes []Attribute
}

// Attribute is an attribute.
type Attribute struct {
	Type  byte
	Value []byte
}

// Values are the values of an attribute.
func (r Request) Values(t byte) (list [][]byte) {
	for _, a := range r.Attributes {
		if a.Type == t {
			list = append(list, a.Value)
		}
	}
	return list
}

// Text is the first value of an attribute as a text, empty if there is none.
func (r Request) Text(t byte) string {
	if v := r.Values(t); len(v) > 0 {
		return string(v[0])
	}
	return ""
}

// Number is the first value of an attribute as a number of four octets, -1 if there is none.
func (r Request) Number(t byte) int64 {
	if v := r.Values(t); len(v) > 0 && len(v[0]) == 4 {
		return int64(binary.BigEndian.Uint32(v[0]))
	}
	return -1
}

// EAP is the EAP packet in the request.
func (r Request) EAP() []byte { return bytes.Join(r.Values(79), nil) }

// Open reads a request as a strict server does: the lengths fit, an Access-Request has a Message-Authenticator in front, and it is right; an
// Accounting-Request has the right authenticator.
func Open(secret string, b []byte) (Request, error) {
	if len(b) < 20 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return Request{}, errors.New("the length is wrong")
	}
	r := Request{Code: b[0], ID: b[1], Authenticator: [16]byte(b[4:20])}
	for rest := b[20:]; len(rest) > 0; {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return Request{}, errors.New("the length of an attribute is wrong")
		}
		r.Attributes = append(r.Attributes, Attribute{rest[0], rest[2:rest[1]]})
		rest = rest[rest[1]:]
	}
	if r.Code == 4 {
		h := md5.New()
		h.Write(b[:4])
		h.Write(make([]byte, 16))
		h.Write(b[20:])
		h.Write([]byte(secret))
		if !hmac.Equal(h.Sum(nil), b[4:20]) {
			return Request{}, errors.New("the authenticator of an Accounting-Request is wrong")
		}
		return r, nil
	}
	if len(b) < 38 || b[20] != 80 || b[21] != 18 {
		return Request{}, errors.New("the first attribute is no Message-Authenticator")
	}
	h := hmac.New(md5.New, []byte(secret))
	h.Write(b[:22])
	h.Write(make([]byte, 16))
	h.Write(b[38:])
	if !hmac.Equal(h.Sum(nil), b[22:38]) {
		return Request{}, errors.New("the Message-Authenticator is wrong")
	}
	return r, nil
}

// Lie is what is wrong with an answer.
type Lie int

// The lies.
const (
	Truth Lie = iota
	NoMessageAuthenticator
	WrongMessageAuthenticator
	WrongAuthenticator
)

// Answer is the answer to a request. An Accounting-Response has no Message-Authenticator.
func Answer(secret string, r Request, code byte, lie Lie, attributes ...Attribute) []byte {
	message := code != 5 && lie != NoMessageAuthenticator
	if message {
		attributes = append([]Attribute{{80, make([]byte, 16)}}, attributes...)
	}
	b := []byte{code, r.ID, 0, 0}
	b = append(b, r.Authenticator[:]...)
	for _, a := range attributes {
		b = append(b, a.Type, byte(len(a.Value)+2))
		b = append(b, a.Value...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if message {
		h := hmac.New(md5.New, []byte(secret))
		h.Write(b)
		copy(b[22:], h.Sum(nil))
		if lie == WrongMessageAuthenticator {
			b[22] ^= 1
		}
	}
	sum := md5.Sum(append(append([]byte(nil), b...), secret...))
	copy(b[4:], sum[:])
	if lie == WrongAuthenticator {
		b[4] ^= 1
	}
	return b
}

// Order is a Disconnect-Request (40) or CoA-Request (43). With signed it has a Message-Authenticator.
func Order(secret string, code, id byte, signed bool, attributes ...Attribute) []byte {
	if signed {
		attributes = append([]Attribute{{80, make([]byte, 16)}}, attributes...)
	}
	b := append([]byte{code, id, 0, 0}, make([]byte, 16)...)
	for _, a := range attributes {
		b = append(b, a.Type, byte(len(a.Value)+2))
		b = append(b, a.Value...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if signed {
		h := hmac.New(md5.New, []byte(secret))
		h.Write(b)
		copy(b[22:], h.Sum(nil))
	}
	sum := md5.Sum(append(append([]byte(nil), b...), secret...))
	copy(b[4:], sum[:])
	return b
}

// EAP is an EAP packet as attributes.
func EAP(packet []byte) (list []Attribute) {
	for len(packet) > 253 {
		list, packet = append(list, Attribute{79, packet[:253]}), packet[253:]
	}
	return append(list, Attribute{79, packet})
}

// Number is an attribute of four octets.
func Number(t byte, n uint32) Attribute { return Attribute{t, binary.BigEndian.AppendUint32(nil, n)} }

// Text is an attribute with a text.
func Text(t byte, s string) Attribute { return Attribute{t, []byte(s)} }

// Microsoft is an attribute of Microsoft.
func Microsoft(t byte, value []byte) Attribute {
	return Attribute{26, append([]byte{0, 0, 1, 55, t, byte(2 + len(value))}, value...)}
}

// Keys are the two MS-MPPE keys that have a master session key of 64 octets (RFC 2548 section 2.4).
func Keys(secret string, r Request, msk []byte) []Attribute {
	if len(msk) != 64 {
		panic(fmt.Sprintf("BUG: an MSK of %d octets", len(msk)))
	}
	return []Attribute{
		Microsoft(17, Hide(secret, r.Authenticator, [2]byte{0x80, 1}, msk[:32])),
		Microsoft(16, Hide(secret, r.Authenticator, [2]byte{0x80, 2}, msk[32:])),
	}
}

// Hide encrypts a key as MS-MPPE-Send-Key is.
func Hide(secret string, authenticator [16]byte, salt [2]byte, key []byte) []byte {
	p := append([]byte{byte(len(key))}, key...)
	p = append(p, make([]byte, (16-len(p)%16)%16)...)
	out := salt[:]
	b := md5.Sum(append(append([]byte(secret), authenticator[:]...), salt[:]...))
	for i := 0; i < len(p); i += 16 {
		c := make([]byte, 16)
		for j := range c {
			c[j] = p[i+j] ^ b[j]
		}
		out = append(out[:len(out):len(out)], c...)
		b = md5.Sum(append([]byte(secret), c...))
	}
	return out
}
