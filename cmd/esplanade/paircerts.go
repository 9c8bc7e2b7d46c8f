package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"esplanade/config"
	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// pairCADays is how long the CA of a pair is valid, and pairDays how long the certificates are.
const (
	pairCADays = 3650
	pairDays   = 824
)

// withCertificates makes a CA in a folder of its own, issues both ends a certificate, and writes their configurations. Nothing is written
// over; what was made is removed if something fails.
func (p tunnelPair) withCertificates(out string) (files []pairFile, err error) {
	dir := filepath.Join(out, defaultPKI)
	for _, path := range []string{dir, filepath.Join(out, "here"), filepath.Join(out, "there")} {
		if err := wantFree(path); err != nil {
			return nil, err
		}
	}
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		return nil, err
	}
	a, err := ca.NewRoot(time.Now(), ca.Root{Validity: pairCADays * ca.Day}, key)
	if err != nil {
		return nil, err
	}
	if err := folder.Init(dir, a, nil); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	err = inFolder(dir, func(f *folder.Folder) error {
		for _, x := range []struct {
			end         string
			self, other pairEnd
		}{{"here", p.here, p.there}, {"there", p.there, p.here}} {
			list, err := p.certFiles(f, x.end, x.self, x.other)
			if err != nil {
				return err
			}
			files = append(files, list...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := writeFiles(out, files); err != nil {
		return nil, err
	}
	return files, p.checkFiles(out)
}

// certFiles issues the certificate of an end, and makes all that it gets.
func (p tunnelPair) certFiles(f *folder.Folder, end string, self, other pairEnd) ([]pairFile, error) {
	o := folder.Order{Request: ca.Request{CommonName: self.gateway.Text, Validity: pairDays * ca.Day}, Kind: ca.KindP256}
	if err := o.Request.Names.Add(self.gateway.Text); err != nil {
		return nil, err
	}
	issued, err := f.Pair(time.Now(), o)
	if err != nil {
		return nil, err
	}
	var texts [3]string
	for i, path := range []string{f.CAFile(), issued.CertFile, issued.KeyFile} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		texts[i] = string(data)
	}
	crt, key := p.name+".crt", p.name+".key"
	if end == "there" && p.strongswan {
		const etc = "/etc/swanctl/"
		root := p.name + "-ca.crt"
		conf := p.swanctlWith("pubkey", "      certs = "+crt+"\n", "      cacerts = "+root+"\n", "")
		return []pairFile{{end, p.name + ".conf", etc + "conf.d/" + p.name + ".conf", conf}, {end, root, etc + "x509ca/" + root, texts[0]},
			{end, crt, etc + "x509/" + crt, texts[1]}, {end, key, etc + "private/" + key, texts[2]}}, nil
	}
	const etc = "/etc/esplanade/"
	proof := fmt.Sprintf("local        = { id = %q, certs = %q }\nremote       = { id = %q }\n", self.gateway.Text, crt, other.gateway.Text)
	text := p.toml(self, other, proof) + fmt.Sprintf("[credentials]\nx509ca       = \"ca.crt\"\nprivate      = %q\n", key)
	return []pairFile{{end, "esplanade.toml", etc + "esplanade.toml", text}, {end, "ca.crt", etc + "ca.crt", texts[0]},
		{end, crt, etc + crt, texts[1]}, {end, key, etc + key, texts[2]}}, nil
}

// checkFiles reads what was written as the daemon would read it.
func (p tunnelPair) checkFiles(out string) error {
	for _, end := range []string{"here", "there"} {
		if end == "there" && p.strongswan {
			continue
		}
		if _, err := config.Load(filepath.Join(out, end, "esplanade.toml")); err != nil {
			return fmt.Errorf("that makes no configuration: %w", err)
		}
	}
	return nil
}
