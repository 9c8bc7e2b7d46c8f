package diag

import (
	"fmt"
	"strings"
	"time"
)

// IDMismatch is the failure that the peer shows identity got where expected is configured.
func IDMismatch(w Where, expected, got string) *Failure {
	f := w.failure(CodeAuthID, quote(expected), quote(got))
	f.PeerID = orUnknown(w.PeerID, got)
	f.Fix = fmt.Sprintf("set remote.id = %q in %s, or the peer's own id to %q.", oneLine(got), w.connection(), oneLine(expected))
	return f
}

// OwnIDMismatch is the failure that the peer asks for an identity, asked, that this gateway does not have: its own is own.
func OwnIDMismatch(w Where, own, asked string) *Failure {
	f := w.failure(CodeAuthID, "to be called "+quote(own), quote(w.PeerID)+" and asks for "+quote(asked))
	f.Fix = fmt.Sprintf("set local.id = %q in %s, or let the peer expect %q of us.", oneLine(asked), w.connection(), oneLine(own))
	return f
}

// ResumedIDMismatch is the failure that the peer shows identity got in an IKE SA that is resumed with a ticket for expected.
func ResumedIDMismatch(w Where, expected, got string) *Failure {
	f := w.failure(CodeAuthID, quote(expected)+", which the ticket is for", quote(got))
	f.PeerID = got
	f.Fix = "the peer has to show the identity that it had when it got the ticket: let it forget its tickets (restart it), or set resumption = false."
	return f
}

// IDUnreadable is the failure that an identity which the peer sent, of the given type, has content that is not one.
func IDUnreadable(w Where, expected, kind string, cause error) *Failure {
	ours := ""
	if expected != "" {
		ours = quote(expected)
	}
	f := w.because(CodeAuthID, cause, ours, "somebody with an unreadable "+orUnknown(kind, "identity"))
	f.Fix = "set the peer's own id again, with its type; if it is right, report the identity to the vendor of the peer."
	return f
}

// OwnIDUnreadable is the failure that the identity which the peer wants to talk to, of the given type, has content that is not one.
func OwnIDUnreadable(w Where, kind string, cause error) *Failure {
	f := w.because(CodeAuthID, cause, "to be called by a readable identity", quote(w.PeerID)+" and asks for an unreadable "+kind)
	f.Fix = "set the identity that the peer expects of us again, with its type, at the peer."
	return f
}

// Key is where a pre-shared key is configured: the path of its table, such as "secrets.ike.office", and its line. Either may be
// empty.
type Key struct{ Table, Line string }

func (k Key) table() string { return orUnknown(k.Table, "the pre-shared key") }

// own reports whether it is a connection's own key, which no other connection uses.
func (k Key) own() bool { return strings.HasPrefix(k.Table, "connections.") }

// text is "secrets.ike.office (gw.toml:30)".
func (k Key) text() string { return orUnknown(k.Table, "[secrets.ike.NAME]") + at(k.Line) }

// at is a line of the configuration behind what stands there: " (gw.toml:30)".
func at(line string) string {
	if line == "" {
		return ""
	}
	return " (" + oneLine(line) + ")"
}

// WrongPSK is the failure of the side that checks: the AUTH value of the peer does not fit the key k, which was selected by the two
// identities.
func WrongPSK(w Where, k Key, localID, remoteID string) *Failure {
	f := w.At(orUnknown(k.Line, w.ConfigLine)).failure(CodeAuthPSK, k.table()+" for "+quote(localID)+" and "+quote(remoteID),
		"another key, or with one for other identities")
	f.PeerID = orUnknown(w.PeerID, remoteID)
	choice := "The identities choose the key: if another entry of secrets.ike is meant, its id must name " + quote(remoteID) + "."
	if k.own() {
		choice = "The connection chooses the key: if another connection is meant, its remote.id must name " + quote(remoteID) + "."
	}
	f.Fix = fmt.Sprintf("enter the same key in %s here and at the peer for these two identities; compare checksums of the files, and look "+
		"for a trailing newline. %s", k.text(), choice)
	return f
}

