package eap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// EAP-MSCHAPv2 has packets of RFC 2759 as type data: OpCode, MS-CHAPv2-ID, MS-Length, and what the code has. Two responses are an OpCode alone.
// Microsoft describes it in [MS-CHAP] 2.2, and draft-kamath-pppext-eap-mschapv2 did before.

// The codes of RFC 2759 and CHAP.
const (
	mschapChallenge      = 1
	mschapResponse       = 2
	mschapSuccess        = 3
	mschapFailure        = 4
	mschapChangePassword = 7
)

const (
	mschapHeaderLen = 4
	// mschapResponseValue is the Value of a Response: Peer-Challenge, eight reserved octets, NT-Response, Flags.
	mschapResponseValue = mschapChallengeLen + 8 + ntResponseLen + 1
	// authenticatorLen is the length of the authenticator response: "S=" and 40 digits.
	authenticatorLen = 42
	// maxMSCHAPMessage is the longest text of a Success or Failure that is read.
	maxMSCHAPMessage = 1024
)

// The error codes of RFC 2759 section 6.
const (
	errRestrictedHours  = 646
	errDisabled         = 647
	errPasswordExpired  = 648
	errNoDialIn         = 649
	errAuthentication   = 691
	errChangingPassword = 709
)

// mschapBody takes a packet apart: its code, its identifier and what comes behind the header.
func mschapBody(data []byte) (code, id uint8, body []byte, f *Failure) {
	if len(data) < mschapHeaderLen {
		return 0, 0, nil, protocolError("an MSCHAPv2 packet of %d bytes", len(data))
	}
	if n := int(binary.BigEndian.Uint16(data[2:])); n != len(data) {
		return 0, 0, nil, protocolError("an MSCHAPv2 packet of %d bytes whose length says %d", len(data), n)
	}
	return data[0], data[1], data[mschapHeaderLen:], nil
}

// mschapPacket is a packet of some parts.
func mschapPacket(code, id uint8, parts ...[]byte) []byte {
	b := []byte{code, id, 0, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// mschapValue takes Value-Size, Value and Name apart, where the size has to be a certain one.
func mschapValue(body []byte, size int) (value, name []byte, f *Failure) {
	switch {
	case len(body) < 1+size:
		return nil, nil, protocolError("a Value and a Name in %d bytes; the Value alone takes %d", len(body), 1+size)
	case int(body[0]) != size:
		return nil, nil, protocolError("Value-Size %d; it is %d", body[0], size)
	}
	return body[1 : 1+size], body[1+size:], nil
}

// mschapName is what an OpCode is called.
func mschapName(data []byte) string {
	if len(data) == 0 {
		return "an empty MSCHAPv2 packet"
	}
	switch data[0] {
	case mschapChallenge:
		return "an MSCHAPv2 Challenge"
	case mschapResponse:
		return "an MSCHAPv2 Response"
	case mschapSuccess:
		return "an MSCHAPv2 Success"
	case mschapFailure:
		return "an MSCHAPv2 Failure"
	case mschapChangePassword:
		return "an MSCHAPv2 Change-Password"
	}
	return fmt.Sprintf("an MSCHAPv2 packet of code %d", data[0])
}

// mschapError is the message of a Failure (RFC 2759 section 6).
type mschapError struct {
	code  int  // E
	retry bool // R; this side never allows it
	text  string
}

// message is the error as it is sent. "This field MUST be exactly 32 octets long and MUST be present": the challenge is there although R=0 says
// that nobody may use it.
func (e mschapError) message(challenge []byte) string {
	return fmt.Sprintf("E=%d R=0 C=%s V=3 M=%s", e.code, strings.ToUpper(hex.EncodeToString(challenge)), e.text)
}

// parseMSCHAPError reads the message of a Failure. Whatever is not understood is left out: it is a failure in any case.
func parseMSCHAPError(message []byte) (e mschapError) {
	rest := string(message[:min(len(message), maxMSCHAPMessage)])
	for rest != "" {
		var field string
		if strings.HasPrefix(rest, "M=") {
			e.text = printable([]byte(rest[2:])) // to the end: it may have blanks
			return e
		}
		field, rest, _ = strings.Cut(rest, " ")
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "E":
			if n, err := strconv.ParseUint(value, 10, 31); err == nil {
				e.code = int(n)
			}
		case "R":
			e.retry = value == "1"
		}
	}
	return e
}

// failure is what an error means to a client.
func (e mschapError) failure() *Failure {
	f := &Failure{Code: e.code, Message: e.text}
	switch e.code {
	case errAuthentication:
		f.Reason = ReasonPassword
	case errPasswordExpired:
		f.Reason = ReasonPasswordExpired
	case errRestrictedHours, errDisabled, errNoDialIn:
		f.Reason = ReasonLocked
	default:
		f.Reason = ReasonRefused
	}
	switch e.code {
	case errAuthentication, errPasswordExpired, 0:
	case errRestrictedHours:
		f.Detail = "it may not be used at this hour (E=646)"
	case errDisabled:
		f.Detail = "it is disabled (E=647)"
	case errNoDialIn:
		f.Detail = "it has no permission to dial in (E=649)"
	case errChangingPassword:
		f.Detail = "the password could not be changed (E=709)"
	default:
		f.Detail = fmt.Sprintf("E=%d", e.code)
	}
	if e.retry && f.Reason == ReasonPassword {
		f.Detail = "another one may be tried"
	}
	return f
}
