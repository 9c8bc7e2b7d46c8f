package diag

import "strings"

// Code names a kind of failure. Codes are stable: people search for them, alert on them and paste them into `esplanade explain`.
type Code string

// The codes, grouped as in the documentation. The comment of each says which observation produces it.
const (
	// CodeConnNone: a peer asked for an IKE_SA (or showed an identity) that no configured connection is for.
	CodeConnNone Code = "E-CONN-NONE"

	// CodeInitRefused: the peer refuses IKE_SA_INIT and does not say why: it has no connection for our address, or none of our proposals.
	CodeInitRefused Code = "E-INIT-REFUSED"
	// CodeProposalIKE: the IKE proposals of the two sides have no common choice.
	CodeProposalIKE Code = "E-PROPOSAL-IKE"
	// CodeProposalChild: the ESP proposals of the two sides have no common choice.
	CodeProposalChild Code = "E-PROPOSAL-CHILD"
	// CodeKEGroup: the sides insist on different key exchange methods (INVALID_KE_PAYLOAD that leads nowhere).
	CodeKEGroup Code = "E-KE-GROUP"
	// CodeKEValue: the peer's key exchange value fails the checks of RFC 6989.
	CodeKEValue Code = "E-KE-VALUE"
	// CodeInitLoop: the peer keeps answering IKE_SA_INIT with COOKIE.
	CodeInitLoop Code = "E-INIT-LOOP"
	// CodeTS: the traffic selectors of the two sides have nothing in common.
	CodeTS Code = "E-TS"
	// CodeNarrowed: one side takes fewer traffic selectors than the other wants, so that some traffic has no tunnel.
	CodeNarrowed Code = "E-TS-NARROWED"
	// CodeTSTaken: the traffic selectors are those of another peer of the same connection, which has them.
	CodeTSTaken Code = "E-TS-TAKEN"
	// CodePoolEmpty: the pools have no address left for a client.
	CodePoolEmpty Code = "E-POOL-EMPTY"
	// CodePoolAddress: a client is to have an address that another one has, or of a pool that there is not.
	CodePoolAddress Code = "E-POOL-ADDRESS"
	// CodePoolStore: a lease could not be written to where it survives a restart.
	CodePoolStore Code = "E-POOL-STORE"
	// CodeCPRequired: a client has to ask for an address and has not.
	CodeCPRequired Code = "E-CP-REQUIRED"

	// CodeVIP: the gateway gives this side, its client, no address, or one that it can't have.
	CodeVIP Code = "E-VIP"

	// CodeAuthID: the identity of one side is not the one the other side expects.
	CodeAuthID Code = "E-AUTH-ID"
	// CodeAuthPSK: the peer's AUTH value does not fit the pre-shared key: the keys (or the identities that choose them) differ.
	CodeAuthPSK Code = "E-AUTH-PSK"
	// CodeAuthRefused: the peer refuses our authentication and does not say why: the key, or one of the two identities.
	CodeAuthRefused Code = "E-AUTH-REFUSED"
	// CodeAuthMethod: one side authenticates in a way that the other does not accept.
	CodeAuthMethod Code = "E-AUTH-METHOD"
	// CodeAuthRounds: the two sides do not authenticate each other in the same number of rounds (RFC 4739).
	CodeAuthRounds Code = "E-AUTH-ROUNDS"
	// CodeNoSecret: no pre-shared key is configured for the pair of identities.
	CodeNoSecret Code = "E-NO-SECRET"
	// CodePPK: the sides do not agree on a post-quantum preshared key (RFC 8784), and one of them insists on it.
	CodePPK Code = "E-PPK"

	// CodeEAPUser: a client has given the name of a user that there is not.
	CodeEAPUser Code = "E-EAP-USER"
	// CodeEAPPassword: a user has not proved itself, or its account may not be used.
	CodeEAPPassword Code = "E-EAP-PASSWORD"
	// CodeEAPPaused: the password of a user was not compared, since too many wrong ones have come before it.
	CodeEAPPaused Code = "E-EAP-PAUSED"
	// CodeEAPMethod: the sides have no method of EAP in common that may be used.
	CodeEAPMethod Code = "E-EAP-METHOD"
	// CodeEAPRefused: the gateway has refused this side's user with EAP-Failure.
	CodeEAPRefused Code = "E-EAP-REFUSED"
	// CodeEAPAllowed: EAP has proved who a user is, and no connection is for it.
	CodeEAPAllowed Code = "E-EAP-ALLOWED"
	// CodeEAPTLS: the handshake of TLS within EAP has failed.
	CodeEAPTLS Code = "E-EAP-TLS"
	// CodeEAPServer: no RADIUS server could be asked for a user.
	CodeEAPServer Code = "E-EAP-SERVER"
	// CodeRADIUSSilent: the RADIUS servers that were asked for a user have not answered.
	CodeRADIUSSilent Code = "E-RADIUS-SILENT"
	// CodeRADIUSLying: what they have answered does not prove that it is from them.
	CodeRADIUSLying Code = "E-RADIUS-LYING"
	// CodeRADIUSReject: a RADIUS server has rejected a user.
	CodeRADIUSReject Code = "E-RADIUS-REJECT"
	// CodeRADIUSAnswer: a RADIUS server has answered what nothing can be done with.
	CodeRADIUSAnswer Code = "E-RADIUS-ANSWER"
	// CodeEAPProtocol: the other side does not keep to EAP, or has another key of it.
	CodeEAPProtocol Code = "E-EAP-PROTOCOL"

	// CodeDowngrade: what IKE_SA_INIT has agreed on is not authenticated by both sides as it has to be.
	CodeDowngrade Code = "E-DOWNGRADE"

	// CodeCertNone: the peer signs and has sent no certificate, and none of it is here.
	CodeCertNone Code = "E-CERT-NONE"
	// CodeCertSyntax: a certificate of the peer can't be read, or there are too many.
	CodeCertSyntax Code = "E-CERT-SYNTAX"
	// CodeCertCA: the peer's certificate does not lead to a trusted CA.
	CodeCertCA Code = "E-CERT-CA"
	// CodeCertPinned: the peer's certificate, or raw key, is none of those that are configured.
	CodeCertPinned Code = "E-CERT-PINNED"
	// CodeCertID: the peer's certificate is not for the identity that it shows.
	CodeCertID Code = "E-CERT-ID"
	// CodeCertUsage: the key of the peer's certificate may not sign.
	CodeCertUsage Code = "E-CERT-USAGE"
	// CodeCertExpired: a certificate of the peer's chain is not valid any more.
	CodeCertExpired Code = "E-CERT-EXPIRED"
	// CodeCertEarly: a certificate of the peer's chain is not valid yet.
	CodeCertEarly Code = "E-CERT-EARLY"
	// CodeCertConstraint: a CA of the chain may not issue the peer's certificate, or a policy is missing.
	CodeCertConstraint Code = "E-CERT-CONSTRAINT"
	// CodeCertWeak: a key or signature of the peer's chain is too weak.
	CodeCertWeak Code = "E-CERT-WEAK"
	// CodeCertRevoked: a certificate of the peer's chain was revoked.
	CodeCertRevoked Code = "E-CERT-REVOKED"
	// CodeCertStatus: it can't be found out whether a certificate of the peer's chain was revoked.
	CodeCertStatus Code = "E-CERT-STATUS"
	// CodeSignature: the peer's signature is not that of its key.
	CodeSignature Code = "E-SIGNATURE"
	// CodeSignatureAlgorithm: one side signs by an algorithm that the other does not take.
	CodeSignatureAlgorithm Code = "E-SIGNATURE-ALGORITHM"
	// CodeNoKey: this side has no private key to sign with.
	CodeNoKey Code = "E-NO-KEY"

	// CodeTimeoutInit: nothing at all came back for IKE_SA_INIT.
	CodeTimeoutInit Code = "E-TIMEOUT-INIT"
	// CodeTimeoutAuth: IKE_SA_INIT was answered, IKE_AUTH was not.
	CodeTimeoutAuth Code = "E-TIMEOUT-AUTH"
	// CodeTimeout: a request on an established IKE_SA was not answered.
	CodeTimeout Code = "E-TIMEOUT"
	// CodeHalfOpen: the peer began an IKE_SA with us and did not go on.
	CodeHalfOpen Code = "E-HALF-OPEN"
	// CodeUnreachable: the network answered in place of the peer: port or host unreachable, or sending is not permitted.
	CodeUnreachable Code = "E-UNREACHABLE"
	// CodeDPD: liveness checks of an established IKE_SA went unanswered; the peer is taken for dead.
	CodeDPD Code = "E-DPD"
	// CodeESPOneWay: the peer answers IKE, and none of its ESP arrives although packets that ask for an answer go out.
	CodeESPOneWay Code = "E-ESP-ONEWAY"
	// CodeDNS: the name of the peer cannot be resolved.
	CodeDNS Code = "E-DNS"
	// CodeRedirectLoop: gateways send this side from one to the next and on.
	CodeRedirectLoop Code = "E-REDIRECT-LOOP"
	// CodeBind: a local address or UDP port cannot be bound.
	CodeBind Code = "E-BIND"
	// CodeNAT: a NAT has changed the addresses of a message whose sender allows none (RFC 4555, NO_NATS_ALLOWED).
	CodeNAT Code = "E-NAT"
	// CodeMTU: the path drops large packets, and no ICMP message says so.
	CodeMTU Code = "E-MTU"
	// CodeAddress: the address of this host that an IKE_SA uses is gone, and the IKE_SA cannot move.
	CodeAddress Code = "E-ADDRESS"

	// CodeLimit: a configured or built-in limit was reached.
	CodeLimit Code = "E-LIMIT"
	// CodeBusy: this side had no time for what a message needs.
	CodeBusy Code = "E-BUSY"

	// CodePeerError: the peer answered with an error notification that has no code of its own here.
	CodePeerError Code = "E-PEER-ERROR"
	// CodeSyntax: a message does not follow the format or the rules of the protocol.
	CodeSyntax Code = "E-SYNTAX"
	// CodeVersion: one side speaks another major version of IKE.
	CodeVersion Code = "E-VERSION"
	// CodeUnsupported: a payload marked critical, or an extension insisted on, is not known to the other side.
	CodeUnsupported Code = "E-UNSUPPORTED"
	// CodeSPI: a message is for an SA that one side no longer has.
	CodeSPI Code = "E-SPI"

	// CodeDeleted: the peer deleted the SA.
	CodeDeleted Code = "E-DELETED"
	// CodeExpired: the SA reached its hard limit before it was replaced.
	CodeExpired Code = "E-EXPIRED"
	// CodeTerminated: a peer wants what a command keeps down here.
	CodeTerminated Code = "E-TERMINATED"
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

// NearestCodes returns the codes that a misspelt one may be: those with the smallest edit distance, and those that contain it. There
// may be none.
func NearestCodes(s string) []Code {
	s = strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), "_", "-")), "E-")
	if s == "" {
		return nil
	}
	const enough = 5
	var near, within []Code
	best := 1 + max(len(s)/3, 1)
	for _, c := range Codes() {
		bare := strings.TrimPrefix(string(c), "E-")
		switch d := distance(s, bare); {
		case d < best:
			near, best = []Code{c}, d
		case d == best && near != nil:
			near = append(near, c)
		case strings.Contains(bare, s):
			within = append(within, c)
		}
	}
	near = append(near, within...)
	return near[:min(len(near), enough)]
}
