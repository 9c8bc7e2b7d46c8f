package wire

import "fmt"

// A ParseError says what is malformed and where. It corresponds to
// INVALID_SYNTAX: "this status may only be returned for and in an encrypted
// packet if the Message ID and cryptographic checksum were valid"
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1).
type ParseError struct {
	// Payload is the payload that is malformed, PayloadNone for the IKE header
	// and for what doesn't belong to any payload.
	Payload PayloadType
	// Offset counts octets from the start of the datagram, or from the base
	// that was given to ParsePayloads.
	Offset int
	// Reason is text for the log, without the peer's data in it.
	Reason string
}

// Error names the payload, the offset and the reason.
func (e *ParseError) Error() string {
	if e.Payload == PayloadNone {
		return fmt.Sprintf("malformed message at octet %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("malformed %s at octet %d: %s", phrase(e.Payload), e.Offset, e.Reason)
}

// A CriticalError says that the message has a payload whose type isn't
// understood and whose critical bit is set. A request is then answered with
// UNSUPPORTED_CRITICAL_PAYLOAD, whose data is the one-octet payload type (see
// UnsupportedCriticalPayload); a response is dropped.
//
// "If the critical flag is set and the payload type is unrecognized, the message
// MUST be rejected and the response to the IKE request containing that payload
// MUST include a Notify payload UNSUPPORTED_CRITICAL_PAYLOAD"
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.5). The bit has no effect on
// payload types that are understood.
type CriticalError struct {
	Payload PayloadType
	Offset  int // of the payload's generic header, counted as in ParseError
}

// Error names the payload type.
func (e *CriticalError) Error() string {
	return fmt.Sprintf("unsupported critical %s at octet %d", phrase(e.Payload), e.Offset)
}

// A VersionError says that the message has a major version other than 2. The
// caller decides between answering INVALID_MAJOR_VERSION (higher versions) and
// silence (https://www.rfc-editor.org/rfc/rfc7296#section-2.5).
type VersionError struct {
	Major, Minor uint8
}

// Error names the version.
func (e *VersionError) Error() string {
	return fmt.Sprintf("IKE version %d.%d, want %d.x", e.Major, e.Minor, MajorVersion)
}

// phrase names a payload in a sentence: "TSi payload", "payload 200".
func phrase(t PayloadType) string {
	if name := t.String(); name != numbered("payload", uint16(t)) {
		return name + " payload"
	}
	return numbered("payload", uint16(t))
}

// malformed makes a *ParseError.
func malformed(p PayloadType, offset int, format string, args ...any) error {
	return &ParseError{Payload: p, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
