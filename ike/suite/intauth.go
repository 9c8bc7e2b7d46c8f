package suite

import (
	"encoding/binary"
	"errors"
	"slices"

	"esplanade/ike/wire"
)

// IntAuthChunk returns IntAuth_i(n) or IntAuth_r(n), what IKE_INTERMEDIATE message n of one side contributes to the AUTH
// payloads. skP is the SK_pi of an initiator's message and the SK_pr of a responder's, as they are before that exchange
// changes the keys. prev is the same side's chunk of the IKE_INTERMEDIATE exchange before, nil in the first. a comes from
// IntAuthA, and p is the decrypted content of the Encrypted payload, without its padding.
//
//	IntAuth_i1 = prf(SK_pi1,              IntAuth_i1A [| IntAuth_i1P])
//	IntAuth_i2 = prf(SK_pi2, IntAuth_i1 | IntAuth_i2A [| IntAuth_i2P])
//
// https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func IntAuthChunk(prf PRF, skP, prev, a, p []byte) []byte { return prf.Sum(skP, prev, a, p) }

// IntAuth returns what the octets to be signed, of the initiator and of the responder, end in:
//
//	InitiatorSignedOctets = RealMsg1 | NonceRData | MACedIDForI | IntAuth
//	ResponderSignedOctets = RealMsg2 | NonceIData | MACedIDForR | IntAuth
//	IntAuth               = IntAuth_iN | IntAuth_rN | IKE_AUTH_MID
//
// i and r are the last chunks of either side. mid is the message ID of the first IKE_AUTH exchange. If no IKE_INTERMEDIATE
// exchange took place, so that i and r are empty, then there is no IntAuth, and the result is nil. That depends on what
// happened, not on what was negotiated. https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func IntAuth(i, r []byte, mid uint32) []byte {
	if len(i) == 0 && len(r) == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint32(slices.Concat(i, r), mid)
}

var errIntAuthHead = errors.New("suite: not the octets from the IKE header to the generic header of an SK payload")

// Octets of the headers, and where in them the lengths are.
const (
	skHeaderLen       = 4
	skLengthOffset    = 2
	ikeNextOffset     = 16
	ikeLengthOffset   = 24
	genericHeaderLen  = 4
	genericLengthFrom = 2
)

// IntAuthA returns IntAuth_iA or IntAuth_rA of a message: its octets from the IKE header, without a non-ESP marker, to the
// generic header of the SK payload, with both lengths adjusted to leave out initialization vector, padding, pad length
// and ICV. inner is the length of the decrypted content of that payload. The result has memory of its own.
//
//	Length in the IKE header        = len(IntAuth_A) + inner
//	Payload Length of the SK payload = 4 + inner
//
// "The prf calculations MUST be applied to whole messages only, before possible IKE fragmentation." So head cannot be
// that of a fragment: for a message in fragments make it with wire.AppendProtected, as if the message had come in one
// piece. https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func IntAuthA(head []byte, inner int) ([]byte, error) {
	if inner < 0 || skHeaderLen+inner > maxPayloadLen || !endsInSK(head) {
		return nil, errIntAuthHead
	}
	a := slices.Clone(head)
	binary.BigEndian.PutUint32(a[ikeLengthOffset:], uint32(len(a)+inner))
	binary.BigEndian.PutUint16(a[len(a)-skHeaderLen+skLengthOffset:], uint16(skHeaderLen+inner))
	return a, nil
}

// maxPayloadLen is what the length of a payload can say.
const maxPayloadLen = 1<<16 - 1

// endsInSK follows the chain of payloads and reports whether head ends with the generic header of an SK payload.
func endsInSK(head []byte) bool {
	if len(head) < wire.HeaderLen+skHeaderLen {
		return false
	}
	next := wire.PayloadType(head[ikeNextOffset])
	rest := head[wire.HeaderLen:]
	for next != wire.PayloadSK {
		if next == wire.PayloadNone || next == wire.PayloadSKF || len(rest) < genericHeaderLen {
			return false
		}
		n := int(binary.BigEndian.Uint16(rest[genericLengthFrom:]))
		if n < genericHeaderLen || n > len(rest) {
			return false
		}
		next, rest = wire.PayloadType(rest[0]), rest[n:]
	}
	return len(rest) == skHeaderLen
}
