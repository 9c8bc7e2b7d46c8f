package tunnel

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"hash"
	"strings"
)

// crypto/tls exports no keys of a TLS 1.2 connection without the extended master secret (RFC 7627): a server in between could have made the
// master secrets of two connections the same, one with each side, and with them the keys. It needs a key exchange for that whose outcome it can
// choose: RSA, or Diffie-Hellman in a group that it has made up. With ECDHE on a curve of the standards it can't, which is all that crypto/tls does
// here; and nothing is resumed or renegotiated, by which the rest of that attack goes. strongSwan's libtls has no extended master secret up to
// 6.0 at least, and is what most peers of IKE have; so for those connections the keys are derived here, as RFC 5216 section 2.3 has them.

// secrets are what the derivation needs. crypto/tls gives it to whoever logs keys.
type secrets struct{ clientRandom, serverRandom, master []byte }

// Write implements io.Writer for the key log: "CLIENT_RANDOM", the random and the master secret.
func (s *secrets) Write(line []byte) (int, error) {
	if f := strings.Fields(string(line)); len(f) == 3 && f[0] == "CLIENT_RANDOM" {
		s.clientRandom, _ = hex.DecodeString(f[1])
		s.master, _ = hex.DecodeString(f[2])
	}
	return len(line), nil
}

// The parts of a ServerHello in its record (RFC 5246).
const (
	recordHeader    = 5
	recordAlert     = 21
	recordHandshake = 22
	helloServer     = 2
	helloRandom     = recordHeader + 4 + 2 // behind the header of the message and the version
	randomLen       = 32
)

// hear looks for the ServerHello at the beginning of what a server says.
func (s *secrets) hear(flight []byte) {
	for s.serverRandom == nil && len(flight) >= recordHeader {
		n := recordHeader + (int(flight[3])<<8 | int(flight[4]))
		switch {
		case n > len(flight):
			return
		case flight[0] == recordHandshake && n >= helloRandom+randomLen && flight[recordHeader] == helloServer:
			s.serverRandom = bytes.Clone(flight[helloRandom:][:randomLen])
		case flight[0] != recordAlert:
			// A warning may come before it, and nothing else.
			return
		}
		flight = flight[n:]
	}
}

// export is PRF(master_secret, label, client_random + server_random) of TLS 1.2; false if that can't be told, or must not be.
func (s *secrets) export(state tls.ConnectionState, label string, n int) ([]byte, bool) {
	suite := tls.CipherSuiteName(state.CipherSuite)
	if state.Version != tls.VersionTLS12 || !strings.HasPrefix(suite, "TLS_ECDHE_") || len(s.master) == 0 || s.clientRandom == nil || s.serverRandom == nil {
		return nil, false
	}
	hash := sha256.New
	if strings.HasSuffix(suite, "_SHA384") {
		hash = sha512.New384
	}
	return prf12(hash, s.master, label, append(bytes.Clone(s.clientRandom), s.serverRandom...), n), true
}

// prf12 is the PRF of TLS 1.2: P_hash of RFC 5246.
func prf12(h func() hash.Hash, secret []byte, label string, seed []byte, n int) (out []byte) {
	mac := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}
