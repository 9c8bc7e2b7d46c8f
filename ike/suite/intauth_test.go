package suite

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"esplanade/ike/wire"
)

func intermediateHeader(id uint32) wire.Header {
	return wire.Header{
		SPIi: 0x0102030405060708, SPIr: 0x1112131415161718, Major: 2,
		Exchange: wire.ExchangeIKEIntermediate, Flags: wire.FlagInitiator, MessageID: id,
	}
}

// TestIntAuthABytes has the octets written down by hand, from the figure of
// https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2. Both lengths leave out the initialization vector, the padding, the
// pad length and the ICV.
func TestIntAuthABytes(t *testing.T) {
	const inner = 0x123
	spis := "0102030405060708 1112131415161718"
	for _, tt := range []struct{ name, head, want string }{
		{"SK alone",
			spis + "2e202b08 00000001 00000abc" + "22000aa0",
			spis + "2e202b08 00000001 00000143" + "22000127"},
		{"an unencrypted payload before it",
			spis + "2b202b20 00000002 00000abc" + "2e00000841424344" + "00000a94",
			spis + "2b202b20 00000002 0000014b" + "2e00000841424344" + "00000127"},
		{"two of them, one with the critical bit, which SK has too",
			spis + "29202b08 00000007 00000abc" + "2b800008 00004000" + "2e000005ff" + "22800a8f",
			spis + "29202b08 00000007 00000150" + "2b800008 00004000" + "2e000005ff" + "22800127"},
	} {
		head := unhex(t, tt.head)
		before := bytes.Clone(head)
		a, err := IntAuthA(head, inner)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		wantBytes(t, tt.name, a, unhex(t, tt.want))
		clear(a)
		wantBytes(t, tt.name+": the message", head, before)
	}
}

// TestIntAuthAOfMessages: the sender, before it seals, and the receiver, from the datagram, have the same octets in every
// suite, and so does one who receives fragments.
//
// "If the message was received in fragmented form, it MUST be reconstructed before calculating the prf as if it were
// received unfragmented." https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func TestIntAuthAOfMessages(t *testing.T) {
	payloads := []wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: seq(1, 1184)}}
	plain, first, h := wire.AppendPayloads(nil, payloads), wire.FirstType(payloads), intermediateHeader(1)
	var all []byte
	for _, s := range allSuites() {
		seal, open := pair(t, s)
		head := wire.AppendProtected(nil, h, first, seal.BodyLen(len(plain)))
		sent, err := IntAuthA(head, len(plain))
		if err != nil {
			t.Fatal(err)
		}
		datagram, err := seal.Seal(bytes.Clone(head), len(head), plain)
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.Parse(datagram)
		if err != nil {
			t.Fatal(err)
		}
		aad := bytes.Clone(datagram[:m.Encrypted.AADLen])
		got, err := open.Open(datagram, m.Encrypted.AADLen)
		if err != nil {
			t.Fatal(err)
		}
		received, err := IntAuthA(aad, len(got))
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, s, received, sent)
		if all == nil {
			all = sent
		}
		wantBytes(t, s+": the protection has an influence", sent, all)

		// A fragment's own head is none; the reassembled message has one that is made.
		fragment := wire.AppendProtectedFragment(nil, h, first, 1, 2, seal.BodyLen(600))
		if a, err := IntAuthA(fragment, 600); err == nil {
			t.Errorf("%s: the head of a fragment is accepted: %x", s, a)
		}
	}
}

// TestIntAuthARefuses is the table of what is no head of a message with an SK payload, or has no room for its content.
func TestIntAuthARefuses(t *testing.T) {
	spis := "0102030405060708 1112131415161718"
	rest := "202b08 00000001 00000abc"
	good := unhex(t, spis+"2b"+rest+"2e00000841424344"+"00000a94")
	if _, err := IntAuthA(good, 100); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := IntAuthA(good[:n], 100); err == nil {
			t.Errorf("the first %d octets are accepted", n)
		}
	}
	for name, head := range map[string]string{
		"an octet more":                        spis + "2e" + rest + "00000a94" + "00",
		"with an initialization vector":        spis + "2e" + rest + "00000a94" + "0001020304050607",
		"no payload":                           spis + "00" + rest + "00000a94",
		"a chain that ends":                    spis + "2b" + rest + "0000000841424344" + "00000a94",
		"SKF":                                  spis + "35" + rest + "00000a94",
		"SKF with an SK payload in it":         spis + "35" + rest + "2e00000800010002" + "00000a94",
		"SKF behind another":                   spis + "2b" + rest + "3500000841424344" + "00000a94",
		"a payload of length 0":                spis + "2b" + rest + "2e00000041424344" + "00000a94",
		"a payload of length 3":                spis + "2b" + rest + "2e00000341424344" + "00000a94",
		"a payload longer than the message":    spis + "2b" + rest + "2e00000d41424344" + "00000a94",
		"a payload that takes SK's header":     spis + "2b" + rest + "2e00000c41424344" + "00000a94",
		"a payload of 65535 octets":            spis + "2b" + rest + "2e00ffff41424344" + "00000a94",
		"a payload that is shorter than it is": spis + "2b" + rest + "2e00000741424344" + "00000a94",
	} {
		if a, err := IntAuthA(unhex(t, head), 100); err == nil {
			t.Errorf("%s: %x", name, a)
		}
	}
	for inner, ok := range map[int]bool{-1: false, 0: true, 1<<16 - 5: true, 1<<16 - 4: false, 1 << 32: false} {
		a, err := IntAuthA(good, inner)
		if (err == nil) != ok {
			t.Errorf("content of %d octets: %v", inner, err)
		}
		if ok && int(binary.BigEndian.Uint16(a[len(a)-2:])) != 4+inner {
			t.Errorf("content of %d octets: %x", inner, a)
		}
	}
}

