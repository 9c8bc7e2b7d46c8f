package wire

import "encoding/binary"

// InitScan is what a stateless cookie depends on in an IKE_SA_INIT request. The fields alias the message.
type InitScan struct {
	Nonce []byte
	// Cookie is the data of the first COOKIE notification, nil if there is none.
	Cookie []byte
}

// ScanInit finds the nonce and the cookie in an IKE_SA_INIT request, whose header was judged already. It follows the chain
// of payloads and looks into none but these two, allocates nothing and takes as long as the chain is: it stands in front of
// Parse while a flood of such requests lasts. It reports false for a message that is no IKE_SA_INIT request whatever its
// payloads hold: one that Parse refuses for its structure, that lacks SA, KE or Nonce, or that has an Encrypted payload.
func ScanInit(b []byte) (s InitScan, ok bool) {
	s, seen, ok := scan(b)
	return s, ok && seen.sa && seen.ke
}

// ScanResume does the same for an IKE_SESSION_RESUME request, which has a nonce and a ticket instead (RFC 5723).
func ScanResume(b []byte) (s InitScan, ok bool) {
	s, seen, ok := scan(b)
	return s, ok && seen.ticket
}

// scanned is what else there was in a scanned request.
type scanned struct{ sa, ke, ticket bool }

func scan(b []byte) (s InitScan, seen scanned, ok bool) {
	if len(b) < HeaderLen || uint64(binary.BigEndian.Uint32(b[24:])) != uint64(len(b)) {
		return s, seen, false
	}
	rest := b[HeaderLen:]
	t := PayloadType(b[16])
	for n := 0; t != PayloadNone; n++ {
		if len(rest) < genericHeaderLen || n >= maxScanned {
			return s, seen, false
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < genericHeaderLen || length > len(rest) {
			return s, seen, false
		}
		body := rest[genericHeaderLen:length:length]
		switch t {
		case PayloadSA:
			seen.sa = true
		case PayloadKE:
			seen.ke = true
		case PayloadNonce:
			if len(body) < MinNonceLen || len(body) > MaxNonceLen || s.Nonce != nil {
				return s, seen, false
			}
			s.Nonce = body
		case PayloadNotify:
			seen.ticket = seen.ticket || isTicket(body)
			if data, ok := cookieData(body); ok && s.Cookie == nil {
				s.Cookie = data
			}
		case PayloadSK, PayloadSKF:
			return s, seen, false
		}
		t, rest = PayloadType(rest[0]), rest[length:]
	}
	return s, seen, s.Nonce != nil && len(rest) == 0
}

// maxScanned bounds the payloads of a message that is scanned; Parse has limits of its own by type.
const maxScanned = 256

// cookieData gives the notification data of a COOKIE in the body of a Notify payload.
func cookieData(body []byte) ([]byte, bool) {
	if len(body) < notifyHeaderLen || NotifyType(binary.BigEndian.Uint16(body[2:])) != NotifyCookie {
		return nil, false
	}
	end := notifyHeaderLen + int(body[1])
	if end > len(body) {
		return nil, false
	}
	return body[end:], true
}

// isTicket reports whether the body of a Notify payload is that of a TICKET_OPAQUE.
func isTicket(body []byte) bool {
	return len(body) > notifyHeaderLen && NotifyType(binary.BigEndian.Uint16(body[2:])) == NotifyTicketOpaque
}
