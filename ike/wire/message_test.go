package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// initMessage is a small IKE_SA_INIT request.
func initMessage(ps ...Payload) *Message {
	return &Message{
		Header:   Header{SPIi: 1, Major: 2, Exchange: ExchangeIKESAInit, Flags: FlagInitiator},
		Payloads: ps,
	}
}

// onePayloadOfEach has every payload type that can be sent in a chain.
func onePayloadOfEach() []Payload {
	return []Payload{
		&Notify{NotifyType: NotifyCookie, Data: []byte{1, 2, 3}},
		&SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolESP, SPI: []byte{1, 2, 3, 4},
			Transforms: []Transform{{Type: TransformENCR, ID: ENCR_AES_GCM_16, KeyLength: 256}, {Type: TransformESN, ID: ESN_NONE}}}}},
		&KE{Group: KE_ECP_256, Data: bytes.Repeat([]byte{4}, 64)},
		&Nonce{Data: bytes.Repeat([]byte{5}, 32)},
		&ID{IDType: IDFQDN, Data: []byte("a.example")},
		&ID{Responder: true, IDType: IDFQDN, Data: []byte("b.example")},
		&Cert{Encoding: CertX509Signature, Data: []byte{0x30, 0}},
		&CertReq{Encoding: CertX509Signature, Authorities: make([]byte, 20)},
		&Auth{Method: AuthSharedKey, Data: bytes.Repeat([]byte{6}, 32)},
		&CP{CfgType: CfgRequest, Attributes: []CfgAttr{{Type: CfgInternalIP4Address}, {Type: CfgInternalIP4DNS}}},
		&TS{Selectors: mixedSelectors()},
		&TS{Responder: true, Selectors: mixedSelectors()},
		&EAP{Code: EAPResponse, Identifier: 1, Data: []byte{EAPTypeIdentity, 'x'}},
		&Delete{Protocol: ProtocolESP, SPIs: [][]byte{{1, 2, 3, 4}}},
		&VendorID{Data: []byte("vendor")},
		&Unknown{PayloadType: 200, Body: []byte{7}},
	}
}

func TestMessageRoundTrip(t *testing.T) {
	for _, ps := range [][]Payload{nil, {&Notify{NotifyType: NotifyNoProposalChosen}}, onePayloadOfEach()} {
		m := initMessage(ps...)
		b := m.Append([]byte("head"))
		if string(b[:4]) != "head" {
			t.Fatalf("what was there is gone: %x", b)
		}
		b = b[4:]
		got, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		want := initMessage(ps...)
		want.Header.NextPayload, want.Header.Length = FirstType(ps), uint32(len(b))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("round trip:\n got %+v\nwant %+v", got, want)
		}
		checkPrefixesFail(t, FirstType(ps), b[HeaderLen:])
	}
	wantPanic(t, "Append with Encrypted", func() { (&Message{Encrypted: &Encrypted{}}).Append(nil) })
}

// Payloads in any order are parsed in that order (M17).
func TestPayloadOrder(t *testing.T) {
	ps := onePayloadOfEach()
	for range len(ps) {
		ps = append(ps[1:], ps[0])
		got, err := ParsePayloads(FirstType(ps), AppendPayloads(nil, ps), 0)
		if err != nil || !reflect.DeepEqual(got, ps) {
			t.Fatalf("%s first: %v", FirstType(ps), err)
		}
	}
}

// Reserved bits of the generic header are ignored (M11), as is the critical bit
// of payloads that are understood (M12).
func TestReservedBits(t *testing.T) {
	for _, p := range onePayloadOfEach() {
		b := AppendPayloads(nil, []Payload{p})
		b[1] = 0x7f
		if understood(p.Type()) {
			b[1] = 0xff
		}
		got, err := ParsePayloads(p.Type(), b, 0)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], p) {
			t.Errorf("%s with reserved bits: %+v, %v", p.Type(), got, err)
		}
	}
	b := initMessage(&Notify{}).Append(nil)
	b[17] = 0x2f // minor version
	b[19] |= 0xd7
	if _, err := Parse(b); err != nil {
		t.Errorf("minor version and reserved flags: %v", err)
	}
}

func TestParseVersion(t *testing.T) {
	for _, major := range []uint8{0, 1, 3, 15} {
		m := initMessage(&Notify{})
		m.Header.Major, m.Header.Minor = major, 1
		_, err := Parse(m.Append(nil))
		var ve *VersionError
		if !errors.As(err, &ve) || *ve != (VersionError{Major: major, Minor: 1}) {
			t.Errorf("major version %d: %v", major, err)
		}
	}
}

