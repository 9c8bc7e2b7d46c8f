package wire

// Identities, certificates and authentication, from
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml.

// IDType is the type of an identity.
type IDType uint8

// IKEv2 Identification Payload ID Types.
const (
	IDIPv4Addr   IDType = 1
	IDFQDN       IDType = 2
	IDRFC822Addr IDType = 3
	IDIPv6Addr   IDType = 5
	IDDERASN1DN  IDType = 9
	IDDERASN1GN  IDType = 10
	IDKeyID      IDType = 11
	IDFCName     IDType = 12 // RFC 4595
	IDNull       IDType = 13 // RFC 7619
)

// String gives the name of the registry, or "ID type" and the number.
func (t IDType) String() string {
	switch t {
	case IDIPv4Addr:
		return "ID_IPV4_ADDR"
	case IDFQDN:
		return "ID_FQDN"
	case IDRFC822Addr:
		return "ID_RFC822_ADDR"
	case IDIPv6Addr:
		return "ID_IPV6_ADDR"
	case IDDERASN1DN:
		return "ID_DER_ASN1_DN"
	case IDDERASN1GN:
		return "ID_DER_ASN1_GN"
	case IDKeyID:
		return "ID_KEY_ID"
	case IDFCName:
		return "ID_FC_NAME"
	case IDNull:
		return "ID_NULL"
	}
	return numbered("ID type", uint16(t))
}

// CertEncoding says what a CERT payload holds and a CERTREQ payload asks for.
type CertEncoding uint8

// IKEv2 Certificate Encodings.
const (
	CertPKCS7         CertEncoding = 1
	CertPGP           CertEncoding = 2
	CertDNSSignedKey  CertEncoding = 3
	CertX509Signature CertEncoding = 4
	CertKerberosToken CertEncoding = 6
	CertCRL           CertEncoding = 7
	CertARL           CertEncoding = 8
	CertSPKI          CertEncoding = 9
	CertX509Attribute CertEncoding = 10
	CertRawRSAKey     CertEncoding = 11 // deprecated
	CertHashURLX509   CertEncoding = 12
	CertHashURLBundle CertEncoding = 13
	CertOCSPContent   CertEncoding = 14 // RFC 4806
	CertRawPublicKey  CertEncoding = 15 // RFC 7670
)

// String gives the name of the registry, or "certificate encoding" and the number.
func (t CertEncoding) String() string {
	switch t {
	case CertPKCS7:
		return "PKCS7_WRAPPED_X509"
	case CertPGP:
		return "PGP"
	case CertDNSSignedKey:
		return "DNS_SIGNED_KEY"
	case CertX509Signature:
		return "X509_SIGNATURE"
	case CertKerberosToken:
		return "KERBEROS_TOKEN"
	case CertCRL:
		return "CRL"
	case CertARL:
		return "ARL"
	case CertSPKI:
		return "SPKI"
	case CertX509Attribute:
		return "X509_ATTRIBUTE"
	case CertRawRSAKey:
		return "RAW_RSA_KEY"
	case CertHashURLX509:
		return "HASH_AND_URL_X509"
	case CertHashURLBundle:
		return "HASH_AND_URL_X509_BUNDLE"
	case CertOCSPContent:
		return "OCSP_CONTENT"
	case CertRawPublicKey:
		return "RAW_PUBLIC_KEY"
	}
	return numbered("certificate encoding", uint16(t))
}

// AuthMethod is the method of an AUTH payload.
type AuthMethod uint8

// IKEv2 Authentication Method.
const (
	AuthRSA              AuthMethod = 1
	AuthSharedKey        AuthMethod = 2
	AuthDSS              AuthMethod = 3
	AuthECDSA256         AuthMethod = 9  // RFC 4754
	AuthECDSA384         AuthMethod = 10 // RFC 4754
	AuthECDSA521         AuthMethod = 11 // RFC 4754
	AuthGSPM             AuthMethod = 12 // RFC 6467
	AuthNull             AuthMethod = 13 // RFC 7619
	AuthDigitalSignature AuthMethod = 14 // RFC 7427
)

// String gives the name of the registry, or "authentication method" and the number.
func (t AuthMethod) String() string {
	switch t {
	case AuthRSA:
		return "RSA_DIGITAL_SIGNATURE"
	case AuthSharedKey:
		return "SHARED_KEY_MIC"
	case AuthDSS:
		return "DSS_DIGITAL_SIGNATURE"
	case AuthECDSA256:
		return "ECDSA_SHA256_P256"
	case AuthECDSA384:
		return "ECDSA_SHA384_P384"
	case AuthECDSA521:
		return "ECDSA_SHA512_P521"
	case AuthGSPM:
		return "GENERIC_SECURE_PASSWORD"
	case AuthNull:
		return "NULL"
	case AuthDigitalSignature:
		return "DIGITAL_SIGNATURE"
	}
	return numbered("authentication method", uint16(t))
}

// HashAlgorithm is an entry of SIGNATURE_HASH_ALGORITHMS.
type HashAlgorithm uint16

// IKEv2 Hash Algorithms.
const (
	HashSHA1        HashAlgorithm = 1
	HashSHA2_256    HashAlgorithm = 2
	HashSHA2_384    HashAlgorithm = 3
	HashSHA2_512    HashAlgorithm = 4
	HashIdentity    HashAlgorithm = 5 // RFC 8420
	HashStreebog256 HashAlgorithm = 6 // RFC 9385
	HashStreebog512 HashAlgorithm = 7 // RFC 9385
)

// String gives the name of the registry, or "hash algorithm" and the number.
func (t HashAlgorithm) String() string {
	switch t {
	case HashSHA1:
		return "SHA1"
	case HashSHA2_256:
		return "SHA2_256"
	case HashSHA2_384:
		return "SHA2_384"
	case HashSHA2_512:
		return "SHA2_512"
	case HashIdentity:
		return "IDENTITY"
	case HashStreebog256:
		return "STREEBOG_256"
	case HashStreebog512:
		return "STREEBOG_512"
	}
	return numbered("hash algorithm", uint16(t))
}

// SecurePasswordMethod is an entry of SECURE_PASSWORD_METHODS.
type SecurePasswordMethod uint16

// IKEv2 Secure Password Methods.
const (
	PasswordPACE      SecurePasswordMethod = 1 // RFC 6631
	PasswordAugPAKE   SecurePasswordMethod = 2 // RFC 6628
	PasswordSecurePSK SecurePasswordMethod = 3 // RFC 6617
)

// String gives the name of the registry, or "secure password method" and the number.
func (t SecurePasswordMethod) String() string {
	switch t {
	case PasswordPACE:
		return "PACE"
	case PasswordAugPAKE:
		return "AUGPAKE"
	case PasswordSecurePSK:
		return "SECURE_PSK_AUTHENTICATION"
	}
	return numbered("secure password method", uint16(t))
}

// PPKIDType is the type of the ID in a PPK_IDENTITY notification.
type PPKIDType uint8

// IKEv2 Post-quantum Preshared Key ID Types.
const (
	PPKIDOpaque PPKIDType = 1 // RFC 8784
	PPKIDFixed  PPKIDType = 2 // RFC 8784
)

// String gives the name of the registry, or "PPK ID type" and the number.
func (t PPKIDType) String() string {
	switch t {
	case PPKIDOpaque:
		return "PPK_ID_OPAQUE"
	case PPKIDFixed:
		return "PPK_ID_FIXED"
	}
	return numbered("PPK ID type", uint16(t))
}
