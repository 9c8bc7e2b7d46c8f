package wire

import (
	"fmt"
	"regexp"
	"testing"
)

// registries are all names this package knows by number: named gives the name
// for a number, kind is what the name of an unassigned number begins with, count
// is how many numbers the registry assigns.
var registries = []struct {
	name  string
	last  int
	kind  string
	count int
	named func(n int) string
}{
	{"exchange types", 255, "exchange", 11, func(n int) string { return ExchangeType(n).String() }},
	{"payload types", 255, "payload", 23, func(n int) string { return PayloadType(n).String() }},
	{"protocols", 255, "protocol", 7, func(n int) string { return ProtocolID(n).String() }},
	{"transform types", 255, "transform type", 14, func(n int) string { return TransformType(n).String() }},
	{"ENCR", 65535, "ENCR", 33, func(n int) string { return TransformName(TransformENCR, uint16(n)) }},
	{"PRF", 65535, "PRF", 9, func(n int) string { return TransformName(TransformPRF, uint16(n)) }},
	{"INTEG", 65535, "INTEG", 15, func(n int) string { return TransformName(TransformINTEG, uint16(n)) }},
	{"KE", 65535, "KE", 28, func(n int) string { return TransformName(TransformKE, uint16(n)) }},
	{"ADDKE7", 65535, "ADDKE7", 28, func(n int) string { return TransformName(TransformADDKE7, uint16(n)) }},
	{"ESN", 65535, "ESN", 3, func(n int) string { return TransformName(TransformESN, uint16(n)) }},
	{"KWA", 65535, "KWA", 4, func(n int) string { return TransformName(TransformKWA, uint16(n)) }},
	{"GCAUTH", 65535, "GCAUTH", 2, func(n int) string { return TransformName(TransformGCAUTH, uint16(n)) }},
	{"ID types", 255, "ID type", 9, func(n int) string { return IDType(n).String() }},
	{"certificate encodings", 255, "certificate encoding", 14, func(n int) string { return CertEncoding(n).String() }},
	{"authentication methods", 255, "authentication method", 9, func(n int) string { return AuthMethod(n).String() }},
	{"hash algorithms", 65535, "hash algorithm", 7, func(n int) string { return HashAlgorithm(n).String() }},
	{"secure password methods", 65535, "secure password method", 3, func(n int) string { return SecurePasswordMethod(n).String() }},
	{"PPK ID types", 255, "PPK ID type", 2, func(n int) string { return PPKIDType(n).String() }},
	{"notify types", 65535, "notify", 89, func(n int) string { return NotifyType(n).String() }},
	{"notify abbreviations", 65535, "notify", 89, func(n int) string { return NotifyType(n).Short() }},
	{"CFG types", 255, "CFG type", 4, func(n int) string { return CfgType(n).String() }},
	{"CFG attributes", 65535, "attribute", 39, func(n int) string { return CfgAttrType(n).String() }},
	{"CFG attribute abbreviations", 65535, "attribute", 39, func(n int) string { return CfgAttrType(n).Short() }},
	{"TS types", 255, "TS type", 4, func(n int) string { return TSType(n).String() }},
	{"IPCOMP transforms", 255, "IPCOMP transform", 4, func(n int) string { return IPCompTransform(n).String() }},
	{"gateway identity types", 255, "gateway identity type", 3, func(n int) string { return GatewayType(n).String() }},
	{"EAP codes", 255, "EAP code", 6, func(n int) string { return EAPCodeName(uint8(n)) }},
	{"EAP types", 255, "EAP type", 19, func(n int) string { return EAPTypeName(uint8(n)) }},
}

