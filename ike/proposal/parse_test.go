package proposal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		protocol wire.ProtocolID
		in       string
		want     []wire.Transform
	}{
		{wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_GCM_16, 256), tr(tPRF, wire.PRF_HMAC_SHA2_384), tr(tKE, wire.KE_ECP_384),
		}},
		// The documentation's example: order among kinds means nothing, order within a kind is preference.
		{wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384-aes192gcm16-prfsha256-modp3072", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_GCM_16, 256), tr(tENCR, wire.ENCR_AES_GCM_16, 192),
			tr(tPRF, wire.PRF_HMAC_SHA2_384), tr(tPRF, wire.PRF_HMAC_SHA2_256),
			tr(tKE, wire.KE_ECP_384), tr(tKE, wire.KE_MODP_3072),
		}},
		// The PRF follows from the integrity algorithms.
		{wire.ProtocolIKE, "aes128-sha256-sha1-modp2048", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_CBC, 128),
			tr(tPRF, wire.PRF_HMAC_SHA2_256), tr(tPRF, wire.PRF_HMAC_SHA1),
			tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128), tr(tINTEG, wire.AUTH_HMAC_SHA1_96),
			tr(tKE, wire.KE_MODP_2048),
		}},
		{wire.ProtocolIKE, "aes128ctr-aescmac-x25519", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_CTR, 128), tr(tPRF, wire.PRF_AES128_CMAC), tr(tINTEG, wire.AUTH_AES_CMAC_96),
			tr(tKE, wire.KE_CURVE25519),
		}},
		// ESP without a word about sequence numbers means 32 bits.
		{wire.ProtocolESP, "aes128-sha256", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_CBC, 128), tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128), tr(tESN, wire.ESN_NONE),
		}},
		{wire.ProtocolESP, "aes128gcm8-modp2048-none-esn-noesn", []wire.Transform{
			tr(tENCR, wire.ENCR_AES_GCM_8, 128), tr(tKE, wire.KE_MODP_2048), tr(tKE, wire.KE_NONE),
			tr(tESN, wire.ESN_ESN), tr(tESN, wire.ESN_NONE),
		}},
	} {
		p, err := Parse(tt.protocol, tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if p.Protocol != tt.protocol || !slices.Equal(p.Transforms, tt.want) {
			t.Errorf("%q: got %v, want %v", tt.in, p.Transforms, tt.want)
		}
	}
}

