package config

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// connection is a configuration with credentials, whose lines begin with the second, and a connection with certificates.
func connection(credentials, local, remote string) string {
	return "[credentials]\n" + credentials + "\n[connections.a]\nremote_addrs = \"198.51.100.20\"\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.2.0.0/24\"\n" +
		"[connections.a.local]\nauth = \"pubkey\"\n" + local + "\n[connections.a.remote]\nauth = \"pubkey\"\n" + remote + "\n"
}

// TestWhatWillFail: check names each thing that will go wrong, the file, the place and what to do.
func TestWhatWillFail(t *testing.T) {
	w := newWorld(t)
	ca := w.issue(nil, "Other CA", nil, isCA)
	soon := func(d time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = w.now.Add(-700*day), w.now.Add(d) }
	}
	put := func(name string, h *holder) {
		w.write(name+".pem", h.pem())
		w.write(name+".key", h.keyPEM(t))
	}
	put("expired", w.issue(ca, "gw", nil, names("gw.example"), soon(-day)))
	put("soon", w.issue(ca, "gw", nil, names("gw.example"), soon(10*day)))
	put("early", w.issue(ca, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.NotBefore = w.now.Add(2 * day) }))
	put("short", w.issue(ca, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.NotBefore, c.NotAfter = w.now.Add(-6*day), w.now.Add(day) }))
	put("fresh", w.issue(ca, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.NotAfter = w.now.Add(6 * day) }))
	put("nosign", w.issue(ca, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }))
	put("critical", w.issue(ca, "gw", nil, names("gw.example"), critical))
	sub := w.issue(ca, "Other Sub", nil, isCA, soon(5*day))
	put("sub", sub)
	put("below", w.issue(sub, "gw", nil, names("gw.example")))
	// As `esplanade pki` has it: the root lies beside what it has issued.
	put("pki/gw", w.issue(ca, "gw", nil, names("gw.example")))
	w.write("pki/ca.crt", ca.pem())
	put("pki2/gw", w.issue(sub, "gw", nil, names("gw.example")))
	w.write("pki2/ca.crt", sub.pem())
	put("twin", w.issue(ca, "gw", nil, names("gw.example")))
	w.write("other.pem", ca.pem())
	w.write("expiredca.pem", w.issue(nil, "Old CA", nil, isCA, soon(-400*day)).pem())
	w.write("nocertsign.pem", w.issue(nil, "No CA", nil, isCA, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }).pem())
	policy := func(oid string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			o, err := x509.ParseOID(oid)
			if err != nil {
				t.Fatal(err)
			}
			c.Policies = append(c.Policies, o)
		}
	}
	w.write("withpolicy.pem", ca.pem()+w.issue(ca, "Policy CA", nil, isCA, policy("1.2.3.4")).pem())
	old := w.issue(nil, "Test CA", nil, isCA) // of the same name as the one that has issued gw.pem
	w.write("sameca.pem", old.pem())
	w.write("old.crl", crl(t, ca, w.now.Add(-40*day), w.now.Add(-10*day)))
	w.write("alien.crl", crl(t, old, w.now.Add(-day), w.now.Add(day)))
	rsa2 := w.issue(nil, "RSA CA", rsaKey(), isCA)
	w.write("rsaca.pem", rsa2.pem())
	put("sha1", w.issue(rsa2, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }))
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	put("withcrl", w.issue(nil, "gw", nil, names("gw.example"), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/"} }))
	w.write("weakca.pem", w.issue(nil, "Weak CA", weak, isCA).pem())

	const cred = `x509ca = ["ca.pem", "other.pem"]
private = "*.key"`
	for _, x := range []struct {
		what, conf string
		want       []string // the beginning and the end of each, around "…"
	}{
		{"nothing", connection(cred, `certs = "gw.pem"`, ""), nil},
		{"expired", connection(cred, `certs = "expired.pem"`, ""), []string{`:10:9: connections.a.local.certs: …expired.pem": the certificate "CN=gw" expired at …the clock here says …; renew it; the file is read again when it has changed`}},
		{"not yet valid", connection(cred, `certs = "early.pem"`, ""), []string{`:10:9: connections.a.local.certs: …early.pem": the certificate "CN=gw" is not valid before …; correct the clock of this host, or wait`}},
		{"ends soon", connection(cred, `certs = "soon.pem"`, ""), []string{`:10:9: …soon.pem": the certificate "CN=gw" expires at …, in 10 days; renew it`}},
		{"a short one that nobody has renewed", connection(cred, `certs = "short.pem"`, ""), []string{`:10:9: …in 24 hours; renew it; …see why that has not been done`}},
		{"a short one that is fresh", connection(cred, `certs = "fresh.pem"`, ""), nil},
		{"an intermediate that ends soon", connection(cred+"\nx509 = \"sub.pem\"", `certs = "below.pem"`, ""), []string{`:11:9: …below.pem": the certificate "CN=Other Sub" expires at …, in 5 days`}},
		{"another identity", connection(cred, "certs = \"gw.pem\"\nid = \"vpn.example\"", ""), []string{
			`:11:1: connections.a.local.id is "vpn.example", and the certificate of …gw.pem" is not for it, so that peers refuse it: it is for "gw.example", "192.0.2.1", "CN=gw"; write id = "gw.example", or have it issued again`}},
		{"another subject", connection(cred, "certs = \"gw.pem\"\nid = \"CN=gw, O=Example\"", ""), []string{`:11:1: …; write id = "CN=gw", or have it issued again`}},
		{"a key that may not sign", connection(cred, `certs = "nosign.pem"`, ""), []string{`:10:9: …nosign.pem": the certificate "CN=gw" is for a key that may not sign…; have it issued again with digitalSignature`}},
		{"a critical extension", connection(cred, `certs = "critical.pem"`, ""), []string{`:10:9: …has a critical extension that nobody knows: 1.2.3`}},
		{"a chain that ends nowhere", connection(cred, `certs = "below.pem"`, ""), []string{`:10:9: …below.pem": the certificate "CN=gw" was issued by "CN=Other Sub", which is not here: a peer that does not have that CA's certificate finds no chain; put the certificate of that CA behind it`}},
		{"the root beside it", connection("x509ca = \"rsaca.pem\"\nprivate = \"pki/gw.key\"", `certs = "pki/gw.pem"`, ""), nil},
		{"an intermediate beside it", connection("x509ca = \"rsaca.pem\"\nprivate = \"pki2/gw.key\"", `certs = "pki2/gw.pem"`, ""), []string{`:10:9: …which is not here…`}},
		{"a CA of the same name", connection("x509ca = \"sameca.pem\"\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:10:9: …names "CN=Test CA" as its issuer, whose certificate here has another key`}},
		{"no CA", connection("x509ca = [\"ca.pem\", \"deep.pem\"]\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:2:21: credentials.x509ca: …deep.pem": the certificate "CN=deep" is not that of a CA`}},
		{"a CA that may not sign", connection(cred, `certs = "gw.pem"`, `cacerts = "nocertsign.pem"`), []string{`:13:11: connections.a.remote.cacerts: …nocertsign.pem": …may not sign certificates; have it issued again with keyCertSign`}},
		{"an expired CA", connection(cred, `certs = "gw.pem"`, `cacerts = "expiredca.pem"`), []string{`:13:11: …the certificate "CN=Old CA" expired at …; ask its owner for a new one`}},
		{"a pinned one for somebody else", connection(cred, `certs = "gw.pem"`, "certs = \"deep.pem\"\nid = \"peer.example\""), []string{`:13:9: connections.a.remote.certs: …deep.pem": …is not for the remote id "peer.example"; it is for "deep.example", "CN=deep"; write id = "deep.example" into [connections.a.remote]`}},
		{"a list that is out of date", connection(cred+"\nx509crl = \"old.crl\"", `certs = "gw.pem"`, ""), []string{`:4:11: credentials.x509crl: …old.crl": the revocation list was to be replaced at …; fetch a new one`}},
		{"a list of nobody", connection("x509ca = \"other.pem\"\nprivate = \"*.key\"\nx509crl = \"alien.crl\"", `certs = "twin.pem"`, ""), []string{`:4:11: …alien.crl": the revocation list is of "CN=Test CA", a CA that is not known here`}},
		{"strict, and nobody to ask", connection(cred, `certs = "gw.pem"`, `revocation = "strict"`), []string{`:13:1: connections.a.remote.revocation is "strict", and nothing here says which certificates were revoked; …; write x509crl = "FILE" into [credentials]`}},
		{"strict, and somebody to ask", connection(cred, `certs = "withcrl.pem"`, `revocation = "strict"`), nil},
		{"strict, and an authority to ask", "[authorities.x]\ncacert = \"ca.pem\"\ncrl_uris = \"http://crl.example/\"\n" + connection(cred, `certs = "gw.pem"`, `revocation = "strict"`), nil},
		{"strict, and the peer says it", strings.Replace(connection(cred, `certs = "gw.pem"`, `revocation = "strict"`), "[connections.a]\n", "[connections.a]\nocsp = \"request\"\n", 1), nil},
		{"a policy that nobody has", connection(cred+"\nx509 = \"withpolicy.pem\"", `certs = "gw.pem"`, `cert_policy = "1.2.3.5"`), []string{`:14:1: connections.a.remote.cert_policy is 1.2.3.5, and the CAs below the roots that are known here issue under other policies: "CN=Policy CA"`}},
		{"a policy that somebody has", connection(cred+"\nx509 = \"withpolicy.pem\"", `certs = "gw.pem"`, `cert_policy = ["1.2.3.5", "1.2.3.4"]`), nil},
		{"two for one identity", connection(cred+"\nx509 = [\"twin.pem\", \"gw.pem\"]", `id = "gw.example"`, ""), []string{`:10:1: connections.a.local has two certificates for "gw.example": …twin.pem" and …gw.pem"; the first that the peer asks for is taken; write certs = "`}},
		{"SHA-1", connection("x509ca = \"rsaca.pem\"\nprivate = \"sha1.key\"", `certs = "sha1.pem"`, ""), []string{`:10:9: …sha1.pem": the certificate "CN=gw" is signed with SHA1-RSA, which peers refuse; have it issued again with SHA-256`}},
		{"a weak CA", connection("x509ca = [\"ca.pem\", \"weakca.pem\"]\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:2:21: …weakca.pem": the certificate "CN=Weak CA" has a weak key: …1024 bits…; use a CA with RSA of 2048 bits or more, or with ECDSA`}},
		{"a CA with RSA", connection(`x509ca = ["ca.pem", "rsaca.pem"]`+"\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), nil},
	} {
		c, errs := w.load(x.conf)
		if len(errs) > 0 {
			t.Errorf("%s: %v", x.what, errs)
			continue
		}
		list := c.CertificateRemarks(w.now)
		for i, p := range list {
			if i >= len(x.want) || !matches(p.String(), x.want[i]) {
				t.Errorf("%s: %s", x.what, p)
			}
			checkProblem(t, p, x.conf)
		}
		if len(list) < len(x.want) {
			t.Errorf("%s: %d remarks, want %s", x.what, len(list), x.want)
		}
	}
}

// matches reports whether a text has the parts of a pattern around "…", in order.
func matches(text, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "…") {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// critical adds an extension that nobody knows.
func critical(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
}

// crl makes a revocation list in PEM.
func crl(t *testing.T, ca *holder, from, to time.Time) string {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: to}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// TestCertificateErrors: what keeps a connection from being used is an error, at the name of the file, with what helps.
func TestCertificateErrors(t *testing.T) {
	w := newWorld(t)
	w.write("other.key", w.issue(nil, "x", nil).keyPEM(t))
	w.write("gw2.pem", w.issue(nil, "gw2", nil).pem())
	w.write("gw2.key", w.issue(nil, "x", nil).keyPEM(t))
	w.write("open.key", w.issue(nil, "x", nil).keyPEM(t))
	if err := os.Chmod(filepath.Join(w.dir, "open.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.write("empty.pem", "")
	both := w.issue(nil, "both", nil)
	w.write("openboth.pem", both.pem()+both.keyPEM(t))
	w.chmod("openboth.pem", 0o644)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := w.issue(nil, "weak", short)
	w.write("weak.pem", weak.pem())
	w.write("weak.key", weak.keyPEM(t))
	w.write("chain.p7b", "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n")
	w.write("certs/x.pem", w.issue(nil, "x", nil, isCA).pem())
	w.write("certs/README", "these are certificates\n")
	own, err := os.ReadFile(filepath.Join(w.dir, "gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("reversed.pem", w.issue(nil, "CA", nil, isCA).pem()+string(own))
	w.write("open.pem", string(own))
	w.chmod("open.pem", 0o644)
	w.write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	if err := os.Mkdir(filepath.Join(w.dir, "none"), 0o700); err != nil {
		t.Fatal(err)
	}
	const cred = "x509ca = \"ca.pem\"\nprivate = \"gw.key\""
	for _, x := range []struct {
		what, conf string
		want       []string
	}{
		{"no such file", connection(cred, `certs = "gv.pem"`, ""), []string{`:10:9: connections.a.local.certs: …gv.pem": no such file or directory; did you mean "gw.pem"?`}},
		{"no such folder", connection("x509ca = \"cas/\"\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:2:10: credentials.x509ca: …cas": no such file or directory; `}},
		{"no key", connection("x509ca = \"ca.pem\"", `certs = "gw.pem"`, ""), []string{`:9:9: connections.a.local.certs: …gw.pem" is the certificate of "CN=gw", and there is no private key for it; write private = "FILE" into [credentials], or a table [secrets.private.NAME]`}},
		{"another key", connection("x509ca = \"ca.pem\"\nprivate = \"other.key\"", `certs = "gw.pem"`, ""), []string{`:10:9: …none of the private keys there are is its own`}},
		{"another key, by its name", connection("x509ca = \"ca.pem\"\nprivate = \"other.key\"", `certs = "gw.pem"`, ""), []string{`:10:9: …is its own: …other.key"; write private = "FILE"`}},
		{"a file in the wrong order", connection(cred, `certs = "reversed.pem"`, ""), []string{`:10:9: connections.a.local.certs: …reversed.pem" begins with the certificate of "CN=CA…", and the private key in …gw.key" is that of its certificate number 2, "CN=gw"; put the gateway's own certificate first`}},
		{"an empty folder of CAs", connection("x509ca = \"none\"\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:12:1: nothing says which CAs connections.a accepts of its peer: there is no file in …none", which credentials.x509ca names; write cacerts`}},
		{"a certificate as key, that others can read", connection("x509ca = \"ca.pem\"\nprivate = \"open.pem\"", `certs = "gw.pem"`, ""), []string{`:3:11: credentials.private: …open.pem" is a certificate, not a private key; name the file with the private key here`}},
		{"a key with a passphrase", connection("x509ca = \"ca.pem\"\nprivate = \"locked.key\"", `certs = "gw.pem"`, ""), []string{`:3:11: credentials.private: …locked.key" is encrypted; remove it here, and write a table [secrets.private.NAME] with file and secret, its passphrase`}},
		{"a method that is none", strings.NewReplacer("[connections.a.local]\nauth = \"pubkey\"", "[connections.a.local]\nauth = \"eap-sim\"", "auth = \"pubkey\"\n", "").Replace(connection(cred, `certs = "gw.pem"`, "")), []string{`:9:8: connections.a.local.auth = "eap-sim" is not supported by this version`}},
		{"no method and no certificate", strings.ReplaceAll(connection(cred, `id = "gw.example"`, `id = "b.example"`), "auth = \"pubkey\"\n", ""), []string{`:8:1: there is no secret for connections.a: none names "b.example"; if certificates are meant, write auth = "pubkey" into [connections.a.local]; otherwise write a table`}},
		{"a key of the same name", connection("x509ca = \"ca.pem\"\nprivate = \"gw2.key\"", `certs = "gw2.pem"`, ""), []string{`:10:9: …the private key in …gw2.key" is another one's`}},
		{"a key that others can read", connection("x509ca = \"ca.pem\"\nprivate = [\"gw.key\", \"open.key\"]", `certs = "gw.pem"`, ""), []string{`:3:22: credentials.private: …open.key" can be used by others than its owner (mode 0644); chmod 600 `}},
		{"RSA below 2048", connection("x509ca = \"ca.pem\"\nprivate = \"weak.key\"", `certs = "weak.pem"`, ""), []string{`:10:9: connections.a.local.certs: the key of …weak.pem" can't be used: the key is too weak: the RSA key has 1024 bits`}},
		{"a certificate with a key that others can read", connection("x509ca = \"ca.pem\"", `certs = "openboth.pem"`, ""), []string{`:9:9: connections.a.local.certs: …openboth.pem" can be used by others than its owner (mode 0644)`}},
		{"an empty file", connection(cred, `certs = "empty.pem"`, ""), []string{`:10:9: …empty.pem" is empty`}},
		{"PKCS #7", connection(cred, `certs = "chain.p7b"`, ""), []string{`:10:9: …chain.p7b" is a PKCS #7 container, not a certificate; openssl pkcs7 -print_certs -in …chain.p7b`}},
		{"a key as certificate", connection(cred, `certs = "gw.key"`, ""), []string{`:10:9: …gw.key" is a private key (PKCS #8), not a certificate`}},
		{"a certificate as key", connection("x509ca = \"ca.pem\"\nprivate = \"gw.pem\"", `certs = "gw.pem"`, ""), []string{`:3:11: credentials.private: …gw.pem" is a certificate, not a private key`}},
		{"something else in a folder", connection("x509ca = \"certs\"\nprivate = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:2:10: …certs/README" is some other text, not a certificate`}},
		{"no CA", connection("private = \"gw.key\"", `certs = "gw.pem"`, ""), []string{`:11:1: nothing says which CAs connections.a accepts of its peer; write cacerts = "FILE" into [connections.a.remote], or x509ca`}},
		{"no certificate", connection(cred, "", ""), []string{`:9:1: connections.a.local has auth = "pubkey", and there is no certificate with a private key for its identity; write certs = "FILE" into [connections.a.local]`}},
		{"none for the identity", connection(cred+"\nx509 = \"gw.pem\"", `id = "vpn.example"`, ""), []string{`:10:1: …for "vpn.example"`}},
		{"no policy", connection(cred, `certs = "gw.pem"`, `cert_policy = "1.2.x"`), []string{`:13:15: an element of connections.a.remote.cert_policy is "1.2.x", which is no object identifier`}},
		{"no word", connection(cred, `certs = "gw.pem"`, `revocation = "hard"`), []string{`:13:14: connections.a.remote.revocation is "hard"; write "relaxed", "ifuri" or "strict"`}},
		{"a key of the other side", connection(cred, "certs = \"gw.pem\"\ncacerts = \"ca.pem\"", ""), []string{`:11:1: unknown key connections.a.local.cacerts; cacerts belongs in [connections.NAME.remote]`}},
		{"one letter less", connection(cred, `certs = "gw.pem"`, `cacert = "ca.pem"`), []string{`:13:1: unknown key connections.a.remote.cacert; did you mean cacerts?`}},
		{"a bundle that is none", "[secrets.pkcs12.x]\nfile = \"gw.pem\"\nsecret = \"x\"\n" + connection(cred, `certs = "gw.pem"`, ""), []string{`:2:1: secrets.pkcs12.x.file: …gw.pem" is a certificate, not a PKCS #12 bundle`}},
		{"a secret without a file", "[secrets.rsa.x]\nsecret = \"x\"\n" + connection(cred, `certs = "gw.pem"`, ""), []string{`:1:1: secrets.rsa.x has no file; write file = "FILE"`}},
		{"two secrets", "[secrets.rsa.x]\nfile = \"gw.key\"\nsecret = \"x\"\nsecret_file = \"y\"\n" + connection(cred, `certs = "gw.pem"`, ""), []string{`:4:1: secrets.rsa.x has both secret and secret_file`}},
		{"swanctl's way to write a section", "[secrets.rsa-x]\nfile = \"gw.key\"\n" + connection(cred, `certs = "gw.pem"`, ""), []string{`:1:1: unknown kind of secret "rsa-x"; write [secrets.rsa.x]`}},
		{"an empty list", connection(cred, `certs = []`, ""), []string{`:10:9: connections.a.local.certs is empty`}},
	} {
		_, errs := w.load(x.conf)
		for i, p := range errs {
			if i >= len(x.want) || !matches(p.String(), x.want[i]) {
				t.Errorf("%s: %s", x.what, p)
			}
			checkProblem(t, p, x.conf)
		}
		if len(errs) < len(x.want) {
			t.Errorf("%s: %d errors, want %s", x.what, len(errs), x.want)
		}
	}
}
