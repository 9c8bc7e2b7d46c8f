package config

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config/tree"
	"esplanade/ike/vici"
)

// recorded are the packets that a swanctl has sent, each behind its length, as they are on the socket. What was run is in
// testdata/swanctl/README.md.
func recorded(t *testing.T, name string) (out []vici.Packet) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "swanctl", name))
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := binary.BigEndian.Uint32(data)
		p, err := vici.ParsePacket(data[4 : 4+n])
		if err != nil {
			t.Fatal(err)
		}
		out, data = append(out, p), data[4+n:]
	}
	return out
}

// play loads what packets say. Errors are the lines that whoever sent them would see.
func play(t *testing.T, l *Loaded, packets []vici.Packet) (*Loaded, []string) {
	t.Helper()
	var errs []string
	vici_ := Position{File: OriginVICI}
	for _, p := range packets {
		var err error
		value := func(key string) string { return p.Message.Get(key) }
		each := func(add func(Section) (*Loaded, error)) {
			for e := range p.Message.All() {
				l, err = add(Section{Name: e.Name, At: vici_, Table: fill(tree.New(OriginVICI), e.Section)})
			}
		}
		switch p.Name {
		case "load-conn":
			each(l.WithConnection)
		case "load-pool":
			each(l.WithPool)
		case "load-authority":
			each(l.WithAuthority)
		case "load-cert":
			l, err = l.WithCertificate(Certificate{Type: value("type"), Flag: CertificateFlag(value("flag")), Data: []byte(value("data")), At: vici_})
		case "load-key":
			l, _, err = l.WithKey([]byte(value("data")), nil, vici_)
		case "load-shared":
			l, err = l.WithShared(Shared{ID: value("id"), Kind: value("type"), Data: NewSecret([]byte(value("data"))), Owners: p.Message.List("owners"), At: vici_})
		}
		if err != nil {
			errs = append(errs, p.Name+": "+err.Error())
		}
	}
	return l, errs
}

func TestRecorded(t *testing.T) {
	file, err := Parse("x.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	l, errs := play(t, nil, recorded(t, "everything.vici"))
	t.Log(strings.Join(errs, "\n"))
	c, problems := file.With(l)
	t.Log(problems)
	t.Log(Errors(c.Warnings))
	t.Log(l.KeyIDs(), l.SharedIDs(), l.Pools(), l.Authorities(), l.Connections())
}
