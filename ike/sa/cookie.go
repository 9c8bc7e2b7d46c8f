package sa

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
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
	// secrets holds the present secret and the one before, whose cookies may still be under way.
	secrets [2][]byte
	rolled  time.Time
}

const (
	// cookieSecretLife is how long a secret makes new cookies; it is accepted for as long again.
	cookieSecretLife = 60 * time.Second
	cookieSecretLen  = 32
	cookieLen        = 4 + sha256.Size
)

// NewCookies makes the first secret.
func NewCookies(now time.Time, random func(n int) []byte) *Cookies {
	return &Cookies{random: random, secrets: [2][]byte{random(cookieSecretLen), nil}, rolled: now}
}

func (c *Cookies) roll(now time.Time) {
	age := now.Sub(c.rolled)
	if age < cookieSecretLife {
		return
	}
	old := c.secrets[0]
	if age >= 2*cookieSecretLife {
		old = nil // nobody can hold a cookie of it that is still valid
	}
	c.secrets = [2][]byte{c.random(cookieSecretLen), old}
	c.version++
	c.rolled = now
}

// Make returns the cookie for a request.
func (c *Cookies) Make(now time.Time, ni []byte, from netip.Addr, spii wire.SPI) []byte {
	c.roll(now)
	return appendCookie(c.version, c.secrets[0], ni, from, spii)
}

// Valid tells whether a cookie is one that this daemon made for the same request recently.
func (c *Cookies) Valid(now time.Time, cookie, ni []byte, from netip.Addr, spii wire.SPI) bool {
	c.roll(now)
	if len(cookie) != cookieLen {
		return false
	}
	version := binary.BigEndian.Uint32(cookie)
	age := c.version - version
	if age > 1 || c.secrets[age] == nil {
		return false
	}
	return hmac.Equal(cookie, appendCookie(version, c.secrets[age], ni, from, spii))
}

func appendCookie(version uint32, secret, ni []byte, from netip.Addr, spii wire.SPI) []byte {
	mac := hmac.New(sha256.New, secret)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(spii))
	mac.Write(b[:])
	a := from.Unmap().As16()
	mac.Write(a[:])
	mac.Write(ni)
	return mac.Sum(binary.BigEndian.AppendUint32(nil, version))
}