// Proof is what this side has authenticated itself with.
type Proof struct {
	// Key is the pre-shared key, and Signed what has signed. Where this side proves itself several times, both may be there.
	Key    Key
	Signed Signed
	// LocalID is the identity that it has shown, and LocalLine where that is configured.
	LocalID, LocalLine string
	// Asked is the identity that it has asked for (IDr), "" if for none, and AskedLine where that is configured.
	Asked, AskedLine string
	// PPK is the quoted id of the post-quantum preshared key in use, "" for none.
	PPK string
	// User: this side is a user of EAP, and has proved nothing yet.
	User bool
}

// AuthRefused is the failure that the peer answered AUTHENTICATION_FAILED, named notify, to our proof. The peer does not say why: the
// key may be another one, or either identity one that it does not know.
func AuthRefused(w Where, notify fmt.Stringer, p Proof) *Failure {
	with, check := p.methods()
	f := w.At(orUnknown(p.Key.Line, orUnknown(p.Signed.Line, w.ConfigLine))).refused(CodeAuthRefused, notify.String(), with)
	if p.PPK != "" {
		f.Ours += " with PPK " + p.PPK
		check = append(check, "the PPK "+oneLine(p.PPK)+" and its key in [secrets.ppk.NAME]")
	}
	f.Ours += " as " + quote(p.LocalID)
	check = append(check, "local.id "+quote(p.LocalID)+at(p.LocalLine)+", which the peer must expect")
	if p.Asked != "" {
		f.Ours += ", and asked for " + quote(p.Asked)
		check = append(check, "remote.id "+quote(p.Asked)+at(p.AskedLine)+", which must be the peer's own")
	}
	f.Fix = "the peer does not say why, but its log does. Compare with its configuration, in this order: " + strings.Join(check, "; ") + "."
	return f
}

// Signed is a key of this side that has signed.
type Signed struct {
	// Name is the file that it, or its certificate, is known by, and Line where that is configured.
	Name, Line string
	// Cert is its certificate, with the time in which that is valid; empty for a raw public key.
	Cert        Certificate
	From, Until time.Time
	// Sent: the certificate, or the public key, went along.
	Sent bool
}

// methods is what a proof was made with, and what of that the peer may not like.
func (p Proof) methods() (with string, check []string) {
	s := p.Signed
	switch {
	case p.User && p.Key == (Key{}) && s == (Signed{}):
		return "nothing yet, to come in by EAP", []string{"whether the peer has a connection for users (EAP)"}
	case s.Cert.Subject != "" || !s.Until.IsZero():
		with = s.Cert.text()
		if s.Name != "" {
			with += " of " + oneLine(s.Name)
		}
		if !s.Sent {
			with += ", which was not sent,"
			check = append(check, "whether the peer has that certificate: it has asked for none, or send_cert is \"never\"; \"always\" sends it")
		}
		check = append(check, "the CA "+quote(s.Cert.Issuer)+", which the peer must know and trust, as all between it and its root",
			"whether the certificate is valid by the peer's clock (from "+dateText(s.From)+" to "+dateText(s.Until)+"), and not revoked")
	case s.Name != "":
		with = "the key of " + oneLine(s.Name)
		check = append(check, "the public key of "+oneLine(s.Name)+at(s.Line)+", which the peer must have in its pubkeys")
	}
	if with != "" && p.Key == (Key{}) {
		return with, check
	}
	if with != "" {
		with += " and "
	}
	return with + p.Key.table(), append(check, "the key of "+p.Key.text()+", for this pair of identities")
}

// WithPPK says in a failure of the pre-shared key that a PPK of this (quoted) id was in use: AUTH depends on both keys, and does not
// say which of them is wrong. It is for whoever makes the failure, before it is handed on.
func (f *Failure) WithPPK(id string) {
	f.Ours += " with PPK " + id
	f.Fix = fmt.Sprintf("one of two keys differs, and AUTH does not tell which: compare the key in [secrets.ike.NAME] for these "+
		"identities, or in secret_file of the connection, and the one in [secrets.ppk.NAME] for the id %s, with the peer's (`sha256sum` of the files; a trailing newline); "+
		"check also that the peer's connection uses that PPK.", oneLine(id))
}

