package config

import (
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// ACME is the table [credentials.acme]: a certificate of this gateway that an ACME server issues and renews.
type ACME struct {
	Source
	// Domains are the names of the certificate, DNS names or IP addresses. Without one there is no ACME.
	Domains []string `key:"domains" reload:"restart"`
	// Directory is the URL of the server.
	Directory string `key:"directory" reload:"restart" default:"https://acme-v02.api.letsencrypt.org/directory"`
	// Email is where the server may write to.
	Email string `key:"email" reload:"restart" default:""`
	// Agree says that the operator agrees to the terms of the server.
	Agree bool `key:"agree_to_terms" reload:"restart" default:"false"`
	// Challenge is "http-01" or "tls-alpn-01".
	Challenge string `key:"challenge" reload:"restart" default:"http-01"`
	// Listen is where the challenge is answered: "" is port 80 or 443 of every address.
	Listen string `key:"listen" reload:"restart"`
	// Folder has the account's key and the certificate.
	Folder string `key:"folder" reload:"restart" default:"/var/lib/esplanade/acme"`
	// Key is the kind of the certificate's key, and ReuseKey whether a renewed certificate has the same.
	Key      string `key:"key" reload:"restart" default:"p256"`
	ReuseKey bool   `key:"reuse_key" reload:"restart" default:"false"`
	// Profile is one of the server's kinds of certificates.
	Profile string `key:"profile" reload:"restart" default:""`
	// EABKeyID and EABKey bind the account to one that the server knows.
	EABKeyID string `key:"eab_key_id" reload:"restart" default:""`
	EABKey   Secret `key:"eab_hmac_key" reload:"restart"`
	// CACerts are the CAs of a server whose HTTPS no public CA vouches for.
	CACerts []string `key:"cacerts" reload:"restart"`
	// Roots are the certificates in CACerts; none: those of the system.
	Roots []*x509.Certificate `key:"-"`
}

// Enabled reports whether there is a certificate to get.
func (a *ACME) Enabled() bool { return len(a.Domains) > 0 }

// maxDomains is how many names a certificate has at most; Let's Encrypt has the same limit.
const maxDomains = 100

func readACME(t *table, dir string) (a ACME) {
	if t.fill(&a); a.Folder != "" {
		a.Folder = beside(dir, a.Folder)
	}
	items, ok := t.texts("domains")
	if ok && len(items) == 0 {
		t.emptyList("domains", "write the DNS name of this gateway")
	}
	for _, it := range items {
		if addr, err := netip.ParseAddr(it.text); err == nil && addr.Zone() == "" || isHostname(it.text) && strings.Contains(it.text, ".") {
			a.Domains = append(a.Domains, strings.ToLower(it.text))
			continue
		}
		want := "write a DNS name of this gateway, such as vpn.example.org"
		if strings.HasPrefix(it.text, "*.") {
			want = "write the names themselves; for a pattern servers want a record in the DNS (dns-01), which Esplanade does not write"
		}
		t.errorf(it.at, want, "%s has %s", t.name("domains"), quote(it.text))
	}
	if len(a.Domains) > maxDomains {
		t.errorf(t.at("domains"), "write at most "+strconv.Itoa(maxDomains), "%s has %d names", t.name("domains"), len(a.Domains))
	}
	var at Position
	a.Listen, at = t.strAs("listen", "", "write a port as \":80\", or an address and a port")
	if a.Listen != "" {
		host, port, err := net.SplitHostPort(a.Listen)
		n, errPort := strconv.ParseUint(port, 10, 16)
		_, errHost := netip.ParseAddr(host)
		if err != nil || errPort != nil || n == 0 || host != "" && errHost != nil {
			t.errorf(at, "write a port as \":80\", or an address and a port", "%s is %s", t.name("listen"), quote(a.Listen))
		}
	}
	if text, at := t.str("eab_hmac_key", ""); t.isString("eab_hmac_key") {
		a.EABKey = passphrase(t, []byte(text), at, "eab_hmac_key")
	}
	a.CACerts = readNames(t, "cacerts")
	if a.Source = t.done(); !t.quiet {
		a.check(t)
	}
	return a
}

// check reports what keeps the table from being used.
func (a *ACME) check(t *table) {
	if len(a.keys) == 0 {
		return // there is no such table
	}
	if !a.Has("domains") {
		t.errorf(a.table, "write domains = \"vpn.example.org\", the name by which peers call this gateway", "%s has no domains", t.title())
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		t.errorf(a.At("directory"), "write the URL of an ACME server, which begins with https://", "%s is %s", t.name("directory"), quote(a.Directory))
	}
	if !a.Agree {
		t.errorf(a.At("agree_to_terms"), "read the terms of the server, then write agree_to_terms = true", "%s: nobody has agreed to the terms of %s", t.title(), a.Directory)
	}
	if a.Challenge != "http-01" && a.Challenge != "tls-alpn-01" {
		t.errorf(a.At("challenge"), `write "http-01" (port 80) or "tls-alpn-01" (port 443)`, "%s is %s", t.name("challenge"), quote(a.Challenge))
	}
	if a.Key != "p256" && a.Key != "p384" && a.Key != "rsa3072" {
		t.errorf(a.At("key"), `write "p256", "p384" or "rsa3072"`, "%s is %s", t.name("key"), quote(a.Key))
	}
	if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " \t\r\n?,<>")) {
		t.errorf(a.At("email"), "write an address such as me@example.org, or leave it out", "%s is %s", t.name("email"), quote(a.Email))
	}
	if (a.EABKeyID != "") != (a.EABKey.Len() > 0) {
		t.errorf(a.At("eab_key_id"), "write both, as the operator of the server has given them out, or none", "%s has one of eab_key_id and eab_hmac_key", t.title())
	}
	if a.Folder == "" {
		t.errorf(a.At("folder"), "write the name of a folder", "%s is empty", t.name("folder"))
	}
}

// File is where the certificate is, with its key.
func (a *ACME) File() string {
	name := strings.Map(func(r rune) rune {
		if r == ':' || r == '*' || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, a.Domains[0])
	return filepath.Join(a.Folder, name+".pem")
}

// ListenAddr is where the challenge is answered.
func (a *ACME) ListenAddr() string {
	switch {
	case a.Listen != "":
		return a.Listen
	case a.Challenge == "tls-alpn-01":
		return ":443"
	}
	return ":80"
}
