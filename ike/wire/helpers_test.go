package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// unhex decodes hexadecimal digits; white space and what follows a # on a line
// is left out, so that bytes can be annotated.
func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("hex of the test: %v", err)
	}
	return b
}

// framed puts a generic header with no next payload in front of a body.
func framed(body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(genericHeaderLen+len(body)))
	return append(b, body...)
}

// checkPayload checks that p is encoded as the annotated bytes of body, that
// these are parsed as p, and that no prefix of the framed payload is.
func checkPayload(t *testing.T, p Payload, body string) {
	t.Helper()
	want := unhex(t, body)
	if got := p.AppendBody(nil); !bytes.Equal(got, want) {
		t.Errorf("AppendBody:\n got %x\nwant %x", got, want)
	}
	if got := p.AppendBody([]byte("head")); !bytes.Equal(got, append([]byte("head"), want...)) {
		t.Errorf("AppendBody to a slice:\n got %x\nwant what was there and %x", got, want)
	}
	b := framed(want)
	if got := AppendPayloads(nil, []Payload{p}); !bytes.Equal(got, b) {
		t.Errorf("AppendPayloads:\n got %x\nwant %x", got, b)
	}
	ps, err := ParsePayloads(p.Type(), b, 0)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	if len(ps) != 1 || !reflect.DeepEqual(ps[0], p) {
		t.Errorf("parsed:\n got %+v\nwant %+v", ps[0], p)
	}
	checkPrefixesFail(t, p.Type(), b)
}

// checkPrefixesFail checks that every proper prefix of a chain is malformed.
func checkPrefixesFail(t *testing.T, first PayloadType, b []byte) {
	t.Helper()
	for n := range b {
		ps, err := ParsePayloads(first, b[:n:n], 0)
		var pe *ParseError
		if !errors.As(err, &pe) || ps != nil {
			t.Errorf("first %d octets of %d: payloads %v, error %v; want a *ParseError", n, len(b), ps, err)
		}
	}
}

// malformedCase is a payload body that must be rejected.
type malformedCase struct {
	name   string
	body   string // annotated hexadecimal digits
	offset int    // in the body
	reason string // part of ParseError.Reason
}

// checkMalformed checks that each body is rejected as a payload of type pt, with
// the offset and reason.
func checkMalformed(t *testing.T, pt PayloadType, cases []malformedCase) {
	t.Helper()
	const base = 1000
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ps, err := ParsePayloads(pt, framed(unhex(t, c.body)), base)
			wantParseError(t, err, pt, base+genericHeaderLen+c.offset, c.reason)
			if ps != nil {
				t.Errorf("payloads in addition to the error: %v", ps)
			}
		})
	}
}

// wantParseError checks the fields of a *ParseError.
func wantParseError(t *testing.T, err error, pt PayloadType, offset int, reason string) {
	t.Helper()
	var pe *ParseError
	if !errors.As(err, &pe) {
		t.Fatalf("error %v, want a *ParseError", err)
	}
	if pe.Payload != pt || pe.Offset != offset || !strings.Contains(pe.Reason, reason) {
		t.Errorf("error %+v\nwant payload %s, offset %d, reason with %q", pe, pt, offset, reason)
	}
	if msg := pe.Error(); !strings.Contains(msg, pe.Reason) {
		t.Errorf("message %q lacks the reason", msg)
	}
}

// wantPanic checks that f panics as it does for bugs of the caller.
func wantPanic(t *testing.T, why string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if s, ok := r.(string); !ok || !strings.HasPrefix(s, "wire: BUG: ") {
			t.Errorf("%s: recovered %v, want a panic of this package", why, r)
		}
	}()
	f()
}

// fuzzPayload fuzzes the parser of one payload type: whatever the body is, the
// parser must return and not change it, an error must say a place inside it, and
// what was parsed must survive being encoded and parsed again.
func fuzzPayload(f *testing.F, pt PayloadType, seeds ...string) {
	for _, s := range seeds {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBodyLen {
			return
		}
		checkChain(t, pt, framed(body))
	})
}

// checkChain parses a chain of payloads and checks what must hold for any.
func checkChain(t *testing.T, first PayloadType, b []byte) {
	t.Helper()
	const base = 77
	before := bytes.Clone(b)
	ps, err := ParsePayloads(first, b, base)
	if !bytes.Equal(b, before) {
		t.Fatal("the parser changed its input")
	}
	if err != nil {
		checkError(t, err, ps != nil, base, base+len(b))
		return
	}
	_ = Summary(Header{}, ps)
	for _, p := range ps {
		if n, ok := p.(*Notify); ok {
			readAllData(n)
		}
	}
	forgetUnsent(ps)
	again := AppendPayloads(nil, ps)
	if len(again) > len(b) {
		t.Fatalf("encoded again: %d octets from %d", len(again), len(b))
	}
	ps2, err := ParsePayloads(FirstType(ps), again, base)
	if err != nil {
		if onlyUnknownSelectors(ps) {
			return // a TS payload without selectors can't be sent
		}
		t.Fatalf("what was encoded can't be parsed: %v\n%x", err, again)
	}
	if !reflect.DeepEqual(ps, ps2) {
		t.Fatalf("round trip:\n got %+v\nwant %+v", ps2, ps)
	}
}

// checkError checks that a parser's error has one of the documented types, a
// place inside the input, and no result with it.
func checkError(t *testing.T, err error, result bool, from, to int) {
	t.Helper()
	if result {
		t.Fatalf("a result together with the error %v", err)
	}
	offset := -1
	var pe *ParseError
	var ce *CriticalError
	var ve *VersionError
	switch {
	case errors.As(err, &pe):
		offset = pe.Offset
	case errors.As(err, &ce):
		offset = ce.Offset
	case errors.As(err, &ve):
		return
	default:
		t.Fatalf("error of type %T: %v", err, err)
	}
	if offset < from || offset > to {
		t.Fatalf("offset %d outside %d..%d: %v", offset, from, to, err)
	}
	if err.Error() == "" {
		t.Fatal("error without a text")
	}
}

// forgetUnsent clears what a parsed payload says about its input but isn't sent.
func forgetUnsent(ps []Payload) {
	for _, p := range ps {
		switch p := p.(type) {
		case *SA:
			for i := range p.Proposals {
				for j := range p.Proposals[i].Transforms {
					p.Proposals[i].Transforms[j].Unknown = false
				}
			}
		case *TS:
			p.Unknown = 0
		}
	}
}

// onlyUnknownSelectors reports whether a TS payload was left without selectors.
func onlyUnknownSelectors(ps []Payload) bool {
	for _, p := range ps {
		if ts, ok := p.(*TS); ok && len(ts.Selectors) == 0 {
			return true
		}
	}
	return false
}
