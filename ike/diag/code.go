package diag

import "strings"

// Code names a kind of failure. Codes are stable: people search for them, alert on them and paste them into `explain`.
type Code string

// The codes, grouped as in the documentation. The comment of each says which observation produces it.
const (
	// CodeConnNone: a peer asked for an IKE_SA (or showed an identity) that no configured connection is for.
	CodeConnNone Code = "E-CONN-NONE"

	// CodeProposalIKE: the IKE proposals of the two sides have no common choice.
	CodeProposalIKE Code = "E-PROPOSAL-IKE"
	// CodeProposalChild: the ESP proposals of the two sides have no common choice.
	CodeProposalChild Code = "E-PROPOSAL-CHILD"
	// CodeKEGroup: the sides insist on different key exchange methods (INVALID_KE_PAYLOAD that leads nowhere).
	CodeKEGroup Code = "E-KE-GROUP"
	// CodeKEValue: the peer's key exchange value fails the checks of RFC 6989.
	CodeKEValue Code = "E-KE-VALUE"
	// CodeInitLoop: the peer keeps answering IKE_SA_INIT with COOKIE or INVALID_KE_PAYLOAD.
	CodeInitLoop Code = "E-INIT-LOOP"
	// CodeTS: the traffic selectors of the two sides have nothing in common.
	CodeTS Code = "E-TS"
	// CodeNarrowed: one side takes fewer traffic selectors than the other wants, so that some traffic has no tunnel.
	CodeNarrowed Code = "E-TS-NARROWED"
	// CodeTSTaken: the traffic selectors are those of another peer of the same connection, which has them.
	CodeTSTaken Code = "E-TS-TAKEN"
	// CodeMode: one side wants transport mode, the other tunnel mode.
	CodeMode Code = "E-MODE"

	// CodeAuthID: the identity of one side is not the one the other side expects.
	CodeAuthID Code = "E-AUTH-ID"
	// CodeAuthPSK: the AUTH value does not fit the pre-shared key: the keys (or the identities) differ.
	CodeAuthPSK Code = "E-AUTH-PSK"
	// CodeAuthMethod: one side authenticates in a way that the other does not accept.
	CodeAuthMethod Code = "E-AUTH-METHOD"
	// CodeAuthSig: a signature in AUTH does not verify with the public key of the certificate.
	CodeAuthSig Code = "E-AUTH-SIG"
	// CodeAuthRefused: the peer answered AUTHENTICATION_FAILED to something other than a pre-shared key.
	CodeAuthRefused Code = "E-AUTH-REFUSED"
	// CodeAuthCertChain: no trusted CA certificate stands above the certificate.
	CodeAuthCertChain Code = "E-AUTH-CERT-CHAIN"
	// CodeAuthCertExpired: a certificate of the chain is outside its validity.
	CodeAuthCertExpired Code = "E-AUTH-CERT-EXPIRED"
	// CodeAuthCertSAN: the certificate does not contain the identity that is claimed with it.
	CodeAuthCertSAN Code = "E-AUTH-CERT-SAN"
	// CodeAuthCertRevoked: a certificate of the chain is revoked, or its status cannot be had while it must.
	CodeAuthCertRevoked Code = "E-AUTH-CERT-REVOKED"
	// CodeNoSecret: no pre-shared key (or private key) is configured for the pair of identities.
	CodeNoSecret Code = "E-NO-SECRET"
	// CodePPK: the sides do not agree on a post-quantum preshared key (RFC 8784), and one of them insists on it.
	CodePPK Code = "E-PPK"
	// CodeEAP: an EAP method failed.
	CodeEAP Code = "E-EAP"
	// CodeRADIUS: no RADIUS server answered.
	CodeRADIUS Code = "E-RADIUS"

	// CodeTimeoutInit: nothing at all came back for IKE_SA_INIT.
	CodeTimeoutInit Code = "E-TIMEOUT-INIT"
	// CodeTimeoutAuth: IKE_SA_INIT was answered, IKE_AUTH was not.
	CodeTimeoutAuth Code = "E-TIMEOUT-AUTH"
	// CodeTimeout: a request on an established IKE_SA was not answered.
	CodeTimeout Code = "E-TIMEOUT"
	// CodeHalfOpen: the peer began an IKE_SA with us and did not go on.
	CodeHalfOpen Code = "E-HALF-OPEN"
	// CodeUnreachable: the network answered for the peer: port or host unreachable, or sending is not permitted.
	CodeUnreachable Code = "E-UNREACHABLE"
	// CodeDPD: liveness checks of an established IKE_SA went unanswered; the peer is taken for dead.
	CodeDPD Code = "E-DPD"
	// CodeDNS: the name of the peer cannot be resolved.
	CodeDNS Code = "E-DNS"
	// CodeRedirectLoop: gateways send this side from one to the next and on.
	CodeRedirectLoop Code = "E-REDIRECT-LOOP"
	// CodeBind: a local address or UDP port cannot be bound.
	CodeBind Code = "E-BIND"
	// CodeFrag: large IKE messages get lost while small ones pass.
	CodeFrag Code = "E-FRAG"
	// CodeNAT: a NAT between the sides prevents what was configured (no port 4500, encapsulation off).
	CodeNAT Code = "E-NAT"
	// CodeAddress: the address of this host that an IKE_SA uses is gone, and the IKE_SA cannot move.
	CodeAddress Code = "E-ADDRESS"
	// CodeMTU: large packets do not pass the tunnel.
	CodeMTU Code = "E-MTU"

	// CodePoolEmpty: no virtual address is left for a client.
	CodePoolEmpty Code = "E-POOL-EMPTY"
	// CodeLimit: a configured or built-in limit was reached.
	CodeLimit Code = "E-LIMIT"
	// CodeClock: the clock of one side is plainly wrong.
	CodeClock Code = "E-CLOCK"

	// CodePeerError: the peer answered with an error notification that has no code of its own here.
	CodePeerError Code = "E-PEER-ERROR"
	// CodeSyntax: a message does not follow the format or the rules of the protocol.
	CodeSyntax Code = "E-SYNTAX"
	// CodeVersion: one side speaks another major version of IKE.
	CodeVersion Code = "E-VERSION"
	// CodeUnsupported: a payload marked critical, or an option insisted on, is not known to the other side.
	CodeUnsupported Code = "E-UNSUPPORTED"
	// CodeSPI: a message is for an SA that one side no longer has.
	CodeSPI Code = "E-SPI"

	// CodeDeleted: the peer deleted the SA.
	CodeDeleted Code = "E-DELETED"
	// CodeExpired: the SA reached its hard limit before it was replaced.
	CodeExpired Code = "E-EXPIRED"
	// CodeReplaced: the SA gave way to another of the same peer (unique policy, INITIAL_CONTACT).
	CodeReplaced Code = "E-REPLACED"
	// CodeCancelled: an operator, a reload or the end of the daemon stopped it.
	CodeCancelled Code = "E-CANCELLED"

	// CodeResume: an IKE SA could not be resumed with a session ticket, and is set up from scratch.
	CodeResume Code = "E-RESUME"

	// CodeInstall: the data plane could not take the negotiated SA or route.
	CodeInstall Code = "E-INSTALL"
	// CodeConfig: what was asked for does not fit the configuration (an unknown name, for instance).
	CodeConfig Code = "E-CONFIG"
	// CodeInternal: a defect of this program.
	CodeInternal Code = "E-INTERNAL"
)

