package suite

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

// TestNothingPrintsKeys: no verb of package fmt, no JSON and no slog handler shows what is inside.
func TestNothingPrintsKeys(t *testing.T) {
	secret := []byte("S3CRET-KEY-BYTES")
	keys := Keys{D: secret, Ai: secret, Ar: secret, Ei: secret, Er: secret, Pi: secret, Pr: secret}
	values := map[string]any{"Keys": keys, "*Keys": &keys, "slice": []Keys{keys}, "field": struct{ Keys Keys }{keys}}
	for _, s := range []string{"aes128gcm16-prfsha256-x25519", "aes128gcm8-prfsha256-x25519", "aes128-sha256-x25519", "aes128ctr-aesxcbc-x25519"} {
		c := chosen(t, s)
		encr, integ, err := keyLengths(c)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewProtection(c, bytes.Repeat(secret, 9)[:encr], bytes.Repeat(secret, 9)[:integ])
		if err != nil {
			t.Fatal(err)
		}
		values[s] = p
		if p, ok := p.(*aeadProtection); ok {
			values[s+" AEAD"] = p
		}
	}
	group, _ := modpGroupFor(wire.KE_MODP_1024)
	modp, err := newMODPFrom(group, secret)
	if err != nil {
		t.Fatal(err)
	}
	values["MODP"] = modp
	values["ECP"] = fixedKE(t, wire.KE_ECP_256, append(make([]byte, 16), secret...))
	values["X25519"] = fixedKE(t, wire.KE_CURVE25519, append(make([]byte, 16), secret...))
	for group := range mlkemGroups() {
		values[wire.TransformName(wire.TransformKE, group)] = fixedMLKEM(t, mustMLKEM(t, group), bytes.Repeat(secret, 4))
	}
	values["XCBC"] = newXCBC(secret)
	values["CMAC"] = newCMAC(secret)

	var decimal []string
	for _, b := range secret {
		decimal = append(decimal, fmt.Sprint(b))
	}
	for name, v := range values {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%b"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out.Write(j)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("test", "value", v)
		}
		text := out.String()
		for form, leak := range map[string]string{
			"text": string(secret[:6]), "hex": hex.EncodeToString(secret[:4]), "HEX": strings.ToUpper(hex.EncodeToString(secret[:4])),
			"hex with spaces": "53 33 43", "Go": "0x53, 0x33", "decimal": strings.Join(decimal[:4], " "), "base64": "UzNDUkVU",
		} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows its key as %s:\n%s", name, form, text)
			}
		}
		if !strings.Contains(text, redactedText) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestErrorsShowNoKeys: what NewProtection says of keys is their length.
func TestErrorsShowNoKeys(t *testing.T) {
	_, err := NewProtection(chosen(t, "aes128-sha256-x25519"), []byte("SECRET"), []byte("SECRET"))
	if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "5345") {
		t.Errorf("%v", err)
	}
}
