package sa

import (
	"encoding/binary"
	"net/netip"
	"time"

	"esplanade/ike/wire"
)

// Screen is what stands before [Accept] while cookies are asked for: it takes a request as it came, keeps nothing of it and
// allocates nothing but the answer, so that a flood of forged requests costs little more than one HMAC each. "When a
// responder detects a large number of half-open IKE SAs, it SHOULD reply to IKE_SA_INIT requests with a response containing
// the COOKIE notification." https://www.rfc-editor.org/rfc/rfc7296#section-2.6
//
// What comes with a valid cookie may pass. What does not gets the answer that asks for one, or none at all when it is no
// IKE_SA_INIT or IKE_SESSION_RESUME request.
func (c *Cookies) Screen(now time.Time, datagram []byte, from netip.Addr) (answer []byte, pass bool) {
	h, err := wire.ParseHeader(datagram)
	if err != nil || !isInitRequest(h) {
		return nil, false
	}
	scan := wire.ScanInit
	if h.Exchange == wire.ExchangeIKESessionResume {
		scan = wire.ScanResume
	}
	s, ok := scan(datagram)
	switch {
	case !ok:
		return nil, false
	case c.Valid(now, s.Cookie, s.Nonce, from, h.SPIi):
		return nil, true
	}
	// IKE header, generic payload header, Notify payload without an SPI, and the cookie.
	b := make([]byte, 0, wire.HeaderLen+8+cookieLen)
	b = wire.Header{
		SPIi: h.SPIi, NextPayload: wire.PayloadNotify, Major: wire.MajorVersion, Exchange: h.Exchange,
		Flags: wire.FlagResponse, Length: uint32(cap(b)),
	}.Append(b)
	b = append(b, byte(wire.PayloadNone), 0)
	b = binary.BigEndian.AppendUint16(b, 8+cookieLen)
	b = append(b, byte(wire.ProtocolNone), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(wire.NotifyCookie))
	return c.append(b, 0, s.Nonce, from, h.SPIi), false
}

// isInitRequest reports whether a header is that of a request for a new IKE SA.
func isInitRequest(h wire.Header) bool {
	return h.Flags&wire.FlagResponse == 0 && Opens(h.Exchange) && h.MessageID == 0 &&
		h.SPIi != 0 && h.SPIr == 0 && h.Flags&wire.FlagInitiator != 0
}
