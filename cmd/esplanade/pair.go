package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
)

func newPair() *cobra.Command {
	var here, there, name, out, peer string
	var certs bool
	c := &cobra.Command{
		Use:   "pair --here ADDRESS=NETWORKS --there ADDRESS=NETWORKS",
		Short: "Write the configurations of both ends of a tunnel, and a key",
		Long: `Pair writes what the two ends of a tunnel need: a configuration each, and a fresh key that both have. ADDRESS is the outer
address or the DNS name of a gateway; NETWORKS are the networks behind it, separated by commas. A network that is written with the
gateway's own address in it, as 10.10.0.1/24, puts that address on the gateway's tunnel device: do that where no interface has one.

    esplanade pair --here 203.0.113.10=10.10.0.0/24 --there 198.51.100.20=10.20.0.0/24

prints everything. With --out DIR it is written to files instead, in DIR/here and DIR/there, which nobody else can read; none is
overwritten. With --peer strongswan the other end is a swanctl.conf, which gives that host no address: pair says which command does.

With --certs the ends prove themselves by certificates in place of a key. --out DIR is needed for that: the CA is made in DIR/pki, where
"esplanade pki" issues and revokes for more of them.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if here == "" || there == "" {
				return usageError{c, "pair needs --here and --there, such as --here 203.0.113.10=10.10.0.0/24 --there 198.51.100.20=10.20.0.0/24"}
			}
			p, err := newTunnelPair(name, here, there, peer)
			if err != nil {
				return usageError{c, err.Error()}
			}
			if certs {
				if out == "" {
					return usageError{c, "pair --certs needs --out DIR: the CA has to be kept somewhere"}
				}
				files, err := p.withCertificates(out)
				if err != nil {
					return err
				}
				return p.saySteps(c.OutOrStdout(), out, files)
			}
			files, err := p.files(freshKey())
			if err != nil {
				return err
			}
			if out == "" {
				return printFiles(c.OutOrStdout(), files)
			}
			if err := writeFiles(out, files); err != nil {
				return err
			}
			return p.saySteps(c.OutOrStdout(), out, files)
		},
	}
	c.Flags().StringVar(&here, "here", "", "this end, `ADDRESS=NETWORKS`")
	c.Flags().StringVar(&there, "there", "", "the other end, `ADDRESS=NETWORKS`")
	c.Flags().StringVar(&name, "name", "tunnel", "what the connection is called at both ends")
	c.Flags().StringVar(&out, "out", "", "the `directory` to write files to, in place of standard output")
	c.Flags().BoolVar(&certs, "certs", false, "certificates of a new CA in place of a pre-shared key")
	c.Flags().StringVar(&peer, "peer", "esplanade", "what the other end runs: \"esplanade\" or \"strongswan\"")
	return c
}

// keyBytes is the size of a fresh key: as strong as the strongest cipher that can be negotiated.
const keyBytes = 32

// freshKey is a key of 256 bits, as text that both ends use as it is written: hexadecimal digits, which are never taken for one of
// swanctl's forms of a secret. Base64 may begin with "0s" or "0x".
func freshKey() string {
	b := make([]byte, keyBytes)
	rand.Read(b) // which never fails
	return hex.EncodeToString(b)
}

// pairFile is a file of one of the two ends.
type pairFile struct {
	end     string // "here" or "there"
	name    string
	install string // where it belongs on that host
	text    string
}

// printFiles prints the files, each below a line that says where it belongs.
func printFiles(w io.Writer, files []pairFile) error {
	for i, f := range files {
		space := "\n"
		if i == 0 {
			space = ""
		}
		if _, err := fmt.Fprintf(w, "%s#### %s: %s (chmod 600)\n%s", space, f.end, f.install, f.text); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes the files below a directory, for the eyes of this user only. If one of them is there already, none is written; if
// writing fails, what was made is removed.
func writeFiles(dir string, files []pairFile) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("--out is %s, which is a file; name a directory", dir)
	}
	for _, f := range files {
		if err := wantFree(filepath.Join(dir, f.end, f.name)); err != nil {
			return err
		}
	}
	var made made
	for _, f := range files {
		if err := made.file(filepath.Join(dir, f.end, f.name), f.text); err != nil {
			return errors.Join(err, made.remove())
		}
	}
	return nil
}

// wantFree is an error where there is something of that name.
func wantFree(path string) error {
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return fmt.Errorf("cannot write %s: it is there already; name another directory, or remove it: the key in it may be in use", path)
}

// made are the files and directories that a run has made, in this order.
type made []string

// file makes a file that was not there, and its directory.
func (m *made) file(path, text string) error {
	if err := m.dir(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	*m = append(*m, path)
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// dir makes a directory, and those above it, where there are none.
func (m *made) dir(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if up := filepath.Dir(path); up != path {
		if err := m.dir(up); err != nil {
			return err
		}
	}
	err := os.Mkdir(path, 0o700)
	if err == nil {
		*m = append(*m, path)
	} else if errors.Is(err, fs.ErrExist) {
		if info, errStat := os.Stat(path); errStat == nil && info.IsDir() {
			return nil // somebody else has made it meanwhile
		}
	}
	return err
}

// remove takes them away again, the last one first. A directory in which somebody else has put something stays.
func (m made) remove() (err error) {
	for _, path := range slices.Backward(m) {
		if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
