package diag

import "fmt"

// PPKMismatch is the failure that the two sides do not agree on a post-quantum preshared key (RFC 8784). ours and theirs
// complete "we use …" and "the peer uses …"; id is the quoted identity of the key concerned, "" if it is not known. No key
// is ever a part of it.
func PPKMismatch(w Where, id, ours, theirs string) *Failure {
	f := w.failure(CodePPK)
	f.Ours, f.Theirs = ours, theirs
	if id != "" {
		f.Fix = fmt.Sprintf("give both sides the PPK %s: [secrets.ppk.NAME] with this id and one and the same key, and ppk_id in %s; "+
			"or set ppk_required = false where the PPK may be missing.", oneLine(id), w.connection())
	}
	return f
}

// WrongPPK is the failure of a responder: the peer's AUTH value proves the pre-shared key, and not the PPK of this (quoted)
// identity.
func WrongPPK(w Where, id string) *Failure {
	f := PPKMismatch(w, id, "PPK "+id, "another key as PPK "+id)
	f.Notify = "AUTHENTICATION_FAILED"
	f.Fix = fmt.Sprintf("enter the same key for the PPK %s on both sides; compare checksums of the files, and look for a trailing "+
		"newline.", oneLine(id))
	return f
}
