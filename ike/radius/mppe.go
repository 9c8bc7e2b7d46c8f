package radius

import (
	"crypto/md5"
	"errors"
	"slices"
)

// mskLen is the length of the key that EAP has made (RFC 3748 section 7.10).
const mskLen = 64

// ErrKeys is an Access-Accept whose keys can't be read.
var ErrKeys = errors.New("its MS-MPPE keys cannot be read")

// msk is the key that EAP has made, from the two halves of it that are in an Access-Accept, or nil if there are none.
//
// MS-MPPE-Recv-Key has its first octets, MS-MPPE-Send-Key those that follow: "this key is intended for encrypting packets received by the NAS
// from the remote host" (RFC 2548 section 2.4.3). Of most methods each half has 32 octets. MSCHAPv2 makes two keys of 16 (RFC 3079
// section 3.3), and zeros follow them.
func (p *Packet) msk(s Secret, request [16]byte) ([]byte, error) {
	var key []byte
	var halves []int
	for _, t := range []uint8{msMPPERecvKey, msMPPESendKey} {
		list, err := p.vendorValues(vendorMicrosoft, t)
		if err != nil {
			return nil, err
		}
		switch {
		case len(list) == 0:
			continue
		case len(list) > 1:
			return nil, ErrKeys
		}
		half, ok := openKey(list[0], s, request)
		if !ok {
			return nil, ErrKeys
		}
		halves, key = append(halves, len(half)), append(key, half...)
	}
	switch {
	case len(halves) == 0:
		return nil, nil
	case slices.Equal(halves, []int{mskLen / 2, mskLen / 2}):
		return key, nil
	case slices.Equal(halves, []int{mskLen / 4, mskLen / 4}):
		return append(key, make([]byte, mskLen/2)...), nil
	}
	return nil, ErrKeys
}

// openKey decrypts a key (RFC 2548 section 2.4.2):
//
//	Salt (2)   String (a multiple of 16): the length of the key (1), the key, padding
func openKey(v []byte, s Secret, request [16]byte) (key []byte, ok bool) {
	if len(v) < 2+md5.Size || (len(v)-2)%md5.Size != 0 {
		return nil, false
	}
	plain := make([]byte, len(v)-2)
	salt, crypt := v[:2], v[2:]
	pad := s.pad(request[:], salt)
	for i := 0; i < len(crypt); i += md5.Size {
		if i > 0 {
			pad = s.pad(crypt[i-md5.Size : i])
		}
		for j := range md5.Size {
			plain[i+j] = crypt[i+j] ^ pad[j]
		}
	}
	n := int(plain[0])
	if n > len(plain)-1 {
		return nil, false
	}
	return plain[1 : 1+n], true
}

// pad is what 16 octets are hidden by.
func (s Secret) pad(parts ...[]byte) [md5.Size]byte {
	h := md5.New()
	h.Write([]byte(s.octets))
	for _, p := range parts {
		h.Write(p)
	}
	return [md5.Size]byte(h.Sum(nil))
}
