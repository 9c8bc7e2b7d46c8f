package strongswan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// side converts a section local… or remote… of a connection.
func (c *converter) side(into, from *tree.Table, side string) *failure {
	folders := map[string]string{"certs": "x509", "pubkeys": "pubkey"}
	if side == "remote" {
		folders["cacerts"] = "x509ca"
	}
	files := map[string][]string{}
	first := map[string]tree.Entry{}
	add := func(key string, e tree.Entry, names ...string) {
		if _, ok := first[key]; !ok {
			into.Note(e.Comment.Above...)
			first[key] = tree.Entry{Name: key, At: e.At, Comment: tree.Comment{Beside: e.Comment.Beside}}
			c.set(into, first[key], "") // its place
		}
		for _, n := range names {
			if n = c.file(folders[key], n); !slices.Contains(files[key], n) {
				files[key] = append(files[key], n)
			}
		}
		into.Add(key, e.At, tree.Strings(files[key]))
		into.Beside(key, first[key].Comment.Beside)
	}
	other := func(e tree.Entry) (bool, *failure) {
		if t, ok := e.Value.Data.(*tree.Table); ok {
			key := "certs"
			if strings.HasPrefix(e.Name, "cacert") && side == "remote" {
				key = "cacerts"
			} else if !strings.HasPrefix(e.Name, "cert") {
				return false, nil
			}
			name, f := certificate(e, t)
			if f == nil {
				add(key, e, name)
			}
			return true, f
		}
		text, _ := value(e)
		switch {
		case e.Name == "auth":
			into.Note(e.Comment.Above...)
			method, constraint, err := authMethod(text, side)
			if err != nil {
				return true, &failure{e.At, show(e), err.Error()}
			}
			if constraint != "" {
				c.Leave(into, e.At, fmt.Sprintf("%q of %s", constraint, show(e)), "which keys and hashes are good enough can't be limited")
			}
			c.set(into, e, method)
			return true, nil
		case folders[e.Name] != "":
			names := fields(text)
			for _, n := range names {
				if err := anyText(n); err != nil {
					return true, &failure{e.At, show(e), err.Error()}
				}
			}
			if len(names) > 0 {
				add(e.Name, e, names...)
			}
			return true, nil
		}
		return false, nil
	}
	if f := c.keys(into, from, "connections.NAME."+side, sideKeys(side), other); f != nil {
		return f
	}
	if _, ok := into.Get("auth"); !ok {
		into.Add("auth", tree.Position{}, "pubkey")
	}
	if e, ok := from.Get("groups"); ok && side == "remote" {
		method, _ := into.Get("auth")
		if _, has := into.Get("groups"); has && !strings.HasPrefix(fmt.Sprint(method.Value.Data), "eap") {
			return &failure{e.At, show(e), "only users of EAP are in groups here, and without it everybody with a certificate or key would be let in"}
		}
	}
	return nil
}

// certificate is the file that a section cert… names.
func certificate(e tree.Entry, t *tree.Table) (string, *failure) {
	for k := range t.All() {
		text, _ := value(k)
		switch {
		case k.Name == "file" && text != "" && printable(text):
			return text, nil
		case k.Name == "handle" || k.Name == "slot" || k.Name == "module":
			return "", &failure{k.At, e.Name + " { " + show(k) + " }", "there are no tokens here; put the certificate into a file"}
		}
	}
	return "", &failure{e.At, e.Name + " { … }", "it names no file"}
}

// authMethod takes a word of auth apart: the method, and what limits its keys and hashes.
func authMethod(text, side string) (method, constraint string, err error) {
	text = strings.TrimSpace(text)
	word, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "psk", text == "pubkey":
		return text, "", nil
	case text == "eap-radius", text == "eap-dynamic":
		if side == "local" {
			return "", "", errors.New("it is for remote: a gateway asks for it")
		}
		return text, "", nil
	case slices.Contains([]string{"eap", "eap-mschapv2", "eap-md5", "eap-gtc", "eap-tls", "eap-ttls", "eap-peap"}, word):
		return word, rest, nil
	case strings.HasPrefix(text, "ike:"):
		return "pubkey", text, nil
	}
	for _, p := range []string{"pubkey-", "rsa", "ecdsa", "ed25519", "ed448"} {
		if text == strings.TrimSuffix(p, "-") || strings.HasPrefix(text, strings.TrimSuffix(p, "-")+"-") {
			return "pubkey", text, nil
		}
	}
	if strings.HasPrefix(text, "xauth") {
		return "", "", errors.New("XAuth is IKEv1's")
	}
	return "", "", errors.New("there is no such method here")
}

// file is the whole name of a certificate or key that is named relative to a folder of swanctl's.
func (c *converter) file(folder, name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, folder, name)
	}
	c.named[name] = true
	return name
}

// authority converts a section of authorities.
func (c *converter) authority(into, from *tree.Table) *failure {
	keys := []key{{name: "crl_uris", read: listOf(anyText)}, {name: "ocsp_uris", read: listOf(anyText)}}
	keys = append(keys, none("certificates are not fetched by their hash", nil, "cert_uri_base")...)
	found := false
	f := c.keys(into, from, "authorities.NAME", keys, func(e tree.Entry) (bool, *failure) {
		text, ok := value(e)
		switch {
		case !ok:
			return false, nil
		case e.Name == "cacert" || e.Name == "file":
			if err := anyText(text); err != nil || text == "" {
				return true, &failure{e.At, show(e), "it names no file"}
			}
			into.Note(e.Comment.Above...)
			into.Add("cacert", e.At, c.file("x509ca", text))
			into.Beside("cacert", e.Comment.Beside)
			found = true
			return true, nil
		case slices.Contains([]string{"handle", "slot", "module"}, e.Name):
			return true, &failure{e.At, show(e), "there are no tokens here; put the certificate into a file"}
		}
		return false, nil
	})
	if f == nil && !found {
		f = &failure{at: tree.Position{}, why: "it has no cacert"}
	}
	return f
}