// TestIntAuthExample is the course of https://www.rfc-editor.org/rfc/rfc9242#appendix-A: IKE_SA_INIT with message ID 0, two
// IKE_INTERMEDIATE exchanges, the keys changing after each, and IKE_AUTH with message ID 3.
func TestIntAuthExample(t *testing.T) {
	prf := mustPRF(t, wire.PRF_HMAC_SHA2_384)
	pi1, pr1, pi2, pr2 := seq(1, 48), seq(51, 48), seq(101, 48), seq(151, 48)
	ai1, ar1, ai2, ar2 := seq(2, 32), seq(3, 32), seq(4, 32), seq(5, 40)
	p1, p2 := seq(6, 1192), seq(7, 1096)

	i1, r1 := hmac384(pi1, ai1, p1), hmac384(pr1, ar1, p2)
	i2, r2 := hmac384(pi2, i1, ai2), hmac384(pr2, r1, ar2, p1)
	gotI1, gotR1 := IntAuthChunk(prf, pi1, nil, ai1, p1), IntAuthChunk(prf, pr1, nil, ar1, p2)
	wantBytes(t, "IntAuth_i1", gotI1, i1)
	wantBytes(t, "IntAuth_r1", gotR1, r1)
	gotI2, gotR2 := IntAuthChunk(prf, pi2, gotI1, ai2, nil), IntAuthChunk(prf, pr2, gotR1, ar2, p1)
	wantBytes(t, "IntAuth_i2", gotI2, i2)
	wantBytes(t, "IntAuth_r2", gotR2, r2)
	wantBytes(t, "IntAuth", IntAuth(gotI2, gotR2, 3), slices.Concat(i2, r2, []byte{0, 0, 0, 3}))
	wantBytes(t, "IKE_AUTH_MID in full", IntAuth(gotI2, gotR2, 0x01020304)[96:], []byte{1, 2, 3, 4})

	if got := IntAuth(nil, nil, 1); got != nil {
		t.Errorf("without IKE_INTERMEDIATE there is an IntAuth: %x", got)
	}
	if got := IntAuth(gotI2, gotR2, 3); &got[0] == &gotI2[0] {
		t.Error("the result shares the memory of a chunk")
	}
}

// FuzzIntAuthA: of any octets IntAuthA accepts the head of a message with an SK payload and nothing else, and changes the
// two lengths in it and nothing else. wire.Parse is the judge of the heads.
func FuzzIntAuthA(f *testing.F) {
	plain := seq(1, 64)
	h := intermediateHeader(1)
	f.Add(wire.AppendProtected(nil, h, wire.PayloadKE, len(plain)), len(plain))
	f.Add(wire.AppendProtectedFragment(nil, h, wire.PayloadKE, 1, 2, len(plain)), len(plain))
	f.Add(unhex(f, "0102030405060708 1112131415161718 2b202b20 00000002 00000abc 2e00000841424344 00000a94"), 0)
	f.Fuzz(func(t *testing.T, head []byte, inner int) {
		before := bytes.Clone(head)
		a, err := IntAuthA(head, inner)
		if !bytes.Equal(head, before) {
			t.Fatalf("%x is changed to %x", before, head)
		}
		if err != nil {
			if a != nil {
				t.Fatalf("%x with %v", a, err)
			}
			return
		}
		if len(a) != len(head) {
			t.Fatalf("%d octets of %d", len(a), len(head))
		}
		n := len(a)
		if got := binary.BigEndian.Uint32(a[24:]); got != uint32(n+inner) {
			t.Fatalf("length %d in the header, %d octets and %d inner", got, n, inner)
		}
		if got := binary.BigEndian.Uint16(a[n-2:]); int(got) != 4+inner {
			t.Fatalf("payload length %d, %d inner", got, inner)
		}
		copy(a[24:28], head[24:])
		copy(a[n-2:], head[n-2:])
		if !bytes.Equal(a, head) {
			t.Fatalf("more than the lengths is changed:\n%x\n%x", head, a)
		}
		// Any head in front of its content, with lengths that fit, is a message whose SK payload begins where head says.
		m := append(bytes.Clone(head), make([]byte, 32)...)
		binary.BigEndian.PutUint32(m[24:], uint32(len(m)))
		binary.BigEndian.PutUint16(m[n-2:], 4+32)
		if parsed, err := wire.Parse(m); err == nil && (parsed.Encrypted == nil || parsed.Encrypted.Fragment || parsed.Encrypted.AADLen != n) {
			t.Fatalf("%x is no head, but: %+v", head, parsed.Encrypted)
		}
	})
}
