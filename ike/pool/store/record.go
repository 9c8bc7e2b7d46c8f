package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"

	"esplanade/ike/pool"
)

// A record is, with the address as its key:
//
//	version (1 octet), online (1), seen (8, nanoseconds since 1970), pool, owner and name (each 4 octets for its length and the text),
//	CRC-32C of the key and all of that (4)
const recordVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(key []byte, r pool.Record) []byte {
	b := []byte{recordVersion, 0}
	if r.Online {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seen.UnixNano()))
	for _, s := range []string{r.Pool, r.Owner, r.Name} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint32(b, sum(key, b))
}

func sum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

func decode(key, value []byte) (r pool.Record, err error) {
	a, ok := netip.AddrFromSlice(key)
	if !ok || a.Is4In6() {
		return r, fmt.Errorf("a key of %d bytes is no address", len(key))
	}
	end := len(value) - 4
	if end < 10 || binary.BigEndian.Uint32(value[end:]) != sum(key, value[:end]) {
		return r, fmt.Errorf("the lease of %s is not what was written", a)
	}
	if value[0] != recordVersion {
		return r, fmt.Errorf("the lease of %s is of version %d", a, value[0])
	}
	r = pool.Record{Addr: a, Online: value[1] != 0, Seen: time.Unix(0, int64(binary.BigEndian.Uint64(value[2:]))).UTC()}
	rest := value[10:end]
	for _, to := range []*string{&r.Pool, &r.Owner, &r.Name} {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.BigEndian.Uint32(rest)) {
			return r, errors.New("the lease of " + a.String() + " is cut off")
		}
		n := 4 + int(binary.BigEndian.Uint32(rest))
		*to, rest = string(rest[4:n]), rest[n:]
	}
	if len(rest) > 0 {
		return r, errors.New("the lease of " + a.String() + " has something behind it")
	}
	return r, nil
}
