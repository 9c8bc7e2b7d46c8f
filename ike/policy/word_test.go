package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestWords: every value has its word, and every word its value.
func TestWords(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		AuthPSK: "psk", AuthPubkey: "pubkey", Auth(0): "unknown", Auth(12): "unknown",
		AuthEAP: "eap", AuthEAPMD5: "eap-md5", AuthEAPGTC: "eap-gtc", AuthEAPMSCHAPv2: "eap-mschapv2", AuthEAPTLS: "eap-tls", AuthEAPTTLS: "eap-ttls",
		AuthEAPPEAP: "eap-peap", AuthEAPDynamic: "eap-dynamic", AuthEAPRADIUS: "eap-radius",
		ChildlessAllow: "allow", ChildlessPrefer: "prefer", ChildlessForce: "force", ChildlessNever: "never", Childless(9): "unknown",
		DowngradeYes: "yes", DowngradeNo: "no", DowngradeRequired: "required", DowngradePrevention(9): "unknown",
		UniqueNo: "no", UniqueKeep: "keep", UniqueReplace: "replace", UniqueNever: "never", Unique(9): "unknown",
		RouteCheckBefore: "before", RouteCheckAfter: "after", RouteCheckNever: "never", RouteCheck(9): "unknown",
		MoveToAny: "any", MoveToListed: "local_addrs", MoveTo(9): "unknown",
		RevocationRelaxed: "relaxed", RevocationIfURI: "ifuri", RevocationStrict: "strict", Revocation(9): "unknown",
		SendCertIfAsked: "ifasked", SendCertAlways: "always", SendCertNever: "never", SendCert(9): "unknown",
		OCSPReply: "reply", OCSPRequest: "request", OCSPBoth: "both", OCSPNever: "never", OCSP(9): "unknown",
		StartNone: "none", StartTrap: "trap", StartStart: "start", StartAction(9): "unknown",
		ModeTunnel: "tunnel", Mode(9): "unknown",
	} {
		if got.String() != want {
			t.Errorf("%T %d is %s, want %s", got, got, got, want)
		}
	}
	same(t, AuthPSK, ChildlessAllow, UniqueNo, RouteCheckBefore, StartNone, ModeTunnel)
	back(t, DowngradeYes)
	back(t, RevocationRelaxed)
	back(t, SendCertIfAsked)
	back(t, OCSPReply)
	if a, ok := Parse[Auth](""); ok {
		t.Errorf("no word is %v", a)
	}
	if s, ok := Parse[StartAction]("Start"); ok || s != StartNone {
		t.Errorf("another spelling is %v", s)
	}
}

func same(t *testing.T, a Auth, c Childless, u Unique, r RouteCheck, s StartAction, m Mode) {
	t.Helper()
	back(t, a)
	back(t, c)
	back(t, u)
	back(t, r)
	back(t, s)
	back(t, m)
}

func back[W Word](t *testing.T, w W) {
	t.Helper()
	for i, text := range w.Words() {
		if v, ok := Parse[W](text); text != "" && (!ok || int(v) != i) {
			t.Errorf("%q is %d, %v, want %d", text, v, ok, i)
		}
	}
}

// TestAuth: what the methods have to do with EAP and TLS.
func TestAuth(t *testing.T) {
	for a, want := range map[Auth]string{
		0: "", AuthPSK: "", AuthPubkey: "", AuthEAP: "EAP chosen", AuthEAPMD5: "EAP", AuthEAPGTC: "EAP", AuthEAPMSCHAPv2: "EAP", AuthEAPTLS: "EAP TLS",
		AuthEAPTTLS: "EAP TLS", AuthEAPPEAP: "EAP TLS", AuthEAPDynamic: "EAP chosen", AuthEAPRADIUS: "EAP", AuthEAPRADIUS + 1: "",
	} {
		var got []string
		for _, is := range []struct {
			name string
			so   bool
		}{{"EAP", a.EAP()}, {"TLS", a.TLS()}, {"chosen", a.Chosen()}} {
			if is.so {
				got = append(got, is.name)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s is %q, want %q", a, text, want)
		}
	}
}

// TestOCSP: who asks and who answers, by policy.
func TestOCSP(t *testing.T) {
	for o, want := range map[OCSP][2]bool{OCSPReply: {false, true}, OCSPRequest: {true, false}, OCSPBoth: {true, true}, OCSPNever: {false, false}} {
		if o.Asks() != want[0] || o.Answers() != want[1] {
			t.Errorf("%s: asks %v, answers %v, want %v", o, o.Asks(), o.Answers(), want)
		}
	}
}
