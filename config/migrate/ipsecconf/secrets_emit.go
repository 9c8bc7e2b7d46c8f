package ipsecconf

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// secretsWriter writes what was made of ipsec.secrets.
type secretsWriter struct {
	*reader
	private, pkcs12 []string // files without a passphrase
	first           tree.Position
}

// writeSecrets writes all entries but the pre-shared keys that connections have for themselves.
func (r *reader) writeSecrets(entries []secretEntry, list []*made) {
	w := &secretsWriter{reader: r}
	keys := r.sharedKeys(entries, list)
	own := r.ownKeys(keys, list)
	for i, e := range entries {
		if w.first.File == "" {
			w.first = e.at
		}
		switch e.kind {
		case "PSK":
			if !own[i] {
				w.psk(e, keys.open[i])
			}
		case "EAP", "NTLM":
			w.password(e)
		case "RSA", "ECDSA", "BLISS", "PKCS8", "PRIV":
			w.key(e)
		case "P12":
			w.bundle(e)
		case "PPKS", "PPK-STATIC", "PPK":
			w.ppk(e)
		case "XAUTH":
			w.leaveSecret(e, "XAUTH is of IKEv1, which does not exist here")
		case "PIN":
			w.leaveSecret(e, "smart cards can't be used")
		default:
			w.leaveSecret(e, "there is no such kind")
		}
	}
	for _, f := range []struct {
		key  string
		list []string
	}{{"private", w.private}, {"pkcs12", w.pkcs12}} {
		if len(f.list) > 0 {
			w.section("credentials").Add(f.key, w.first, tree.Strings(f.list))
		}
	}
}

// leaveSecret notes that an entry is not carried over, without its secret.
func (w *secretsWriter) leaveSecret(e secretEntry, why string) {
	what := ": " + shorten(e.kind)
	if len(e.ids) > 0 {
		what = shorten(strings.Join(e.ids, " ")) + " " + what
	}
	w.Leave(w.section("secrets"), e.at, what, why)
}

// section is the table of a path below the top.
func (w *secretsWriter) section(path ...string) *tree.Table {
	t := w.Root()
	for _, p := range path {
		t = t.AddSection(p)
	}
	return t
}

// secret is the octets of an entry's secret.
func (w *secretsWriter) secret(e secretEntry) ([]byte, bool) {
	if len(e.args) == 0 {
		w.leaveSecret(e, "it has no secret")
		return nil, false
	}
	b, ok := e.args[0].octets()
	if !ok {
		w.leaveSecret(e, "the secret is empty, or is not what its prefix says")
	}
	return b, ok
}

// identities are those of an entry in our notation, without those for anybody.
func (r *reader) identities(e secretEntry) (ids []string, anybody bool) {
	for _, id := range e.ids {
		if r.dialect == Libreswan {
			var none bool
			if id, none = libreswanIdentity(id); none {
				anybody = true
				continue
			}
		}
		if isAny(id) {
			anybody = true
			continue
		}
		ids = append(ids, id)
	}
	return ids, anybody || len(e.ids) == 0
}

// psk writes a pre-shared key. One that is open to anybody has no identities.
func (w *secretsWriter) psk(e secretEntry, open bool) {
	ids, _ := w.identities(e)
	for _, id := range ids {
		if why := checkIdentity(id); why != "" {
			w.leaveSecret(e, why)
			return
		}
	}
	secret, ok := w.secret(e)
	if !ok {
		return
	}
	if open {
		ids = nil
	}
	table, name := w.section("secrets", "ike"), entryName(ids)
	t := tree.New(e.at.File)
	if len(ids) > 0 {
		t.Add("id", e.at, tree.Strings(ids))
	}
	w.Secret(t, tree.Entry{At: e.at}, migrate.SecretText(secret), name, ".psk")
	table.Add(unique(table, name), e.at, t)
}

// entryName is a name for the table of a secret.
func entryName(ids []string) string {
	if len(ids) == 0 {
		return "anybody"
	}
	return migrate.TableName(strings.TrimLeft(ids[len(ids)-1], "@"))
}

