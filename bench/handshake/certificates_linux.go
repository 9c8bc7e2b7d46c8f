package handshake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/pki"
	"esplanade/ike/pki/ca"
)

// certificates are a CA, the responder's certificate in files, and one for each initiator, with keys of one kind. Nil is none: a
// pre-shared key. With users there is none for the initiators, who have passwords.
type certificates struct {
	cert, key, root string
	// users is Esplanade's file with all users, and secrets are those of strongSwan; "" without users.
	users, secrets string
	trust          *pki.Trust
	pairs          map[string]credential.Pair
}

// newCertificates makes them for a way of authentication. The responder is known by its address. All initiators have one key, for RSA
// keys take long to make; their certificates are as different as those of strangers.
func newCertificates(how, dir string, responder netip.Addr, domain string, count int) (*certificates, error) {
	newKey := func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
	switch how {
	case authPSK:
		return nil, nil
	case authRSA:
		newKey = func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }
	}
	var keys [3]crypto.Signer // of the CA, the responder, the initiators
	for i := range keys {
		var err error
		if keys[i], err = newKey(); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	root, err := ca.NewRoot(now, ca.Root{Name: "Bench CA", Validity: 24 * time.Hour}, keys[0])
	if err != nil {
		return nil, err
	}
	c := &certificates{
		cert: filepath.Join(dir, "gw.pem"), key: filepath.Join(dir, "swanctl", "private", "gw-key.pem"), root: filepath.Join(dir, "root.pem"),
		trust: &pki.Trust{Anchors: []*x509.Certificate{root.Certificate}}, pairs: map[string]credential.Pair{},
	}
	own, err := root.Issue(now, ca.Request{Role: ca.Server, CommonName: "gw", Names: ca.Names{IPs: []netip.Addr{responder}}, Key: keys[1].Public()})
	if err != nil {
		return nil, err
	}
	if how == authEAP {
		return c, errors.Join(c.writeUsers(dir, domain, count), c.write(root, own, keys[1]))
	}
	for n := 1; n <= count; n++ {
		name := fmt.Sprintf("n%d.%s", n, domain)
		end, err := root.Issue(now, ca.Request{Role: ca.Client, CommonName: name, Names: ca.Names{DNS: []string{name}}, Key: keys[2].Public()})
		if err != nil {
			return nil, err
		}
		c.pairs[name] = credential.Pair{Chain: []*x509.Certificate{end, root.Certificate}, Signer: keys[2], Key: keys[2].Public(), Name: name}
	}
	return c, c.write(root, own, keys[1])
}

// write makes the files of the responder.
func (c *certificates) write(root *ca.Authority, own *x509.Certificate, signer crypto.Signer) error {
	key, err := ca.EncodeKey(signer)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.key), 0o700); err != nil {
		return err
	}
	for file, data := range map[string][]byte{c.cert: ca.EncodeCertificate(own), c.key: key, c.root: ca.EncodeCertificate(root.Certificate)} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeUsers gives each initiator a password.
func (c *certificates) writeUsers(dir, domain string, count int) error {
	var file, secrets strings.Builder
	for n := 1; n <= count; n++ {
		name := fmt.Sprintf("n%d.%s", n, domain)
		fmt.Fprintf(&file, "%q = %q\n", name, password(name))
		fmt.Fprintf(&secrets, "  eap-%d {\n    id = %s\n    secret = %q\n  }\n", n, name, password(name))
	}
	c.users, c.secrets = filepath.Join(dir, "users.toml"), secrets.String()
	return os.WriteFile(c.users, []byte(file.String()), 0o600)
}

// password is that of a user.
func password(name string) string { return "the password of " + name }

// own is the certificate of an initiator.
func (c *certificates) own(identity string) credential.Pair { return c.pairs[identity] }

// esplanade are the lines for both sides in a configuration of Esplanade's, and the table of the key.
func (c *certificates) esplanade() (local, remote, secrets string) {
	if c == nil {
		return "", "", ""
	}
	local, secrets = fmt.Sprintf("auth = \"pubkey\"\ncerts = [%q]", c.cert), fmt.Sprintf("[secrets.private.gw]\nfile = %q\n", c.key)
	if c.users != "" {
		return local, "auth = \"eap-mschapv2\"", secrets + fmt.Sprintf("[users]\nfile = %q\n", c.users)
	}
	return local, fmt.Sprintf("auth = \"pubkey\"\ncacerts = [%q]", c.root), secrets
}

// passwords are the secrets of all users as strongSwan has them.
func (c *certificates) passwords() string {
	if c == nil {
		return ""
	}
	return c.secrets
}

// strongSwan are the lines for both sides in one of strongSwan's. It finds the key in its directory.
func (c *certificates) strongSwan() (local, remote string) {
	if c == nil {
		return "auth = psk", "auth = psk"
	}
	if c.users != "" {
		return "auth = pubkey\n      certs = " + c.cert, "auth = eap-mschapv2\n      eap_id = %any"
	}
	return "auth = pubkey\n      certs = " + c.cert, strings.Join([]string{"auth = pubkey", "      cacerts = " + c.root}, "\n")
}
