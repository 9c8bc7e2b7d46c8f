package ticket

import (
	"encoding/binary"
	"errors"
	"time"
)

// State is what a ticket says: the part of an IKE SA that RFC 5723 section 5 has restored "from the ticket". What is not here
// is negotiated again: SPIs, addresses, NATs, CHILD SAs, extensions.
type State struct {
	// Connection is the name of the configured connection. A ticket is good for no other.
	Connection string
	// IDi and IDr are the identities that were authenticated: the type's octet, then the data.
	IDi, IDr []byte
	// Encr to AddKE are the negotiated algorithms.
	Encr, KeyBits, PRF, Integ, KE uint16
	AddKE                         []uint16
	// SKd is SK_d of the IKE SA that may be resumed, and SPI the gateway's SPI of it.
	SKd []byte
	SPI uint64
	// Method is how the client proved its identity, by its number in the AUTH payload; Mark identifies the secret that
	// it was done with.
	Method uint8
	Mark   [MarkLen]byte
	// Transcribed: both sides have authenticated the whole IKE_SA_INIT exchange (downgrade prevention).
	Transcribed bool
	// Authenticated is when that was. A resumption is no authentication and leaves it as it is.
	Authenticated time.Time
	// Until is when the client's certificate ends, or one above it; zero for a proof that has no end.
	Until time.Time
	// Certs name the client's certificate and those above it, whatever a name looks like: they may be revoked in the meantime.
	Certs [][]byte
}

// Limits of the fields of a [State].
const (
	// MarkLen is the length of State.Mark.
	MarkLen = 16
	// MaxLen is the longest ticket that is made or kept: one that travels in a datagram with the rest of the request.
	MaxLen = 1024
	// MaxID is the longest identity, with its type; MaxKey the longest SK_d: the key length of PRF_HMAC_SHA2_512.
	MaxID  = 256
	MaxKey = 64
	// MaxCerts is how many certificates a ticket names, and MaxCert the longest name.
	MaxCerts = 8
	MaxCert  = 96
	// maxName and maxAddKE bound the rest.
	maxName  = 128
	maxAddKE = 7
)

// ErrTooLarge says that a state does not fit into a ticket.
var ErrTooLarge = errors.New("the state of this IKE SA does not fit into a ticket")

var errMalformed = errors.New("malformed state")

// append encodes a state. Variable fields have their length in two octets in front of them.
func (s *State) append(b []byte) ([]byte, error) {
	if len(s.Connection) > maxName || len(s.IDi) > MaxID || len(s.IDr) > MaxID || len(s.SKd) > MaxKey || len(s.AddKE) > maxAddKE || len(s.Certs) > MaxCerts {
		return nil, ErrTooLarge
	}
	for _, f := range [...][]byte{[]byte(s.Connection), s.IDi, s.IDr, s.SKd} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(f)))
		b = append(b, f...)
	}
	for _, n := range [...]uint16{s.Encr, s.KeyBits, s.PRF, s.Integ, s.KE, uint16(len(s.AddKE))} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	for _, n := range s.AddKE {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	b = append(b, s.Method, 0)
	if s.Transcribed {
		b[len(b)-1] = 1
	}
	b = append(b, s.Mark[:]...)
	b = binary.BigEndian.AppendUint64(b, s.SPI)
	b = append(appendTime(appendTime(b, s.Authenticated), s.Until), byte(len(s.Certs)))
	for _, c := range s.Certs {
		if len(c) == 0 || len(c) > MaxCert {
			return nil, ErrTooLarge
		}
		b = append(append(b, byte(len(c))), c...)
	}
	return b, nil
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.BigEndian.AppendUint64(b, 0)
	}
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMilli()))
}

// parse is the reverse of append. It takes nothing that append does not make, and the fields alias b.
func (s *State) parse(b []byte) error {
	r := reader{b: b}
	*s = State{Connection: string(r.field(maxName)), IDi: r.field(MaxID), IDr: r.field(MaxID), SKd: r.field(MaxKey)}
	for _, p := range [...]*uint16{&s.Encr, &s.KeyBits, &s.PRF, &s.Integ, &s.KE} {
		*p = r.uint16()
	}
	n := int(r.uint16())
	if n > maxAddKE {
		return errMalformed
	}
	for range n {
		s.AddKE = append(s.AddKE, r.uint16())
	}
	if m := r.take(2); m != nil {
		s.Method, s.Transcribed = m[0], m[1] == 1
		r.failed = m[1] > 1
	}
	copy(s.Mark[:], r.take(MarkLen))
	if b := r.take(8); b != nil {
		s.SPI = binary.BigEndian.Uint64(b)
	}
	s.Authenticated, s.Until = r.time(), r.time()
	s.Certs = r.certs()
	if r.failed || len(r.b) > 0 || len(s.IDi) == 0 || len(s.IDr) == 0 || len(s.SKd) == 0 {
		return errMalformed
	}
	return nil
}

// reader takes fields off a buffer; after the first that is not there it gives zeros.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if r.failed || n > len(r.b) {
		r.failed = true
		return nil
	}
	f := r.b[:n:n]
	r.b = r.b[n:]
	return f
}

func (r *reader) uint16() uint16 {
	if f := r.take(2); f != nil {
		return binary.BigEndian.Uint16(f)
	}
	return 0
}

func (r *reader) field(limit int) []byte {
	n := int(r.uint16())
	if n > limit {
		r.failed = true
	}
	return r.take(n)
}

func (r *reader) certs() (list [][]byte) {
	n := r.take(1)
	if r.failed || n[0] > MaxCerts {
		r.failed = true
		return nil
	}
	for range n[0] {
		size := r.take(1)
		if r.failed || size[0] == 0 || size[0] > MaxCert {
			r.failed = true
			return nil
		}
		list = append(list, r.take(int(size[0])))
	}
	return list
}

func (r *reader) time() time.Time {
	if f := r.take(8); f != nil {
		if ms := binary.BigEndian.Uint64(f); ms != 0 {
			return time.UnixMilli(int64(ms))
		}
	}
	return time.Time{}
}