// password writes the password of a user, or its NT hash.
func (w *secretsWriter) password(e secretEntry) {
	ids, _ := w.identities(e)
	if len(ids) == 0 {
		w.leaveSecret(e, "it is nobody's: a password needs the name of its user")
		return
	}
	secret, ok := w.secret(e)
	if !ok {
		return
	}
	text, ending := migrate.SecretText(secret), ".password"
	t := tree.New(e.at.File)
	t.Add("id", e.at, ids[0]) // the others are gateways that it is for
	kind := "eap"
	if e.kind == "NTLM" {
		if len(secret) != 16 {
			w.leaveSecret(e, "it is no NT hash: that has 16 bytes")
			return
		}
		kind, text, ending = "ntlm", hex.EncodeToString(secret), ".nthash"
	}
	name := entryName(ids[:1])
	w.Secret(t, tree.Entry{At: e.at}, text, name, ending)
	table := w.section("secrets", kind)
	table.Add(unique(table, name), e.at, t)
}

// key writes a private key.
func (w *secretsWriter) key(e secretEntry) {
	if w.dialect == Libreswan {
		w.leaveSecret(e, nssKey)
		return
	}
	if len(e.args) == 0 {
		w.leaveSecret(e, "it names no file")
		return
	}
	w.file(e, "private", "private", &w.private)
}

// bundle writes a PKCS #12 file.
func (w *secretsWriter) bundle(e secretEntry) {
	if len(e.args) == 0 {
		w.leaveSecret(e, "it names no file")
		return
	}
	w.file(e, "private", "pkcs12", &w.pkcs12)
}

// file writes a file with its passphrase, or adds it to those that have none.
func (w *secretsWriter) file(e secretEntry, folder, kind string, plain *[]string) {
	file := w.path(folder, e.args[0].text)
	if len(e.args) == 1 {
		if !slices.Contains(*plain, file) {
			*plain = append(*plain, file)
		}
		return
	}
	if e.args[1].text == "%prompt" {
		w.leaveSecret(e, "nobody is asked for a passphrase: write it as secret_file, or decrypt the file")
		return
	}
	t := tree.New(e.at.File)
	t.Add("file", e.at, file)
	name := migrate.TableName(strings.TrimSuffix(baseName(file), extension(file)))
	w.Secret(t, tree.Entry{At: e.at}, e.args[1].text, name, ".passphrase")
	table := w.section("secrets", kind)
	table.Add(unique(table, name), e.at, t)
}

// ppk writes a post-quantum preshared key.
func (w *secretsWriter) ppk(e secretEntry) {
	if len(e.args) != 2 {
		w.leaveSecret(e, "it is not an id and a key")
		return
	}
	secret, ok := e.args[1].octets()
	if !ok {
		w.leaveSecret(e, "the secret is empty, or is not what its prefix says")
		return
	}
	t := tree.New(e.at.File)
	t.Add("id", e.at, e.args[0].text)
	name := migrate.TableName(e.args[0].text)
	w.Secret(t, tree.Entry{At: e.at}, migrate.SecretText(secret), name, ".ppk")
	table := w.section("secrets", "ppk")
	table.Add(unique(table, name), e.at, t)
}

func baseName(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }

func extension(file string) string {
	base := baseName(file)
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		return base[dot:]
	}
	return ""
}

// nssKey is why private keys of libreswan's are not carried over.
const nssKey = "the key is in NSS: " +
	"export it with its certificate (pk12util -d sql:/var/lib/ipsec/nss -n NICKNAME -o NAME.p12), and name the file in pkcs12 of [credentials]"

// nssCertificate is the same for certificates.
func nssCertificate(nick string) string {
	return fmt.Sprintf("the certificate is in NSS: export it with its key (pk12util -d sql:/var/lib/ipsec/nss -n %q -o NAME.p12), "+
		"and name the file in pkcs12 of [credentials]", nick)
}
