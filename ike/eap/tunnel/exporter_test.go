package tunnel

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"net"
	"strings"
	"testing"
)

// What is derived here is what crypto/tls exports, where it does.
func TestExporter(t *testing.T) {
	for _, suite := range []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256} {
		s := newSides(t, tls.VersionTLS12)
		_, client := s.conns(t)
		var server *Conn
		server = newConn(func(p net.Conn) *tls.Conn {
			return tls.Server(p, &tls.Config{Certificates: []tls.Certificate{*s.server.Certificate}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite},
				KeyLogWriter: keyLog{func() *Conn { return server }}})
		})
		server.server = true
		t.Cleanup(server.Close)
		if o := shake(server, client, nil); o.server != nil || o.client != nil {
			t.Fatalf("server %v, client %v", o.server, o.client)
		}
		for _, c := range []*Conn{server, client} {
			state := c.tls.ConnectionState()
			for _, label := range []string{"client EAP encryption", "ttls keying material", "ttls challenge"} {
				want, err := state.ExportKeyingMaterial(label, nil, 128)
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := c.secrets.export(state, label, 128); !ok || !bytes.Equal(got, want) {
					t.Errorf("%s, %s: %t, %x, want %x", tls.CipherSuiteName(suite), label, ok, got, want)
				}
			}
			// No other key exchange, and no other version.
			for _, state := range []tls.ConnectionState{{Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, {Version: tls.VersionTLS13, CipherSuite: suite}} {
				if _, ok := c.secrets.export(state, "client EAP encryption", 128); ok {
					t.Errorf("keys of %s", tls.CipherSuiteName(state.CipherSuite))
				}
			}
		}
	}
}

// The PRF of TLS 1.2, by the vectors that were published for it on the list of the TLS working group in 2007.
func TestPRF12(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if got := prf12(sha256.New, unhex("9b be 43 6b a9 40 f0 17 b1 76 52 84 9a 71 db 35"), "test label", unhex("a0 ba 9f 93 6c da 31 18 27 a6 f7 96 ff d5 19 8c"), 100); !bytes.Equal(got, unhex(
		"e3 f2 29 ba 72 7b e1 7b 8d 12 26 20 55 7c d4 53 c2 aa b2 1d 07 c3 d4 95 32 9b 52 d4 e6 1e db 5a 6b 30 17 91 e9 0d 35 c9 c9 a4 6b 4e 14 ba f9 af 0f a0 22 f7 07 7d ef 17 ab fd 37 97 c0 56 4b ab 4f bc 91 66 6e 9d ef 9b 97 fc e3 4f 79 67 89 ba a4 80 82 d1 22 ee 42 c5 a7 2e 5a 51 10 ff f7 01 87 34 7b 66")) {
		t.Errorf("SHA-256: %x", got)
	}
	if got := prf12(sha512.New384, unhex("b8 0b 73 3d 6c ee fc dc 71 56 6e a4 8e 55 67 df"), "test label", unhex("cd 66 5c f6 a8 44 7d d6 ff 8b 27 55 5e db 74 65"), 148); !bytes.HasPrefix(got, unhex("7b 0c 18 e9 ce d4 10 ed 18 04 f2 cf a3 4a 33 6a 1c 14 df fb 49 00 bb 5f d7 94 21 07 e8 1c 83 cd e9 ca 0f aa")) {
		t.Errorf("SHA-384: %x", got)
	}
}

// A ServerHello is found behind warnings, and in nothing else.
func TestServerRandom(t *testing.T) {
	random := bytes.Repeat([]byte{7}, randomLen)
	hello := append([]byte{recordHandshake, 3, 3, 0, 44, helloServer, 0, 0, 40, 3, 3}, random...)
	hello = append(hello, make([]byte, 6)...)
	warning := []byte{recordAlert, 3, 3, 0, 2, 1, 112}
	for name, c := range map[string]struct {
		b     []byte
		found bool
	}{
		"a hello":                 {hello, true},
		"behind a warning":        {append(bytes.Clone(warning), hello...), true},
		"cut off":                 {hello[:len(hello)-1], false},
		"behind application data": {append([]byte{23, 3, 3, 0, 0}, hello...), false},
		"a ClientHello":           {append([]byte{recordHandshake, 3, 3, 0, 44, 1}, hello[6:]...), false},
		"a short record":          {[]byte{recordHandshake, 3, 3, 0, 1, helloServer}, false},
		"nothing":                 {nil, false},
		"warnings without an end": {bytes.Repeat(warning, 100), false},
	} {
		var s secrets
		s.hear(c.b)
		if found := bytes.Equal(s.serverRandom, random); found != c.found {
			t.Errorf("%s: %x", name, s.serverRandom)
		}
	}
}
