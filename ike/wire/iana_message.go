package wire

import "strconv"

// Exchange, payload and protocol numbers, from
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml.

// ExchangeType is the exchange type in the IKE header.
type ExchangeType uint8

// IKEv2 Exchange Types.
const (
	ExchangeIKESAInit        ExchangeType = 34
	ExchangeIKEAuth          ExchangeType = 35
	ExchangeCreateChildSA    ExchangeType = 36
	ExchangeInformational    ExchangeType = 37
	ExchangeIKESessionResume ExchangeType = 38 // RFC 5723
	ExchangeGSAAuth          ExchangeType = 39 // RFC 9838
	ExchangeGSARegistration  ExchangeType = 40 // RFC 9838
	ExchangeGSARekey         ExchangeType = 41 // RFC 9838
	ExchangeGSAInbandRekey   ExchangeType = 42 // RFC 9838
	ExchangeIKEIntermediate  ExchangeType = 43 // RFC 9242
	ExchangeIKEFollowupKE    ExchangeType = 44 // RFC 9370
)

// String gives the name of the registry, or "exchange" and the number.
func (t ExchangeType) String() string {
	switch t {
	case ExchangeIKESAInit:
		return "IKE_SA_INIT"
	case ExchangeIKEAuth:
		return "IKE_AUTH"
	case ExchangeCreateChildSA:
		return "CREATE_CHILD_SA"
	case ExchangeInformational:
		return "INFORMATIONAL"
	case ExchangeIKESessionResume:
		return "IKE_SESSION_RESUME"
	case ExchangeGSAAuth:
		return "GSA_AUTH"
	case ExchangeGSARegistration:
		return "GSA_REGISTRATION"
	case ExchangeGSARekey:
		return "GSA_REKEY"
	case ExchangeGSAInbandRekey:
		return "GSA_INBAND_REKEY"
	case ExchangeIKEIntermediate:
		return "IKE_INTERMEDIATE"
	case ExchangeIKEFollowupKE:
		return "IKE_FOLLOWUP_KE"
	}
	return numbered("exchange", uint16(t))
}

// PayloadType is the type of a payload, as a Next Payload field has it. Its String
// is the notation of RFC 7296.
type PayloadType uint8

// IKEv2 Payload Types.
const (
	PayloadNone     PayloadType = 0
	PayloadSA       PayloadType = 33
	PayloadKE       PayloadType = 34
	PayloadIDi      PayloadType = 35
	PayloadIDr      PayloadType = 36
	PayloadCERT     PayloadType = 37
	PayloadCERTREQ  PayloadType = 38
	PayloadAUTH     PayloadType = 39
	PayloadNonce    PayloadType = 40 // Ni or Nr
	PayloadNotify   PayloadType = 41
	PayloadDelete   PayloadType = 42
	PayloadVendorID PayloadType = 43
	PayloadTSi      PayloadType = 44
	PayloadTSr      PayloadType = 45
	PayloadSK       PayloadType = 46
	PayloadCP       PayloadType = 47
	PayloadEAP      PayloadType = 48
	PayloadGSPM     PayloadType = 49 // RFC 6467; not understood
	PayloadIDg      PayloadType = 50 // RFC 9838; not understood
	PayloadGSA      PayloadType = 51 // RFC 9838; not understood
	PayloadKD       PayloadType = 52 // RFC 9838; not understood
	PayloadSKF      PayloadType = 53 // RFC 7383
	PayloadPS       PayloadType = 54 // RFC 8019; not understood
)

// String gives the name of the registry, or "payload" and the number.
func (t PayloadType) String() string {
	switch t {
	case PayloadNone:
		return "none"
	case PayloadSA:
		return "SA"
	case PayloadKE:
		return "KE"
	case PayloadIDi:
		return "IDi"
	case PayloadIDr:
		return "IDr"
	case PayloadCERT:
		return "CERT"
	case PayloadCERTREQ:
		return "CERTREQ"
	case PayloadAUTH:
		return "AUTH"
	case PayloadNonce:
		return "No"
	case PayloadNotify:
		return "N"
	case PayloadDelete:
		return "D"
	case PayloadVendorID:
		return "V"
	case PayloadTSi:
		return "TSi"
	case PayloadTSr:
		return "TSr"
	case PayloadSK:
		return "SK"
	case PayloadCP:
		return "CP"
	case PayloadEAP:
		return "EAP"
	case PayloadGSPM:
		return "GSPM"
	case PayloadIDg:
		return "IDg"
	case PayloadGSA:
		return "GSA"
	case PayloadKD:
		return "KD"
	case PayloadSKF:
		return "SKF"
	case PayloadPS:
		return "PS"
	}
	return numbered("payload", uint16(t))
}

// ProtocolID is the protocol of a proposal, a notification or a deletion.
type ProtocolID uint8

// IKEv2 Security Protocol Identifiers.
const (
	ProtocolNone               ProtocolID = 0
	ProtocolIKE                ProtocolID = 1
	ProtocolAH                 ProtocolID = 2
	ProtocolESP                ProtocolID = 3
	ProtocolFCESPHeader        ProtocolID = 4 // RFC 4595
	ProtocolFCCTAuthentication ProtocolID = 5 // RFC 4595
	ProtocolGIKEUpdate         ProtocolID = 6 // RFC 9838
)

// String gives the name of the registry, or "protocol" and the number.
func (t ProtocolID) String() string {
	switch t {
	case ProtocolNone:
		return "none"
	case ProtocolIKE:
		return "IKE"
	case ProtocolAH:
		return "AH"
	case ProtocolESP:
		return "ESP"
	case ProtocolFCESPHeader:
		return "FC_ESP_HEADER"
	case ProtocolFCCTAuthentication:
		return "FC_CT_AUTHENTICATION"
	case ProtocolGIKEUpdate:
		return "GIKE_UPDATE"
	}
	return numbered("protocol", uint16(t))
}

// numbered names a number that the registry of that kind has no name for.
func numbered(kind string, n uint16) string {
	return kind + " " + strconv.Itoa(int(n))
}
