package diag

import (
	"fmt"
	"slices"
	"strings"
)

// Offer is what this side had asked for when the peer refused it. What does not matter for the request is empty.
type Offer struct {
	Proposals []string
	Selectors Selectors
	// Request is the request in words, where there are neither proposals nor selectors to show: "a rekeying of CHILD SA net".
	Request string
}

// Refused is the failure that the peer answered a request with an error notification. The code and the texts follow from its
// IANA name and, where that leaves it open, from whether w names a child. For AUTHENTICATION_FAILED there is [AuthRefused], for
// the choice of a group [KEGroupRefused].
func Refused(w Where, notify fmt.Stringer, o Offer) *Failure {
	name := notify.String()
	switch name {
	case "NO_PROPOSAL_CHOSEN":
		if w.Child == "" {
			return ikeProposalRefused(w, name, o)
		}
		return childProposalRefused(w, name, o)
	case "INVALID_KE_PAYLOAD":
		if w.Child == "" {
			return KEGroupRefused(w, notify, o.Proposals, "")
		}
		return childProposalRefused(w, name, o)
	case "TS_UNACCEPTABLE", "SINGLE_PAIR_REQUIRED", "INVALID_SELECTORS":
		return selectorsRefused(w, name, o)
	case "UNEXPECTED_NAT_DETECTED":
		f := w.refused(CodeNAT, name, addrPort(w.Local))
		f.Fix = "switch NAT traversal on at the peer, and let UDP 4500 pass; or take the NAT between " + orUnknown(bareAddr(w.Local), "here") +
			" and the peer out of the path."
		return f
	}
	code := refusalCode(w.Exchange, name)
	f := w.refused(code, name, orUnknown(o.Request, unnamedRequest(w, code)))
	switch name {
	case "TEMPORARY_FAILURE":
		if w.Exchange == "IKE_AUTH" {
			f.Fix = "nothing here: the peer does not want the connection for now, and it is tried again. An Esplanade says so when it was terminated " +
				"there by a command, until `esplanade initiate` there; of others, read the log."
			break
		}
		f.Fix = "nothing at first: the peer is busy with an exchange that crosses ours, and ours is repeated. If it lasts, " +
			"look for a rekeying that hangs at the peer."
	case "UNACCEPTABLE_ADDRESSES":
		f.Fix = "nothing if the tunnel stays up; otherwise allow " + orUnknown(bareAddr(w.Local), "our new address") + " at the peer, which does not take it."
	case "INVALID_SPI":
		f.Ours = "a CHILD SA that it does not have"
		f.Fix = "nothing: the CHILD SA is rekeyed now, which replaces it."
	}
	return f
}

// unnamedRequest is what follows our verb of the code where only the exchange of a request is known.
func unnamedRequest(w Where, code Code) string {
	switch code {
	case CodeLimit:
		return "another SA"
	case CodeSPI:
		return "an SA that it does not have"
	case CodeVersion:
		return "IKEv2"
	}
	return orUnknown(w.Exchange, "a request")
}

// refusalCode is the code for an error notification that has no text of its own. Where a notification makes no sense (nothing is
// critical in our IKE_SA_INIT, and IKE_INTERMEDIATE asks for no SA) all that can be said is that the peer reports an error.
func refusalCode(exchange, notify string) Code {
	switch notify {
	case "INVALID_SYNTAX", "INVALID_MESSAGE_ID":
		return CodeSyntax
	case "INVALID_MAJOR_VERSION":
		return CodeVersion
	case "UNSUPPORTED_CRITICAL_PAYLOAD":
		if exchange != "IKE_SA_INIT" {
			return CodeUnsupported
		}
	case "INVALID_IKE_SPI", "INVALID_SPI", "CHILD_SA_NOT_FOUND":
		return CodeSPI
	case "NO_ADDITIONAL_SAS":
		if exchange != "IKE_INTERMEDIATE" {
			return CodeLimit
		}
	}
	return CodePeerError
}

