package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

func newPKIClient() *cobra.Command {
	var flags issueFlags
	var password passwordFlags
	var sans []string
	var p12, legacy bool
	c := &cobra.Command{
		Use:   "client NAME",
		Short: "Issue the certificate of a user, as files or as a bundle for a phone",
		Long: `Client issues the certificate of whoever calls the gateway. NAME is its common name and, if it is a DNS name, an e-mail address
or an IP address, the identity that it proves; --san adds others. A NAME of another kind proves "CN=NAME" alone.

Without --p12 it writes the certificate and its key. With --p12 it writes one PKCS#12 file with both and the CA, for a phone or laptop,
and the key is nowhere else; if the name has a certificate and a key already, it bundles these. The password is asked for on the
terminal, or is the first line of --password-file, or --generate-password makes one and prints it once. --legacy is for systems that
cannot read AES in such a file, and protects the key less.`,
		Args: oneArg("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			if !p12 && (legacy || password.given()) {
				return usageError{c, "--legacy and the flags of a password are for a bundle: add --p12"}
			}
			names := sans
			if new(ca.Names).Add(args[0]) == nil {
				names = append([]string{args[0]}, sans...)
			} else if strings.Contains(args[0], "@") {
				return usageError{c, fmt.Sprintf("%q is no e-mail address", args[0])}
			}
			o, err := flags.order(c, ca.Client, args[0], names)
			if err != nil {
				return err
			}
			if !p12 {
				return inFolder(flags.dir, func(f *folder.Folder) error {
					out, err := f.Pair(time.Now(), o)
					if err != nil {
						return err
					}
					return sayPair(c.OutOrStdout(), f, out)
				})
			}
			if _, err := folder.Open(flags.dir); err != nil {
				return err // before anybody is asked for a password
			}
			secret, generated, err := password.read(c)
			if err != nil {
				return err
			}
			return inFolder(flags.dir, func(f *folder.Folder) error {
				out, err := f.BundleOf(time.Now(), o, secret, legacy)
				if err != nil {
					return err
				}
				x := out.Certificate
				what := "its key is nowhere else"
				if out.OldKey {
					what = "with the key of " + out.KeyFile
				}
				fmt.Fprintf(c.OutOrStdout(), "%s has a bundle, until %s, serial number %s\n%s (for nobody else), %s\n", x.Subject.CommonName, day(x.NotAfter),
					ca.FormatSerial(x.SerialNumber), out.Bundle, what)
				if generated {
					fmt.Fprintf(c.OutOrStdout(), "its password, which is not shown again: %s\n", secret)
				}
				return nil
			})
		},
	}
	flags.add(c)
	c.Flags().StringArrayVar(&sans, "san", nil, "another `name` that the certificate proves; may be repeated")
	c.Flags().BoolVar(&p12, "p12", false, "write a PKCS#12 bundle for a phone or laptop")
	c.Flags().BoolVar(&legacy, "legacy", false, "write the bundle with TripleDES and SHA-1, for old systems")
	password.add(c)
	return c
}

// passwordFlags say where a password comes from.
type passwordFlags struct {
	file     string
	generate bool
}

func (p *passwordFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&p.file, "password-file", "", "a `file` whose first line is the password of the bundle")
	c.Flags().BoolVar(&p.generate, "generate-password", false, "make a password and print it once")
}

func (p *passwordFlags) given() bool { return p.file != "" || p.generate }

// read gets the password of a new bundle.
func (p *passwordFlags) read(c *cobra.Command) (secret string, generated bool, err error) {
	switch {
	case p.file != "" && p.generate:
		return "", false, usageError{c, "--password-file and --generate-password: give one of them"}
	case p.generate:
		return ca.NewPassword(), true, nil
	case p.file != "":
		secret, err = passwordOf(p.file)
		return secret, false, err
	}
	secret, err = askNewPassword(c.InOrStdin(), c.ErrOrStderr())
	if errors.Is(err, errNoTerminal) {
		err = errors.New("a bundle needs a password, and there is no terminal to ask for it; use --password-file or --generate-password")
	}
	return secret, false, err
}
