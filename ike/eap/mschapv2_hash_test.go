package eap

import (
	"bytes"
	"fmt"
	"testing"
)

// The example of RFC 2759 section 9.2 and of RFC 3079 section 3.5.3.
func TestMSCHAPv2KnownAnswers(t *testing.T) {
	x := exchange{
		server: [16]byte(unhex(t, "5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28")),
		client: [16]byte(unhex(t, "21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E")),
		name:   "User",
	}
	nt := ntHash("clientPass")
	want := func(what string, got []byte, hex string) {
		t.Helper()
		if !bytes.Equal(got, unhex(t, hex)) {
			t.Errorf("%s is %x, want %s", what, got, hex)
		}
	}
	want("the password", utf16le("clientPass"), "63 00 6C 00 69 00 65 00 6E 00 74 00 50 00 61 00 73 00 73 00")
	want("Challenge", x.challengeHash(), "D0 2E 43 86 BC E9 12 26")
	want("PasswordHash", nt[:], "44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE")
	want("PasswordHashHash", hashHash(nt), "41 C0 0C 58 4B D2 D9 1C 40 17 A2 A1 2F A5 9F 3F")
	x.response = x.ntResponse(nt)
	want("NT-Response", x.response[:], "82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF")
	if got := x.authenticator(nt); got != "S=407A5589115FD0D6209F510FE9C04566932CDA56" {
		t.Errorf("the authenticator response is %s", got)
	}
	msk := x.msk(nt)
	if len(msk) != MSKLen {
		t.Fatalf("an MSK of %d octets", len(msk))
	}
	// "SendStartKey128", of the server, is the second half; what it receives with is the first.
	want("MasterSendKey", msk[16:32], "8B 7C DC 14 9B 99 3A 1B A1 18 CB 15 3F 56 DC CB")
	want("MasterReceiveKey", msk[:16], "D5 F0 E9 52 1E 3E A9 58 96 45 E8 60 51 C8 22 26")
	want("the padding", msk[32:], fmt.Sprintf("%064d", 0))
}

// RFC 2759 section 9.3; the parity is left out.
func TestDESKeys(t *testing.T) {
	for raw, key := range map[string]string{
		"FC 15 6A F7 ED CD 6C": "FC 0A 5A 5E 7E 6E 34 D8",
		"0E DD E3 33 7D 42 7F": "0E 6E 78 66 36 EA 08 FE",
	} {
		if got := desKey([7]byte(unhex(t, raw))); !bytes.Equal(got, unhex(t, key)) {
			t.Errorf("%s becomes %x, want %s", raw, got, key)
		}
	}
}

// What is not in ASCII, what is not in the first plane, and what is no UTF-8.
func TestUTF16(t *testing.T) {
	for s, want := range map[string]string{"": "", "ü": "fc00", "🐴": "3dd834dc", "a\xffb": "6100fdff6200"} {
		if got := fmt.Sprintf("%x", utf16le(s)); got != want {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
}