// TestParseErrors holds each error to naming what is wrong and what would be right.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		protocol wire.ProtocolID
		in       string
		want     []string // all must be in the error
	}{
		{wire.ProtocolIKE, "", []string{"is empty", "aes256gcm16-prfsha384-ecp384"}},
		{wire.ProtocolESP, "  ", []string{"is empty", "aes256gcm16-ecp384"}},
		{wire.ProtocolIKE, "aes256--sha256", []string{"empty word"}},
		{wire.ProtocolIKE, "default", []string{"item of a list"}},
		{wire.ProtocolAH, "sha256", []string{"AH is not supported", "null"}},
		{wire.ProtocolNone, "aes256", []string{"no proposals"}},

		{wire.ProtocolIKE, "aes256gmc16-prfsha384-ecp384", []string{`"aes256gmc16"`, "did you mean aes256gcm16?"}},
		{wire.ProtocolIKE, "aes256gcm16-prfsha385-ecp384", []string{`"prfsha385"`, "did you mean prfsha384?"}},
		{wire.ProtocolIKE, "aes256-sha265-modp2048", []string{`"sha265"`, "did you mean sha256?"}},
		{wire.ProtocolIKE, "aes256-sha256-group14", []string{`"group14"`, "did you mean modp2048?"}},
		{wire.ProtocolIKE, "aes256-sha256-dh20", []string{`"dh20"`, "did you mean ecp384?"}},
		{wire.ProtocolIKE, "aes256-gcm16-prfsha256-modp2048", []string{`"gcm16"`, "aes256gcm16, in one word"}},
		{wire.ProtocolIKE, "AES_GCM_16_256-prfsha256-modp2048", []string{`"aes_gcm_16_256"`, "did you mean aes256gcm16?"}},
		{wire.ProtocolESP, "aes256-hmac_sha2_256_128", []string{"did you mean sha256?"}},
		{wire.ProtocolIKE, "rot13-sha256-modp2048", []string{`"rot13" is not the keyword of an algorithm`}},

		{wire.ProtocolIKE, "3des-sha256-modp2048", []string{"3des (3DES) is not supported", "aes256gcm16"}},
		{wire.ProtocolIKE, "aes256-md5-modp2048", []string{"md5 (HMAC_MD5_96) is not supported", "use sha256"}},
		{wire.ProtocolIKE, "aes256-sha256-x448", []string{"x448", "not supported", "x25519"}},
		{wire.ProtocolIKE, "aes256-sha256-mlkem768", []string{"on top of another key exchange", "x25519-ke1_mlkem768"}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke1_mlkem786", []string{`"mlkem786"`, "did you mean ke1_mlkem768?"}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke2_mlkem512", []string{"ke2_mlkem512 (ML_KEM_512) is not supported", "ke2_mlkem768"}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke1_aes256", []string{`"aes256" is not the keyword of a key exchange method`}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke8_mlkem768", []string{`"ke8_mlkem768"`}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke0_mlkem768", []string{`"ke0_mlkem768"`}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke1_", []string{"not the keyword of a key exchange method"}},
		{wire.ProtocolIKE, "aes256-sha256-ke1_mlkem768", []string{"no key exchange group"}},
		{wire.ProtocolESP, "aes256-sha256-ke1_mlkem768", []string{"ke1_mlkem768 is an additional key exchange", "x25519"}},
		{wire.ProtocolIKE, "aes256-sha256-x25519-ke1_mlkem768-ke3_mlkem768", []string{"same method", "once only"}},

		{wire.ProtocolIKE, "prfsha256-modp2048", []string{"no encryption algorithm"}},
		{wire.ProtocolIKE, "aes256-modp2048", []string{"aes256 needs an integrity algorithm", "sha256"}},
		{wire.ProtocolIKE, "aes256gcm16-modp2048", []string{"names no PRF", "prfsha256"}},
		{wire.ProtocolIKE, "aes256gcm16-prfsha256", []string{"no key exchange group", "ecp256"}},
		{wire.ProtocolIKE, "aes256-sha256-none", []string{"cannot do without a key exchange", "ecp256"}},
		{wire.ProtocolIKE, "null-sha256-modp2048", []string{"in the clear"}},
		{wire.ProtocolIKE, "aes256-sha256-modp2048-esn", []string{"esn", "must not be in an IKE proposal"}},
		{wire.ProtocolESP, "aes256-sha256-prfsha256", []string{"prfsha256", "only IKE"}},
		{wire.ProtocolESP, "aes256", []string{"needs an integrity algorithm"}},
		{wire.ProtocolESP, "null", []string{"needs an integrity algorithm"}},
		{wire.ProtocolESP, "sha256-modp2048", []string{"no encryption algorithm"}},

		{wire.ProtocolIKE, "aes256gcm16-sha256-modp2048", []string{
			"aes256gcm16 protects integrity itself", `write "aes256gcm16-prfsha256-modp2048"`,
		}},
		{wire.ProtocolESP, "aes256gcm16-sha256", []string{`write "aes256gcm16"`}},
		{wire.ProtocolIKE, "aes256gcm16-aes256-sha256-modp2048", []string{
			`split it into "aes256gcm16-prfsha256-modp2048" and "aes256-sha256-modp2048"`,
		}},
		{wire.ProtocolESP, "aes256-aes256gcm16-sha256-modp2048-esn", []string{
			`split it into "aes256gcm16-modp2048-esn" and "aes256-sha256-modp2048-esn"`,
		}},
	} {
		_, err := Parse(tt.protocol, tt.in)
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%q: error %v (%T), want a *ParseError", tt.in, err, err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q does not contain %q", tt.in, err, want)
			}
		}
	}
}

