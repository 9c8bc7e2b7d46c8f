package vici

import "context"

// Loader is the part of a [Backend] that takes what swanctl --load-all sends, and shows it. What is loaded is apart from the file of the
// configuration. Everything has been checked for its form when it gets here: names and identities are printable UTF-8 and not
// empty, and sizes are bounded; what it means is for the daemon. An error says why it was not loaded, with the fix; nothing is
// half loaded.
//
// Data are those of the request: PEM or DER. They are not changed afterwards, so that they may be kept.
type Loader interface {
	// LoadConn adds a connection, or puts it in the place of the one with its name. The section is that of swanctl.conf: values are
	// texts, times and words as strongSwan writes them; certs, cacerts and pubkeys are lists of PEM or DER.
	LoadConn(ctx context.Context, name string, section *Message) error
	UnloadConn(ctx context.Context, name string) error
	// LoadCert adds a certificate, or a revocation list.
	LoadCert(ctx context.Context, c LoadCert) error
	// LoadKey adds a private key and returns its id. The kind is in lower case: rsa, ecdsa, ed25519, ed448, bliss, any.
	LoadKey(ctx context.Context, kind string, data []byte) (id string, err error)
	// UnloadKey takes away the key with an id, which is in lower case.
	UnloadKey(ctx context.Context, id string) error
	// Keys returns the ids of the keys that were loaded.
	Keys(ctx context.Context) ([]string, error)
	// LoadToken adds a private key that is on a token, and returns its id.
	LoadToken(ctx context.Context, t Token) (id string, err error)
	// LoadShared adds a secret. One with the same ID goes away; those without an ID are never replaced.
	LoadShared(ctx context.Context, s Shared) error
	// UnloadShared takes away the secret with an id. It is no error if there is none, as with strongSwan.
	UnloadShared(ctx context.Context, id string) error
	// SharedIDs returns the ids of the secrets that were loaded with one.
	SharedIDs(ctx context.Context) ([]string, error)
	// ClearCreds takes all certificates, keys and secrets away that were loaded; not connections, pools and authorities.
	ClearCreds(ctx context.Context) error
	// FlushCerts forgets what has been fetched of a kind: one of the types of [Cert], or "" for all.
	FlushCerts(ctx context.Context, kind string) error
	// LoadAuthority adds a certification authority, or puts it in the place of the one with its name: cacert (PEM or DER), file,
	// handle, slot, module, crl_uris, ocsp_uris, cert_uri_base.
	LoadAuthority(ctx context.Context, name string, section *Message) error
	UnloadAuthority(ctx context.Context, name string) error
	// Authorities returns the names of the authorities that were loaded.
	Authorities(ctx context.Context) ([]string, error)
	// LoadPool adds a pool, or puts it in the place of the one with its name, unless that has addresses in use that it has not: addrs,
	// and attributes, each of which is a list.
	LoadPool(ctx context.Context, name string, section *Message) error
	// UnloadPool takes a pool away. One that has addresses in use stays, which is an error.
	UnloadPool(ctx context.Context, name string) error

	// ListCerts calls yield for each certificate, revocation list, OCSP response and public key that filter selects, wherever it
	// comes from.
	ListCerts(ctx context.Context, filter CertFilter, yield func(Cert) error) error
	// ListAuthorities calls yield for each certification authority, wherever it comes from, or only for the one with a name.
	ListAuthorities(ctx context.Context, name string, yield func(Authority) error) error
}

// LoadCert is the request of `load-cert`.
type LoadCert struct {
	// Type is one of the types of [Cert]; of X509, Flag is one of its flags.
	Type, Flag string
	Data       []byte
}

// Token is the request of `load-token`: a private key that a device has.
type Token struct {
	// Handle is the CKA_ID of the key in lower-case hex.
	Handle string
	// Slot is negative where none was named; Module and PIN may be empty. PIN must not come back out, nor reach a log.
	Slot        int64
	Module, PIN string
}

// The types of secrets.
const (
	SharedIKE   = "IKE"
	SharedEAP   = "EAP"
	SharedXAuth = "XAUTH"
	SharedNTLM  = "NTLM"
	SharedPPK   = "PPK"
)

// Shared is the request of `load-shared`.
type Shared struct {
	// ID is what it can be unloaded by; it may be empty.
	ID string
	// Type is one of the types of secrets.
	Type string
	// Data is the secret itself. It must not come back out, nor reach a log.
	Data []byte
	// Owners are the identities that it is for; none: everybody.
	Owners []string
}

// The types and flags of certificates in strongSwan's words.
const (
	CertX509         = "X509"
	CertX509AC       = "X509_AC"
	CertX509CRL      = "X509_CRL"
	CertOCSPResponse = "OCSP_RESPONSE"
	CertPubkey       = "PUBKEY"

	CertFlagNone = "NONE"
	CertFlagCA   = "CA"
	CertFlagAA   = "AA"
	CertFlagOCSP = "OCSP"
)

// CertFilter selects certificates for `list-certs`. Empty fields select everything.
type CertFilter struct {
	// Type is one of the types of [Cert], Flag one of its flags.
	Type, Flag string
	// Subject is what the subject has to be, as text.
	Subject string
}
