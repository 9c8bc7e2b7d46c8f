package esp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run checks one answer for a suite, whose ICV may be cut short, in every way a
// packet goes: sealing to another place and in place, opening, and the whole of
// Inbound.Open.
func (a aeadAnswer) run(t *testing.T, s Suite) {
	t.Helper()
	encr, nonce, aad := unhex(t, a.key), unhex(t, a.nonce), unhex(t, a.aad)
	plain, ctag := unhex(t, a.plain), unhex(t, a.ctag)
	s.ESN = len(aad) == aadLenESN
	k, err := newKey(s, append(slices.Clone(encr), nonce[:saltLen]...), nil)
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(binary.BigEndian.Uint32(aad[4:]))
	if s.ESN {
		seq = binary.BigEndian.Uint64(aad[4:])
	}
	// RFC 4106 section 6: shorter ICVs are the first octets of the long one.
	want := slices.Concat(aad[:4], aad[len(aad)-4:], nonce[saltLen:], ctag[:len(plain)+k.icv])
	header := want[:k.header]

	var w Scratch
	dst := slices.Concat(header, make([]byte, len(plain)+k.icv))
	k.seal(&w, dst, slices.Clone(plain), seq)
	if !bytes.Equal(dst, want) {
		t.Errorf("sealed\n%x, want\n%x", dst, want)
	}
	dst = slices.Concat(header, plain, make([]byte, k.icv))
	k.seal(&w, dst, dst[k.header:k.header+len(plain)], seq)
	if !bytes.Equal(dst, want) {
		t.Errorf("sealed in place\n%x, want\n%x", dst, want)
	}
	got, ok := k.open(&w, slices.Clone(want), seq)
	if !ok || !bytes.Equal(got, plain) {
		t.Errorf("opened %v\n%x, want\n%x", ok, got, plain)
	}
	bad := slices.Clone(want)
	bad[len(bad)-1] ^= 0x80
	if _, ok := k.open(&w, bad, seq); ok {
		t.Error("opened with a wrong ICV")
	}

	spi := binary.BigEndian.Uint32(aad)
	if !a.esp || spi < minSPI {
		return
	}
	in, err := NewInbound(InboundConfig{SPI: spi, Suite: s, EncrKey: append(encr, nonce[:saltLen]...)})
	if err != nil {
		t.Fatal(err)
	}
	in.window.startAt(seq - 1)
	payload, nh, gotSeq, err := opened(in, &w, slices.Clone(want))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	pad := int(plain[len(plain)-2])
	if !bytes.Equal(payload, plain[:len(plain)-2-pad]) || nh != plain[len(plain)-1] || gotSeq != seq {
		t.Errorf("Open: %x, next header %d, sequence %#x", payload, nh, gotSeq)
	}
}

func TestGCMAnswers(t *testing.T) {
	for _, a := range gcmAnswers {
		t.Run(a.name, func(t *testing.T) {
			for _, encr := range []uint16{EncrAESGCM16, EncrAESGCM12, EncrAESGCM8} {
				a.run(t, Suite{Encr: encr, KeyBits: len(a.key) * 4})
			}
		})
	}
}

func TestChaChaAnswers(t *testing.T) {
	for _, a := range chachaAnswers {
		t.Run(a.name, func(t *testing.T) { a.run(t, Suite{Encr: EncrChaCha20Poly1305}) })
	}
}

// RFC 3602 section 4, cases 1 to 4: AES-CBC alone.
func TestCBCAnswers(t *testing.T) {
	for _, c := range []struct{ key, iv, plain, cipher string }{
		{
			"06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
			hex.EncodeToString([]byte("Single block msg")),
			"e353779c1079aeb82708942dbe77181a",
		},
		{
			"c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
		},
		{
			"6c3ea0477630ce21a2ce334aa746c2cd", "c782dc4c098c66cbd9cd27d825682c81",
			hex.EncodeToString([]byte("This is a 48-byte message (exactly 3 AES blocks)")),
			"d0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5" +
				"021c19216bad525c8579695d83ba2684",
		},
		{
			"56e47a38c5598974bc46903dba290349", "8ce82eefbea0da3c44699ed7db51b7d9",
			"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" +
				"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
			"c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e" +
				"35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55",
		},
	} {
		k, err := newKey(Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA1}, unhex(t, c.key), make([]byte, 20))
		if err != nil {
			t.Fatal(err)
		}
		var w Scratch
		plain, want, iv := unhex(t, c.plain), unhex(t, c.cipher), unhex(t, c.iv)
		got := make([]byte, len(plain))
		encryptCBC(&w, k.block, got, plain, iv)
		if !bytes.Equal(got, want) {
			t.Errorf("encrypted %x, want %x", got, want)
		}
		decryptCBC(k.block, got, iv)
		if !bytes.Equal(got, plain) {
			t.Errorf("decrypted %x, want %x", got, plain)
		}
	}
}

