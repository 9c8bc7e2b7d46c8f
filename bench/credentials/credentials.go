// Package credentials makes what many initiators and a responder prove themselves with: pre-shared keys, certificates, and users with passwords.
package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/eap"
	"esplanade/ike/pki"
	"esplanade/ike/pki/ca"
)

// The ways of authentication: a pre-shared key, certificates with keys of a kind, and users with passwords at a gateway with a certificate.
const (
	PSK   = "psk"
	ECDSA = "ecdsa"
	RSA   = "rsa"
	EAP   = "eap"
)

// Ways are all of them.
func Ways() []string { return []string{PSK, ECDSA, RSA, EAP} }

// Set is a CA, the responder's certificate in files, and one for each initiator, with keys of one kind. Nil is none: a pre-shared key. With
// users, the initiators have passwords in their place, and get their addresses of a pool.
type Set struct {
	cert, key, root string
	// Trust is what the responder's certificate is judged by.
	Trust *pki.Trust
	pairs map[string]credential.Pair
	// users are those that have a password, in order, and file is where Esplanade finds them. network is what their addresses are of.
	users   []string
	file    string
	network netip.Prefix
}

// passwordOf is the password of a user.
func passwordOf(user string) string { return "of-" + user + "-2026" }

// New makes what goes with a way of authentication, in files of dir. The responder is known by its address, initiator 7 as n7.domain. All
// initiators have one key, for RSA keys take long to make; their certificates are as different as those of strangers.
func New(how, dir string, responder netip.Addr, domain string, count int, network netip.Prefix) (*Set, error) {
	newKey := func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
	switch how {
	case PSK:
		return nil, nil
	case RSA:
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
	c := &Set{
		cert: filepath.Join(dir, "gw.pem"), key: filepath.Join(dir, "swanctl", "private", "gw-key.pem"), root: filepath.Join(dir, "root.pem"),
		Trust: &pki.Trust{Anchors: []*x509.Certificate{root.Certificate}}, network: network, pairs: map[string]credential.Pair{},
	}
	own, err := root.Issue(now, ca.Request{Role: ca.Server, CommonName: "gw", Names: ca.Names{IPs: []netip.Addr{responder}}, Key: keys[1].Public()})
	if err != nil {
		return nil, err
	}
	for n := 1; n <= count; n++ {
		name := fmt.Sprintf("n%d.%s", n, domain)
		if how == EAP {
			c.users = append(c.users, name)
			continue
		}
		end, err := root.Issue(now, ca.Request{Role: ca.Client, CommonName: name, Names: ca.Names{DNS: []string{name}}, Key: keys[2].Public()})
		if err != nil {
			return nil, err
		}
		c.pairs[name] = credential.Pair{Chain: []*x509.Certificate{end, root.Certificate}, Signer: keys[2], Key: keys[2].Public(), Name: name}
	}
	key, err := ca.EncodeKey(keys[1])
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(c.key), 0o700); err != nil {
		return nil, err
	}
	files := map[string][]byte{c.cert: ca.EncodeCertificate(own), c.key: key, c.root: ca.EncodeCertificate(root.Certificate)}
	if c.users != nil {
		c.file = filepath.Join(dir, "users")
		files[c.file] = c.directory()
	}
	for file, data := range files {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Users reports whether the initiators are users.
func (c *Set) Users() bool { return c != nil && c.users != nil }

// directory is the users file.
func (c *Set) directory() []byte {
	var b strings.Builder
	for _, u := range c.users {
		fmt.Fprintf(&b, "%q = %q\n", u, passwordOf(u))
	}
	return []byte(b.String())
}

// Client is a user as the initiator.
func (c *Set) Client(identity string) *eap.ClientConfig {
	return &eap.ClientConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, Identity: identity, Secret: eap.Password(passwordOf(identity)), Protected: true}
}

// Own is the certificate of an initiator.
func (c *Set) Own(identity string) credential.Pair { return c.pairs[identity] }

// Esplanade are the lines for both sides in a configuration of Esplanade's, and the table of the key.
func (c *Set) Esplanade() (local, remote, secrets string) {
	if c == nil {
		return "", "", ""
	}
	local, secrets = fmt.Sprintf("auth = \"pubkey\"\ncerts = [%q]", c.cert), fmt.Sprintf("[secrets.private.gw]\nfile = %q\n", c.key)
	if c.users != nil {
		return local, "auth = \"eap-mschapv2\"\neap_id = \"%any\"", secrets + fmt.Sprintf("[users]\nfile = %q\n[pools.people]\naddrs = %q\n", c.file, c.network)
	}
	return local, fmt.Sprintf("auth = \"pubkey\"\ncacerts = [%q]", c.root), secrets
}

// Pool is the line of a connection that gives addresses away, and what the remote selectors of its child are; without users there is none, and
// they are the network of the initiators.
func (c *Set) Pool(line string, network netip.Prefix) (pools, remoteTS string) {
	if !c.Users() {
		return "", network.String()
	}
	return line, "dynamic"
}

// StrongSwan are the lines for both sides in one of strongSwan's. It finds the key in its directory.
func (c *Set) StrongSwan() (local, remote string) {
	if c == nil {
		return "auth = psk", "auth = psk"
	}
	local = "auth = pubkey\n      certs = " + c.cert
	if c.users != nil {
		return local, "auth = eap-mschapv2\n      eap_id = %any"
	}
	return local, strings.Join([]string{"auth = pubkey", "      cacerts = " + c.root}, "\n")
}

// StrongSwanTables are strongSwan's users, and its pool.
func (c *Set) StrongSwanTables() (secrets, pools string) {
	if !c.Users() {
		return "", ""
	}
	var b strings.Builder
	for i, u := range c.users {
		fmt.Fprintf(&b, "  eap-%d {\n    id = %s\n    secret = %q\n  }\n", i, u, passwordOf(u))
	}
	return b.String(), fmt.Sprintf("pools {\n  people {\n    addrs = %s\n  }\n}\n", c.network)
}
