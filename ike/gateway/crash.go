package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// crashTokens makes the tokens of quick crash detection out of a secret and the SPIs, so that they can be made again
// when nothing else is left: the stateless method of RFC 6290 section 5.1, with HMAC for the hash.
func crashTokens(secret []byte) func(spii, spir wire.SPI) []byte {
	if len(secret) == 0 {
		return nil
	}
	return func(spii, spir wire.SPI) []byte {
		mac := hmac.New(sha256.New, secret)
		b := binary.BigEndian.AppendUint64(nil, uint64(spii))
		mac.Write(binary.BigEndian.AppendUint64(b, uint64(spir)))
		return mac.Sum(nil)
	}
}

// proofOfLoss is the token that goes with INVALID_IKE_SPI, if one may be shown.
func (g *Manager) proofOfLoss(h wire.Header) []wire.Payload {
	return g.env.ProofOfLoss(h, func(spi wire.SPI) bool { return g.table.bySPI[spi] != nil }, func(yield func(*sa.Machine) bool) {
		for _, e := range g.table.bySPI {
			if !yield(e.m) {
				return
			}
		}
	})
}
