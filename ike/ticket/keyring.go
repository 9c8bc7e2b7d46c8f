package ticket

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"time"
)

// Times of keys and tickets.
const (
	// Lifetime is how long a ticket is good at most. It bounds how long a key that is stolen from a gateway's memory, or
	// from a client's, is of use.
	Lifetime = 24 * time.Hour
	// rotation is how long a key makes tickets.
	rotation = 12 * time.Hour
	// maxKeys are the keys that a ticket which is still good can be of: the present one and two before it.
	maxKeys = int(Lifetime/rotation) + 1
	// maxSpent is how many spent tickets are remembered. When there are more, all tickets made so far are refused: their
	// clients begin from scratch, and memory stays bounded.
	maxSpent = 16384
)

// Reasons for which a ticket is refused.
var (
	ErrMalformed = errors.New("the ticket is malformed")
	// ErrKey: the gateway was restarted since, the key was retired, or the ticket is another gateway's.
	ErrKey     = errors.New("the ticket was made with a key that is gone: this gateway has restarted since, or it is not of this gateway")
	ErrForged  = errors.New("the ticket is not authentic")
	ErrExpired = errors.New("the ticket has expired")
	// ErrSpent: tickets are good once.
	ErrSpent = errors.New("the ticket was used already")
)

const (
	version   = 2
	headLen   = 1 + 8
	nonceLen  = 12
	keyLen    = 32
	tagLen    = 16
	expiryLen = 8
)

// Serial identifies a ticket.
type Serial [8 + nonceLen]byte

// Keyring makes tickets and opens them. It belongs to one event loop.
type Keyring struct {
	random func(n int) []byte
	keys   []key // the newest first
	spent  map[Serial]time.Time
}

type key struct {
	number uint64
	aead   cipher.AEAD
	made   time.Time
}

// NewKeyring makes a keyring without a key: the first one is made with the first ticket.
func NewKeyring(random func(n int) []byte) *Keyring {
	return &Keyring{random: random, spent: map[Serial]time.Time{}}
}

// rotate makes a key when there is none that is fresh, and forgets those whose tickets have all expired.
func (k *Keyring) rotate(now time.Time, wantKey bool) {
	for len(k.keys) > 0 && !now.Before(k.keys[len(k.keys)-1].made.Add(rotation+Lifetime)) {
		k.keys = k.keys[:len(k.keys)-1]
	}
	if !wantKey || len(k.keys) > 0 && now.Before(k.keys[0].made.Add(rotation)) {
		return
	}
	block, err := aes.NewCipher(k.random(keyLen))
	if err != nil {
		panic("BUG: key length of AES-256")
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: AES has blocks of 128 bits")
	}
	n := key{number: binary.BigEndian.Uint64(k.random(8)), aead: aead, made: now}
	k.keys = append([]key{n}, k.keys[:min(len(k.keys), maxKeys-1)]...)
}

// Seal makes a ticket that is good until expires, which is at most [Lifetime] away.
func (k *Keyring) Seal(now, expires time.Time, s *State) ([]byte, error) {
	k.rotate(now, true)
	if last := now.Add(Lifetime); expires.After(last) {
		expires = last
	}
	plain, err := s.append(appendTime(nil, expires))
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, headLen+nonceLen+len(plain)+tagLen)
	b = append(b, version)
	b = binary.BigEndian.AppendUint64(b, k.keys[0].number)
	b = append(b, k.random(nonceLen)...)
	if cap(b) > MaxLen {
		return nil, ErrTooLarge
	}
	return k.keys[0].aead.Seal(b, b[headLen:], plain, b[:headLen]), nil
}

// Open tells what is in a ticket, if it is one of this keyring's that is good still. It changes nothing: who presents a ticket
// has not proved yet that it is his.
func (k *Keyring) Open(now time.Time, b []byte) (*State, Serial, error) {
	var serial Serial
	if len(b) < headLen+nonceLen+expiryLen+tagLen || len(b) > MaxLen || b[0] != version {
		return nil, serial, ErrMalformed
	}
	k.rotate(now, false)
	copy(serial[:], b[1:headLen+nonceLen])
	number := binary.BigEndian.Uint64(b[1:])
	for _, x := range k.keys {
		if x.number != number {
			continue
		}
		plain, err := x.aead.Open(nil, b[headLen:headLen+nonceLen], b[headLen+nonceLen:], b[:headLen])
		if err != nil {
			return nil, serial, ErrForged
		}
		if expires := time.UnixMilli(int64(binary.BigEndian.Uint64(plain))); !now.Before(expires) {
			return nil, serial, ErrExpired
		}
		if _, ok := k.spent[serial]; ok {
			return nil, serial, ErrSpent
		}
		s := &State{}
		if err := s.parse(plain[expiryLen:]); err != nil {
			return nil, serial, ErrMalformed
		}
		return s, serial, nil
	}
	return nil, serial, ErrKey
}

// Spend uses a ticket up, once its owner has proved that it is his. It reports false when somebody has done so before: two
// exchanges with one ticket may be on their way at a time.
func (k *Keyring) Spend(now time.Time, s Serial) bool {
	if _, ok := k.spent[s]; ok {
		return false
	}
	number := binary.BigEndian.Uint64(s[:])
	known := false
	for _, x := range k.keys {
		known = known || x.number == number
	}
	if !known {
		return false // all tickets of its time were withdrawn
	}
	if len(k.spent) >= maxSpent {
		for t, until := range k.spent {
			if !now.Before(until) {
				delete(k.spent, t)
			}
		}
	}
	if len(k.spent) >= maxSpent {
		k.keys, k.spent = nil, map[Serial]time.Time{}
		return true
	}
	k.spent[s] = now.Add(Lifetime)
	return true
}
