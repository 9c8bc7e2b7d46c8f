package identity

import (
	"encoding/binary"
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
			for _, a := range r {
				a.appendKey(&b)
			}
		}
		return b.String()
	}
	b.Write(id.Data)
	return b.String()
}

// appendKey writes what equal compares, each part with its length before it.
func (a attribute) appendKey(b *strings.Builder) {
	tag, value := byte(a.tag), string(a.value)
	if a.isString() {
		tag, value = 0, fold(a.value)
	}
	for _, part := range []string{string(a.oid), value} {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		b.WriteString(part)
	}
	b.WriteByte(tag)
}

// fold makes ASCII letters small, and leaves all other octets alone; see equalFold.
func fold(data []byte) string {
	out := make([]byte, len(data))
	for i, c := range data {
		out[i] = lower(c)
	}
	return string(out)
}
