package diag

import "slices"

// info is what is known about a code in general. The verbs build the two sides of a rendering: "peer X <peerVerb>
// <Theirs>", "we <ourVerb> <Ours>"; the defaults are whole predicates for when the value is not known.
type info struct {
	code        Code
	title       string // a noun phrase or short clause, lower case, no full stop
	peerVerb    string
	peerDefault string
	ourVerb     string
	// ourVerbByPeer replaces ourVerb when the peer reported the failure: then we offered, not accepted.
	ourVerbByPeer string
	ourDefault    string
	alert         string // VICI alert type; "" = none
	alertByPeer   string // the same when the peer reported it, if different
	alertCause    string // a VICI alert of what has led to that, which is raised before it; "" = none
	// meaning, seenBy, causes and lookAt are for `explain`: what the code means, at which end it shows, what usually causes
	// it (the likeliest first), and what to look at. Each is made of sentences.
	meaning, seenBy string
	causes, lookAt  []string
	fix             string // what to do about it
	fixByPeer       string // the same when the peer reported it, if different
	// local: it may concern this machine alone. No peer is spoken of then, unless one is known.
	local bool
}

// catalog has every code there is, in the order of the documentation. Nothing changes it.
var catalog = slices.Concat(negotiationCatalog, addressCatalog, authCatalog, eapCatalog, radiusCatalog, certCatalog, revocationCatalog, networkCatalog, stateCatalog)

// lookup returns what is known about a code. A code that is not in the catalog, which only a defect of this program
// can produce, is described as such; it never panics, since it runs while something else is already going wrong.
func lookup(c Code) info {
	if i := slices.IndexFunc(catalog, func(i info) bool { return i.code == c }); i >= 0 {
		return catalog[i]
	}
	return info{
		code: c, title: "failure of an unknown kind",
		peerVerb: "did", peerDefault: "took part in it",
		ourVerb: "did", ourDefault: "have no description of this code",
		meaning: "The code is not in the catalog of this version.", seenBy: "This gateway.",
		fix: "report this as a defect, with the log around it.",
	}
}

// Codes returns all codes, sorted as in the documentation. The slice is the caller's.
func Codes() []Code {
	codes := make([]Code, len(catalog))
	for i, e := range catalog {
		codes[i] = e.code
	}
	return codes
}

// Explanation is what a code means in general. Its texts are sentences; nothing in it is about a particular failure.
type Explanation struct {
	Code  Code
	Title string
	// Meaning says what has happened, SeenBy at which end the code shows.
	Meaning, SeenBy string
	// Causes are the usual ones, the likeliest first; LookAt says where to find out which of them it is.
	Causes, LookAt []string
	// Fix is what to do about it. FixByPeer is the same for when the peer reported it, empty if that makes no difference.
	Fix, FixByPeer string
}

// Explain returns what a code means in general. It reports false for what is not a code.
func Explain(code Code) (Explanation, bool) {
	i := lookup(code)
	return Explanation{
		Code: i.code, Title: i.title, Meaning: i.meaning, SeenBy: i.seenBy, Causes: slices.Clone(i.causes), LookAt: slices.Clone(i.lookAt),
		Fix: i.fix, FixByPeer: i.fixByPeer,
	}, slices.Contains(Codes(), code)
}

// DefaultFix is the general advice for a code. byPeer selects the advice for a failure that the peer reported.
func DefaultFix(code Code, byPeer bool) string {
	i := lookup(code)
	if byPeer && i.fixByPeer != "" {
		return i.fixByPeer
	}
	return i.fix
}
