package identity

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Key is a text for use in maps: two identities that name one peer have the same key exactly when they are Equal. It is not
// for people.
func (id Identity) Key() string {
	var b strings.Builder
	b.WriteByte(byte(id.Type))
	switch id.Type {
	case FQDN, RFC822Addr:
		return b.String() + fold(id.Data)
	case DERASN1DN:
		rdns, err := parseDN(id.Data)
		if err != nil {
			break
		}
		for _, r := range rdns {
			b.WriteByte(byte(len(r))) // at most maxRDNs
			keys := make([]string, len(r))
			for i, a := range r {
				keys[i] = a.key()
			}
			slices.Sort(keys)
			for _, k := range keys {
				b.WriteString(k)
			}
		}
		return b.String()
	}
	b.Write(id.Data)
	return b.String()
}

// key has what equal compares, each part with its length before it.
func (a attribute) key() string {
	tag, value := byte(a.tag), string(a.value)
	if a.isString() {
		tag, value = 0, fold(compressed(a.value))
	}
	var b []byte
	for _, part := range []string{string(a.oid), value} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return string(append(b, tag))
}

// fold makes ASCII letters small, and leaves all other octets alone; see equalFold.
func fold(data []byte) string {
	out := make([]byte, len(data))
	for i, c := range data {
		out[i] = lower(c)
	}
	return string(out)
}
