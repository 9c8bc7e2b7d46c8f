package eap

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // [MS-PEAP] has no other hash
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// The EAP TLV Extensions Method, with which the sides of a PEAP tunnel tell each other what the inner method has come to, and that both ends of
// it are those of the tunnel ([MS-PEAP] 2.2.4 and 2.2.8).

// typeExtensions is its type.
const typeExtensions Type = 33

const (
	tlvResult        = 3
	tlvNAK           = 4
	tlvCryptoBinding = 12

	tlvHeader = 4
	// maxTLVs is how many a packet may have.
	maxTLVs = 16

	resultSuccess = 1
	resultFailure = 2
)

// tlv is a type-length-value.
type tlv struct {
	typ       uint16
	mandatory bool
	value     []byte
}

// parseTLVs takes a sequence apart. The error says what is wrong with it, for people.
func parseTLVs(b []byte) ([]tlv, error) {
	var all []tlv
	for len(b) > 0 {
		if len(all) == maxTLVs {
			return nil, fmt.Errorf("more than %d TLVs", maxTLVs)
		}
		if len(b) < tlvHeader {
			return nil, fmt.Errorf("a TLV of %d bytes", len(b))
		}
		typ, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-tlvHeader {
			return nil, fmt.Errorf("TLV %d with length %d in %d bytes", typ&0x3fff, n, len(b))
		}
		all = append(all, tlv{typ: typ & 0x3fff, mandatory: typ&0x8000 != 0, value: b[tlvHeader : tlvHeader+n]})
		b = b[tlvHeader+n:]
	}
	return all, nil
}

func appendTLV(b []byte, typ uint16, mandatory bool, value []byte) []byte {
	if mandatory {
		typ |= 0x8000
	}
	b = binary.BigEndian.AppendUint16(b, typ)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// extensions is what a packet of the method says.
type extensions struct {
	result  uint16
	binding []byte // the whole TLV with its header; nil: there is none
}

// parseExtensions reads the TLVs of a packet. It needs a result.
func parseExtensions(b []byte) (e extensions, f *Failure) {
	list, err := parseTLVs(b)
	if err != nil {
		return e, protocolError("%v", err)
	}
	seen := make(map[uint16]bool)
	for _, t := range list {
		if seen[t.typ] {
			return e, protocolError("TLV %d twice", t.typ)
		}
		seen[t.typ] = true
		switch t.typ {
		case tlvResult:
			if len(t.value) != 2 {
				return e, protocolError("a Result TLV of %d bytes", len(t.value))
			}
			e.result = binary.BigEndian.Uint16(t.value)
		case tlvCryptoBinding:
			if len(t.value) != bindingLen {
				return e, protocolError("a Cryptobinding TLV of %d bytes; it takes %d", len(t.value), bindingLen)
			}
			e.binding = appendTLV(nil, t.typ, t.mandatory, t.value)
		default:
			if t.mandatory {
				return e, protocolError("TLV %d, which is mandatory and not known here", t.typ)
			}
		}
	}
	if e.result != resultSuccess && e.result != resultFailure {
		return e, protocolError("a packet of TLVs with the result %d", e.result)
	}
	return e, nil
}

// bytes are the TLVs of a packet.
func (e extensions) bytes() []byte {
	b := appendTLV(nil, tlvResult, true, binary.BigEndian.AppendUint16(nil, e.result))
	return append(b, e.binding...)
}

// The Cryptobinding TLV ([MS-PEAP] 2.2.8.1.1): Reserved, Version, Received Version, SubType, Nonce, Compound MAC.
const (
	bindingNonceLen = 32
	bindingLen      = 4 + bindingNonceLen + sha1.Size

	bindingRequest  = 0
	bindingResponse = 1
)

// compound are the keys that a tunnel and the method in it make together ([MS-PEAP] 3.1.5.5.2).
type compound struct{ ipmk, cmk []byte }

// newCompound makes them of the keys of the tunnel and of those of the inner method, which are zeros if it has none.
func newCompound(tunnelKeys, innerKeys []byte) compound {
	var isk [32]byte
	copy(isk[:], innerKeys)
	imck := peapPRF(tunnelKeys[:40], append([]byte("Inner Methods Compound Keys"), isk[:]...), 60)
	return compound{ipmk: imck[:40], cmk: imck[40:]}
}

// msk is the MSK of a tunnel that was bound. The zero behind the label is what Windows has.
func (c compound) msk() []byte {
	return peapPRF(c.ipmk, []byte("Session Key Generating Function\x00"), 128)[:MSKLen]
}

// peapPRF is PRF+ of [MS-PEAP] 3.1.5.5.2.2: Tn is HMAC-SHA-1 of Tn-1, the seed, n and two octets of zeros.
func peapPRF(key, seed []byte, n int) []byte {
	var out, last []byte
	for i := byte(1); len(out) < n; i++ {
		h := hmac.New(sha1.New, key)
		h.Write(last)
		h.Write(seed)
		h.Write([]byte{i, 0, 0})
		last = h.Sum(nil)
		out = append(out, last...)
	}
	return out[:n]
}

// bindingTLV is a Cryptobinding TLV of a sub-type.
func (c compound) bindingTLV(sub byte, nonce []byte) []byte {
	value := append([]byte{0, peapVersion, peapVersion, sub}, nonce...)
	b := appendTLV(nil, tlvCryptoBinding, false, append(value, make([]byte, sha1.Size)...))
	copy(b[len(b)-sha1.Size:], c.mac(b))
	return b
}

// mac is the Compound MAC: of the TLV with zeros in its place, and of the type of PEAP.
func (c compound) mac(b []byte) []byte {
	h := hmac.New(sha1.New, c.cmk)
	h.Write(b[:len(b)-sha1.Size])
	h.Write(make([]byte, sha1.Size))
	h.Write([]byte{byte(TypePEAP)})
	return h.Sum(nil)
}

// bound reports what is wrong with a Cryptobinding TLV of the other side; "" if nothing is. nonce is the one of the request, nil in a request.
func (c compound) bound(b []byte, sub byte, nonce []byte) string {
	value := b[tlvHeader:]
	switch {
	case subtle.ConstantTimeCompare(c.mac(b), b[len(b)-sha1.Size:]) != 1:
		return "the other side has other keys than the tunnel and the method in it"
	case value[1] != peapVersion || value[2] != peapVersion:
		return fmt.Sprintf("it has seen versions %d and %d of PEAP", value[1], value[2])
	case value[3] != sub:
		return fmt.Sprintf("sub-type %d", value[3])
	case nonce != nil && subtle.ConstantTimeCompare(bindingNonce(b), nonce) != 1:
		return "another nonce"
	}
	return ""
}

// bindingNonce is the nonce of a Cryptobinding TLV.
func bindingNonce(b []byte) []byte { return b[tlvHeader+4:][:bindingNonceLen] }
