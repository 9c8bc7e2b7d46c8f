package wire

import "slices"

// AuthAnnouncement is one method of authentication in SUPPORTED_AUTH_METHODS
// (https://www.rfc-editor.org/rfc/rfc9593#section-3.2).
type AuthAnnouncement struct {
	Method AuthMethod
	// Link names the CA that the method is for, by its place among those of all
	// CERTREQ payloads of the message, from 1; 0 stands for any.
	Link uint8
	// Algorithm is the AlgorithmIdentifier of a Digital Signature, in DER.
	Algorithm []byte
}

// The lengths of announcements, which "fully define both the format and the
// semantics" of those that there are.
const (
	announceMethod = 2 // the method alone
	announceLinked = 3 // with a CA
)

// MaxAnnouncements bounds what is taken of a notification.
const MaxAnnouncements = 64

// form is the length of an announcement of a method; 0 for one longer than
// announceLinked. ok is false for methods that this package has no form for.
func (m AuthMethod) form() (n int, ok bool) {
	switch m {
	case AuthSharedKey, AuthNull:
		return announceMethod, true
	case AuthRSA, AuthDSS, AuthECDSA256, AuthECDSA384, AuthECDSA521:
		return announceLinked, true
	case AuthDigitalSignature:
		return 0, true
	}
	return 0, false
}

// NewSupportedAuthMethods makes the notification, with methods in order of
// preference. Those whose announcement has no form, or does not fit one, are left
// out.
func NewSupportedAuthMethods(list ...AuthAnnouncement) *Notify {
	var b []byte
	for _, a := range list {
		n, ok := a.Method.form()
		if n == 0 {
			n = announceLinked + len(a.Algorithm)
		}
		if !ok || n > 255 || a.Method == AuthDigitalSignature && len(a.Algorithm) == 0 {
			continue
		}
		b = append(b, uint8(n), uint8(a.Method))
		if n >= announceLinked {
			b = append(append(b, a.Link), a.Algorithm...)
		}
	}
	return NewNotify(NotifySupportedAuthMethods, b)
}

// SupportedAuthMethods reads the data of SUPPORTED_AUTH_METHODS. "Implementations
// MUST ignore announcements whose semantics they don't understand": those are not
// in the list (https://www.rfc-editor.org/rfc/rfc9593#section-3.2). What does not
// divide into announcements is an error. Of very many, the first are taken.
func (n *Notify) SupportedAuthMethods() ([]AuthAnnouncement, error) {
	var list []AuthAnnouncement
	for b := n.Data; len(b) > 0; {
		size := int(b[0])
		if size < announceMethod || size > len(b) {
			return nil, n.dataError("an announcement of %d octets where %d are left", size, len(b))
		}
		a := AuthAnnouncement{Method: AuthMethod(b[1])}
		form, ok := a.Method.form()
		ok = ok && (form == size || form == 0 && size > announceLinked)
		if ok && size >= announceLinked {
			a.Link = b[2]
			if size > announceLinked {
				a.Algorithm = slices.Clone(b[announceLinked:size])
			}
		}
		if ok && len(list) < MaxAnnouncements {
			list = append(list, a)
		}
		b = b[size:]
	}
	return list, nil
}
