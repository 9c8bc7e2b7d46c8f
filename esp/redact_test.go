package esp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Whatever prints them, configurations and SAs do not show keys.
func TestNoKeysPrinted(t *testing.T) {
	s := Suite{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegHMACSHA256x128}
	encr, integ := []byte("ENCRKEYENCRKEY16SALT"), []byte("INTEGKEYINTEGKEYINTEGKEYINTEGKEY")
	oc := OutboundConfig{SPI: testSPI, Suite: s, EncrKey: encr, IntegKey: integ}
	ic := InboundConfig{SPI: testSPI, Suite: s, EncrKey: encr, IntegKey: integ}
	out, err := NewOutbound(oc)
	if err != nil {
		t.Fatal(err)
	}
	in, err := NewInbound(ic)
	if err != nil {
		t.Fatal(err)
	}
	var w Scratch
	copy(w.nonce[:], "SALT")
	var log bytes.Buffer
	text := slog.New(slog.NewTextHandler(&log, nil))
	for _, v := range []any{oc, ic, &oc, &ic, out, in, &w, struct{ C OutboundConfig }{oc}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		text.Info("config", "value", v)
	}
	got := log.String()
	for _, secret := range []string{"ENCRKEY", "INTEGKEY", "SALT"} {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
			if strings.Contains(got, form) {
				t.Errorf("%s is printed as %q in\n%s", secret, form, got)
			}
		}
	}
	if !strings.Contains(got, "c0ffee01") || !strings.Contains(got, "AES_CTR-128") {
		t.Errorf("neither SPI nor suite in\n%s", got)
	}
}
