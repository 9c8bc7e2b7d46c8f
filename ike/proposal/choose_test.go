package proposal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

// offer is the SA payload of a peer that has these proposals.
func offer(t testing.TB, protocol wire.ProtocolID, ss ...string) []wire.Proposal {
	t.Helper()
	var out []wire.Proposal
	for i, s := range ss {
		out = append(out, must(t, protocol, s).Wire(uint8(i+1), testSPI(protocol)))
	}
	return out
}

func testSPI(protocol wire.ProtocolID) []byte {
	if protocol == wire.ProtocolESP {
		return []byte{0xc0, 1, 2, 3}
	}
	return nil
}

func list(t testing.TB, protocol wire.ProtocolID, ss ...string) []Proposal {
	t.Helper()
	ps, err := ParseList(protocol, ss)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestChoose(t *testing.T) {
	ike, esp := wire.ProtocolIKE, wire.ProtocolESP
	for _, tt := range []struct {
		name     string
		protocol wire.ProtocolID
		ours     []string
		theirs   []string
		o        Options
		want     string
		number   uint8
		index    int
	}{
		{
			name: "equal", protocol: ike,
			ours: []string{"aes256gcm16-prfsha384-ecp384"}, theirs: []string{"aes256gcm16-prfsha384-ecp384"},
			want: "aes256gcm16-prfsha384-ecp384", number: 1,
		},
		{
			name: "the order of ours decides within a proposal", protocol: ike,
			ours:   []string{"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384-x25519"},
			theirs: []string{"aes128gcm16-aes256gcm16-prfsha256-prfsha384-x25519-ecp384"},
			want:   "aes256gcm16-prfsha384-ecp384", number: 1,
		},
		{
			name: "the order of ours decides among proposals", protocol: ike,
			ours:   []string{"aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"},
			theirs: []string{"aes256-sha256-modp2048", "aes128-sha1-modp2048", "aes256gcm16-prfsha384-ecp384"},
			want:   "aes256gcm16-prfsha384-ecp384", number: 3,
		},
		{
			name: "the second of ours", protocol: ike,
			ours:   []string{"aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"},
			theirs: []string{"aes256-sha256-modp2048"},
			want:   "aes256-sha256-modp2048", number: 1, index: 1,
		},
		{
			name: "the group of the KE payload is preferred", protocol: ike,
			ours:   []string{"aes256gcm16-prfsha384-ecp384-modp2048"},
			theirs: []string{"aes256gcm16-prfsha384-modp2048-ecp384"},
			o:      Options{PreferKE: wire.KE_MODP_2048},
			want:   "aes256gcm16-prfsha384-modp2048", number: 1,
		},
		{
			name: "the group of the KE payload is preferred across proposals", protocol: ike,
			ours:   []string{"aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"},
			theirs: []string{"aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"},
			o:      Options{PreferKE: wire.KE_MODP_2048},
			want:   "aes256-sha256-modp2048", number: 2, index: 1,
		},
		{
			name: "a KE payload for a group we do not want", protocol: ike,
			ours:   []string{"aes256gcm16-prfsha384-ecp384"},
			theirs: []string{"aes256gcm16-prfsha384-modp1024-ecp384"},
			o:      Options{PreferKE: wire.KE_MODP_1024},
			want:   "aes256gcm16-prfsha384-ecp384", number: 1,
		},
		{
			name: "IKE_AUTH: groups do not count", protocol: esp,
			ours: []string{"aes256gcm16-ecp384"}, theirs: []string{"aes256gcm16-modp1024"},
			o:    Options{IgnoreKE: true, PreferKE: wire.KE_ECP_384},
			want: "aes256gcm16", number: 1,
		},
		{
			name: "PFS in both", protocol: esp,
			ours: []string{"aes256gcm16-ecp384-none"}, theirs: []string{"aes256gcm16-ecp384"},
			want: "aes256gcm16-ecp384", number: 1,
		},
		{
			name: "PFS is optional for us and the peer does without", protocol: esp,
			ours: []string{"aes256gcm16-ecp384-none"}, theirs: []string{"aes256gcm16"},
			want: "aes256gcm16", number: 1,
		},
		{
			name: "PFS is optional for the peer and we do without", protocol: esp,
			ours: []string{"aes256gcm16"}, theirs: []string{"aes256gcm16-ecp384-none"},
			want: "aes256gcm16", number: 1,
		},
		{
			name: "ESN", protocol: esp,
			ours: []string{"aes256gcm16-esn-noesn"}, theirs: []string{"aes256gcm16-noesn-esn"},
			want: "aes256gcm16-esn", number: 1,
		},
		{
			name: "NULL", protocol: esp,
			ours: []string{"aes256gcm16", "null-sha256"}, theirs: []string{"null-sha256"},
			want: "null-sha256", number: 1, index: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := list(t, tt.protocol, tt.ours...), offer(t, tt.protocol, tt.theirs...)
			c, err := Choose(ours, theirs, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != tt.want || c.Number != tt.number || c.Ours != tt.index || c.Protocol != tt.protocol {
				t.Errorf("chose %v (number %d, ours %d), want %s (%d, %d)", c, c.Number, c.Ours, tt.want, tt.number, tt.index)
			}
			if !slices.Equal(c.SPI, testSPI(tt.protocol)) {
				t.Errorf("SPI %x", c.SPI)
			}
			checkAnswer(t, theirs, c, tt.o)

			// The initiator takes the answer, and comes to the same.
			answer := c.Wire()
			answer.SPI = testSPI(tt.protocol)
			v, err := Verify(list(t, tt.protocol, tt.theirs...), []wire.Proposal{answer}, tt.o)
			if err != nil {
				t.Fatalf("Verify: %v", err)
			}
			if v.String() != tt.want || v.Ours != int(tt.number)-1 {
				t.Errorf("the initiator understands %v", v)
			}
		})
	}
}

// checkAnswer holds the answer to the MUSTs of RFC 7296: the number of the offer, and exactly one transform of each type
// in it, which is one of those offered, with its attributes.
func checkAnswer(t *testing.T, theirs []wire.Proposal, c Chosen, o Options) {
	t.Helper()
	answer := c.Wire()
	i := slices.IndexFunc(theirs, func(p wire.Proposal) bool { return p.Number == answer.Number })
	if i < 0 {
		t.Fatalf("answer has number %d", answer.Number)
	}
	types := make(map[wire.TransformType]int)
	for _, tr := range answer.Transforms {
		types[tr.Type]++
		if !slices.Contains(theirs[i].Transforms, tr) {
			t.Errorf("%v was not offered", tr)
		}
	}
	for _, tr := range theirs[i].Transforms {
		if n := types[tr.Type]; n != 1 && !(o.IgnoreKE && tr.Type == tKE) {
			t.Errorf("%d transforms of type %v", n, tr.Type)
		}
	}
}

// TestChooseNone: NONE is in the answer exactly if the offer has the type.
func TestChooseNone(t *testing.T) {
	ours := list(t, wire.ProtocolESP, "aes256gcm16")
	gcm, noesn := tr(tENCR, wire.ENCR_AES_GCM_16, 256), tr(tESN, wire.ESN_NONE)
	integNone, keNone := tr(tINTEG, wire.AUTH_NONE), tr(tKE, wire.KE_NONE)
	for _, tt := range []struct {
		name   string
		theirs []wire.Transform
		o      Options
		want   []wire.Transform
	}{
		{"INTEG NONE", []wire.Transform{gcm, integNone, noesn}, Options{}, []wire.Transform{gcm, integNone, noesn}},
		{"KE NONE", []wire.Transform{gcm, keNone, noesn}, Options{}, []wire.Transform{gcm, keNone, noesn}},
		{"KE NONE in IKE_AUTH", []wire.Transform{gcm, keNone, noesn}, Options{IgnoreKE: true}, []wire.Transform{gcm, keNone, noesn}},
		{"no ESN", []wire.Transform{gcm}, Options{}, []wire.Transform{gcm}},
		{"neither", []wire.Transform{noesn, gcm}, Options{}, []wire.Transform{gcm, noesn}},
	} {
		theirs := []wire.Proposal{{Number: 3, Protocol: wire.ProtocolESP, SPI: []byte{1, 2, 3, 4}, Transforms: tt.theirs}}
		c, err := Choose(ours, theirs, tt.o)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := c.Wire(); !slices.Equal(got.Transforms, tt.want) || got.Number != 3 {
			t.Errorf("%s: answer %v, want %v", tt.name, got, tt.want)
		}
		if c.String() != "aes256gcm16" {
			t.Errorf("%s: %v", tt.name, c)
		}
	}
}

// TestChooseRefuses is the list of bad proposals of pitfall I6: each must be refused, without harm to a good one next to it.
func TestChooseRefuses(t *testing.T) {
	gcm := tr(tENCR, wire.ENCR_AES_GCM_16, 256)
	unknown := gcm
	unknown.Unknown = true
	prf, ke := tr(tPRF, wire.PRF_HMAC_SHA2_384), tr(tKE, wire.KE_ECP_384)
	cbc, sha := tr(tENCR, wire.ENCR_AES_CBC, 256), tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128)
	noesn := tr(tESN, wire.ESN_NONE)
	spi := []byte{1, 2, 3, 4}
	for _, tt := range []struct {
		name     string
		protocol wire.ProtocolID
		spi      []byte
		ts       []wire.Transform
		differs  wire.TransformType
	}{
		{"no KE", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf}, tKE},
		{"KE NONE", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, tr(tKE, wire.KE_NONE)}, tKE},
		{"private group", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, tr(tKE, 1025)}, tKE},
		{"no PRF", wire.ProtocolIKE, nil, []wire.Transform{gcm, ke}, tPRF},
		{"no ENCR", wire.ProtocolIKE, nil, []wire.Transform{prf, ke}, tENCR},
		{"AEAD with integrity", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, sha, ke}, tINTEG},
		{"cipher without integrity", wire.ProtocolIKE, nil, []wire.Transform{cbc, prf, ke}, tINTEG},
		{"cipher with integrity NONE", wire.ProtocolIKE, nil, []wire.Transform{cbc, prf, tr(tINTEG, wire.AUTH_NONE), ke}, tINTEG},
		{"no key length", wire.ProtocolIKE, nil, []wire.Transform{tr(tENCR, wire.ENCR_AES_GCM_16), prf, ke}, tENCR},
		{"odd key length", wire.ProtocolIKE, nil, []wire.Transform{tr(tENCR, wire.ENCR_AES_GCM_16, 257), prf, ke}, tENCR},
		{"unknown attribute", wire.ProtocolIKE, nil, []wire.Transform{unknown, prf, ke}, tENCR},
		{"key length for a PRF", wire.ProtocolIKE, nil, []wire.Transform{gcm, tr(tPRF, wire.PRF_HMAC_SHA2_384, 384), ke}, tPRF},
		{"NULL", wire.ProtocolIKE, nil, []wire.Transform{tr(tENCR, wire.ENCR_NULL), prf, sha, ke}, tENCR},
		{"unknown transform type", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, ke, tr(99, 1)}, 99},
		{"additional key exchange", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, ke, tr(wire.TransformADDKE1, wire.KE_ML_KEM_768)}, wire.TransformADDKE1},
		{"ESN in IKE", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, ke, noesn}, tESN},
		{"transform type 0", wire.ProtocolIKE, nil, []wire.Transform{gcm, prf, ke, tr(0, 1)}, 0},
		{"IKE with an ESP SPI", wire.ProtocolIKE, spi, []wire.Transform{gcm, prf, ke}, 0},
		{"IKE with SPI 0", wire.ProtocolIKE, make([]byte, 8), []wire.Transform{gcm, prf, ke}, 0},
		{"nothing", wire.ProtocolIKE, nil, nil, tENCR},
		{"PRF in ESP", wire.ProtocolESP, spi, []wire.Transform{gcm, noesn, prf}, tPRF},
		{"ESP without SPI", wire.ProtocolESP, nil, []wire.Transform{gcm, noesn}, 0},
		{"ESP with SPI 0", wire.ProtocolESP, make([]byte, 4), []wire.Transform{gcm, noesn}, 0},
		{"ESP with PFS we do not do", wire.ProtocolESP, spi, []wire.Transform{gcm, noesn, ke}, tKE},
		{"ESP with ESN we do not do", wire.ProtocolESP, spi, []wire.Transform{gcm, tr(tESN, wire.ESN_ESN)}, tESN},
		{"AH", wire.ProtocolAH, spi, []wire.Transform{sha, noesn}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours := list(t, wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384", "aes256-sha256-prfsha384-ecp384")
			if tt.protocol != wire.ProtocolIKE {
				ours = list(t, wire.ProtocolESP, "aes256gcm16")
			}
			bad := wire.Proposal{Number: 1, Protocol: tt.protocol, SPI: tt.spi, Transforms: tt.ts}
			_, err := Choose(ours, []wire.Proposal{bad}, Options{PreferKE: wire.KE_ECP_384})
			var me *MismatchError
			if !errors.As(err, &me) {
				t.Fatalf("error %v, want a *MismatchError", err)
			}
			if !slices.ContainsFunc(me.Differs, func(d Difference) bool { return d.Type == tt.differs }) {
				t.Errorf("differs in %v, not in type %d: %v", me.Differs, tt.differs, err)
			}

			good := ours[0].Wire(2, testSPI(ours[0].Protocol))
			c, err := Choose(ours, []wire.Proposal{bad, good}, Options{})
			if err != nil || c.Number != 2 {
				t.Errorf("beside a good one: %v, %v", c, err)
			}
		})
	}
}

