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
	if len(b) < HeaderLen || uint64(binary.BigEndian.Uint32(b[24:])) != uint64(len(b)) {
		return s, false
	}
	var sa, ke bool
	rest := b[HeaderLen:]
	t := PayloadType(b[16])
	for n := 0; t != PayloadNone; n++ {
		if len(rest) < genericHeaderLen || n >= maxScanned {
			return s, false
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < genericHeaderLen || length > len(rest) {
			return s, false
		}
		body := rest[genericHeaderLen:length:length]
		switch t {
		case PayloadSA:
			sa = true
		case PayloadKE:
			ke = true
		case PayloadNonce:
			if len(body) < MinNonceLen || len(body) > MaxNonceLen || s.Nonce != nil {
				return s, false
			}
			s.Nonce = body
		case PayloadNotify:
			if data, ok := cookieData(body); ok && s.Cookie == nil {
				s.Cookie = data
			}
		case PayloadSK, PayloadSKF:
			return s, false
		}
		t, rest = PayloadType(rest[0]), rest[length:]
	}
	return s, sa && ke && s.Nonce != nil && len(rest) == 0
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
