package diag

import (
	"reflect"
	"regexp"
	"slices"
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
			"title": i.title, "meaning": i.meaning, "seenBy": i.seenBy, "fix": i.fix, "peerVerb": i.peerVerb, "peerDefault": i.peerDefault,
			"ourVerb": i.ourVerb, "ourDefault": i.ourDefault,
		} {
			if strings.TrimSpace(s) != s || s == "" {
				t.Errorf("%s: %s is %q", c, field, s)
			}
		}
		if len(i.meaning) < 60 || len(i.causes) == 0 || len(i.lookAt) == 0 {
			t.Errorf("%s: not explained", c)
		}
		for _, s := range slices.Concat([]string{i.meaning, i.seenBy, i.fix}, i.causes, i.lookAt) {
			if !strings.HasSuffix(s, ".") {
				t.Errorf("%s: %q is not made of sentences", c, s)
			}
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
		x, ok := Explain(c)
		want := Explanation{c, i.title, i.meaning, i.seenBy, i.causes, i.lookAt, i.fix, i.fixByPeer}
		if !ok || !reflect.DeepEqual(x, want) {
			t.Errorf("%s: Explain leaves something out: %+v", c, x)
		}
	}
	if x, ok := Explain("E-NO-SUCH-CODE"); ok || x.Title == "" || x.Fix == "" {
		t.Errorf("an unknown code explains as %+v, %v", x, ok)
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
	for in, want := range map[string][]Code{
		"E-PROPOSAL-IKA": {CodeProposalIKE}, "proposal": {CodeProposalIKE, CodeProposalChild}, "timeout_auht": {CodeTimeoutAuth},
		"e-tss": {CodeTS}, "dnss": {CodeDNS}, "": nil, "quite another thing": nil,
	} {
		if got := NearestCodes(in); !slices.Equal(got, want) {
			t.Errorf("nearest to %q are %v, not %v", in, got, want)
		}
	}
	if n := len(NearestCodes("E-E")); n > 5 {
		t.Errorf("%d codes are like E-E", n)
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
			f := &Failure{Code: c, ByPeer: byPeer}
			for _, a := range append(f.Alerts(), f.Alert()) {
				if !known[a] {
					t.Errorf("%s: %q is no alert of the protocol", c, a)
				}
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
		{CodeAuthPSK, false, "peer-auth-failed"}, {CodeAuthRefused, true, "local-auth-failed"},
		{CodeTimeoutInit, false, "peer-init-unreachable"}, {CodeUnreachable, false, "peer-init-unreachable"},
		{CodeConnNone, false, ""}, {CodeInternal, false, ""},
	} {
		if got := (&Failure{Code: c.code, ByPeer: c.byPeer}).Alert(); got != c.want {
			t.Errorf("%s by peer %v: alert %q, want %q", c.code, c.byPeer, got, c.want)
		}
	}
	if got := OneIsKept(Where{}, 7).Alerts(); !slices.Equal(got, []string{"unique-keep"}) {
		t.Errorf("one IKE SA is kept: alerts %q", got)
	}
	for code, want := range map[Code][]string{
		CodeCertExpired: {"cert-expired", "peer-auth-failed"}, CodeCertEarly: {"cert-expired", "peer-auth-failed"}, CodeCertRevoked: {"cert-revoked", "peer-auth-failed"},
		CodeCertStatus: {"cert-validation-failed", "peer-auth-failed"}, CodeCertCA: {"cert-no-issuer", "peer-auth-failed"},
		CodeCertConstraint: {"cert-policy-violation", "peer-auth-failed"}, CodeRADIUSSilent: {"radius-not-responding", "peer-auth-failed"},
		CodeNarrowed: {"ts-narrowed"}, CodePoolEmpty: {"vip-failure"}, CodeVIP: {"vip-failure"}, CodeAuthPSK: {"peer-auth-failed"}, CodeConnNone: nil,
	} {
		if got := (&Failure{Code: code}).Alerts(); !slices.Equal(got, want) {
			t.Errorf("%s: alerts %q, want %q", code, got, want)
		}
	}
}

// notification is one by its IANA name.
type notification string

func (n notification) String() string { return string(n) }

func TestCodesOfNotifications(t *testing.T) {
	for notify, want := range map[string]Code{
		"NO_PROPOSAL_CHOSEN": CodeProposalIKE, "INVALID_KE_PAYLOAD": CodeKEGroup, "AUTHENTICATION_FAILED": CodePeerError,
		"TS_UNACCEPTABLE": CodeTS, "SINGLE_PAIR_REQUIRED": CodeTS, "INVALID_SELECTORS": CodeTS, "INVALID_SYNTAX": CodeSyntax,
		"INVALID_MESSAGE_ID": CodeSyntax, "INVALID_MAJOR_VERSION": CodeVersion, "UNSUPPORTED_CRITICAL_PAYLOAD": CodeUnsupported,
		"INVALID_IKE_SPI": CodeSPI, "INVALID_SPI": CodeSPI, "CHILD_SA_NOT_FOUND": CodeSPI, "INTERNAL_ADDRESS_FAILURE": CodePeerError,
		"UNEXPECTED_NAT_DETECTED": CodeNAT, "NO_ADDITIONAL_SAS": CodeLimit, "TEMPORARY_FAILURE": CodePeerError,
		"UNACCEPTABLE_ADDRESSES": CodePeerError, "AUTHORIZATION_FAILED": CodePeerError,
	} {
		f := Refused(Where{}, notification(notify), Offer{})
		if f.Code != want || !f.ByPeer || !strings.Contains(f.Error(), "answered "+notify) {
			t.Errorf("%s: %s", notify, f.Error())
		}
	}
	if f := Refused(Where{Exchange: "IKE_SA_INIT"}, notification("NO_PROPOSAL_CHOSEN"), Offer{}); f.Code != CodeInitRefused {
		t.Errorf("NO_PROPOSAL_CHOSEN to IKE_SA_INIT: %s", f.Code)
	}
	for exchange, notify := range map[string]string{"IKE_SA_INIT": "UNSUPPORTED_CRITICAL_PAYLOAD", "IKE_INTERMEDIATE": "NO_ADDITIONAL_SAS"} {
		if f := Refused(Where{Exchange: exchange}, notification(notify), Offer{}); f.Code != CodePeerError {
			t.Errorf("%s in %s: %s", notify, exchange, f.Code)
		}
	}
	for _, notify := range []string{"NO_PROPOSAL_CHOSEN", "INVALID_KE_PAYLOAD"} {
		if f := Refused(Where{Child: "net"}, notification(notify), Offer{}); f.Code != CodeProposalChild {
			t.Errorf("%s for a child: %s", notify, f.Code)
		}
	}
}
