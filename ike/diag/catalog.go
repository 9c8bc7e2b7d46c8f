package diag

// info is what is known about a code in general. The verbs build the two sides of a rendering: "peer X <peerVerb>
// <Theirs>", "we <ourVerb> <Ours>"; the defaults are whole predicates for when the value is not known.
type info struct {
	title       string // a noun phrase or short clause, lower case, no full stop
	peerVerb    string
	peerDefault string
	ourVerb     string
	// ourVerbByPeer replaces ourVerb when the peer reported the failure: then we offered, not accepted.
	ourVerbByPeer string
	ourDefault    string
	alert         string // VICI alert type; "" = none
	alertByPeer   string // the same when the peer reported it, if different
	text          string // what it means, for `explain`
	fix           string // what to do about it
	fixByPeer     string // the same when the peer reported it, if different
	// local: it may concern this machine alone. No peer is spoken of then, unless one is known.
	local bool
}

// lookup returns what is known about a code. A code that is not in the catalog, which only a defect of this program
// can produce, is described as such; it never panics, since it runs while something else is already going wrong.
func lookup(c Code) info {
	for _, catalog := range []func(Code) (info, bool){negotiationInfo, authInfo, networkInfo, stateInfo} {
		if i, ok := catalog(c); ok {
			return i
		}
	}
	return info{
		title:    "failure of an unknown kind",
		peerVerb: "did", peerDefault: "took part in it",
		ourVerb: "did", ourDefault: "have no description of this code",
		text: "The code is not in the catalog of this version.",
		fix:  "report this as a defect, with the log around it.",
	}
}

// Explain returns what a code means and how to fix it in general: a title, and a text of a few sentences whose last
// paragraph is the advice. An unknown code gets a text that says so.
func Explain(code Code) (title, text string) {
	i := lookup(code)
	text = i.text + "\n\nWhat to do: " + i.fix
	if i.fixByPeer != "" {
		text += "\n\nWhen the peer reported it: " + i.fixByPeer
	}
	return i.title, text
}

// DefaultFix is the general advice for a code. byPeer selects the advice for a failure that the peer reported.
func DefaultFix(code Code, byPeer bool) string {
	i := lookup(code)
	if byPeer && i.fixByPeer != "" {
		return i.fixByPeer
	}
	return i.fix
}
