package eap

import (
	"crypto/des"
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// The routines of RFC 2759 section 8 and RFC 3079 section 3.4, by the names that they have there. Passwords come as NT hashes, names
// without a domain.

const (
	mschapChallengeLen = 16
	ntResponseLen      = 24
)

// exchange is what both sides of MSCHAPv2 know of one proof.
type exchange struct {
	server, client [mschapChallengeLen]byte // AuthenticatorChallenge, PeerChallenge
	name           string                   // without a domain
	response       [ntResponseLen]byte      // NT-Response
}

// challengeHash is ChallengeHash, RFC 2759 section 8.2.
func (x *exchange) challengeHash() []byte {
	h := sha1.New()
	h.Write(x.client[:])
	h.Write(x.server[:])
	h.Write([]byte(x.name))
	return h.Sum(nil)[:8]
}

// ntResponse is GenerateNTResponse, RFC 2759 section 8.1.
func (x *exchange) ntResponse(nt [16]byte) (r [ntResponseLen]byte) {
	challenge := x.challengeHash()
	var key [21]byte // the hash, padded with zeros
	copy(key[:], nt[:])
	for i := range 3 {
		copy(r[8*i:], desEncrypt(challenge, [7]byte(key[7*i:])))
	}
	return r
}

// desEncrypt is DesEncrypt, RFC 2759 section 8.6.
func desEncrypt(clear []byte, key [7]byte) []byte {
	block, err := des.NewCipher(desKey(key))
	if err != nil {
		panic("eap: BUG: " + err.Error()) // eight octets are a key
	}
	out := make([]byte, des.BlockSize)
	block.Encrypt(out, clear)
	return out
}

// desKey puts 56 bits into octets of 7, whose last bit is for the parity. The cipher ignores it.
func desKey(raw [7]byte) []byte {
	key := make([]byte, 8)
	var bits uint64
	for _, b := range raw {
		bits = bits<<8 | uint64(b)
	}
	for i := range key {
		key[i] = byte(bits>>(49-7*i)) << 1
	}
	return key
}

// hashHash is HashNtPasswordHash, RFC 2759 section 8.4.
func hashHash(nt [16]byte) []byte {
	h := md4Sum(nt[:])
	return h[:]
}

const (
	signingMagic   = "Magic server to client signing constant"
	iterationMagic = "Pad to make it do more than one iteration"
)

// authenticator is GenerateAuthenticatorResponse, RFC 2759 section 8.7: 42 octets, "S=" and hexadecimal digits in upper case.
func (x *exchange) authenticator(nt [16]byte) string {
	h := sha1.New()
	h.Write(hashHash(nt))
	h.Write(x.response[:])
	h.Write([]byte(signingMagic))
	digest := h.Sum(nil)
	h = sha1.New()
	h.Write(digest)
	h.Write(x.challengeHash())
	h.Write([]byte(iterationMagic))
	return "S=" + strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}

const (
	masterMagic = "This is the MPPE Master Key"
	// Magic2 and Magic3: what the client sends with, and what it receives with.
	clientSendMagic    = "On the client side, this is the send key; on the server side, it is the receive key."
	clientReceiveMagic = "On the client side, this is the receive key; on the server side, it is the send key."

	masterKeyLen = 16
)

// msk is the MSK of EAP-MSCHAPv2: as the server sees it MasterReceiveKey, MasterSendKey and zeros ([MS-CHAP] 3.1.5.1), each of the keys by
// GetAsymmetricStartKey for 128 bits of RFC 3079 section 3.4. Both sides have the same.
func (x *exchange) msk(nt [16]byte) []byte {
	h := sha1.New()
	h.Write(hashHash(nt))
	h.Write(x.response[:])
	h.Write([]byte(masterMagic))
	master := h.Sum(nil)[:masterKeyLen]
	msk := make([]byte, MSKLen)
	copy(msk, startKey(master, clientSendMagic))
	copy(msk[masterKeyLen:], startKey(master, clientReceiveMagic))
	return msk
}

// startKey is GetAsymmetricStartKey for 128 bits, RFC 3079 section 3.4.
func startKey(master []byte, magic string) []byte {
	pad1, pad2 := strings.Repeat("\x00", 40), strings.Repeat("\xf2", 40)
	h := sha1.New()
	h.Write(master)
	h.Write([]byte(pad1 + magic + pad2))
	return h.Sum(nil)[:masterKeyLen]
}
