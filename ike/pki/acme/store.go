package acme

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"esplanade/ike/pki/ca"
)

// The names in the folder.
const (
	accountName = "account.key"
	recordName  = "state.json"
)

// maxStored is how large a file here is at most.
const maxStored = 1 << 20

// CertFile is the file that has the certificate for some domains with its key.
func CertFile(folder string, domains []string) string {
	name := strings.Map(func(r rune) rune {
		if r == ':' || r == '*' || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, domains[0])
	return filepath.Join(folder, name+".pem")
}

// pair is a private key with the chain that was issued for it.
type pair struct {
	key   crypto.Signer
	leaf  *x509.Certificate
	chain [][]byte // DER, that of leaf first
}

func (p *pair) kind() ca.Kind { return ca.KindOf(p.key.Public()) }

// store is the folder.
type store struct{ folder string }

// prepare makes the folder.
func (s store) prepare() error {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return fmt.Errorf("the folder of ACME cannot be made: %w; let the user that runs esplanade write there, or name another one with folder", err)
	}
	return nil
}

// write puts a file there whole: to a temporary one, to the disk, and renamed.
func (s store) write(path string, data []byte) (err error) {
	if err := s.prepare(); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.folder, ".writing-*") // mode 0600, and hidden from whoever reads the folder
	if err != nil {
		return fmt.Errorf("%w; let the user that runs esplanade write there, or name another folder", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(s.folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read reads a file; nil if there is none.
func (s store) read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxStored) {
		err = fmt.Errorf("%s is no file that was written here", path)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// account is the key of the account, a new one if there is none. It is ECDSA P-256, which every server knows (RFC 8555, "Request Authentication").
func (s store) account() (crypto.Signer, error) {
	path := filepath.Join(s.folder, accountName)
	data, err := s.read(path)
	if err != nil {
		return nil, err
	}
	if data != nil {
		key, err := ca.DecodeKey(data)
		if err != nil {
			return nil, fmt.Errorf("the account's key %s cannot be read: %w; put it back from a backup, or remove it for a new account", path, err)
		}
		return key, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if data, err = ca.EncodeKey(key); err != nil {
		return nil, err
	}
	return key, s.write(path, data)
}

// pair reads the certificate and its key; nil if there is none. A file that is broken is taken for none: another certificate is better.
func (s store) pair(path string) (*pair, error) {
	data, err := s.read(path)
	if err != nil || data == nil {
		return nil, err
	}
	key, err := ca.DecodeKey(data)
	if err != nil {
		return nil, nil
	}
	p := &pair{key: key}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			p.chain = append(p.chain, block.Bytes)
		}
	}
	if len(p.chain) == 0 {
		return nil, nil
	}
	if p.leaf, err = x509.ParseCertificate(p.chain[0]); err != nil || !ca.Fits(p.leaf, key) {
		return nil, nil
	}
	return p, nil
}

// writePair writes a key and its chain into one file, so that they fit whenever it is read.
func (s store) writePair(path string, p *pair) error {
	key, err := ca.EncodeKey(p.key)
	if err != nil {
		return err
	}
	b := bytes.NewBuffer(key)
	for _, der := range p.chain {
		if err := pem.Encode(b, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return err
		}
	}
	return s.write(path, b.Bytes())
}

// record is what is known of attempts, also by the next daemon.
type record struct {
	What     string    `json:"what"`     // server, names and kind of key
	Last     time.Time `json:"last"`     // attempt
	Next     time.Time `json:"next"`     // attempt, at the earliest
	Failures int       `json:"failures"` // in a row; an attempt counts from its beginning on
}

// record reads the record. One that is broken is none.
func (s store) record() (r record, err error) {
	data, err := s.read(filepath.Join(s.folder, recordName))
	if err != nil || data == nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, nil
	}
	return r, nil
}

func (s store) save(r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return s.write(filepath.Join(s.folder, recordName), append(data, '\n'))
}

// failuresOf are the failures in a row; what was refused for something else says nothing.
func (r record) failuresOf(what string) int {
	if r.What != what {
		return 0
	}
	return max(r.Failures, 0)
}

// begin is the record of an attempt that begins, as if it had failed.
func (r record) begin(now time.Time, what string) record {
	n := r.failuresOf(what) + 1
	return record{What: what, Last: now, Next: now.Add(jitter(pause(n))), Failures: n}
}

// issued is the record of an attempt that has got a certificate. A third of its time has to pass before the next one, whatever the clock
// says then: one that is far ahead would have every certificate renewed at once. A certificate that lasts for no time at all is no reason to
// ask without a pause.
func issued(now time.Time, what string, c *x509.Certificate) record {
	return record{What: what, Last: now, Next: now.Add(max(c.NotAfter.Sub(c.NotBefore)/3, firstPause))}
}

// lostPause is how long after a certificate was issued another one may be asked for if its file is no longer there.
const lostPause = time.Hour

// after is when the next attempt may begin; good reports whether the last certificate is there. If the clock has gone back, it is not
// further away than the pause that was chosen.
func (r record) after(now time.Time, what string, good bool) time.Time {
	if r.What != what {
		return now
	}
	wait := max(r.Next.Sub(r.Last), 0)
	if r.Failures <= 0 && !good {
		wait = min(wait, lostPause)
	}
	next := r.Last.Add(wait)
	if limit := now.Add(wait); next.After(limit) {
		return limit
	}
	return next
}
