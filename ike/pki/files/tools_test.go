package files

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// bench is a folder in which other programs make files.
type bench struct {
	t   *testing.T
	dir string
}

// run runs a program there and reports whether it has made what it should: versions differ in what they can do.
func (b bench) run(args ...string) bool {
	b.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Logf("%s: %v\n%s", strings.Join(args, " "), err, out)
		return false
	}
	return true
}

func (b bench) read(name string) []byte {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// need skips a test on a machine without a program.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("there is no %s here", program)
	}
}

// TestOpenSSL reads what the OpenSSL of this machine makes: each kind of key in each form and encryption that it can.
func TestOpenSSL(t *testing.T) {
	need(t, "openssl")
	b := bench{t, t.TempDir()}
	made := 0
	for _, kind := range [][]string{
		{"rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, {"pss", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"},
		{"p256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, {"p384", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
		{"p521", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, {"ed25519", "-algorithm", "ED25519"}, {"ed448", "-algorithm", "ED448"},
	} {
		name := kind[0]
		if !b.run(append([]string{"openssl", "genpkey", "-out", name}, kind[1:]...)...) {
			continue
		}
		plain, err := PrivateKey(b.read(name), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		forms := map[string][]string{
			"der":         {"openssl", "pkcs8", "-topk8", "-nocrypt", "-in", name, "-outform", "DER", "-out"},
			"aes256":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2", "aes-256-cbc", "-passout", "pass:secret", "-out"},
			"aes192":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2", "aes-192-cbc", "-passout", "pass:secret", "-out"},
			"aes128":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2", "aes-128-cbc", "-passout", "pass:secret", "-out"},
			"3des":        {"openssl", "pkcs8", "-topk8", "-in", name, "-v2", "des3", "-passout", "pass:secret", "-out"},
			"scrypt":      {"openssl", "pkcs8", "-topk8", "-in", name, "-scrypt", "-passout", "pass:secret", "-out"},
			"sha1":        {"openssl", "pkcs8", "-topk8", "-in", name, "-v2prf", "hmacWithSHA1", "-passout", "pass:secret", "-out"},
			"sha224":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2prf", "hmacWithSHA224", "-passout", "pass:secret", "-out"},
			"sha384":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2prf", "hmacWithSHA384", "-passout", "pass:secret", "-out"},
			"sha512":      {"openssl", "pkcs8", "-topk8", "-in", name, "-v2prf", "hmacWithSHA512", "-passout", "pass:secret", "-out"},
			"traditional": {"openssl", "pkey", "-traditional", "-in", name, "-out"},
			"old":         {"openssl", "pkey", "-traditional", "-aes256", "-in", name, "-passout", "pass:secret", "-out"},
			"old3des":     {"openssl", "pkey", "-traditional", "-des3", "-in", name, "-passout", "pass:secret", "-out"},
		}
		for form, args := range forms {
			if name != "p256" && strings.HasPrefix(form, "sha") || name == "pss" && form != "der" || name == "rsa" && form == "scrypt" {
				continue // the encryption is the same for every kind
			}
			file := name + "." + form
			if !b.run(append(args, file)...) {
				continue
			}
			made++
			k, err := PrivateKey(b.read(file), []byte("secret"))
			if err != nil || !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(plain.Public()) {
				t.Errorf("%s: %v", file, err)
			}
		}
		if b.run("openssl", "pkey", "-in", name, "-pubout", "-out", name+".pub") && name != "pss" {
			keys, err := PublicKeys(b.read(name + ".pub"))
			if err != nil || len(keys) != 1 || !plain.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(keys[0]) {
				t.Errorf("%s.pub: %v", name, err)
			}
		}
		if !b.run("openssl", "req", "-x509", "-key", name, "-subj", "/CN="+name, "-days", "30", "-out", name+".crt") {
			continue
		}
		for _, bundle := range [][]string{{"new"}, {"legacy", "-legacy"}, {"aes128", "-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"}, {"nomac", "-certpbe", "NONE"}} {
			file := name + "." + bundle[0] + ".p12"
			if !b.run(append([]string{"openssl", "pkcs12", "-export", "-inkey", name, "-in", name + ".crt", "-passout", "pass:secret", "-out", file}, bundle[1:]...)...) {
				continue
			}
			made++
			p, err := PKCS12(b.read(file), []byte("secret"))
			switch {
			case name == "ed448" || name == "pss":
				wantReason(t, file, err, Unsupported, "") // the module for bundles knows neither
			case err != nil || len(p.Certs) != 1 || !p.Key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(plain.Public()):
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if made < 25 {
		t.Errorf("only %d files were made", made)
	}
}

// TestSSHKeygen reads what the ssh-keygen of this machine makes.
func TestSSHKeygen(t *testing.T) {
	need(t, "ssh-keygen")
	b := bench{t, t.TempDir()}
	for _, kind := range [][]string{{"rsa", "-b", "2048"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "384"}, {"ecdsa", "-b", "521"}, {"ed25519"}} {
		for _, form := range [][]string{{"openssh"}, {"cipher", "-Z", "aes256-gcm@openssh.com"}, {"pem", "-m", "PEM"}, {"pkcs8", "-m", "PKCS8"}} {
			for _, pass := range []string{"", "secret"} {
				if kind[0] == "rsa" && (form[0] == "cipher" || pass == "") {
					continue // to make one takes a second
				}
				name := strings.Join(append([]string{kind[0], form[0], pass}, kind[1:]...), "-")
				args := append([]string{"ssh-keygen", "-q", "-t", kind[0], "-N", pass, "-C", "", "-f", name}, kind[1:]...)
				if !b.run(append(args, form[1:]...)...) {
					continue
				}
				k, err := PrivateKey(b.read(name), []byte("secret"))
				var e *Error
				if err != nil && form[0] == "cipher" {
					if e, _ = err.(*Error); e != nil && e.Reason == Unsupported {
						continue // with what to do
					}
				}
				pub, errPub := PublicKeys(b.read(name + ".pub"))
				if err != nil || errPub != nil || len(pub) != 1 || !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(pub[0]) {
					t.Errorf("%s: %v, %v", name, err, errPub)
				}
			}
		}
	}
}

// TestStrongSwan reads what the pki of strongSwan makes.
func TestStrongSwan(t *testing.T) {
	need(t, "pki")
	b := bench{t, t.TempDir()}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		if !b.run("sh", "-c", "pki --gen --type "+kind+" --outform pem > "+kind+".key") ||
			!b.run("sh", "-c", "pki --self --ca --type priv --in "+kind+".key --dn CN="+kind+" --outform pem > "+kind+".crt") ||
			!b.run("sh", "-c", "pki --signcrl --cacert "+kind+".crt --cakey "+kind+".key --outform pem > "+kind+".crl") {
			continue
		}
		k, err := PrivateKey(b.read(kind+".key"), nil)
		c, errC := Certificates(b.read(kind + ".crt"))
		l, errL := CRLs(b.read(kind + ".crl"))
		if err != nil || errC != nil || errL != nil || len(c) != 1 || len(l) != 1 || !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(c[0].PublicKey) {
			t.Errorf("%s: %v, %v, %v", kind, err, errC, errL)
		}
	}
}

// TestCosts: a file that asks for more work than is done is refused before any is done, wherever it says so.
func TestCosts(t *testing.T) {
	_, err := derivePBKDF2(pbkdf2Params(MaxIterations+1), []byte("secret"), 32)
	wantReason(t, "PBKDF2", err, TooCostly, "openssl pkcs8 -topk8")
	if _, err := derivePBKDF2(pbkdf2Params(20000), []byte("secret"), 32); err != nil {
		t.Errorf("a number that people choose: %v", err)
	}
	ssh, _ := pem.Decode(read(t, "ssh-ed25519"))
	i := strings.Index(string(ssh.Bytes), "bcrypt") + len("bcrypt") + 4 + 4 + 16 // the options, the salt
	if rounds := ssh.Bytes[i : i+4]; rounds[3] == 0 || rounds[2] != 0 {
		t.Fatalf("the rounds are not at %d: %x", i, rounds)
	}
	ssh.Bytes[i+2] = 0x10 // 4096 more
	_, errSSH := PrivateKey(pem.EncodeToMemory(ssh), []byte("secret"))
	wantReason(t, "rounds of bcrypt", errSSH, TooCostly, "ssh-keygen -p -a 16 -f FILE")

	key, errKey := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if errKey != nil {
		t.Fatal(errKey)
	}
	for what, enc := range map[string]*pkcs12.Encoder{"old": pkcs12.LegacyDES, "new": pkcs12.Modern2023} {
		ca := mustCerts(t, "ca.pem")[0]
		ok, err := enc.WithIterations(4096).Encode(key, ca, nil, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if costly(ok, 0) {
			t.Errorf("%s: 4096 iterations are refused", what)
		}
	}
	for _, x := range []struct {
		iterations int64
		want       bool
	}{{2048, false}, {MaxIterations, false}, {MaxIterations + 1, true}, {1 << 40, true}} {
		for what, der := range map[string][]byte{"bare": pbe(x.iterations), "wrapped": octets(pbe(x.iterations)), "twice": octets(octets(pbe(x.iterations)))} {
			if costly(der, 0) != x.want {
				t.Errorf("%d iterations, %s: %v", x.iterations, what, !x.want)
			}
		}
	}
	deep := []byte{5, 0}
	for range maxDepth + 2 {
		if len(deep) > 120 {
			break
		}
		deep = append([]byte{0x30, byte(len(deep))}, deep...)
	}
	if !costly(deep, 0) {
		t.Error("what is nested without end is looked through")
	}
}

// pbe are the parameters of an encryption with so many iterations.
func pbe(iterations int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString([]byte("\xffsalt"))
		b.AddASN1Int64(iterations)
	})
	return b.BytesOrPanic()
}

// pbkdf2Params are the parameters of PBKDF2 with so many iterations, as deriveKey hands them on.
func pbkdf2Params(iterations int64) cryptobyte.String { return cryptobyte.String(pbe(iterations)) }

func octets(der []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1OctetString(der)
	return b.BytesOrPanic()
}

// TestScryptCosts: memory and work of scrypt are bounded.
func TestScryptCosts(t *testing.T) {
	block, _ := pem.Decode(read(t, "ec-scrypt.pem"))
	// scrypt's N stands behind its salt as the INTEGER 16384.
	i := strings.Index(string(block.Bytes), "\x02\x02\x40\x00")
	if i < 0 {
		t.Fatal("N is not 16384")
	}
	for _, n := range []byte{0x7f, 0x41} { // 32512, 16640: no powers of two
		b := append([]byte{}, block.Bytes...)
		b[i+2] = n
		_, err := PrivateKey(b, []byte("secret"))
		wantReason(t, "an N that is no power of two", err, Malformed, "scrypt")
	}
	r := i + 4 // INTEGER 8
	b := append([]byte{}, block.Bytes...)
	if b[r] != 2 || b[r+1] != 1 || b[r+2] != 8 || b[r+5] != 1 {
		t.Fatal("r is not 8")
	}
	b[i+2], b[r+2], b[r+5] = 0x40, 127, 1 // 16384 * 127 * 128 bytes
	if _, err := PrivateKey(b, []byte("secret")); err == nil || err.(*Error).Reason != WrongPassphrase {
		t.Errorf("266 million bytes: %v", err)
	}
	b[r+5] = 127 // 127 times as often
	_, err := PrivateKey(b, []byte("secret"))
	wantReason(t, "scrypt with too much work", err, TooCostly, "openssl pkcs8")
}
