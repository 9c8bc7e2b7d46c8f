package eap

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
	"esplanade/ike/radius/radiustest"
)

// eapol_test is the EAP client of wpa_supplicant, which talks to a RADIUS server. This one is a server in its place, which has nothing but EAP in
// it: what it sends as MS-MPPE keys is the MSK, and eapol_test compares that with its own.

const radiusSecret = "testing123"

// relay is a RADIUS server whose answers are those of conversations.
type relay struct {
	t       *testing.T
	conn    net.PacketConn
	config  *ServerConfig
	done    sync.WaitGroup
	talks   map[string]*Server
	outcome []Step
}

func newRelay(t *testing.T, c *ServerConfig) *relay {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, conn: conn, config: c, talks: make(map[string]*Server)}
	r.done.Go(r.serve)
	return r
}

// close ends it and returns how its conversations have ended.
func (r *relay) close() []Step {
	r.conn.Close()
	r.done.Wait()
	for _, s := range r.talks {
		s.Close()
	}
	return r.outcome
}

func (r *relay) serve() {
	b := make([]byte, 4096)
	for {
		n, from, err := r.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if answer := r.answer(bytes.Clone(b[:n])); answer != nil {
			r.conn.WriteTo(answer, from)
		}
	}
}

// answer takes an Access-Request. eapol_test has its Message-Authenticator at the end, which radiustest does not put up with.
func (r *relay) answer(b []byte) []byte {
	if len(b) < 20 || b[0] != 1 {
		return nil
	}
	q := radiustest.Request{Code: b[0], ID: b[1], Authenticator: [16]byte(b[4:20])}
	for rest := b[20:]; len(rest) >= 2 && int(rest[1]) >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		q.Attributes = append(q.Attributes, radiustest.Attribute{Type: rest[0], Value: rest[2:rest[1]]})
	}
	const state = 24
	key, packet := q.Text(state), q.EAP()
	s := r.talks[key]
	if s == nil {
		// A NAS has asked for the identity itself.
		key = fmt.Sprintf("talk %d", len(r.talks))
		s = NewServer(r.config)
		r.talks[key] = s
		s.Adopt(packet[1])
	}
	step := s.Step(time.Now(), packet)
	attributes := append(radiustest.EAP(step.Out), radiustest.Text(state, key))
	code := byte(11)
	if step.Done {
		r.outcome = append(r.outcome, step)
		if code = 3; step.Result != nil {
			code = 2
			if step.Result.MSK != nil {
				attributes = append(attributes, radiustest.Keys(radiusSecret, q, step.Result.MSK)...)
			}
		}
	}
	return radiustest.Answer(radiusSecret, q, code, radiustest.Truth, attributes...)
}