// RFC 3602 section 4, cases 5 to 8: whole ESP packets, to which an ICV is added.
func TestCBCPackets(t *testing.T) {
	for _, c := range []struct {
		name, key, payload, packet string
		nextHeader                 uint8
	}{
		{
			"case 5", "90d382b410eeba7ad938c46cec1a82bf",
			"08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617" +
				"18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
			"0000432100000001e96e8c08ab465763fd098d45dd3ff893" +
				"f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856" +
				"a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a" +
				"a269add047ad2d5913ac19b7cfbad4a6", 1,
		},
		{
			"case 6", "90d382b410eeba7ad938c46cec1a82bf",
			"0800b5e8a80a0500a69c083d0b660e00777777777777777777777777",
			"000043210000000869d08df7d203329db093fc4924e5bd80" +
				"f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75", 1,
		},
		{
			"case 7", "0123456789abcdef0123456789abcdef",
			"45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d" +
				"02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223" +
				"2425262728292a2b2c2d2e2f3031323334353637",
			"0000876500000002f4e765244f6407adf13dc1380f673f37" +
				"773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8" +
				"e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5" +
				"c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d", 4,
		},
		{
			"case 8", "0123456789abcdef0123456789abcdef",
			"45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083d" +
				"a3de0300ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"000087650000000585d47224b5f3dd5d2101d4ea8dffab22" +
				"15b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb5" +
				"0f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3" +
				"d2726d9b5ef6affc6d17a0decbb13892", 4,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload, want := unhex(t, c.payload), unhex(t, c.packet)
			spi, seq := binary.BigEndian.Uint32(want), uint64(binary.BigEndian.Uint32(want[4:]))
			s := Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA256x128}
			in, err := NewInbound(InboundConfig{SPI: spi, Suite: s, EncrKey: unhex(t, c.key), IntegKey: make([]byte, 32)})
			if err != nil {
				t.Fatal(err)
			}
			k := in.key
			plain := append(payload, make([]byte, padLen(len(payload), k.align)+trailerLen)...)
			putTrailer(plain[len(payload):], c.nextHeader)
			var w Scratch
			pkt := slices.Concat(want[:k.header], make([]byte, len(plain)+k.icv))
			k.seal(&w, pkt, plain, seq)
			if got := pkt[:len(pkt)-k.icv]; !bytes.Equal(got, want) {
				t.Errorf("sealed\n%x, want\n%x", got, want)
			}
			got, nh, gotSeq, err := opened(in, &w, pkt)
			if err != nil || !bytes.Equal(got, payload) || nh != c.nextHeader || gotSeq != seq {
				t.Errorf("Open: %x, next header %d, sequence %d, %v", got, nh, gotSeq, err)
			}
		})
	}
}

// RFC 3686 section 6: all nine vectors. The last four octets of each key are the
// nonce.
func TestCTRAnswers(t *testing.T) {
	const text = "53696e676c6520626c6f636b206d7367" // "Single block msg"
	const count = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	for i, c := range []struct{ key, iv, plain, cipher string }{
		{"ae6852f8121067cc4bf7a5765577f39e" + "00000030", "0000000000000000", text, "e4095d4fb7a7b3792d6175a3261311b8"},
		{"7e24067817fae0d743d6ce1f32539163" + "006cb6db", "c0543b59da48d90b", count[:64],
			"5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28"},
		{"7691be035e5020a8ac6e618529f9a0dc" + "00e0017b", "27777f3f4a1786f0", count,
			"c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f"},
		{"16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb78515" + "00000048", "36733c147d6d93cb", text, "4b55384fe259c9c84e7935a003cbe928"},
		{"7c5cb2401b3dc33c19e7340819e0f69c678c3db8e6f6a91a" + "0096b03b", "020c6eadc2cb500d", count[:64],
			"453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00"},
		{"02bf391ee8ecb159b959617b0965279bf59b60a786d3e0fe" + "0007bdfd", "5cbd60278dcc0912", count,
			"96893fc55e5c722f540b7dd1ddf7e758d288bc95c69165884536c811662f2188abee0935"},
		{"776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104" + "00000060", "db5672c97aa8f0b2", text, "145ad01dbf824ec7560863dc71e3e0c0"},
		{"f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884" + "00faac24", "c1585ef15a43d875", count[:64],
			"f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c"},
		{"ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d" + "001cc5b7", "51a51d70a1c11148", count,
			"eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8"},
	} {
		key, plain, want := unhex(t, c.key), unhex(t, c.plain), unhex(t, c.cipher)
		k, err := newKey(Suite{Encr: EncrAESCTR, KeyBits: 8 * (len(key) - 4), Integ: IntegHMACSHA1}, key, make([]byte, 20))
		if err != nil {
			t.Fatal(err)
		}
		var w Scratch
		k.nonce(&w, append(make([]byte, headerLen), unhex(t, c.iv)...))
		got := make([]byte, len(plain)+k.icv)
		xorCTR(&w, k.aead, k.block, got, plain, 1)
		if !bytes.Equal(got[:len(plain)], want) {
			t.Errorf("vector %d: %x, want %x", i+1, got[:len(plain)], want)
		}
	}
}
