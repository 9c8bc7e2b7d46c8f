package strongswan

import (
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// credentials names the folders with certificates and keys, which swanctl loads whole, as far as there is anything in them. The files stay where
// they are.
func (c *converter) credentials() {
	t := tree.New(c.dir)
	for _, key := range []string{"x509", "x509ca", "x509crl", "x509ocsp"} {
		if len(c.in(key)) > 0 {
			t.Add(key, tree.Position{}, filepath.Join(c.dir, key))
		}
	}
	for _, k := range []struct {
		key     string
		folders []string
	}{{"private", []string{"private", "rsa", "ecdsa", "pkcs8"}}, {"pkcs12", []string{"pkcs12"}}} {
		var names []string
		for _, folder := range k.folders {
			names = append(names, c.withoutPassphrase(folder)...)
		}
		if len(names) > 0 {
			t.Add(k.key, tree.Position{}, tree.Strings(names))
		}
	}
	if t.Len() > 0 {
		t.Settle()
		root := c.Root()
		root.Note("Certificates and keys stay where swanctl has them.")
		root.Add("credentials", tree.Position{}, t)
	}
	for _, folder := range []string{"x509aa", "x509ac"} {
		for _, f := range c.in(folder) {
			c.Leave(c.Root(), tree.Position{File: f}, filepath.Base(f), "there are no attribute certificates here")
		}
	}
	for _, f := range c.in("pubkey") {
		if !c.named[f] {
			c.Leave(c.Root(), tree.Position{File: f}, filepath.Base(f), "a public key counts for connections that name it in pubkeys")
		}
	}
}

// in are the files of a folder, but for hidden ones.
func (c *converter) in(folder string) []string {
	all, _ := c.Files.Glob(filepath.Join(quoteGlob(c.dir), folder, "*")) // there is nothing wrong with the pattern
	return all
}

// withoutPassphrase is a folder with keys, or, if some of them have a passphrase and so a table of their own, the others.
func (c *converter) withoutPassphrase(folder string) []string {
	all := c.in(folder)
	rest := slices.DeleteFunc(slices.Clone(all), func(f string) bool { return c.named[f] })
	switch {
	case len(all) == 0:
		return nil
	case len(rest) == len(all):
		return []string{filepath.Join(c.dir, folder)}
	}
	return rest
}

// quoteGlob is a name as a pattern that fits nothing else.
func quoteGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