// TestAdviceIsRight: what an error says to write instead can be parsed.
func TestAdviceIsRight(t *testing.T) {
	for _, in := range []string{
		"aes256gcm16-sha256-modp2048", "aes256gcm16-aes256-sha256-modp2048", "chacha20poly1305-aes128-sha1-sha512-x25519",
	} {
		for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
			_, err := Parse(protocol, in)
			var pe *ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("%q: %v", in, err)
			}
			parts := strings.Split(pe.Reason, `"`)
			if len(parts) < 3 {
				t.Fatalf("%q: no advice in %q", in, pe.Reason)
			}
			for i := 1; i < len(parts); i += 2 {
				if _, err := Parse(protocol, parts[i]); err != nil {
					t.Errorf("%q: the advice %q is wrong: %v", in, parts[i], err)
				}
			}
		}
	}
}

func TestParseList(t *testing.T) {
	ps, err := ParseList(wire.ProtocolESP, []string{"aes256gcm16, aes128-sha256 ", "Default"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range ps {
		got = append(got, p.String())
	}
	want := []string{"aes256gcm16", "aes128-sha256"}
	for _, p := range Default(wire.ProtocolESP) {
		want = append(want, p.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	if ps, err := ParseList(wire.ProtocolIKE, nil); err != nil || len(ps) != len(Default(wire.ProtocolIKE)) {
		t.Errorf("an empty list gives %v, %v", ps, err)
	}

	_, err = ParseList(wire.ProtocolIKE, []string{"aes256-sha256-modp2048", "rot13", "aes256,prfsha256"})
	for _, want := range []string{"rot13", `"aes256"`, `"prfsha256"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}

	long := strings.Repeat("aes256gcm16,", 255) + "aes256gcm16"
	if _, err := ParseList(wire.ProtocolESP, []string{long}); err == nil || !strings.Contains(err.Error(), "at most 255") {
		t.Errorf("256 proposals: %v", err)
	}
}

// FuzzParse: any string gives a complete proposal that survives a round trip, or a *ParseError.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "-", "default", "aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048", "null-sha256-esn-noesn", "ke1_none",
		"aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke1_none", "aes256gcm16-x25519-ke1_mlkem1024-ke7_mlkem768-ke7_none", "ke1_", "aes256-sha256-x25519-ke8_mlkem768",
		"aes256gcm16-aes256-sha256-modp2048", "dh14", "gcm16", "aes256gcm16-none",
	} {
		f.Add(uint8(wire.ProtocolIKE), s)
		f.Add(uint8(wire.ProtocolESP), s)
	}
	f.Fuzz(func(t *testing.T, protocol uint8, s string) {
		p, err := Parse(wire.ProtocolID(protocol), s)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Reason == "" {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		checkComplete(t, p)
		again, err := Parse(p.Protocol, p.String())
		if err != nil || !slices.Equal(again.Transforms, p.Transforms) {
			t.Fatalf("%q -> %v -> %q -> %v, %v", s, p.Transforms, p, again.Transforms, err)
		}
	})
}

// checkComplete holds p to the invariant of the package comment.
func checkComplete(t testing.TB, p Proposal) {
	t.Helper()
	aeads, ciphers := split(of(p.Transforms, tENCR))
	ike := p.Protocol == wire.ProtocolIKE
	if (len(aeads) > 0) == (len(ciphers) > 0) {
		t.Fatalf("%v: %d AEADs, %d other ciphers", p.Transforms, len(aeads), len(ciphers))
	}
	if (len(of(p.Transforms, tINTEG)) > 0) != (len(ciphers) > 0) {
		t.Fatalf("%v: integrity does not go with encryption", p.Transforms)
	}
	if (len(of(p.Transforms, tPRF)) > 0) != ike || ike && len(of(p.Transforms, tKE)) == 0 || (len(of(p.Transforms, tESN)) > 0) == ike {
		t.Fatalf("%v: types do not fit %v", p.Transforms, p.Protocol)
	}
	seen := make(map[wire.Transform]bool)
	for i, tr := range p.Transforms {
		if seen[tr] || tr.Unknown || i > 0 && tr.Type < p.Transforms[i-1].Type {
			t.Fatalf("%v: duplicate, unknown or out of order", p.Transforms)
		}
		seen[tr] = true
		if tr.Type == tENCR && needsKeyLength(tr.ID) && tr.KeyLength == 0 {
			t.Fatalf("%v: no key length", p.Transforms)
		}
	}
}