// TestChooseManyProposals: 255 proposals, numbered in disorder, and each transform many times over.
func TestChooseManyProposals(t *testing.T) {
	ours := list(t, wire.ProtocolIKE, "default")
	want := mustIKE(t, "aes128-sha512-modp2048")
	var theirs []wire.Proposal
	for i := range 254 {
		p := want.Wire(uint8(255-i), nil)
		p.Transforms = slices.Repeat([]wire.Transform{tr(tENCR, 999), tr(tENCR, wire.ENCR_AES_CBC, 96)}, 100)
		theirs = append(theirs, p)
	}
	last := want.Wire(1, nil)
	last.Transforms = slices.Repeat(last.Transforms, 50)
	theirs = append(theirs, last)
	c, err := Choose(ours, theirs, Options{})
	if err != nil || c.Number != 1 || c.String() != "aes128-sha512-modp2048" {
		t.Errorf("%v (%d), %v", c, c.Number, err)
	}
	_, err = Choose(ours, theirs[:254], Options{})
	if err == nil || len(err.Error()) > 10000 || !strings.Contains(err.Error(), "248 more") {
		t.Errorf("%v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	ours := list(t, wire.ProtocolIKE, "aes256gcm16-aes128gcm16-prfsha384-ecp384-x25519", "aes256-sha256-modp2048")
	good := mustIKE(t, "aes256gcm16-prfsha384-ecp384").Wire(1, nil)
	alter := func(f func(*wire.Proposal)) []wire.Proposal {
		p := good
		p.Transforms = slices.Clone(good.Transforms)
		f(&p)
		return []wire.Proposal{p}
	}
	if _, err := Verify(ours, []wire.Proposal{good}, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		answer   []wire.Proposal
		mismatch bool   // *MismatchError, else *AnswerError
		want     string // in the text
	}{
		{"no proposal", nil, false, "has 0 proposals"},
		{"two proposals", []wire.Proposal{good, good}, false, "has 2 proposals"},
		{"number 0", alter(func(p *wire.Proposal) { p.Number = 0 }), false, "number 0, offered were 1 to 2"},
		{"number 3", alter(func(p *wire.Proposal) { p.Number = 3 }), false, "number 3"},
		{"number of another", alter(func(p *wire.Proposal) { p.Number = 2 }), true, "we want AES_CBC_256, peer has AES_GCM_16_256"},
		{"another protocol", alter(func(p *wire.Proposal) { p.Protocol = wire.ProtocolESP }), false, "is for ESP"},
		{"an open choice", alter(func(p *wire.Proposal) { p.Transforms = append(p.Transforms, tr(tKE, wire.KE_CURVE25519)) }), false,
			"between ECP_384 and CURVE_25519"},
		{"twice the same", alter(func(p *wire.Proposal) { p.Transforms = append(p.Transforms, p.Transforms[0]) }), false, "open"},
		{"a group not offered", alter(func(p *wire.Proposal) { p.Transforms[2].ID = wire.KE_MODP_1024 }), true,
			"key exchange (KE): we want ECP_384 or CURVE_25519, peer has MODP_1024"},
		{"a key length not offered", alter(func(p *wire.Proposal) { p.Transforms[0].KeyLength = 192 }), true, "AES_GCM_16_192"},
		{"key length dropped", alter(func(p *wire.Proposal) { p.Transforms[0].KeyLength = 0 }), true, "AES_GCM_16 (no key length)"},
		{"unknown attribute", alter(func(p *wire.Proposal) { p.Transforms[0].Unknown = true }), true, "unknown attribute"},
		{"an integrity algorithm too", alter(func(p *wire.Proposal) {
			p.Transforms = append(p.Transforms, tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128))
		}), true, "we want NONE, peer has HMAC_SHA2_256_128"},
		{"a type not offered", alter(func(p *wire.Proposal) { p.Transforms = append(p.Transforms, tr(77, 1)) }), true, "transform type 77"},
		{"no PRF", alter(func(p *wire.Proposal) { p.Transforms = slices.Delete(p.Transforms, 1, 2) }), true, "peer has none"},
		{"an SPI of 4 octets", alter(func(p *wire.Proposal) { p.SPI = []byte{1, 2, 3, 4} }), true, "must have 0 or 8 octets, peer's has 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Verify(ours, tt.answer, Options{})
			var me *MismatchError
			var ae *AnswerError
			if errors.As(err, &me) != tt.mismatch || errors.As(err, &ae) == tt.mismatch {
				t.Fatalf("error %v (%T)", err, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not contain %q", err, tt.want)
			}
		})
	}
}

// TestVerifyNone: an answer may spell out NONE, or leave it out, whatever we offered.
func TestVerifyNone(t *testing.T) {
	gcm, noesn := tr(tENCR, wire.ENCR_AES_GCM_16, 256), tr(tESN, wire.ESN_NONE)
	for _, ts := range [][]wire.Transform{
		{gcm, noesn},
		{gcm, noesn, tr(tINTEG, wire.AUTH_NONE)},
		{gcm, noesn, tr(tKE, wire.KE_NONE)},
		{gcm},
	} {
		answer := []wire.Proposal{{Number: 1, Protocol: wire.ProtocolESP, SPI: []byte{0, 0, 1, 1}, Transforms: ts}}
		for _, ours := range []string{"aes256gcm16", "aes256gcm16-x25519-none"} {
			c, err := Verify(list(t, wire.ProtocolESP, ours), answer, Options{})
			if err != nil || c.String() != "aes256gcm16" || !slices.Equal(c.SPI, answer[0].SPI) {
				t.Errorf("%s, answer %v: %v, %v", ours, ts, c, err)
			}
		}
		// With a key exchange that is not optional, none will not do.
		if _, err := Verify(list(t, wire.ProtocolESP, "aes256gcm16-x25519"), answer, Options{}); err == nil {
			t.Errorf("answer %v to an offer with PFS is accepted", ts)
		}
	}
}

// FuzzNegotiate: whatever a peer offers, what is chosen is in both, and the answer passes the peer's own Verify.
func FuzzNegotiate(f *testing.F) {
	f.Add([]byte{1, 0, 20, 1, 2, 0, 6, 0, 4, 0, 20, 0}, false, uint16(0))
	f.Add([]byte{1, 0, 12, 1, 2, 0, 5, 0, 3, 0, 12, 0, 4, 0, 14, 0}, false, uint16(14))
	f.Add([]byte{1, 0, 20, 1, 5, 0, 1, 0, 4, 0, 0, 0}, true, uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, esp bool, prefer uint16) {
		protocol, spi := wire.ProtocolIKE, []byte(nil)
		if esp {
			protocol, spi = wire.ProtocolESP, []byte{1, 2, 3, 4}
		}
		their := wire.Proposal{Number: 9, Protocol: protocol, SPI: spi}
		for ; len(b) >= 4; b = b[4:] {
			their.Transforms = append(their.Transforms, wire.Transform{
				Type: wire.TransformType(b[0]), ID: uint16(b[1])<<8 | uint16(b[2]),
				KeyLength: uint16(b[3]&3) * 128, Unknown: b[3]&0x80 != 0,
			})
		}
		_ = FormatWire(their)
		c, err := Choose(Default(protocol), []wire.Proposal{their}, Options{PreferKE: prefer})
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an empty error")
			}
			return
		}
		for _, tr := range c.Wire().Transforms {
			if !slices.Contains(their.Transforms, tr) || tr.Unknown {
				t.Fatalf("%v was not offered: %v", tr, their)
			}
		}
		answer := c.Wire()
		answer.Number, answer.SPI = uint8(c.Ours+1), spi
		if v, err := Verify(Default(protocol), []wire.Proposal{answer}, Options{}); err != nil || v.String() != c.String() {
			t.Fatalf("%v -> %v, %v", c, v, err)
		}
	})
}
