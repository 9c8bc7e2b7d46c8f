package wire

// Numbers inside single payloads, from
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml
// and, for EAP, https://www.iana.org/assignments/eap-numbers/eap-numbers.xhtml.

// TSType is the type of a traffic selector.
type TSType uint8

// IKEv2 Traffic Selector Types.
const (
	TSIPv4AddrRange TSType = 7
	TSIPv6AddrRange TSType = 8
	TSFCAddrRange   TSType = 9  // RFC 4595; not understood
	TSSecLabel      TSType = 10 // RFC 9478; not understood
)

// String gives the name of the registry, or "TS type" and the number.
func (t TSType) String() string {
	switch t {
	case TSIPv4AddrRange:
		return "TS_IPV4_ADDR_RANGE"
	case TSIPv6AddrRange:
		return "TS_IPV6_ADDR_RANGE"
	case TSFCAddrRange:
		return "TS_FC_ADDR_RANGE"
	case TSSecLabel:
		return "TS_SECLABEL"
	}
	return numbered("TS type", uint16(t))
}

// IPCompTransform is the compression algorithm of IPCOMP_SUPPORTED.
type IPCompTransform uint8

// IKEv2 Notification IPCOMP Transform IDs.
const (
	IPCompOUI     IPCompTransform = 1
	IPCompDeflate IPCompTransform = 2 // RFC 2394
	IPCompLZS     IPCompTransform = 3 // RFC 2395
	IPCompLZJH    IPCompTransform = 4 // RFC 3051
)

// String gives the name of the registry, or "IPCOMP transform" and the number.
func (t IPCompTransform) String() string {
	switch t {
	case IPCompOUI:
		return "IPCOMP_OUI"
	case IPCompDeflate:
		return "IPCOMP_DEFLATE"
	case IPCompLZS:
		return "IPCOMP_LZS"
	case IPCompLZJH:
		return "IPCOMP_LZJH"
	}
	return numbered("IPCOMP transform", uint16(t))
}

// GatewayType is the type of the identity in REDIRECT and REDIRECTED_FROM.
type GatewayType uint8

// IKEv2 Gateway Identity Types.
const (
	GatewayIPv4 GatewayType = 1 // RFC 5685
	GatewayIPv6 GatewayType = 2 // RFC 5685
	GatewayFQDN GatewayType = 3 // RFC 5685
)

// String gives the name of the registry, or "gateway identity type" and the number.
func (t GatewayType) String() string {
	switch t {
	case GatewayIPv4:
		return "IPV4_ADDR"
	case GatewayIPv6:
		return "IPV6_ADDR"
	case GatewayFQDN:
		return "FQDN"
	}
	return numbered("gateway identity type", uint16(t))
}

// EAP packet codes.
const (
	EAPRequest  uint8 = 1
	EAPResponse uint8 = 2
	EAPSuccess  uint8 = 3
	EAPFailure  uint8 = 4
	EAPInitiate uint8 = 5 // RFC 6696
	EAPFinish   uint8 = 6 // RFC 6696
)

// EAPCodeName names an EAP code, "EAP code 9" if it has no name.
func EAPCodeName(n uint8) string {
	switch n {
	case EAPRequest:
		return "REQ"
	case EAPResponse:
		return "RES"
	case EAPSuccess:
		return "SUCC"
	case EAPFailure:
		return "FAIL"
	case EAPInitiate:
		return "INIT"
	case EAPFinish:
		return "FIN"
	}
	return numbered("EAP code", uint16(n))
}

// EAP method types.
const (
	EAPTypeIdentity     uint8 = 1
	EAPTypeNotification uint8 = 2
	EAPTypeNak          uint8 = 3
	EAPTypeMD5          uint8 = 4
	EAPTypeOTP          uint8 = 5
	EAPTypeGTC          uint8 = 6
	EAPTypeTLS          uint8 = 13
	EAPTypeSIM          uint8 = 18
	EAPTypeTTLS         uint8 = 21
	EAPTypeAKA          uint8 = 23
	EAPTypePEAP         uint8 = 25
	EAPTypeMSCHAPv2     uint8 = 26
	EAPTypeFAST         uint8 = 43
	EAPTypePSK          uint8 = 47
	EAPTypeAKAPrime     uint8 = 50
	EAPTypePWD          uint8 = 52
	EAPTypeTEAP         uint8 = 55
	EAPTypeExpanded     uint8 = 254
	EAPTypeExperimental uint8 = 255
)

// EAPTypeName names an EAP method type, "EAP type 99" if it isn't one of these.
func EAPTypeName(n uint8) string {
	switch n {
	case EAPTypeIdentity:
		return "ID"
	case EAPTypeNotification:
		return "NOTIFICATION"
	case EAPTypeNak:
		return "NAK"
	case EAPTypeMD5:
		return "MD5"
	case EAPTypeOTP:
		return "OTP"
	case EAPTypeGTC:
		return "GTC"
	case EAPTypeTLS:
		return "TLS"
	case EAPTypeSIM:
		return "SIM"
	case EAPTypeTTLS:
		return "TTLS"
	case EAPTypeAKA:
		return "AKA"
	case EAPTypePEAP:
		return "PEAP"
	case EAPTypeMSCHAPv2:
		return "MSCHAPV2"
	case EAPTypeFAST:
		return "FAST"
	case EAPTypePSK:
		return "PSK"
	case EAPTypeAKAPrime:
		return "AKA_PRIME"
	case EAPTypePWD:
		return "PWD"
	case EAPTypeTEAP:
		return "TEAP"
	case EAPTypeExpanded:
		return "EXPANDED"
	case EAPTypeExperimental:
		return "EXPERIMENTAL"
	}
	return numbered("EAP type", uint16(n))
}
