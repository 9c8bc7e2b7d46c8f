package proposal

import (
	"slices"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

const (
	tENCR  = wire.TransformENCR
	tPRF   = wire.TransformPRF
	tINTEG = wire.TransformINTEG
	tKE    = wire.TransformKE
	tESN   = wire.TransformESN
)

func tr(typ wire.TransformType, id uint16, bits ...uint16) wire.Transform {
	t := wire.Transform{Type: typ, ID: id}
	if len(bits) > 0 {
		t.KeyLength = bits[0]
	}
	return t
}

func mustIKE(t testing.TB, s string) Proposal { return must(t, wire.ProtocolIKE, s) }
func mustESP(t testing.TB, s string) Proposal { return must(t, wire.ProtocolESP, s) }

func must(t testing.TB, protocol wire.ProtocolID, s string) Proposal {
	t.Helper()
	p, err := Parse(protocol, s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStringIsCanonicalAndParsesBack(t *testing.T) {
	for _, tt := range []struct {
		protocol wire.ProtocolID
		in, want string
	}{
		{wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-prfsha384-ecp384"},
		{wire.ProtocolIKE, "ecp384-PRFSHA384-aes256gcm128 ", "aes256gcm16-prfsha384-ecp384"},
		{wire.ProtocolIKE, "aes-sha-modp1024", "aes128-sha1-modp1024"},
		{wire.ProtocolIKE, "aes256-sha2_256-prfsha256-curve25519", "aes256-sha256-x25519"},
		{wire.ProtocolIKE, "aes256-sha256-prfsha512-modp2048", "aes256-sha256-prfsha512-modp2048"},
		{wire.ProtocolIKE, "aes256-sha256-sha384-prfsha384-prfsha256-modp2048", "aes256-sha256-sha384-prfsha384-prfsha256-modp2048"},
		{wire.ProtocolIKE, "aes256-aes256-sha256-sha2_256-modp2048", "aes256-sha256-modp2048"},
		{wire.ProtocolIKE, "aes128-aesxcbc-modp2048", "aes128-aesxcbc-modp2048"},
		{wire.ProtocolESP, "aes256gcm-noesn", "aes256gcm16"},
		{wire.ProtocolESP, "noesn-esn-aes256gcm", "aes256gcm16-noesn-esn"},
		{wire.ProtocolESP, "null-sha256", "null-sha256"},
		{wire.ProtocolESP, "chacha20poly1305-esn-modpnone-x25519", "chacha20poly1305-none-x25519-esn"},
		{wire.ProtocolESP, "chacha20poly1305compat", "chacha20poly1305compat"},
	} {
		p := must(t, tt.protocol, tt.in)
		if got := p.String(); got != tt.want {
			t.Errorf("%q: String() = %q, want %q", tt.in, got, tt.want)
		}
		again := must(t, tt.protocol, p.String())
		if !slices.Equal(again.Transforms, p.Transforms) {
			t.Errorf("%q: %v, parsed back %v", tt.in, p.Transforms, again.Transforms)
		}
	}
}

func TestWire(t *testing.T) {
	p := mustESP(t, "aes256gcm16-ecp384-none-esn")
	spi := []byte{1, 2, 3, 4}
	w := p.Wire(7, spi)
	spi[0] = 9
	w.Transforms[0].KeyLength = 1
	if w.Number != 7 || w.Protocol != wire.ProtocolESP || !slices.Equal(w.SPI, []byte{1, 2, 3, 4}) {
		t.Errorf("%+v", w)
	}
	if p.Transforms[0] != tr(tENCR, wire.ENCR_AES_GCM_16, 256) {
		t.Error("Wire shares memory with the proposal")
	}
	want := []wire.Transform{tr(tENCR, wire.ENCR_AES_GCM_16, 256), tr(tESN, wire.ESN_ESN)}
	if got := p.WithoutKE(); !slices.Equal(got.Transforms, want) {
		t.Errorf("WithoutKE: %v", got.Transforms)
	}
	if len(of(p.Transforms, tKE)) != 2 {
		t.Error("WithoutKE changed its receiver")
	}
}

// TestFormatWire: what peers send gets the name its operator knows, or at least a number with a meaning.
func TestFormatWire(t *testing.T) {
	unknown := tr(tENCR, wire.ENCR_AES_CBC, 256)
	unknown.Unknown = true
	for _, tt := range []struct {
		want     string
		protocol wire.ProtocolID
		ts       []wire.Transform
	}{
		{"aes256-sha1-modp1024", wire.ProtocolIKE, []wire.Transform{
			tr(tENCR, wire.ENCR_AES_CBC, 256), tr(tPRF, wire.PRF_HMAC_SHA1), tr(tINTEG, wire.AUTH_HMAC_SHA1_96), tr(tKE, wire.KE_MODP_1024),
		}},
		{"3des-md5-modp768", wire.ProtocolIKE, []wire.Transform{
			tr(tKE, wire.KE_MODP_768), tr(tINTEG, wire.AUTH_HMAC_MD5_96), tr(tPRF, wire.PRF_HMAC_MD5), tr(tENCR, wire.ENCR_3DES),
		}},
		{"aes256gcm16-prfsha384-ecp384", wire.ProtocolIKE, mustIKE(t, "aes256gcm16-prfsha384-ecp384").Transforms},
		{"encr_1234_256-integ_999-prf_888-ke_777", wire.ProtocolIKE, []wire.Transform{
			tr(tENCR, 1234, 256), tr(tINTEG, 999), tr(tPRF, 888), tr(tKE, 777),
		}},
		{"aes128gcm16-INTEG_NONE-none-esn_7", wire.ProtocolESP, []wire.Transform{
			tr(tENCR, wire.ENCR_AES_GCM_16, 128), tr(tINTEG, wire.AUTH_NONE), tr(tKE, wire.KE_NONE), tr(tESN, 7),
		}},
		{"AES_CBC (no key length)", wire.ProtocolESP, []wire.Transform{tr(tENCR, wire.ENCR_AES_CBC)}},
		{"AES_CBC_256 (unknown attribute)", wire.ProtocolESP, []wire.Transform{unknown}},
		{"mlkem768-ke1_mlkem1024", wire.ProtocolIKE, []wire.Transform{
			tr(wire.TransformADDKE1, wire.KE_ML_KEM_1024), tr(tKE, wire.KE_ML_KEM_768),
		}},
		{"(no transforms)", wire.ProtocolIKE, nil},
	} {
		got := FormatWire(wire.Proposal{Protocol: tt.protocol, Transforms: tt.ts})
		if got != tt.want {
			t.Errorf("FormatWire(%v) = %q, want %q", tt.ts, got, tt.want)
		}
	}
}

func TestFormatWireIsBounded(t *testing.T) {
	ts := make([]wire.Transform, 10000)
	for i := range ts {
		ts[i] = tr(tENCR, uint16(i+1000))
	}
	if got := FormatWire(wire.Proposal{Transforms: ts}); len(got) > 1500 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d octets", len(got))
	}
}
