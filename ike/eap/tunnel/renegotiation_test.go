package tunnel

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"testing"
)

// record is a record of TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, as one side of a connection would send it after its Finished.
func record(t *testing.T, master, clientRandom, serverRandom []byte, ofServer bool, typ byte, plain []byte) []byte {
	t.Helper()
	// client_write_key, server_write_key, client_write_IV, server_write_IV; there are no MAC keys.
	block := prf12(sha256.New, master, "key expansion", append(bytes.Clone(serverRandom), clientRandom...), 2*16+2*4)
	key, iv := block[:16], block[32:36]
	if ofServer {
		key, iv = block[16:32], block[36:]
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	seq := binary.BigEndian.AppendUint64(nil, 1)
	aad := binary.BigEndian.AppendUint16(append(bytes.Clone(seq), typ, 3, 3), uint16(len(plain)))
	body := gcm.Seal(bytes.Clone(seq), append(bytes.Clone(iv), seq...), plain, aad)
	return append(binary.BigEndian.AppendUint16([]byte{typ, 3, 3}, uint16(len(body))), body...)
}

// A second handshake, by which a peer could become somebody else, is refused by both sides.
func TestRenegotiation(t *testing.T) {
	const handshake = 22
	for name, c := range map[string]struct {
		ofServer bool
		typ      byte
		plain    []byte
	}{
		"a HelloRequest of a server": {true, handshake, []byte{0, 0, 0, 0}},
		"a ClientHello of a client":  {false, handshake, nil},
		"a ChangeCipherSpec":         {true, 20, []byte{1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSides(t, tls.VersionTLS12)
			var log bytes.Buffer
			conf := &tls.Config{Certificates: []tls.Certificate{*s.server.Certificate}, MaxVersion: tls.VersionTLS12, KeyLogWriter: &log,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
			_, client := s.conns(t)
			server := newConn(func(p net.Conn) *tls.Conn { return tls.Server(p, conf) })
			t.Cleanup(server.Close)
			o := shake(server, client, nil)
			if o.server != nil || o.client != nil || !client.Established() {
				t.Fatalf("server %v, client %v", o.server, o.client)
			}
			fields := strings.Fields(log.String())
			clientRandom, err := hex.DecodeString(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			master, err := hex.DecodeString(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			// A record header, a message header and a version are before the random of a hello.
			serverRandom := o.toClient[0][5+4+2:][:32]
			victim, plain := client, c.plain
			if !c.ofServer {
				victim, plain = server, o.toServer[0][5:]
			}
			out, data, err := victim.Feed(now, record(t, master, clientRandom, serverRandom, c.ofServer, c.typ, plain))
			if err == nil || len(data) > 0 || victim.Established() || len(out) == 0 {
				t.Fatalf("%v, %d bytes of data, an alert of %d bytes", err, len(data), len(out))
			}
			if strings.Contains(err.Error(), "MAC") {
				t.Fatalf("the test has made a record that is none: %v", err)
			}
		})
	}
}

// A hello whose supported_versions are malformed ends at once (CVE-2026-35328 was a loop without an end).
func TestMalformedHello(t *testing.T) {
	good := hello(t, &tls.Config{InsecureSkipVerify: true})
	// Type 43, the length of the extension, the length of the list: 1.3 and 1.2.
	at := bytes.Index(good, []byte{0, 43, 0, 5, 4, 3, 4, 3, 3})
	if at < 0 {
		t.Fatal("the hello has no supported_versions")
	}
	s := newSides(t, 0)
	for i := range 256 {
		b := bytes.Clone(good)
		b[at+4] = byte(i)
		server, _ := s.conns(t)
		if _, _, err := server.Feed(now, b); (err == nil) != (i == 4) {
			t.Errorf("a list of %d bytes where there are 4: %v", i, err)
		}
	}
	for i := 0; i < len(good); i += 3 {
		b := bytes.Clone(good)
		b[i] = 0xff
		server, _ := s.conns(t)
		server.Feed(now, b)
		if server.Established() {
			t.Fatalf("byte %d", i)
		}
	}
}

// FuzzServer: nothing that a stranger sends in place of its first flight lets it in, or keeps the server busy.
func FuzzServer(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 4, 1, 0, 0, 0})
	f.Add([]byte{21, 3, 3, 0, 2, 2, 40})
	var s *sides
	f.Fuzz(func(t *testing.T, in []byte) {
		if s == nil {
			s = newSides(t, 0)
		}
		server, err := Server(&s.server, s.byServer)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		server.Feed(now, in)
		if server.Established() {
			t.Fatal("established")
		}
	})
}
