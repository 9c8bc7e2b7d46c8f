package ike

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// responder runs openssl's OCSP responder on a port of loopback, until the test ends. The certificate with the number 20 was revoked, 10
// and 11 are good, and it knows no others. It signs as whoever it is given.
func responder(t *testing.T, a *authority, signer *x509.Certificate, key *ecdsa.PrivateKey) (uri string) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: openssl is not installed, so nobody but the program itself has answered its OCSP requests")
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		data := der
		if kind != "" {
			data = pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	const ends = "350101000000Z"
	index := "V\t" + ends + "\t\t0A\tunknown\t/CN=end 10\n" + "V\t" + ends + "\t\t0B\tunknown\t/CN=end 11\n" + "R\t" + ends + "\t260101000000Z,keyCompromise\t14\tunknown\t/CN=end 20\n"
	cmd := exec.Command(program, "ocsp", "-port", port, "-text", "-nmin", "5", "-index", write("index.txt", "", []byte(index)), "-CA", write("ca.pem", "CERTIFICATE", a.cert.Raw),
		"-rsigner", write("signer.pem", "CERTIFICATE", signer.Raw), "-rkey", write("signer.key", "EC PRIVATE KEY", der))
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = nil
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	up := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		text := ""
		for lines.Scan() {
			if text += lines.Text() + "\n"; strings.Contains(text, "waiting for OCSP client connections") || strings.HasPrefix(lines.Text(), "ACCEPT") {
				select {
				case up <- "":
				default:
				}
			}
		}
		select {
		case up <- text:
		default:
		}
	}()
	if text := <-up; text != "" {
		t.Fatalf("openssl does not answer: %s", text)
	}
	return "http://127.0.0.1:" + port
}

// TestOpenSSL: what openssl's responder says is understood: good, revoked, unknown; signed by the CA, by a responder that it has authorized, by
// one that it has not, and by another CA.
func TestOpenSSL(t *testing.T) {
	a := newAuthority(t)
	usage := func(list ...x509.ExtKeyUsage) (*x509.Certificate, *ecdsa.PrivateKey) {
		return a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "responder"}, SerialNumber: big.NewInt(5), ExtKeyUsage: list, KeyUsage: x509.KeyUsageDigitalSignature})
	}
	authorized, authorizedKey := usage(x509.ExtKeyUsageOCSPSigning)
	other, otherKey := usage(x509.ExtKeyUsageServerAuth)
	foreign := newAuthority(t)
	for name, c := range map[string]struct {
		signer *x509.Certificate
		key    *ecdsa.PrivateKey
		good   bool
		says   string
	}{
		"the CA":                     {a.cert, a.key, true, ""},
		"an authorized responder":    {authorized, authorizedKey, true, ""},
		"one that is not authorized": {other, otherKey, false, "does not authorize it (id-kp-OCSPSigning)"},
		"another CA":                 {foreign.cert, foreign.key, false, "does not authorize it"},
	} {
		t.Run(name, func(t *testing.T) {
			live := a.http.URL
			a.http.URL = responder(t, a, c.signer, c.key)
			good, revoked, unknown := a.end(10, "", "/"), a.end(20, "", "/"), a.end(30, "", "/")
			a.http.URL = live
			x := newInquirer(t, true, nil)
			err := x.verdict(good, policy.RevocationStrict)
			if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the good one: %v", err)
			}
			if !c.good {
				return
			}
			var r *revocation.Refusal
			if err := x.verdict(revoked, policy.RevocationRelaxed); !errors.As(err, &r) || r.Status != revocation.Revoked || r.Reason != revocation.KeyCompromise ||
				!r.At.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("the revoked one: %v", err)
			}
			if err := x.verdict(unknown, policy.RevocationIfURI); err == nil || !strings.Contains(err.Error(), "the responder does not know the certificate") {
				t.Errorf("the unknown one: %v", err)
			}
			if err := x.verdict(unknown, policy.RevocationRelaxed); err != nil {
				t.Errorf("the unknown one, relaxed: %v", err)
			}
		})
	}
}