// The version comes first: whatever else an IKEv1 or IKEv3 message has isn't
// known.
func TestParseVersionBeforeLength(t *testing.T) {
	b := initMessage().Append(nil)
	b[17], b[27] = 0x30, 99
	var ve *VersionError
	if _, err := Parse(b); !errors.As(err, &ve) {
		t.Errorf("error %v, want a *VersionError", err)
	}
}

func TestParseMalformed(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		payload   PayloadType
		offset    int
		reason    string
	}{
		{"empty", "", PayloadNone, 0, "0 octets, the IKE header has 28"},
		{"27 octets", "00000000000000010000000000000000 29 20 22 08 00000000 000000", PayloadNone, 0, "27 octets"},
		{"length zero", "00000000000000010000000000000000 00 20 22 08 00000000 00000000", PayloadNone, 24, "length is 0, the datagram has 28"},
		{"length less", "00000000000000010000000000000000 00 20 22 08 00000000 0000001b", PayloadNone, 24, "length is 27"},
		{"length more", "00000000000000010000000000000000 00 20 22 08 00000000 0000001d", PayloadNone, 24, "length is 29"},
		{"length 2^32-1", "00000000000000010000000000000000 00 20 22 08 00000000 ffffffff", PayloadNone, 24, "length is 4294967295"},
		{"length with the high half set", "00000000000000010000000000000000 00 20 22 08 00000000 0001001c", PayloadNone, 24, "length is 65564"},
		{"no payload but octets", "00000000000000010000000000000000 00 20 22 08 00000000 0000001d ff", PayloadNone, 28, "1 octets after the last payload"},
		{"payload missing", "00000000000000010000000000000000 29 20 22 08 00000000 0000001c", PayloadNotify, 28, "0 octets left, the generic header has 4"},
		{"three octets", "00000000000000010000000000000000 29 20 22 08 00000000 0000001f 000000", PayloadNotify, 28, "3 octets left"},
		{"payload length zero", "00000000000000010000000000000000 29 20 22 08 00000000 00000020 00000000", PayloadNotify, 30, "length 0 is less"},
		{"payload length three", "00000000000000010000000000000000 29 20 22 08 00000000 00000020 00000003", PayloadNotify, 30, "length 3 is less"},
		{"payload length beyond", "00000000000000010000000000000000 29 20 22 08 00000000 00000024 00000009 00004000", PayloadNotify, 30, "length 9, only 8 octets left"},
		{"payload length 65535", "00000000000000010000000000000000 29 20 22 08 00000000 00000024 0000ffff 00004000", PayloadNotify, 30, "length 65535"},
		{"second payload missing", "00000000000000010000000000000000 29 20 22 08 00000000 00000024 28000008 00004000", PayloadNonce, 36, "0 octets left"},
		{"octets after the last payload", "00000000000000010000000000000000 29 20 22 08 00000000 00000025 00000008 00004000 00", PayloadNone, 36, "1 octets after the last payload"},
		{"unknown payload of length zero", "00000000000000010000000000000000 c8 20 22 08 00000000 00000020 c8000000", 200, 30, "length 0 is less"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Parse(unhex(t, c.hex))
			wantParseError(t, err, c.payload, c.offset, c.reason)
			if m != nil {
				t.Errorf("message in addition to the error: %v", m)
			}
		})
	}
}

// Payloads that may occur once occur once, the others are limited (M18).
func TestPayloadCounts(t *testing.T) {
	for _, p := range onePayloadOfEach() {
		pt := p.Type()
		limit := map[PayloadType]int{
			PayloadNotify: MaxNotifies, PayloadCERT: MaxCerts, PayloadCERTREQ: MaxCertReqs,
			PayloadDelete: MaxDeletes, PayloadVendorID: MaxVendorIDs, 200: MaxUnknown,
		}[pt]
		if limit == 0 {
			limit = 1
		}
		ps := make([]Payload, 0, limit+1)
		for range limit {
			ps = append(ps, p)
		}
		b := AppendPayloads(nil, ps)
		if got, err := ParsePayloads(pt, b, 0); err != nil || len(got) != limit {
			t.Errorf("%d times %s: %v", limit, pt, err)
		}
		_, err := ParsePayloads(pt, AppendPayloads(nil, append(ps, p)), 0)
		wantParseError(t, err, pt, len(b), "more than")

		_, err = Parse(initMessage(append(ps, p)...).Append(nil))
		wantParseError(t, err, pt, HeaderLen+len(b), "more than")
	}
}