// No number is shown bare, no two have the same name, and none that the registry
// assigns lost its name.
func TestNames(t *testing.T) {
	name := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_]*$`)
	bare := regexp.MustCompile(`^[0-9]+$`)
	for _, r := range registries {
		seen := map[string]int{}
		for n := 0; n <= r.last; n++ {
			s := r.named(n)
			if s == fmt.Sprintf("%s %d", r.kind, n) || r.kind == "notify" && s == fmt.Sprintf("error notify %d", n) {
				continue
			}
			if other, dup := seen[s]; dup {
				t.Errorf("%s: %d and %d are both %q", r.name, other, n, s)
			}
			seen[s] = n
			if !name.MatchString(s) || bare.MatchString(s) {
				t.Errorf("%s: %d is %q", r.name, n, s)
			}
		}
		if len(seen) != r.count {
			t.Errorf("%s: %d names, want %d", r.name, len(seen), r.count)
		}
	}
}

// Numbers as in the registry, spot checks of each: the constants and the tables
// could be wrong together only for values nobody uses.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		got  fmt.Stringer
		n    int
		want string
	}{
		{ExchangeIKESAInit, 34, "IKE_SA_INIT"}, {ExchangeIKEAuth, 35, "IKE_AUTH"}, {ExchangeCreateChildSA, 36, "CREATE_CHILD_SA"},
		{ExchangeInformational, 37, "INFORMATIONAL"}, {ExchangeIKESessionResume, 38, "IKE_SESSION_RESUME"},
		{ExchangeIKEIntermediate, 43, "IKE_INTERMEDIATE"}, {ExchangeIKEFollowupKE, 44, "IKE_FOLLOWUP_KE"},
		{PayloadSA, 33, "SA"}, {PayloadKE, 34, "KE"}, {PayloadIDi, 35, "IDi"}, {PayloadIDr, 36, "IDr"}, {PayloadCERT, 37, "CERT"},
		{PayloadCERTREQ, 38, "CERTREQ"}, {PayloadAUTH, 39, "AUTH"}, {PayloadNonce, 40, "No"}, {PayloadNotify, 41, "N"},
		{PayloadDelete, 42, "D"}, {PayloadVendorID, 43, "V"}, {PayloadTSi, 44, "TSi"}, {PayloadTSr, 45, "TSr"}, {PayloadSK, 46, "SK"},
		{PayloadCP, 47, "CP"}, {PayloadEAP, 48, "EAP"}, {PayloadGSPM, 49, "GSPM"}, {PayloadSKF, 53, "SKF"}, {PayloadPS, 54, "PS"},
		{ProtocolIKE, 1, "IKE"}, {ProtocolAH, 2, "AH"}, {ProtocolESP, 3, "ESP"},
		{TransformENCR, 1, "ENCR"}, {TransformPRF, 2, "PRF"}, {TransformINTEG, 3, "INTEG"}, {TransformKE, 4, "KE"},
		{TransformESN, 5, "ESN"}, {TransformADDKE1, 6, "ADDKE1"}, {TransformADDKE7, 12, "ADDKE7"},
		{IDIPv4Addr, 1, "ID_IPV4_ADDR"}, {IDFQDN, 2, "ID_FQDN"}, {IDRFC822Addr, 3, "ID_RFC822_ADDR"}, {IDIPv6Addr, 5, "ID_IPV6_ADDR"},
		{IDDERASN1DN, 9, "ID_DER_ASN1_DN"}, {IDDERASN1GN, 10, "ID_DER_ASN1_GN"}, {IDKeyID, 11, "ID_KEY_ID"}, {IDNull, 13, "ID_NULL"},
		{CertX509Signature, 4, "X509_SIGNATURE"}, {CertHashURLX509, 12, "HASH_AND_URL_X509"}, {CertOCSPContent, 14, "OCSP_CONTENT"},
		{AuthRSA, 1, "RSA_DIGITAL_SIGNATURE"}, {AuthSharedKey, 2, "SHARED_KEY_MIC"}, {AuthECDSA256, 9, "ECDSA_SHA256_P256"},
		{AuthECDSA521, 11, "ECDSA_SHA512_P521"}, {AuthNull, 13, "NULL"}, {AuthDigitalSignature, 14, "DIGITAL_SIGNATURE"},
		{HashSHA1, 1, "SHA1"}, {HashSHA2_512, 4, "SHA2_512"}, {HashIdentity, 5, "IDENTITY"},
		{NotifyUnsupportedCriticalPayload, 1, "UNSUPPORTED_CRITICAL_PAYLOAD"}, {NotifyInvalidKEPayload, 17, "INVALID_KE_PAYLOAD"},
		{NotifyChildSANotFound, 44, "CHILD_SA_NOT_FOUND"}, {NotifyStateNotFound, 47, "STATE_NOT_FOUND"},
		{NotifyInitialContact, 16384, "INITIAL_CONTACT"}, {NotifyCookie, 16390, "COOKIE"}, {NotifyRekeySA, 16393, "REKEY_SA"},
		{NotifyEAPOnlyAuthentication, 16417, "EAP_ONLY_AUTHENTICATION"}, {NotifyIKEv2FragmentationSupported, 16430, "IKEV2_FRAGMENTATION_SUPPORTED"},
		{NotifySignatureHashAlgorithms, 16431, "SIGNATURE_HASH_ALGORITHMS"}, {NotifyUsePPK, 16435, "USE_PPK"},
		{NotifyIntermediateExchangeSupported, 16438, "INTERMEDIATE_EXCHANGE_SUPPORTED"},
		{NotifyAdditionalKeyExchange, 16441, "ADDITIONAL_KEY_EXCHANGE"}, {NotifyUseAGGFRAG, 16442, "USE_AGGFRAG"},
		{CfgRequest, 1, "CFG_REQUEST"}, {CfgAck, 4, "CFG_ACK"}, {CfgInternalIP4Address, 1, "INTERNAL_IP4_ADDRESS"},
		{CfgInternalIP6Address, 8, "INTERNAL_IP6_ADDRESS"}, {CfgInternalDNSDomain, 25, "INTERNAL_DNS_DOMAIN"},
		{TSIPv4AddrRange, 7, "TS_IPV4_ADDR_RANGE"}, {TSIPv6AddrRange, 8, "TS_IPV6_ADDR_RANGE"},
		{GatewayFQDN, 3, "FQDN"}, {IPCompDeflate, 2, "IPCOMP_DEFLATE"}, {PPKIDOpaque, 1, "PPK_ID_OPAQUE"}, {PasswordSecurePSK, 3, "SECURE_PSK_AUTHENTICATION"},
	} {
		if fmt.Sprintf("%d", c.got) != fmt.Sprint(c.n) || c.got.String() != c.want {
			t.Errorf("%d is %s, want %d and %s", c.got, c.got, c.n, c.want)
		}
	}
}

func TestTransformNames(t *testing.T) {
	for _, c := range []struct {
		t    TransformType
		id   uint16
		n    int
		want string
	}{
		{TransformENCR, ENCR_NULL, 11, "NULL"}, {TransformENCR, ENCR_AES_CBC, 12, "AES_CBC"}, {TransformENCR, ENCR_AES_GCM_16, 20, "AES_GCM_16"},
		{TransformENCR, ENCR_CHACHA20_POLY1305, 28, "CHACHA20_POLY1305"},
		{TransformPRF, PRF_HMAC_SHA2_384, 6, "PRF_HMAC_SHA2_384"}, {TransformPRF, PRF_AES128_CMAC, 8, "PRF_AES128_CMAC"},
		{TransformINTEG, AUTH_NONE, 0, "NONE"}, {TransformINTEG, AUTH_HMAC_SHA2_256_128, 12, "HMAC_SHA2_256_128"}, {TransformINTEG, AUTH_AES_XCBC_96, 5, "AES_XCBC_96"},
		{TransformKE, KE_NONE, 0, "NONE"}, {TransformKE, KE_MODP_2048, 14, "MODP_2048"}, {TransformKE, KE_ECP_384, 20, "ECP_384"},
		{TransformKE, KE_CURVE25519, 31, "CURVE_25519"}, {TransformADDKE1, KE_ML_KEM_768, 36, "ML_KEM_768"},
		{TransformESN, ESN_NONE, 0, "NO_EXT_SEQ"}, {TransformESN, ESN_ESN, 1, "EXT_SEQ"},
		{TransformENCR, 1234, 1234, "ENCR 1234"}, {TransformADDKE2, 1024, 1024, "ADDKE2 1024"}, {99, 7, 7, "transform type 99 7"},
	} {
		if got := TransformName(c.t, c.id); got != c.want || int(c.id) != c.n {
			t.Errorf("%s %d is %q, want %d and %q", c.t, c.id, got, c.n, c.want)
		}
	}
	for _, c := range []struct {
		t    Transform
		want string
	}{
		{Transform{Type: TransformENCR, ID: ENCR_AES_CBC, KeyLength: 256}, "AES_CBC_256"},
		{Transform{Type: TransformKE, ID: KE_ECP_256}, "ECP_256"},
		{Transform{Type: TransformENCR, ID: ENCR_AES_CTR, Unknown: true}, "AES_CTR (unknown attribute)"},
	} {
		if got := c.t.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for pt := TransformType(0); pt < 20; pt++ {
		if want := pt == 4 || pt >= 6 && pt <= 12; pt.IsKE() != want {
			t.Errorf("%s: IsKE is %t", pt, pt.IsKE())
		}
	}
}

func TestNotifyIsError(t *testing.T) {
	for n, want := range map[NotifyType]bool{
		0: true, NotifyInvalidSyntax: true, NotifyRegistrationFailed: true, 8192: true, 16383: true,
		NotifyInitialContact: false, NotifyCookie: false, 40960: false, 65535: false,
	} {
		if n.IsError() != want {
			t.Errorf("%s: IsError is %t", n, n.IsError())
		}
	}
}
