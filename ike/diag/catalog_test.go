package diag

import (
	"regexp"
	"strings"
	"testing"
)

// TestCatalog: every code has a title, a text and a fix, and predicates for both sides.
func TestCatalog(t *testing.T) {
	unknown := lookup("E-NO-SUCH-CODE")
	titles := map[string]Code{}
	for _, c := range Codes() {
		i := lookup(c)
		if i.title == unknown.title {
			t.Errorf("%s is not in the catalog", c)
			continue
		}
		for field, s := range map[string]string{
			"title": i.title, "text": i.text, "fix": i.fix, "peerVerb": i.peerVerb, "peerDefault": i.peerDefault,
			"ourVerb": i.ourVerb, "ourDefault": i.ourDefault,
		} {
			if strings.TrimSpace(s) != s || s == "" {
				t.Errorf("%s: %s is %q", c, field, s)
			}
		}
		if len(i.text) < 60 || !strings.HasSuffix(i.text, ".") || !strings.HasSuffix(i.fix, ".") {
			t.Errorf("%s: text or fix is not made of sentences", c)
		}
		if other, dup := titles[i.title]; dup {
			t.Errorf("%s and %s have one title", c, other)
		}
		titles[i.title] = c
		if i.fixByPeer != "" && !strings.HasSuffix(i.fixByPeer, ".") {
			t.Errorf("%s: fixByPeer is no sentence", c)
		}
		if DefaultFix(c, false) == "" || DefaultFix(c, true) == "" {
			t.Errorf("%s: no fix", c)
		}
		title, text := Explain(c)
		if title != i.title || !strings.Contains(text, i.text) || !strings.Contains(text, i.fix) || !strings.Contains(text, i.fixByPeer) {
			t.Errorf("%s: Explain leaves something out", c)
		}
	}
	if title, text := Explain("E-NO-SUCH-CODE"); title == "" || text == "" {
		t.Error("an unknown code explains as nothing")
	}
}

func TestCodes(t *testing.T) {
	form, label := regexp.MustCompile(`^E(-[A-Z]+)+$`), regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]Code{}
	for _, c := range Codes() {
		if !form.MatchString(string(c)) {
			t.Errorf("code %q has another form", c)
		}
		r := c.Reason()
		if !label.MatchString(r) {
			t.Errorf("%s: reason %q is no label", c, r)
		}
		if other, dup := seen[r]; dup {
			t.Errorf("%s and %s have one reason", c, other)
		}
		seen[r] = c
		for _, in := range []string{string(c), strings.ToLower(string(c)), " " + r + " ", strings.TrimPrefix(string(c), "E-")} {
			if got, ok := ParseCode(in); !ok || got != c {
				t.Errorf("ParseCode(%q) = %q, %v", in, got, ok)
			}
		}
	}
	if c, ok := ParseCode("nonsense"); ok {
		t.Errorf("ParseCode(nonsense) = %q", c)
	}
	if got := CodeProposalIKE.Reason(); got != "proposal_ike" {
		t.Errorf("reason = %q", got)
	}
}

// viciAlerts are the alert types of the VICI protocol.
// https://github.com/strongswan/strongswan/blob/master/src/libcharon/plugins/vici/README.md#alert
const viciAlerts = `authorization-failed cert-exceeded-path-len cert-expired cert-no-issuer cert-policy-violation cert-revoked
	cert-untrusted-root cert-validation-failed half-open-timeout ike-sa-expired install-child-policy-failed
	install-child-sa-failed invalid-ike-spi keep-on-child-sa-failure local-auth-failed parse-error-body parse-error-header
	peer-addr-failed peer-auth-failed peer-init-unreachable proposal-mismatch-child proposal-mismatch-ike
	radius-not-responding retransmit-receive retransmit-send retransmit-send-cleared retransmit-send-timeout
	shutdown-signal ts-mismatch ts-narrowed unique-keep unique-replace vip-failure`

func TestAlerts(t *testing.T) {
	known := map[string]bool{"": true}
	for _, a := range strings.Fields(viciAlerts) {
		known[a] = true
	}
	for _, c := range Codes() {
		for _, byPeer := range []bool{false, true} {
			if a := (&Failure{Code: c, ByPeer: byPeer}).Alert(); !known[a] {
				t.Errorf("%s: %q is no alert of the protocol", c, a)
			}
		}
	}
	for _, c := range []struct {
		code   Code
		byPeer bool
		want   string
	}{
		{CodeProposalIKE, false, "proposal-mismatch-ike"}, {CodeProposalIKE, true, "proposal-mismatch-ike"},
		{CodeProposalChild, false, "proposal-mismatch-child"}, {CodeTS, true, "ts-mismatch"},
		{CodeAuthPSK, false, "peer-auth-failed"}, {CodeAuthPSK, true, "local-auth-failed"},
		{CodeTimeoutInit, false, "peer-init-unreachable"}, {CodeUnreachable, false, "peer-init-unreachable"},
		{CodeConnNone, false, ""}, {CodeInternal, false, ""},
	} {
		if got := (&Failure{Code: c.code, ByPeer: c.byPeer}).Alert(); got != c.want {
			t.Errorf("%s by peer %v: alert %q, want %q", c.code, c.byPeer, got, c.want)
		}
	}
}

func TestFromNotifyCodes(t *testing.T) {
	for notify, want := range map[string]Code{
		"NO_PROPOSAL_CHOSEN": CodeProposalIKE, "INVALID_KE_PAYLOAD": CodeKEGroup, "AUTHENTICATION_FAILED": CodeAuthRefused,
		"TS_UNACCEPTABLE": CodeTS, "SINGLE_PAIR_REQUIRED": CodeTS, "INVALID_SYNTAX": CodeSyntax,
		"INVALID_MAJOR_VERSION": CodeVersion, "UNSUPPORTED_CRITICAL_PAYLOAD": CodeUnsupported, "INVALID_IKE_SPI": CodeSPI,
		"INVALID_SPI": CodeSPI, "CHILD_SA_NOT_FOUND": CodeSPI, "INTERNAL_ADDRESS_FAILURE": CodePoolEmpty,
		"FAILED_CP_REQUIRED": CodePoolEmpty, "NO_ADDITIONAL_SAS": CodeLimit, "TEMPORARY_FAILURE": CodePeerError,
		"AUTHORIZATION_FAILED": CodePeerError,
	} {
		f := FromNotify(Where{}, notify, "")
		if f.Code != want || !f.ByPeer || !strings.Contains(f.Error(), "answered "+notify) {
			t.Errorf("%s: %s", notify, f.Error())
		}
	}
	if f := FromNotify(Where{Child: "net"}, "NO_PROPOSAL_CHOSEN", ""); f.Code != CodeProposalChild {
		t.Errorf("for a child: %s", f.Code)
	}
}