// Types that aren't understood are counted together, so that a peer can't send
// the limit of each.
func TestUnknownCountedTogether(t *testing.T) {
	var ps []Payload
	for i := range MaxUnknown + 1 {
		ps = append(ps, &Unknown{PayloadType: PayloadType(100 + i), Body: []byte{}})
	}
	if _, err := ParsePayloads(100, AppendPayloads(nil, ps[:MaxUnknown]), 0); err != nil {
		t.Error(err)
	}
	_, err := ParsePayloads(100, AppendPayloads(nil, ps), 0)
	wantParseError(t, err, PayloadType(100+MaxUnknown), 4*MaxUnknown, "more than 32")
}

// Once SK has been decrypted, an error inside it has an offset that the caller
// chooses, and critical payloads are seen there as well.
func TestParsePayloadsBase(t *testing.T) {
	_, err := ParsePayloads(PayloadNonce, framed(make([]byte, 15)), 32)
	wantParseError(t, err, PayloadNonce, 36, "nonce of 15 octets")
	b := framed(nil)
	b[1] = criticalBit
	_, err = ParsePayloads(99, b, 32)
	var ce *CriticalError
	if !errors.As(err, &ce) || *ce != (CriticalError{Payload: 99, Offset: 32}) {
		t.Errorf("error %v, want CriticalError of payload 99 at 32", err)
	}
}

// A payload can't be used to write to its neighbour.
func TestParsedSlicesAreCapped(t *testing.T) {
	ps := onePayloadOfEach()
	b := AppendPayloads(nil, ps)
	before := bytes.Clone(b)
	got, err := ParsePayloads(FirstType(ps), b, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		for _, s := range slicesOf(p) {
			_ = append(s, 0xee)
		}
	}
	if !bytes.Equal(b, before) {
		t.Error("appending to a parsed slice changed the input")
	}
}

// slicesOf gives the octet strings of a payload.
func slicesOf(p Payload) [][]byte {
	switch p := p.(type) {
	case *SA:
		var s [][]byte
		for _, prop := range p.Proposals {
			s = append(s, prop.SPI)
		}
		return s
	case *KE:
		return [][]byte{p.Data}
	case *ID:
		return [][]byte{p.Data}
	case *Cert:
		return [][]byte{p.Data}
	case *CertReq:
		return [][]byte{p.Authorities}
	case *Auth:
		return [][]byte{p.Data}
	case *Nonce:
		return [][]byte{p.Data}
	case *Notify:
		return [][]byte{p.SPI, p.Data}
	case *Delete:
		return p.SPIs
	case *VendorID:
		return [][]byte{p.Data}
	case *CP:
		var s [][]byte
		for _, a := range p.Attributes {
			s = append(s, a.Value)
		}
		return s
	case *EAP:
		return [][]byte{p.Data}
	case *Unknown:
		return [][]byte{p.Body}
	}
	return nil
}

func FuzzParse(f *testing.F) {
	for _, g := range goldenMessages {
		f.Add(unhex(f, g.hex))
	}
	f.Add(initMessage(onePayloadOfEach()...).Append(nil))
	f.Add(append(AppendProtectedFragment(nil, Header{Major: 2}, PayloadIDi, 1, 3, 6), "sealed"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= HeaderLen {
			// Nearly no mutation would pass the check of the length otherwise.
			binary.BigEndian.PutUint32(b[24:], uint32(len(b)))
		}
		before := bytes.Clone(b)
		m, err := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("Parse changed its input")
		}
		if err != nil {
			checkError(t, err, m != nil, 0, len(b))
			return
		}
		if m.String() == "" {
			t.Fatal("no summary")
		}
		if e := m.Encrypted; e != nil {
			if len(e.Body) == 0 || e.AADLen+len(e.Body) != len(b) || &e.Body[0] != &b[e.AADLen] {
				t.Fatalf("AADLen %d and %d octets of %d", e.AADLen, len(e.Body), len(b))
			}
			if e.Fragment != (e.Number != 0) || e.Number > e.Total {
				t.Fatalf("fragment %d of %d", e.Number, e.Total)
			}
			return
		}
		checkChain(t, m.Header.NextPayload, b[HeaderLen:])
	})
}

func FuzzParsePayloads(f *testing.F) {
	for _, g := range goldenContents {
		f.Add(uint8(g.first), unhex(f, g.hex))
	}
	ps := onePayloadOfEach()
	f.Add(uint8(FirstType(ps)), AppendPayloads(nil, ps))
	f.Fuzz(func(t *testing.T, first uint8, b []byte) { checkChain(t, PayloadType(first), b) })
}
