package tunnel

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"time"
)

// What a handshake costs on one core, about, on a machine of 2020: a table, since whoever bounds work must not depend on what else the
// machine does.
const (
	recordCost    = 10 * time.Microsecond
	exchangeCost  = 250 * time.Microsecond // X25519 and ML-KEM-768, and the key schedule
	judgementCost = 500 * time.Microsecond // a chain of two or three certificates, and the peer's signature
)

// costs say what the next [Conn.Feed] will cost.
type costs struct {
	server bool
	asks   bool          // the peer's certificate is to be judged
	sign   time.Duration // a signature with our key; 0: there is none

	begun, signed, judged bool
}

func (k *costs) of(c *Config, server bool) {
	k.server = server
	k.asks = !server || c.Ask
	if c.Certificate != nil {
		if signer, ok := c.Certificate.PrivateKey.(crypto.Signer); ok {
			k.sign = signCost(signer.Public())
		}
	}
}

// Cost is about what the next Feed will take on one core, given a whole message of the peer.
func (c *Conn) Cost() time.Duration {
	k := &c.costs
	switch {
	case c.established || c.err != nil:
		return recordCost
	case k.server && !k.signed:
		// The answer to a ClientHello: our half of the key exchange, and a signature.
		return exchangeCost + k.sign
	case k.server && k.asks && !k.judged:
		return exchangeCost + judgementCost
	case !k.server && !k.begun:
		return exchangeCost
	case !k.server && !k.judged:
		return exchangeCost + judgementCost + k.sign
	}
	return exchangeCost
}

// signCost is what a signature costs.
func signCost(key crypto.PublicKey) time.Duration {
	switch key := key.(type) {
	case *rsa.PublicKey:
		// The work grows with the third power of the length.
		kilobits := time.Duration(key.N.BitLen()+1023) / 1024
		return kilobits * kilobits * kilobits * 200 * time.Microsecond
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return 30 * time.Microsecond
		}
		return 600 * time.Microsecond
	}
	return 30 * time.Microsecond
}
