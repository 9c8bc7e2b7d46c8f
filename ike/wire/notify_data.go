package wire

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Constructors and accessors for the notification data that RFC 7296 defines.
// Accessors look at Data (and SPI) only, not at the type; a *DataError says that
// the data doesn't have the form of the type. Whether that matters depends on
// the exchange: it is never a reason to call the whole message malformed.

// A DataError says that the data of a notification doesn't have the form that
// its type requires.
type DataError struct {
	NotifyType NotifyType
	Reason     string
}

// Error names the notification and the reason.
func (e *DataError) Error() string {
	return fmt.Sprintf("malformed data in %s: %s", e.NotifyType, e.Reason)
}

// dataError makes a *DataError for n.
func (n *Notify) dataError(format string, args ...any) error {
	return &DataError{NotifyType: n.NotifyType, Reason: fmt.Sprintf(format, args...)}
}

// wantData checks that the data has exactly size octets.
func (n *Notify) wantData(size int) error {
	if len(n.Data) != size {
		return n.dataError("%d octets, want %d", len(n.Data), size)
	}
	return nil
}

// NewNotify makes a notification about the IKE SA or of a status: no SPI.
func NewNotify(t NotifyType, data []byte) *Notify {
	return &Notify{NotifyType: t, Data: data}
}

// NewUnsupportedCriticalPayload is the answer to a request that made Parse or
// ParsePayloads fail with a CriticalError: "Notification Data contains the
// one-octet payload type" (https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1).
func NewUnsupportedCriticalPayload(t PayloadType) *Notify {
	return NewNotify(NotifyUnsupportedCriticalPayload, []byte{uint8(t)})
}

// NewInvalidKEPayload asks for a key exchange with another method: "two octets
// of data associated with this notification: the accepted Diffie-Hellman group
// number in big endian order" (https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1).
func NewInvalidKEPayload(group uint16) *Notify {
	return NewNotify(NotifyInvalidKEPayload, binary.BigEndian.AppendUint16(nil, group))
}

// AcceptedGroup reads the data of INVALID_KE_PAYLOAD.
func (n *Notify) AcceptedGroup() (uint16, error) {
	if err := n.wantData(2); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(n.Data), nil
}

// The lengths a cookie may have: "The data associated with this notification
// MUST be between 1 and 64 octets in length (inclusive)"
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.6).
const (
	MinCookieLen = 1
	MaxCookieLen = 64
)

// Cookie reads the data of COOKIE and checks its length.
func (n *Notify) Cookie() ([]byte, error) {
	if len(n.Data) < MinCookieLen || len(n.Data) > MaxCookieLen {
		return nil, n.dataError("cookie of %d octets, it must have %d to %d", len(n.Data), MinCookieLen, MaxCookieLen)
	}
	return n.Data, nil
}

// NATDetectionLen is the length of the SHA-1 hash in NAT_DETECTION_SOURCE_IP and
// NAT_DETECTION_DESTINATION_IP
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.23).
const NATDetectionLen = 20

// NATDetectionHash reads the data of NAT_DETECTION_SOURCE_IP or
// NAT_DETECTION_DESTINATION_IP; one of another length is to be ignored.
func (n *Notify) NATDetectionHash() ([NATDetectionLen]byte, error) {
	if err := n.wantData(NATDetectionLen); err != nil {
		return [NATDetectionLen]byte{}, err
	}
	return [NATDetectionLen]byte(n.Data), nil
}

// NewRekeySA says which CHILD SA a CREATE_CHILD_SA exchange rekeys: spi is "the
// SPI the exchange initiator would expect in inbound ESP or AH packets"
// (https://www.rfc-editor.org/rfc/rfc7296#section-1.3.3).
func NewRekeySA(p ProtocolID, spi uint32) *Notify {
	return &Notify{Protocol: p, SPI: binary.BigEndian.AppendUint32(nil, spi), NotifyType: NotifyRekeySA}
}

// ChildSPI reads which CHILD SA the notification is about, from its Protocol and
// SPI fields: REKEY_SA, CHILD_SA_NOT_FOUND, INVALID_SELECTORS. Only AH and ESP
// have CHILD SAs, and their SPIs four octets.
func (n *Notify) ChildSPI() (ProtocolID, uint32, error) {
	if n.Protocol != ProtocolAH && n.Protocol != ProtocolESP {
		return 0, 0, n.dataError("SPI of protocol %s, want %s or %s", n.Protocol, ProtocolESP, ProtocolAH)
	}
	if len(n.SPI) != ipsecSPILen {
		return 0, 0, n.dataError("SPI of %d octets, want %d", len(n.SPI), ipsecSPILen)
	}
	return n.Protocol, binary.BigEndian.Uint32(n.SPI), nil
}

// NewInvalidSPI reports an AH or ESP packet with an SPI that doesn't exist: "The
// Notification Data contains the SPI of the invalid packet"
// (https://www.rfc-editor.org/rfc/rfc7296#section-1.5).
func NewInvalidSPI(spi uint32) *Notify {
	return NewNotify(NotifyInvalidSPI, binary.BigEndian.AppendUint32(nil, spi))
}

// InvalidSPI reads the data of INVALID_SPI.
func (n *Notify) InvalidSPI() (uint32, error) {
	if err := n.wantData(ipsecSPILen); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(n.Data), nil
}

// NewAuthLifetime tells the peer to authenticate again within the lifetime,
// which is sent in whole seconds: "Lifetime is the amount of time (in seconds)
// left before the peer should repeat the Initial exchange" (https://www.rfc-editor.org/rfc/rfc4478#section-3). Less
// than zero is sent as zero, more than fits as the maximum.
func NewAuthLifetime(d time.Duration) *Notify {
	return NewNotify(NotifyAuthLifetime, appendSeconds(nil, d))
}

// AuthLifetime reads the data of AUTH_LIFETIME.
func (n *Notify) AuthLifetime() (time.Duration, error) {
	if err := n.wantData(4); err != nil {
		return 0, err
	}
	return time.Duration(binary.BigEndian.Uint32(n.Data)) * time.Second, nil
}

// appendSeconds appends d as 32 bits of whole seconds.
func appendSeconds(b []byte, d time.Duration) []byte {
	const maxSeconds = 1<<32 - 1
	return binary.BigEndian.AppendUint32(b, uint32(min(max(d/time.Second, 0), maxSeconds)))
}
