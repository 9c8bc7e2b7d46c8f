package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/files"
)

func newPKIShow() *cobra.Command {
	var password string
	c := &cobra.Command{
		Use:   "show FILE...",
		Short: "Show what is in certificates, keys, bundles and revocation lists",
		Long: `Show prints what a FILE has: certificates in PEM or DER, PKCS#12 bundles, revocation lists, public keys and private keys (of
these, never the private part). "-" is standard input.

Of each certificate of an end it says whether the clients that come with iOS, macOS, Windows and Android would accept it as that of a
gateway, and why not; docs/certificates.md has the rules. The password of a bundle or key is asked for on the terminal, or is the first
line of --password-file.`,
		Args: someArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			for i, name := range args {
				if i > 0 {
					fmt.Fprintln(c.OutOrStdout())
				}
				if len(args) > 1 {
					fmt.Fprintf(c.OutOrStdout(), "==== %s\n", printable(name, maxShown))
				}
				if err := showFile(c, name, password); err != nil {
					return fmt.Errorf("%s: %w", printable(name, maxShown), err)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&password, "password-file", "", "a `file` whose first line is the password")
	return c
}

// readFile reads a file, or standard input, up to the size of the largest that is read here.
func readFile(c *cobra.Command, name string) (data []byte, err error) {
	var r io.Reader = c.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, withoutPath(err)
		}
		defer f.Close()
		r = f
	}
	data, err = io.ReadAll(io.LimitReader(r, files.MaxCRL+1))
	if err == nil && len(data) > files.MaxCRL {
		err = fmt.Errorf("it is larger than %d bytes: no file of certificates", files.MaxCRL)
	}
	return data, withoutPath(err)
}

// withoutPath is an error of the system without the name of the file, which stands before it.
func withoutPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// showFile shows what is in a file.
func showFile(c *cobra.Command, name, passwordFile string) error {
	data, err := readFile(c, name)
	if err != nil {
		return err
	}
	s := &shower{w: c.OutOrStdout(), now: time.Now()}
	kind := files.Identify(data)
	switch {
	case kind == files.KindCertificate:
		list, err := files.Certificates(data)
		if err != nil {
			return err
		}
		s.certificates(list)
		if files.HasPrivateKey(data) {
			fmt.Fprintln(s.w, "a private key is in the file as well")
		}
		return nil
	case kind == files.KindCRL:
		list, err := files.CRLs(data)
		if err != nil {
			return err
		}
		for _, l := range list {
			s.crl(l)
		}
		return nil
	case kind == files.KindPKCS12:
		return withPassword(c, passwordFile, func(secret []byte) error {
			b, err := files.PKCS12(data, secret)
			if err != nil {
				return err
			}
			s.line("private key", keyName(b.Key.Public())+", that of the first certificate")
			s.certificates(b.Certs)
			return nil
		})
	case kind.Private():
		return withPassword(c, passwordFile, func(secret []byte) error {
			key, err := files.PrivateKey(data, secret)
			if err != nil {
				return err
			}
			s.line("private key", keyName(key.Public()))
			s.key(key.Public())
			return nil
		})
	}
	list, err := files.PublicKeys(data)
	if err != nil {
		// It is nothing that there is to show: what it was taken for last says the least.
		var wrong *files.Error
		if errors.As(err, &wrong) && slices.Contains([]files.Reason{files.NotThis, files.Empty}, wrong.Reason) {
			return fmt.Errorf("it is %s; show knows certificates, keys, bundles and revocation lists", kind)
		}
		return err
	}
	for _, k := range list {
		s.line("public key", keyName(k))
		s.key(k)
	}
	return nil
}

// withPassword opens something with the password from a file, or with none, or with one that is asked for.
func withPassword(c *cobra.Command, file string, open func([]byte) error) error {
	if file != "" {
		secret, err := passwordOf(file)
		if err != nil {
			return err
		}
		return open([]byte(secret))
	}
	err := open(nil)
	var locked *files.Error
	if !errors.As(err, &locked) || locked.Reason != files.NeedsPassphrase && locked.Reason != files.WrongPassphrase {
		return err
	}
	secret, errAsk := askPassword(c.InOrStdin(), c.ErrOrStderr(), "password: ")
	if errors.Is(errAsk, errNoTerminal) {
		return errors.New("it needs a password, and there is no terminal to ask for it; use --password-file")
	}
	if errAsk != nil {
		return errAsk
	}
	return open([]byte(secret))
}