// Codes returns all codes, sorted as in the documentation. The slice is the caller's.
func Codes() []Code {
	return []Code{
		CodeConnNone,
		CodeProposalIKE, CodeProposalChild, CodeKEGroup, CodeKEValue, CodeInitLoop, CodeTS, CodeNarrowed, CodeTSTaken, CodeMode,
		CodeAuthID, CodeAuthPSK, CodeAuthMethod, CodeAuthSig, CodeAuthRefused,
		CodeAuthCertChain, CodeAuthCertExpired, CodeAuthCertSAN, CodeAuthCertRevoked,
		CodeNoSecret, CodePPK, CodeEAP, CodeRADIUS,
		CodeTimeoutInit, CodeTimeoutAuth, CodeTimeout, CodeHalfOpen, CodeUnreachable, CodeDPD, CodeDNS, CodeRedirectLoop, CodeBind,
		CodeFrag, CodeNAT, CodeAddress, CodeMTU,
		CodePoolEmpty, CodeLimit, CodeClock,
		CodePeerError, CodeSyntax, CodeVersion, CodeUnsupported, CodeSPI,
		CodeDeleted, CodeExpired, CodeReplaced, CodeCancelled, CodeResume,
		CodeInstall, CodeConfig, CodeInternal,
	}
}

// ParseCode finds a code in any spelling people use: "E-PROPOSAL-IKE", "e-proposal-ike", "proposal-ike" or the metric
// label "proposal_ike". It reports false for anything else.
func ParseCode(s string) (Code, bool) {
	s = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), "_", "-"))
	if !strings.HasPrefix(s, "E-") {
		s = "E-" + s
	}
	for _, c := range Codes() {
		if string(c) == s {
			return c, true
		}
	}
	return "", false
}

// Reason is the code as the value of a metric's reason label: "proposal_ike" for E-PROPOSAL-IKE. The set of values is
// that of [Codes], so it is safe as a label.
func (c Code) Reason() string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(string(c), "E-")), "-", "_")
}
