package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"

	"esplanade/ike/wire"
)

// ctrNonceLen and ctrIVLen: a counter block is nonce from SK_e, IV of the message, and a 32-bit counter from 1.
// https://www.rfc-editor.org/rfc/rfc5930#section-2 and https://www.rfc-editor.org/rfc/rfc3686#section-4
const (
	ctrNonceLen = 4
	ctrIVLen    = 8
)

// ctrSpec knows AES-CTR in IKEv2 (RFC 5930).
func ctrSpec(t wire.Transform) (cipherSpec, bool) {
	s := cipherSpec{id: t.ID, saltLen: ctrNonceLen, ivLen: ctrIVLen, block: 1}
	var ok bool
	s.keyLen, ok = aesKeyLen(t.KeyLength)
	return s, ok && t.ID == wire.ENCR_AES_CTR
}

// ctrProtection encrypts with AES-CTR, without padding, and authenticates the whole message with an integrity algorithm.
type ctrProtection struct {
	redacted
	spec  cipherSpec
	block cipher.Block
	nonce [ctrNonceLen]byte
	next  uint64 // IV of the next Seal
	spent bool   // all IVs are used
	mac   *integrity
}

func newCTRProtection(spec cipherSpec, key, nonce []byte, mac *integrity) *ctrProtection {
	p := &ctrProtection{spec: spec, block: newAES(key), mac: mac}
	copy(p.nonce[:], nonce)
	return p
}

func (p *ctrProtection) BodyLen(plain int) int {
	return p.spec.ivLen + paddedLen(plain, p.spec.block) + p.mac.icvLen
}

func (p *ctrProtection) stream(iv []byte) cipher.Stream {
	var block [aes.BlockSize]byte
	copy(block[:], p.nonce[:])
	copy(block[ctrNonceLen:], iv)
	binary.BigEndian.PutUint32(block[ctrNonceLen+ctrIVLen:], 1)
	return cipher.NewCTR(p.block, block[:])
}

func (p *ctrProtection) Seal(dst []byte, aadLen int, plain []byte) ([]byte, error) {
	if aadLen != len(dst) {
		return nil, errAADLen
	}
	if p.spent {
		return nil, errIVsSpent
	}
	iv := p.next
	p.next++
	p.spent = p.next == 0

	dst = slices.Grow(dst, p.BodyLen(len(plain)))
	dst = binary.BigEndian.AppendUint64(dst, iv)
	start := len(dst)
	dst = appendPadded(dst, plain, p.spec.block)
	p.stream(dst[start-ctrIVLen:start]).XORKeyStream(dst[start:], dst[start:])
	return p.mac.appendICV(dst), nil
}

func (p *ctrProtection) Open(datagram []byte, aadLen int) ([]byte, error) {
	iv, ct, _, err := splitBody(datagram, aadLen, p.spec.ivLen, p.mac.icvLen)
	if err != nil {
		return nil, err
	}
	if !p.mac.verify(datagram) {
		return nil, ErrICV
	}
	plain := make([]byte, len(ct))
	p.stream(iv).XORKeyStream(plain, ct)
	return stripPadding(plain)
}