// pemFile writes PEM blocks of a kind to a file.
func pemFile(t *testing.T, dir, name, kind string, ders ...[]byte) string {
	t.Helper()
	var b bytes.Buffer
	for _, der := range ders {
		if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func keyFile(t *testing.T, dir, name string, h *pkitest.Holder) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(h.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, dir, name, "PRIVATE KEY", der)
}

// TestEAPOLTest has wpa_supplicant's client come in by every method, with both versions of TLS, and be kept out for the right reasons. It compares
// its MSK with the one in the MS-MPPE keys.
func TestEAPOLTest(t *testing.T) {
	program, err := exec.LookPath("eapol_test")
	if err != nil {
		t.Skip("SKIPPED: eapol_test is not installed (apt-get install eapoltest), so nobody but the program itself has been a client of its EAP server")
	}
	now := time.Now()
	for _, tt := range []struct {
		name    string
		methods []Type
		inner   []Type
		network string // lines of the client's configuration
		noKeys  bool
		tls     bool // with both versions of TLS
		fails   Reason
		binding CryptoBinding
	}{
		{name: "md5", methods: []Type{TypeMD5}, network: `eap=MD5`, noKeys: true},
		{name: "gtc", methods: []Type{TypeGTC}, network: `eap=GTC`, noKeys: true},
		{name: "mschapv2", methods: []Type{TypeMSCHAPv2}, network: `eap=MSCHAPV2`},
		{name: "a wrong password", methods: []Type{TypeMSCHAPv2}, network: "eap=MSCHAPV2\npassword=\"wrong\"", fails: ReasonPassword},
		{name: "a Nak", methods: []Type{TypeTLS, TypeMD5, TypeMSCHAPv2}, network: `eap=MSCHAPV2`},
		{name: "tls", methods: []Type{TypeTLS}, network: `eap=TLS`, tls: true},
		{name: "tls of somebody else", methods: []Type{TypeTLS}, network: "eap=TLS\nidentity=\"bob@example.org\"", tls: true, fails: ReasonCertificate},
		{name: "tls to another server", methods: []Type{TypeTLS}, network: "eap=TLS\ndomain_match=\"other.example.org\"", tls: true, fails: ReasonTLS},
		{name: "ttls (pap)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"auth=PAP\"", tls: true},
		{name: "ttls (mschapv2)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"auth=MSCHAPV2\"", tls: true},
		{name: "ttls (chap)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"auth=CHAP\"", fails: ReasonProtocol},
		{name: "ttls, a wrong password", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"auth=MSCHAPV2\"\npassword=\"wrong\"", tls: true, fails: ReasonPassword},
		{name: "ttls (eap-mschapv2)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"autheap=MSCHAPV2\"", tls: true},
		{name: "ttls (eap-md5)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"autheap=MD5\"", tls: true},
		{name: "ttls (eap-gtc)", methods: []Type{TypeTTLS}, network: "eap=TTLS\nphase2=\"autheap=GTC\"", tls: true},
		{name: "ttls (eap-tls)", methods: []Type{TypeTTLS}, inner: []Type{TypeTLS}, network: "eap=TTLS\nphase2=\"autheap=TLS\"\nca_cert2=CA\nclient_cert2=CERT\nprivate_key2=KEY"},
		{name: "peap (mschapv2)", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=MSCHAPV2\"", tls: true},
		{name: "peap, bound", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=MSCHAPV2\"", tls: true, binding: BindingRequired},
		{name: "peap (gtc), bound", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=GTC\"", tls: true, binding: BindingRequired},
		{name: "peap (gtc)", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=GTC\"", tls: true},
		{name: "peap (md5)", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=MD5\"", tls: true},
		{name: "peap, a wrong password", methods: []Type{TypePEAP}, network: "eap=PEAP\nphase2=\"auth=MSCHAPV2\"\npassword=\"wrong\"", tls: true, fails: ReasonPassword},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if version == tls.VersionTLS13 && !tt.tls {
				continue
			}
			t.Run(tt.name+" "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				w := newWorldAt(t, version, now)
				w.server.CryptoBinding = tt.binding
				dir := t.TempDir()
				files := map[string]string{
					"CA":   pemFile(t, dir, "ca.pem", "CERTIFICATE", w.ca.Cert.Raw),
					"CERT": pemFile(t, dir, "alice.pem", "CERTIFICATE", w.alice.Cert.Raw),
					"KEY":  keyFile(t, dir, "alice.key", w.alice),
				}
				settings := map[string]string{
					"key_mgmt": "WPA-EAP", "identity": `"` + aliceName + `"`, "anonymous_identity": `"anonymous@example.org"`, "password": `"correct horse"`,
					"ca_cert": "CA", "client_cert": "CERT", "private_key": "KEY", "domain_match": `"` + gatewayName + `"`,
					"phase1": `"tls_disable_tlsv1_3=0"`,
				}
				if tt.methods[0] == TypeTTLS || tt.methods[0] == TypePEAP {
					delete(settings, "client_cert")
					delete(settings, "private_key")
				} else {
					delete(settings, "anonymous_identity")
				}
				if tt.methods[0] == TypePEAP && tt.binding == BindingRequired {
					settings["phase1"] = `"tls_disable_tlsv1_3=0 crypto_binding=2"`
				}
				for _, line := range strings.Split(tt.network, "\n") {
					key, value, _ := strings.Cut(line, "=")
					settings[key] = value
				}
				var conf strings.Builder
				conf.WriteString("network={\n")
				for key, value := range settings {
					if path := files[value]; path != "" {
						value = `"` + path + `"`
					}
					fmt.Fprintf(&conf, "%s=%s\n", key, value)
				}
				conf.WriteString("}\n")
				path := filepath.Join(dir, "eapol.conf")
				if err := os.WriteFile(path, []byte(conf.String()), 0o600); err != nil {
					t.Fatal(err)
				}

				s, _ := w.configs(TypeTLS)
				s.Methods, s.Protected, s.Inner, s.Random = tt.methods, true, tt.inner, nil
				r := newRelay(t, s)
				_, port, _ := net.SplitHostPort(r.conn.LocalAddr().String())
				args := []string{"-c", path, "-a", "127.0.0.1", "-p", port, "-s", radiusSecret, "-t", "20"}
				if tt.noKeys {
					args = append(args, "-n")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
				ends := r.close()
				success := err == nil && bytes.HasSuffix(bytes.TrimSpace(out), []byte("SUCCESS"))
				if len(ends) != 1 || success != (tt.fails == 0) {
					t.Fatalf("eapol_test: %v, %d conversations have ended %v\n%s\n%s", err, len(ends), ends, conf.String(), tail(out))
				}
				if tt.fails != 0 {
					wantFailure(t, "the server", ends[0], tt.fails, "")
					return
				}
				if res := wantSuccess(t, "the server", ends[0]); res.User.Name != aliceName || (res.MSK == nil) != tt.noKeys {
					t.Errorf("%+v", res.User)
				}
				if want := "MPPE keys OK: 1  mismatch: 0"; !tt.noKeys && !bytes.Contains(out, []byte(want)) {
					t.Errorf("the keys do not match:\n%s", tail(out))
				}
			})
		}
	}
}

// tail is the end of what a program has said.
func tail(out []byte) []byte { return out[max(0, len(out)-6000):] }
