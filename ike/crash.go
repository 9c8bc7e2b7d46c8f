package ike

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

// proofOfLoss is the token that goes with INVALID_IKE_SPI, if one may be shown. Whoever has it can end the IKE SA at the
// peer, so that it is never that of an IKE SA that exists here. The IKE SA for a message is found by one of its SPIs,
// which the Initiator flag selects; anybody can flip that, so both are looked up. And it answers nothing but what looks
// like a protected request: RFC 6290 section 4.5.
func (d *Daemon) proofOfLoss(h wire.Header) []wire.Payload {
	protected := h.NextPayload == wire.PayloadSK || h.NextPayload == wire.PayloadSKF
	if d.env.CrashToken == nil || !protected || h.SPIi == 0 || h.SPIr == 0 || h.Exchange == wire.ExchangeIKESAInit ||
		d.table.bySPI[h.SPIi] != nil || d.table.bySPI[h.SPIr] != nil {
		return nil
	}
	// Of an IKE SA that a rekeying of ours is about to bring about the peer may know already, and it will live.
	for _, e := range d.table.bySPI {
		if e.m.State() == sa.StateRekeying {
			return nil
		}
	}
	return []wire.Payload{wire.NewQCDToken(d.env.CrashToken(h.SPIi, h.SPIr))}
}
