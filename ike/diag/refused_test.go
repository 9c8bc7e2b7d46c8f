package diag

import (
	"strings"
	"testing"
	"time"
)

// Whoever is refused is told the three things that it may be, in order and with their lines, and no identity of a peer that has shown
// none.
func TestAuthRefused(t *testing.T) {
	w := testWhere("IKE_AUTH").Showing("")
	w.Child = ""
	f := AuthRefused(w, notification("AUTHENTICATION_FAILED"), Proof{
		Key: Key{"secrets.ike.office", "gw.toml:30"}, LocalID: "site-a.example", LocalLine: "gw.toml:17", Asked: "site-b.example", AskedLine: "gw.toml:20",
	})
	want := "E-AUTH-REFUSED office: the peer refuses our authentication in IKE_AUTH: peer 203.0.113.7:500 answered AUTHENTICATION_FAILED; " +
		"we (192.0.2.1:500, gw.toml:30) authenticated with secrets.ike.office as 'site-a.example', and asked for 'site-b.example'. " +
		"Fix: the peer does not say why, but its log does. Compare with its configuration, in this order: " +
		"the key of secrets.ike.office (gw.toml:30), for this pair of identities; local.id 'site-a.example' (gw.toml:17), which the peer must expect; " +
		"remote.id 'site-b.example' (gw.toml:20), which must be the peer's own."
	if got := f.Error(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if f.Reason() != "auth_refused" || f.Alert() != "local-auth-failed" {
		t.Errorf("reason %s, alert %s", f.Reason(), f.Alert())
	}
}

// Whoever has signed is told of the certificate, what the peer may not like about it, and of no pre-shared key.
func TestAuthRefusedWithASignature(t *testing.T) {
	w := testWhere("IKE_AUTH").Showing("")
	w.Child = ""
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	cert := Signed{"a.crt", "gw.toml:17", Certificate{Subject: "CN=a", Serial: "12ab", Issuer: "CN=CA"}, day(1), day(30), true}
	silent := cert
	silent.Sent = false
	for _, c := range []struct {
		p         Proof
		with, fix string
	}{
		{Proof{Signed: cert, LocalID: "a"}, "we (192.0.2.1:500, gw.toml:17) authenticated with the certificate 'CN=a' (serial number 12ab, issued by 'CN=CA') of a.crt as 'a'. ",
			"in this order: the CA 'CN=CA', which the peer must know and trust, as all between it and its root; whether the certificate is valid by the peer's clock " +
				"(from 2026-11-01 00:00:00 UTC to 2026-11-30 00:00:00 UTC), and not revoked; local.id 'a', which the peer must expect."},
		{Proof{Signed: Signed{Name: "a.pub", Line: "gw.toml:17"}, LocalID: "a"}, "authenticated with the key of a.pub as 'a'",
			"the public key of a.pub (gw.toml:17), which the peer must have in its pubkeys; local.id"},
		{Proof{Signed: cert, Key: Key{"secrets.ike.office", "gw.toml:30"}, LocalID: "a"}, "of a.crt and secrets.ike.office as 'a'", "not revoked; the key of secrets.ike.office (gw.toml:30), for"},
		{Proof{Signed: silent, LocalID: "a"}, "of a.crt, which was not sent, as 'a'", "in this order: whether the peer has that certificate: it has asked for none, or send_cert is \"never\"; "},
	} {
		f := AuthRefused(w, notification("AUTHENTICATION_FAILED"), c.p).Error()
		if !strings.Contains(f, c.with) || !strings.Contains(f, c.fix) {
			t.Errorf("%s\nlacks %s\nor %s", f, c.with, c.fix)
		}
		if c.p.Key == (Key{}) && (strings.Contains(f, "pre-shared") || strings.Contains(f, "secrets.ike")) {
			t.Errorf("a pre-shared key that was not used: %s", f)
		}
	}
}
