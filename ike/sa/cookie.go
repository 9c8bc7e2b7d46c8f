package sa

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"time"

	"esplanade/ike/wire"
)

// Cookies makes and checks the stateless cookies of RFC 7296 section 2.6:
//
//	Cookie = <VersionIDofSecret> | Hash(Ni | IPi | SPIi | <secret>)
//
// The port is left out, since a NAT may change it between two attempts. It belongs to one event loop.
type Cookies struct {
	random  func(n int) []byte
	version uint32
	// macs are keyed with the present secret and with the one before, nil if there is none, whose cookies may still be under
	// way. They are kept, because making one costs more than using it.
	macs   [2]hash.Hash
	rolled time.Time
	// scratch is for the cookie that a received one is compared with, head for what is hashed in front of the nonce.
	scratch [cookieLen]byte
	head    [8 + 16]byte
}

const (
	// cookieSecretLife is how long a secret makes new cookies; it is accepted for as long again.
	cookieSecretLife = 60 * time.Second
	cookieSecretLen  = 32
	cookieLen        = 4 + sha256.Size
)

// NewCookies makes the first secret.
func NewCookies(now time.Time, random func(n int) []byte) *Cookies {
	c := &Cookies{random: random, rolled: now}
	c.macs[0] = c.newMAC()
	return c
}

func (c *Cookies) newMAC() hash.Hash { return hmac.New(sha256.New, c.random(cookieSecretLen)) }

func (c *Cookies) roll(now time.Time) {
	age := now.Sub(c.rolled)
	if age < cookieSecretLife {
		return
	}
	old := c.macs[0]
	if age >= 2*cookieSecretLife {
		old = nil // nobody can hold a cookie of it that is still valid
	}
	c.macs = [2]hash.Hash{c.newMAC(), old}
	c.version++
	c.rolled = now
}

// Make returns the cookie for a request.
func (c *Cookies) Make(now time.Time, ni []byte, from netip.Addr, spii wire.SPI) []byte {
	c.roll(now)
	return c.append(nil, 0, ni, from, spii)
}

// Valid reports whether a cookie is one that this daemon made for the same request recently.
func (c *Cookies) Valid(now time.Time, cookie, ni []byte, from netip.Addr, spii wire.SPI) bool {
	c.roll(now)
	if len(cookie) != cookieLen {
		return false
	}
	age := c.version - binary.BigEndian.Uint32(cookie)
	if age > 1 || c.macs[age] == nil {
		return false
	}
	return hmac.Equal(cookie, c.append(c.scratch[:0], age, ni, from, spii))
}

// append appends the cookie of the secret that was changed age times since.
func (c *Cookies) append(b []byte, age uint32, ni []byte, from netip.Addr, spii wire.SPI) []byte {
	b = binary.BigEndian.AppendUint32(b, c.version-age)
	mac := c.macs[age]
	mac.Reset()
	binary.BigEndian.PutUint64(c.head[:], uint64(spii))
	a := from.Unmap().As16()
	copy(c.head[8:], a[:])
	mac.Write(c.head[:])
	mac.Write(ni)
	return mac.Sum(b)
}