// MethodMismatch is the failure that the peer authenticates with method got where required is configured.
func MethodMismatch(w Where, required, got string) *Failure {
	f := w.failure(CodeAuthMethod, required, got)
	f.Fix = fmt.Sprintf("let the peer authenticate with %s, as remote.auth of %s says.", oneLine(required), w.connection())
	return f
}

// NoSecret is the failure that no key is configured for the pair of identities.
func NoSecret(w Where, localID, remoteID string) *Failure {
	f := w.failure(CodeNoSecret, fmt.Sprintf("a secret that names %s", quote(remoteID)), quote(remoteID))
	f.Fix = fmt.Sprintf("set secret_file in %s, or add [secrets.ike.%s] with id = [%q, %q] and secret_file, with a key that no other peer has.",
		w.connection(), orUnknown(w.Connection, "NAME"), oneLine(localID), oneLine(remoteID))
	return f
}

// PPKMismatch is the failure that the two sides do not agree on a post-quantum preshared key (RFC 8784). ours and theirs
// complete "we use …" and "the peer uses …"; id is the quoted identity of the key concerned, "" if it is not known. No key
// is ever a part of it.
func PPKMismatch(w Where, id, ours, theirs string) *Failure {
	f := w.failure(CodePPK, ours, theirs)
	if id != "" {
		f.Fix = fmt.Sprintf("give both sides the PPK %s: [secrets.ppk.NAME] with this id and one and the same key, and ppk_id in %s; "+
			"or set ppk_required = false where the PPK may be missing.", oneLine(id), w.connection())
	}
	return f
}

// NoPPK is the failure of an initiator that requires a PPK and has no key for it. ours completes "we use …".
func NoPPK(w Where, ours string) *Failure {
	f := w.failure(CodePPK, ours+", and have no key for it", "")
	f.Fix = "add [secrets.ppk.NAME] with the key that the peer has and its id, which ppk_id has to name, or set ppk_required = false in " + w.connection() + "."
	return f
}

// WrongPPK is the failure of a responder: the peer's AUTH value proves the pre-shared key, and not the PPK of this (quoted)
// identity.
func WrongPPK(w Where, id string) *Failure {
	f := PPKMismatch(w, id, "PPK "+id, "another key as PPK "+id)
	f.Fix = fmt.Sprintf("enter the same key for the PPK %s on both sides; compare checksums of the files, and look for a trailing "+
		"newline.", oneLine(id))
	return f
}

// NoDowngradePrevention is the failure that the peer does not do downgrade prevention, which the connection requires.
func NoDowngradePrevention(w Where) *Failure {
	f := w.failure(CodeDowngrade, `downgrade_prevention = "required"`, "no IKE_SA_INIT_FULL_TRANSCRIPT_AUTH in IKE_SA_INIT")
	f.Fix = `let the peer do it (draft-ietf-ipsecme-ikev2-downgrade-prevention), or set downgrade_prevention = "yes" in ` + w.connection() +
		" and do without when it cannot."
	return f
}

// TranscriptStripped is the failure that the peer has not seen this side's IKE_SA_INIT_FULL_TRANSCRIPT_AUTH: its proof is right, and covers
// its own message only.
func TranscriptStripped(w Where) *Failure {
	return w.failure(CodeDowngrade, "both IKE_SA_INIT messages, since both sides have announced it", "its own IKE_SA_INIT message only, with the right key")
}

// RoundsDiffer is the failure that the peer does not prove itself in as many rounds as are configured: ours and theirs are how many.
func RoundsDiffer(w Where, ours, theirs string) *Failure {
	f := w.failure(CodeAuthRounds, ours, theirs)
	f.Fix = fmt.Sprintf("let the peer authenticate in %s, as the remote tables of %s say, or change those.", ours, w.connection())
	return f
}

// NoMultipleAuth is the failure that the peer does not do RFC 4739, and the connection has more than one round of authentication: ours says
// how many.
func NoMultipleAuth(w Where, ours string) *Failure {
	f := w.failure(CodeAuthRounds, ours, "one round: it has not announced MULTIPLE_AUTH_SUPPORTED")
	f.Fix = "use a peer that has RFC 4739, or leave one local and one remote table in " + w.connection() + "."
	return f
}
