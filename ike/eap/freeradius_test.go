package eap

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/ike/radius/radiustest"
)

// freeRADIUSConf is what FreeRADIUS 3 needs to authenticate users by EAP. It has nothing of Debian's configuration.
const freeRADIUSConf = `
prefix = /usr
libdir = /usr/lib/freeradius
localstatedir = DIR
logdir = DIR
run_dir = DIR
name = freeradius
security { allow_vulnerable_openssl = yes }
client nas {
	ipaddr = 127.0.0.1
	secret = SECRET
	require_message_authenticator = yes
}
modules {
	pap { }
	chap { }
	mschap { }
	files { usersfile = DIR/users }
	eap {
		default_eap_type = md5
		tls-config common {
			private_key_file = DIR/gateway.key
			certificate_file = DIR/gateway.pem
			ca_file = DIR/ca.pem
			ecdh_curve = ""
			tls_min_version = "1.2"
			tls_max_version = "VERSION"
			fragment_size = 1000
			include_length = yes
		}
		tls { tls = common }
		ttls {
			tls = common
			default_eap_type = md5
			virtual_server = inner
		}
		peap {
			tls = common
			default_eap_type = mschapv2
			virtual_server = inner
		}
		mschapv2 { }
		md5 { }
		gtc { auth_type = PAP }
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = PORT
	}
	authorize {
		eap {
			ok = return
		}
		files
	}
	authenticate {
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
}
server inner {
	authorize {
		mschap
		eap {
			ok = return
		}
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
}
`

// freeRADIUS starts one and returns where it listens.
func freeRADIUS(t *testing.T, w *world, version string) string {
	t.Helper()
	program, err := exec.LookPath("freeradius")
	if err != nil {
		t.Skip("SKIPPED: freeradius is not installed (apt-get install freeradius), so nobody but the program itself has been a server of its EAP client")
	}
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.LocalAddr().String()
	l.Close()
	dir := t.TempDir()
	pemFile(t, dir, "ca.pem", "CERTIFICATE", w.ca.Cert.Raw)
	pemFile(t, dir, "gateway.pem", "CERTIFICATE", w.gateway.Cert.Raw)
	keyFile(t, dir, "gateway.key", w.gateway)
	_, port, _ := net.SplitHostPort(address)
	conf := strings.NewReplacer("DIR", dir, "SECRET", radiusSecret, "VERSION", version, "PORT", port).Replace(freeRADIUSConf)
	for name, text := range map[string]string{
		"radiusd.conf": conf,
		"users":        aliceName + " Cleartext-Password := \"correct horse\"\n",
		"dictionary":   "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-f", "-l", "stdout", "-xx", "-d", dir, "-n", "radiusd", "-D", "/usr/share/freeradius")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			log.WriteString(s.Text() + "\n")
			if strings.Contains(s.Text(), "Ready to process requests") {
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		cmd.Wait()
		if t.Failed() {
			t.Logf("FreeRADIUS:\n%s", tail(log.Bytes()))
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatal("FreeRADIUS does not start")
	}
	return address
}

// ask has a client of EAP authenticate itself to a RADIUS server, and returns the last step and the MSK that the server has sent.
func ask(t *testing.T, address string, c *Client, name string) (end Step, msk []byte) {
	t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Cleanup(c.Close)
	const send, recv = 16, 17
	// What a NAS asks first.
	packet := c.Step(time.Now(), request(1, TypeIdentity, "")).Out
	var state []byte
	for id := range byte(MaxRounds) {
		q := []byte{1, id, 0, 0}
		authenticator := make([]byte, 16)
		rand.Read(authenticator)
		q = append(q, authenticator...)
		add := func(typ byte, value []byte) { q = append(append(q, typ, byte(len(value)+2)), value...) }
		add(80, make([]byte, 16))
		add(1, []byte(name))
		add(4, []byte{127, 0, 0, 1})
		for _, a := range radiustest.EAP(packet) {
			add(a.Type, a.Value)
		}
		if state != nil {
			add(24, state)
		}
		binary.BigEndian.PutUint16(q[2:], uint16(len(q)))
		mac := hmac.New(md5.New, []byte(radiusSecret))
		mac.Write(q)
		copy(q[22:], mac.Sum(nil))
		if _, err := conn.Write(q); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		b := make([]byte, 4096)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		var said []byte
		keys := map[byte][]byte{}
		state = nil
		for rest := b[20:n]; len(rest) >= 2; rest = rest[rest[1]:] {
			switch value := rest[2:rest[1]]; rest[0] {
			case 79:
				said = append(said, value...)
			case 24:
				state = value
			case 26:
				if typ := value[4]; binary.BigEndian.Uint32(value) == vendorMicrosoft && (typ == send || typ == recv) {
					keys[typ] = openKey(value[6:], authenticator)
				}
			}
		}
		if end = c.Step(time.Now(), said); end.Done {
			return end, append(keys[recv], keys[send]...)
		}
		if end.Out == nil {
			t.Fatalf("nothing is said to %x: %v", said, end.Err)
		}
		packet = end.Out
	}
	t.Fatal("it never ends")
	return Step{}, nil
}

// openKey decrypts an MS-MPPE key (RFC 2548 section 2.4.2).
func openKey(v, authenticator []byte) []byte {
	salt, crypt := v[:2], v[2:]
	var plain []byte
	before := append(bytes.Clone(authenticator), salt...)
	for i := 0; i < len(crypt); i += 16 {
		pad := md5.Sum(append([]byte(radiusSecret), before...))
		for j := range 16 {
			plain = append(plain, crypt[i+j]^pad[j])
		}
		before = crypt[i : i+16]
	}
	return plain[1 : 1+plain[0]]
}

// TestFreeRADIUS has a client come in to FreeRADIUS by every method, with both versions of TLS; the server's MSK is the client's.
func TestFreeRADIUS(t *testing.T) {
	now := time.Now()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, 0, now)
			address := freeRADIUS(t, w, strings.TrimPrefix(tls.VersionName(version), "TLS "))
			all := []way{{method: TypeMD5}, {method: TypeMSCHAPv2}, {method: TypeTLS}}
			for _, x := range ways() {
				if x.inner != TypeTLS {
					all = append(all, x)
				}
			}
			for _, x := range all {
				for _, password := range []string{"correct horse", "wrong"} {
					t.Run(fmt.Sprintf("%s, %s", x, password), func(t *testing.T) {
						client := w.client
						client.Plain = x.plain
						c := clientConfig(aliceName, Password(password), x.method)
						c.TLS, c.Random = &client, nil
						if x.inner != 0 {
							c.Inner = []Type{x.inner}
						}
						name := aliceName
						if x.method == TypeTTLS || x.method == TypePEAP {
							c.Anonymous = "anonymous"
							name = c.Anonymous
						}
						end, msk := ask(t, address, NewClient(c), name)
						if password == "wrong" && x.method != TypeTLS {
							// FreeRADIUS refuses a response of MSCHAPv2 without a word.
							want := ReasonPassword
							if x.method == TypeMSCHAPv2 || x.inner == TypeMSCHAPv2 {
								want = ReasonRefused
							}
							wantFailure(t, "the client", end, want, "")
							return
						}
						r := wantSuccess(t, "the client", end)
						want := r.MSK
						if x.method == TypeMSCHAPv2 {
							want = want[:32] // the rest are zeros, which FreeRADIUS leaves out
						}
						if !bytes.Equal(want, msk) {
							t.Errorf("the client has the MSK %x, the server %x", want, msk)
						}
					})
				}
			}
		})
	}
}
