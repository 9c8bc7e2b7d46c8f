package policy

// Auth is how one side proves who it is. The zero value is no method.
type Auth uint8

// The methods. Those of EAP (RFC 7296 section 2.16) are what the peer of a gateway, its user, proves itself with.
const (
	// AuthPSK is a pre-shared key, RFC 7296 section 2.15.
	AuthPSK Auth = iota + 1
	// AuthPubkey is a signature, RFC 7296 section 2.15 and RFC 7427, whose key a certificate binds to the identity (RFC 4945), or
	// which is known as it is (RFC 7670).
	AuthPubkey
	// AuthEAP is any method of EAP that makes a key, and that there is something to prove oneself with, or to check it with.
	AuthEAP
	// AuthEAPMD5 is the challenge and the answer of CHAP, RFC 3748 section 5.4. It has no key, and does not prove the gateway.
	AuthEAPMD5
	// AuthEAPGTC is a password as it is, RFC 3748 section 5.6. It has no key, and does not prove the gateway.
	AuthEAPGTC
	// AuthEAPMSCHAPv2 is Microsoft's challenge and answer, draft-kamath-pppext-eap-mschapv2 with RFC 2759.
	AuthEAPMSCHAPv2
	// AuthEAPTLS is a certificate within TLS, RFC 5216 and RFC 9190.
	AuthEAPTLS
	// AuthEAPTTLS is another method within TLS, RFC 5281.
	AuthEAPTTLS
	// AuthEAPPEAP is another method of EAP within TLS, [MS-PEAP].
	AuthEAPPEAP
	// AuthEAPDynamic is AuthEAP by the name that swanctl.conf has for what a gateway does.
	AuthEAPDynamic
	// AuthEAPRADIUS is what a RADIUS server asks for, RFC 3579: the gateway only carries it.
	AuthEAPRADIUS
)

// Words implements [Word].
func (Auth) Words() []string {
	return []string{"", "psk", "pubkey", "eap", "eap-md5", "eap-gtc", "eap-mschapv2", "eap-tls", "eap-ttls", "eap-peap", "eap-dynamic", "eap-radius"}
}

// String is the word of the configuration.
func (a Auth) String() string { return Name(a) }

// EAP reports whether it is a method of EAP, or a choice of them.
func (a Auth) EAP() bool { return a >= AuthEAP && a <= AuthEAPRADIUS }

// TLS reports whether its proof is within TLS, so that the gateway needs a certificate for it.
func (a Auth) TLS() bool { return a == AuthEAPTLS || a == AuthEAPTTLS || a == AuthEAPPEAP }

// Chosen reports whether which method it is comes out with the peer: EAP as such, and not one method of it.
func (a Auth) Chosen() bool { return a == AuthEAP || a == AuthEAPDynamic }