// ikeProposalRefused is the failure for NO_PROPOSAL_CHOSEN. To IKE_SA_INIT that means either that the peer has no connection for this
// side or that it has no proposal in common with it.
func ikeProposalRefused(w Where, notify string, o Offer) *Failure {
	if w.Exchange != "IKE_SA_INIT" {
		f := w.refused(CodeProposalIKE, notify, list(o.Proposals, maxListed))
		f.Fix = "configure one of ours at the peer, or put one of its IKE proposals into " + w.connection() + ".proposals; its log names them."
		return f
	}
	f := w.refused(CodeInitRefused, notify, list(o.Proposals, maxListed))
	seen := "the address that it sees us at"
	if a := bareAddr(w.Local); a != "" {
		seen = a + ", or for the address of a NAT between the two, which is what it sees then (whether there is one is not known before its answer)"
	}
	f.Fix = "the peer does not say which of two it is, but its log does. Either it has no connection for " + seen + ": put the address that its log " +
		"names into its connection. Or it has none of our proposals: configure one of ours there, or one of its here in " + w.connection() + ".proposals."
	return f
}

func childProposalRefused(w Where, notify string, o Offer) *Failure {
	f := w.refused(CodeProposalChild, notify, list(o.Proposals, maxListed))
	f.Fix = pfsHint(w, o.Proposals) + esnHint(w, o.Proposals) + "configure one of ours at the peer, or put one of its ESP (phase 2) proposals into " +
		w.child() + ".esp_proposals."
	return f
}

// pfsHint names the group for PFS, "" where it cannot be the reason: there is none in IKE_AUTH. "The CREATE_CHILD_SA request MAY
// optionally contain a KE payload for an additional Diffie-Hellman exchange". https://www.rfc-editor.org/rfc/rfc7296#section-1.3.1
func pfsHint(w Where, proposals []string) string {
	if w.Exchange != "CREATE_CHILD_SA" || len(proposals) == 0 {
		return ""
	}
	var groups []string
	for _, p := range proposals {
		for _, word := range strings.Split(p, "-") {
			if isGroup(word) && !slices.Contains(groups, word) {
				groups = append(groups, word)
			}
		}
	}
	if len(groups) == 0 {
		return "look at PFS first: none of ours has a key exchange group, which the peer may demand here; IKE_AUTH needs none. Otherwise "
	}
	return "look at PFS first: ours have the key exchange group " + list(groups, maxListed) + ", and the peer may have another one or none; a child that " +
		"comes up in IKE_AUTH has no group, so that it shows only here. Otherwise "
}

// isGroup reports whether a word of a proposal is a key exchange group, as the notation of the configuration has them.
func isGroup(word string) bool {
	return slices.ContainsFunc([]string{"modp", "ecp", "x25519", "curve25519", "x448", "curve448", "mlkem"}, func(p string) bool { return strings.HasPrefix(word, p) })
}

// esnHint says that all proposals demand extended sequence numbers of the peer, "" if they do not.
func esnHint(w Where, proposals []string) string {
	optional := func(p string) bool {
		words := strings.Split(p, "-")
		return !slices.Contains(words, "esn") || slices.Contains(words, "noesn")
	}
	if len(proposals) == 0 || slices.ContainsFunc(proposals, optional) {
		return ""
	}
	return "all of ours demand extended sequence numbers (esn), which not every peer has: write esn-noesn in " + w.child() + ".esp_proposals. Otherwise "
}

func selectorsRefused(w Where, notify string, o Offer) *Failure {
	f := w.refused(CodeTS, notify, "")
	if len(o.Selectors.Local)+len(o.Selectors.Remote) == 0 {
		return f
	}
	f.Ours = o.Selectors.String()
	f.Fix = fmt.Sprintf("the peer must be configured for %s as its local and %s as its remote network; or change remote_ts "+
		"and local_ts in %s to what it has.", side(o.Selectors.Remote), side(o.Selectors.Local), w.child())
	return f
}
