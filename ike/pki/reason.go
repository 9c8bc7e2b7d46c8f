package pki

import "fmt"

// Reason is why a peer's certificate or key is refused. The zero value is none.
type Reason uint8

// The reasons. Of several that hold for several chains, the one farther down here is the more useful to know.
const (
	_ Reason = iota
	// NoCertificate: the peer has sent nothing, and nothing of it is configured.
	NoCertificate
	// TooMuch: the peer has sent more certificates, or larger ones, than are accepted.
	TooMuch
	// Unreadable: the certificate or key is malformed.
	Unreadable
	// UnknownKey: a raw public key that is none of those configured.
	UnknownKey
	// NotPinned: the certificate is none of those that the configuration demands.
	NotPinned
	// UnknownCA: no trusted CA has the name of the issuer.
	UnknownCA
	// SelfSigned: the certificate is its own issuer, and not trusted.
	SelfSigned
	// TooMuchWork: there are more ways to build a chain than are tried.
	TooMuchWork
	// BadSignature: the signature on the certificate doesn't verify with the key of the CA of that name.
	BadSignature
	// NotCA: the issuer may not issue certificates.
	NotCA
	// WeakSignature: the signature on the certificate is with MD5 or SHA-1, or with an algorithm that is not known here.
	WeakSignature
	// UnfitKey: the key of the certificate is of a kind that is not accepted, or no key.
	UnfitKey
	// WeakKey: the key of the certificate is too short.
	WeakKey
	// UnknownExtension: a critical extension of the certificate is not known here.
	UnknownExtension
	// PathTooLong: a CA has issued a CA that it may not have.
	PathTooLong
	// NotItsIdentity: the certificate doesn't speak for the identity that the peer claims.
	NotItsIdentity
	// WrongUsage: the key usage excludes signatures.
	WrongUsage
	// NotYetValid: the certificate is valid later only.
	NotYetValid
	// Expired: the certificate is not valid any more.
	Expired
	// NameNotAllowed: a CA may not issue certificates for a name in the certificate.
	NameNotAllowed
	// WrongPolicy: the chain doesn't have the certificate policies demanded.
	WrongPolicy
	// WrongCA: the chain is without the CA that the configuration demands.
	WrongCA
)

// String is what the reason is called in a log: a few words without a subject.
func (r Reason) String() string {
	switch r {
	case NoCertificate:
		return "no certificate"
	case TooMuch:
		return "too many certificates"
	case Unreadable:
		return "malformed"
	case UnknownKey:
		return "unknown public key"
	case NotPinned:
		return "not the certificate demanded"
	case UnknownCA:
		return "unknown CA"
	case SelfSigned:
		return "self-signed"
	case TooMuchWork:
		return "too many chains"
	case BadSignature:
		return "wrong signature"
	case NotCA:
		return "issuer is not a CA"
	case WeakSignature:
		return "weak or unknown signature algorithm"
	case UnfitKey:
		return "unfit key"
	case WeakKey:
		return "weak key"
	case UnknownExtension:
		return "unknown critical extension"
	case PathTooLong:
		return "chain too long"
	case NotItsIdentity:
		return "not for this identity"
	case WrongUsage:
		return "wrong key usage"
	case NotYetValid:
		return "not yet valid"
	case Expired:
		return "expired"
	case NameNotAllowed:
		return "name not allowed by the CA"
	case WrongPolicy:
		return "wrong certificate policy"
	case WrongCA:
		return "wrong CA"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Reasons are all reasons that there are.
func Reasons() []Reason {
	var all []Reason
	for r := NoCertificate; r <= WrongCA; r++ {
		all = append(all, r)
	}
	return all
}
