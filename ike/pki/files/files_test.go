package files

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// der is the first block of a file.
func der(t testing.TB, name string) []byte {
	t.Helper()
	b, _ := pem.Decode(read(t, name))
	if b == nil {
		t.Fatalf("%s has no block", name)
	}
	return b.Bytes
}

// TestPrivateKeys: what OpenSSL and ssh-keygen have written is read, and the key is the right one.
func TestPrivateKeys(t *testing.T) {
	public := func(name string) crypto.PublicKey {
		keys, err := PublicKeys(read(t, name))
		if err != nil || len(keys) != 1 {
			t.Fatal(name, err)
		}
		return keys[0]
	}
	gw, err := Certificates(read(t, "gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := Certificates(read(t, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		file string
		want crypto.PublicKey
	}{
		{"rsa.pem", gw[0].PublicKey}, {"rsa-pkcs1.pem", gw[0].PublicKey}, {"rsa-legacy.pem", gw[0].PublicKey},
		{"ec-params.pem", ca[0].PublicKey}, {"ec-scrypt.pem", ca[0].PublicKey}, {"ec-3des.pem", ca[0].PublicKey}, {"ec-sha512.pem", ca[0].PublicKey},
		{"ed448.pem", public("ed448.pub")}, {"ssh-ed25519", public("ssh-ed25519.pub")}, {"ssh-ecdsa", public("ssh-ecdsa.pub")},
	} {
		data := read(t, x.file)
		encrypted := bytes.Contains(data, []byte("ENCRYPTED")) || x.file == "ssh-ed25519"
		k, err := PrivateKey(data, []byte("secret"))
		if err != nil {
			t.Errorf("%s: %v", x.file, err)
			continue
		}
		if !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(x.want) {
			t.Errorf("%s has another key", x.file)
		}
		switch k.(type) { // what signatures are made with is what these types are
		case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, ed448.PrivateKey:
		default:
			t.Errorf("%s is a %T", x.file, k)
		}
		_, errNone := PrivateKey(data, nil)
		_, errWrong := PrivateKey(data, []byte("Secret"))
		if !encrypted {
			if errNone != nil || errWrong != nil {
				t.Errorf("%s is not encrypted: %v, %v", x.file, errNone, errWrong)
			}
			continue
		}
		wantReason(t, x.file+" without a passphrase", errNone, NeedsPassphrase, "")
		wantReason(t, x.file+" with another passphrase", errWrong, WrongPassphrase, "")
	}
}

// TestDERKeys: the same without PEM.
func TestDERKeys(t *testing.T) {
	for _, name := range []string{"rsa.pem", "rsa-pkcs1.pem", "ec-scrypt.pem", "ed448.pem"} {
		want, err := PrivateKey(read(t, name), []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := PrivateKey(der(t, name), []byte("secret"))
		if err != nil || !got.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(want.Public()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if k, err := PublicKeys(der(t, "ed448.pub")); err != nil || len(k) != 1 {
		t.Errorf("a public key in DER: %v", err)
	}
}

func wantReason(t *testing.T, what string, err error, reason Reason, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, want an *Error of %s", what, err, reason)
		return
	}
	if e.Reason != reason || !strings.Contains(e.Error(), text) {
		t.Errorf("%s: %s: %v, want %s with %q", what, e.Reason, e, reason, text)
	}
	if strings.ContainsAny(e.Error(), "\n\r\x00") {
		t.Errorf("%s: %q is no line", what, e.Error())
	}
}

// TestCertificates: one or many, with whatever stands around them, in their order.
func TestCertificates(t *testing.T) {
	gw, ca := read(t, "gw.pem"), read(t, "ca.pem")
	crlf := bytes.ReplaceAll(gw, []byte("\n"), []byte("\r\n"))
	for what, x := range map[string]struct {
		data []byte
		want string
	}{
		"one":                     {gw, "gw"},
		"one in DER":              {der(t, "gw.pem"), "gw"},
		"a chain":                 {join(gw, ca), "gw ca"},
		"the other way round":     {join(ca, gw), "ca gw"},
		"text around":             {join([]byte("Certificate:\n    Data:\n        -----not a block\nsubject=CN=gw\n"), gw, []byte("\n# the CA\n"), ca, []byte("the end")), "gw ca"},
		"of Windows":              {join([]byte("\xef\xbb\xbf"), crlf), "gw"},
		"spaces at the ends":      {bytes.ReplaceAll(gw, []byte("\n"), []byte("  \n")), "gw"},
		"indented":                {bytes.ReplaceAll(gw, []byte("-----BEGIN"), []byte("    -----BEGIN")), "gw"},
		"with its key":            {join(read(t, "rsa.pem"), gw), "gw"},
		"the older label":         {bytes.ReplaceAll(gw, []byte(" CERTIFICATE"), []byte(" X509 CERTIFICATE")), "gw"},
		"without a last line end": {bytes.TrimSpace(gw), "gw"},
	} {
		list, err := Certificates(x.data)
		var names []string
		for _, c := range list {
			names = append(names, c.Subject.CommonName)
		}
		if got := strings.Join(names, " "); err != nil || got != x.want {
			t.Errorf("%s: %q, %v, want %q", what, got, err, x.want)
		}
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestInstead: a file that is something else is called by its name, and there is a command that helps.
func TestInstead(t *testing.T) {
	certs := func(b []byte) error { _, err := Certificates(b); return err }
	key := func(b []byte) error { _, err := PrivateKey(b, []byte("secret")); return err }
	pub := func(b []byte) error { _, err := PublicKeys(b); return err }
	crls := func(b []byte) error { _, err := CRLs(b); return err }
	p12 := func(b []byte) error { _, err := PKCS12(b, []byte("secret")); return err }
	gw := read(t, "gw.pem")
	half := gw[:len(gw)/2]
	for _, x := range []struct {
		what   string
		read   func([]byte) error
		data   []byte
		reason Reason
		text   string
	}{
		{"an empty certificate", certs, nil, Empty, "is empty"},
		{"white space", certs, []byte(" \n"), Empty, "is empty"},
		{"a key as certificate", certs, read(t, "rsa.pem"), NotThis, "is a private key (PKCS #8), not a certificate"},
		{"a request as certificate", certs, read(t, "gw.csr"), NotThis, "have a CA sign it"},
		{"a request in DER", certs, der(t, "gw.csr"), NotThis, "is a certificate request"},
		{"TRUSTED", certs, read(t, "trusted.pem"), NotThis, "openssl x509 -in FILE -out FILE.pem"},
		{"PKCS #7", certs, read(t, "chain.p7b"), NotThis, "openssl pkcs7 -print_certs -in FILE"},
		{"PKCS #7 in DER", certs, der(t, "chain.p7b"), NotThis, "-inform DER"},
		{"PKCS #12 as certificate", certs, read(t, "gw.p12"), NotThis, "[secrets.pkcs12.NAME]"},
		{"a web page", certs, []byte("<!DOCTYPE html><html>"), NotThis, "is a web page"},
		{"JSON", certs, []byte(`{"status":404}`), NotThis, "is JSON"},
		{"UTF-16", certs, []byte("\xff\xfe-\x00-\x00"), NotThis, "UTF-16"},
		{"Base64 alone", certs, bytes.Join(bytes.Split(gw, []byte("\n"))[1:len(bytes.Split(gw, []byte("\n")))-2], []byte("\n")), NotThis, "base64 -d"},
		{"some text", certs, []byte("hello\n"), NotThis, "some other text"},
		{"octets", certs, []byte{0x30, 0x03, 0x01, 0x01, 0xff}, NotThis, "in no form that is known"},
		{"half of one", certs, half, Malformed, "does not end (line 1)"},
		{"a chain cut in its second half", certs, join(gw, half), Malformed, "does not end (line 14)"},
		{"two run together", certs, join(half, []byte("\n"), gw), Malformed, "does not end (line 1)"},
		{"an END alone", certs, []byte("-----END CERTIFICATE-----\n"), Malformed, "without its BEGIN line (line 1)"},
		{"a BEGIN that is cut", certs, []byte("-----BEGIN CERTIF"), Malformed, "does not end with -----"},
		{"no Base64", certs, []byte("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"), Malformed, "is not Base64 (line 1)"},
		{"another label", certs, []byte("-----BEGIN FOO-----\nAAAA\n-----END FOO-----\n"), NotThis, `has a block "FOO" of PEM`},
		{"a broken certificate", certs, join(gw, []byte("-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n")), Malformed, "(line 14)"},
		{"too much", certs, make([]byte, MaxCertificates+1), TooLarge, "has more than"},

		{"a certificate as key", key, gw, NotThis, "is a certificate, not a private key"},
		{"a public key as key", key, read(t, "ed448.pub"), NotThis, "is a public key, not a private key"},
		{"a key of PuTTY", key, []byte("PuTTY-User-Key-File-3: ssh-rsa\n"), NotThis, "puttygen FILE -O private-openssh"},
		{"a key store", key, []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), NotThis, "keytool"},
		{"a key for a TPM", key, []byte("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n"), NotThis, "TPM"},
		{"PBES1", key, read(t, "ec-pbes1.pem"), Unsupported, "openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE"},
		{"two keys", key, join(read(t, "rsa.pem"), read(t, "ed448.pem")), Malformed, "several private keys (lines 1 and 29)"},
		{"a broken key", key, []byte("-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n"), Malformed, "encoding is broken"},
		{"a broken RSA key", key, []byte("-----BEGIN RSA PRIVATE KEY-----\nMAMCAQA=\n-----END RSA PRIVATE KEY-----\n"), Malformed, "encoding is broken"},
		{"a key that is too large", key, make([]byte, MaxKey+1), TooLarge, "has more than"},
		{"a bundle as key", key, read(t, "gw.p12"), NotThis, "[secrets.pkcs12.NAME]"},

		{"a private key as public key", pub, read(t, "rsa.pem"), NotThis, "openssl pkey -in FILE -pubout"},
		{"a certificate as public key", pub, gw, NotThis, "openssl x509 -in FILE -noout -pubkey"},
		{"RFC 4716", pub, []byte("---- BEGIN SSH2 PUBLIC KEY ----\n"), NotThis, "ssh-keygen -i -f FILE"},
		{"a second line that is none", pub, join(read(t, "ssh-ecdsa.pub"), []byte("\nssh-ed25519 AAAA\n")), Malformed, "(line 3)"},

		{"a certificate as list", crls, gw, NotThis, "is a certificate, not a certificate revocation list"},
		{"a broken list", crls, []byte("-----BEGIN X509 CRL-----\nMAMCAQA=\n-----END X509 CRL-----\n"), Malformed, "can't be read"},

		{"a certificate as bundle", p12, gw, NotThis, "is a certificate, not a PKCS #12 bundle"},
		{"a bundle without a key", p12, read(t, "nokey.p12"), NotThis, "without a private key"},
		{"a bundle in BER", p12, []byte{0x30, 0x80, 0x02, 0x01, 0x03}, Unsupported, "BER"},
		{"a bundle that is cut", p12, read(t, "gw.p12")[:500], NotThis, "in no form that is known"},
	} {
		wantReason(t, x.what, x.read(x.data), x.reason, x.text)
	}
}

// TestPKCS12: bundles with the old encryption and with the new one.
func TestPKCS12(t *testing.T) {
	for _, name := range []string{"gw.p12", "gw-legacy.p12"} {
		b, err := PKCS12(read(t, name), []byte("secret"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(b.Certs) != 2 || b.Certs[0].Subject.CommonName != "gw" || b.Certs[1].Subject.CommonName != "ca" {
			t.Errorf("%s: %d certificates", name, len(b.Certs))
		}
		if !b.Key.Public().(*rsa.PublicKey).Equal(b.Certs[0].PublicKey) {
			t.Errorf("%s: the key is another one", name)
		}
		_, err = PKCS12(read(t, name), nil)
		wantReason(t, name+" without a passphrase", err, NeedsPassphrase, "")
		_, err = PKCS12(read(t, name), []byte("Secret"))
		wantReason(t, name+" with another passphrase", err, WrongPassphrase, "")
	}
	reversed := ownFirst(mustKey(t, "rsa.pem"), append(mustCerts(t, "ca.pem"), mustCerts(t, "gw.pem")...))
	if len(reversed) != 2 || reversed[0].Subject.CommonName != "gw" || reversed[1].Subject.CommonName != "ca" {
		t.Errorf("the certificate of the key does not come first")
	}
}

func mustKey(t testing.TB, name string) crypto.Signer {
	k, err := PrivateKey(read(t, name), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustCerts(t testing.TB, name string) []*x509.Certificate {
	c, err := Certificates(read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
