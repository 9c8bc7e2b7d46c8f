package suite

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

// kat is one known answer from a file in testdata. The files say where the numbers come from.
type kat struct {
	name   string
	fields map[string]string
}

// readKAT reads "[name]" sections of "key = value" lines; "#" begins a comment.
func readKAT(t testing.TB, file string) []kat {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var out []kat
	for n, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			out = append(out, kat{name: strings.Trim(line, "[]"), fields: make(map[string]string)})
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || len(out) == 0 {
				t.Fatalf("%s:%d: %q", file, n+1, line)
			}
			out[len(out)-1].fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return out
}

func (k kat) has(field string) bool { _, ok := k.fields[field]; return ok }

func (k kat) str(t testing.TB, field string) string {
	t.Helper()
	s, ok := k.fields[field]
	if !ok {
		t.Fatalf("%s has no %s", k.name, field)
	}
	return s
}

func (k kat) hex(t testing.TB, field string) []byte {
	t.Helper()
	return unhex(t, k.str(t, field))
}

// id returns the transform ID that a field names.
func (k kat) id(t testing.TB, field string) uint16 {
	t.Helper()
	name := k.str(t, field)
	id, ok := map[string]uint16{
		"ENCR_AES_CBC": wire.ENCR_AES_CBC, "ENCR_AES_CTR": wire.ENCR_AES_CTR, "ENCR_AES_GCM_8": wire.ENCR_AES_GCM_8,
		"ENCR_AES_GCM_12": wire.ENCR_AES_GCM_12, "ENCR_AES_GCM_16": wire.ENCR_AES_GCM_16,
		"ENCR_CHACHA20_POLY1305": wire.ENCR_CHACHA20_POLY1305,

		"PRF_HMAC_SHA1": wire.PRF_HMAC_SHA1, "PRF_HMAC_SHA2_256": wire.PRF_HMAC_SHA2_256, "PRF_HMAC_SHA2_384": wire.PRF_HMAC_SHA2_384,
		"PRF_HMAC_SHA2_512": wire.PRF_HMAC_SHA2_512, "PRF_AES128_XCBC": wire.PRF_AES128_XCBC, "PRF_AES128_CMAC": wire.PRF_AES128_CMAC,

		"AUTH_HMAC_SHA1_96": wire.AUTH_HMAC_SHA1_96, "AUTH_HMAC_SHA2_256_128": wire.AUTH_HMAC_SHA2_256_128,
		"AUTH_HMAC_SHA2_384_192": wire.AUTH_HMAC_SHA2_384_192, "AUTH_HMAC_SHA2_512_256": wire.AUTH_HMAC_SHA2_512_256,
		"AUTH_AES_XCBC_96": wire.AUTH_AES_XCBC_96, "AUTH_AES_CMAC_96": wire.AUTH_AES_CMAC_96,

		"KE_MODP_1024": wire.KE_MODP_1024, "KE_MODP_1536": wire.KE_MODP_1536, "KE_MODP_2048": wire.KE_MODP_2048,
		"KE_MODP_3072": wire.KE_MODP_3072, "KE_MODP_4096": wire.KE_MODP_4096, "KE_MODP_6144": wire.KE_MODP_6144,
		"KE_MODP_8192": wire.KE_MODP_8192, "KE_ECP_256": wire.KE_ECP_256, "KE_ECP_384": wire.KE_ECP_384, "KE_ECP_521": wire.KE_ECP_521,
		"KE_CURVE25519": wire.KE_CURVE25519, "KE_ML_KEM_768": wire.KE_ML_KEM_768, "KE_ML_KEM_1024": wire.KE_ML_KEM_1024,
	}[name]
	if !ok {
		t.Fatalf("%s: unknown %s %q", k.name, field, name)
	}
	return id
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantBytes(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %x\nwant %x", what, got, want)
	}
}

// seq returns n octets that are all different from their neighbours, beginning with first.
func seq(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}
