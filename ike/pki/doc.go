// Package pki judges certificates and public keys: what a peer shows in CERT payloads (RFC 7296, section 3.6), against
// what a configuration trusts.
//
// [Parse] reads one certificate, [PublicKey] and [ParsePublicKey] say which keys are accepted, [Binds] says which
// identities a certificate speaks for, and [Trust.Judge] puts it together: from the DER that a peer has sent, the
// identity that it claims and the time, to the key that must verify its AUTH payload, or to a [Refusal] that says what
// an operator has to know. The profile is RFC 4945, section 5, on top of RFC 5280.
//
// Paths are built and validated by crypto/x509, with the pools given here and never with those of the system. Around it
// are the things that it leaves to its caller or doesn't have: bounds on the work for somebody unknown, the strength of
// keys, key usage, identities, certificate policies that are required, constraints on distinguished names, and reasons
// that a person can act on.
//
// # Invariants
//
// Everything is a pure function of its arguments: no clock, no file, no network, no cache. A [Trust] is never changed;
// any number of goroutines may use it.
//
// What somebody without a certificate of a trusted CA can cause is bounded by the constants in limits.go.
//
// # What is accepted
//
// Keys: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 and P-521, Ed25519, and Ed448. A key of Ed448 can be that of an
// end, issued by a CA with a key of another kind, pinned, or raw. A CA can't have one: crypto/x509 doesn't verify
// signatures of Ed448 in certificates.
//
// Signatures in a chain: those of crypto/x509, which excludes MD5 and SHA-1. The signature on a trust anchor and on a
// pinned certificate is not looked at, because the configuration vouches for them.
//
// Extended key usage doesn't matter. RFC 4945, section 5.1.3.12, leaves it open whether an implementation supports the
// extension; one that does rejects certificates without id-kp-ipsecIKE or anyExtendedKeyUsage, which most certificates
// of gateways in the field don't have. Key usage does matter (section 5.1.3.2).
//
// Revocation is not looked at here.
package pki
