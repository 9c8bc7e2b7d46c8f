package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// issueFlags are what server and client have in common.
type issueFlags struct {
	dir, kind string
	days      int
	renew     bool
}

func (f *issueFlags) add(c *cobra.Command) {
	dirFlag(c, &f.dir)
	keyFlag(c, &f.kind)
	daysFlag(c, &f.days, 0, fmt.Sprintf("how many `days` the certificate is valid (default: %d, or until the CA ends)", ca.DefaultValidity/ca.Day))
	c.Flags().BoolVar(&f.renew, "renew", false, "issue another certificate in place of the one that is there")
}

// order is the order that the flags make.
func (f *issueFlags) order(c *cobra.Command, role ca.Role, name string, names []string) (folder.Order, error) {
	o := folder.Order{Request: ca.Request{Role: role, CommonName: name}, Renew: f.renew}
	var err error
	if o.Kind, err = parseKind(c, f.kind); err != nil {
		return o, err
	}
	if o.Request.Validity, err = validity(c, f.days, true); err != nil {
		return o, err
	}
	for _, n := range names {
		if err := o.Request.Names.Add(n); err != nil {
			return o, usageError{c, err.Error()}
		}
	}
	return o, nil
}

// someArgs is for commands with one argument or more, called name in their usage.
func someArgs(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{c, fmt.Sprintf("%s needs a %s", c.Name(), name)}
		}
		return nil
	}
}

func newPKIServer() *cobra.Command {
	var flags issueFlags
	c := &cobra.Command{
		Use:   "server NAME...",
		Short: "Issue the certificate of a gateway",
		Long: `Server issues the certificate of a gateway, and writes it and its key. Each NAME is a DNS name or an IP address by which peers
call the gateway or which is its identity; files and the common name have the first one.

The certificate is one that the clients of iOS, macOS and Windows accept; Android's own needs --key rsa3072 in addition.
"esplanade pki show" says what each of them makes of a certificate. It may be valid for at most 824 days. --renew issues another one for
the same key. Other gateways need no other kind of certificate: this one is for both ends of a tunnel between sites.`,
		Args: someArgs("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := flags.order(c, ca.Server, args[0], args)
			if err != nil {
				return err
			}
			if len(o.Request.Names.Emails) > 0 {
				return usageError{c, fmt.Sprintf("%q is an e-mail address, which is for a client: write the DNS name or the address of the gateway", o.Request.Names.Emails[0])}
			}
			return inFolder(flags.dir, func(f *folder.Folder) error {
				out, err := f.Pair(time.Now(), o)
				if err != nil {
					return err
				}
				return sayPair(c.OutOrStdout(), f, out)
			})
		},
	}
	flags.add(c)
	return c
}

// sayPair says what was issued, and where it belongs.
func sayPair(w io.Writer, f *folder.Folder, out folder.Issued) error {
	x := out.Certificate
	how := "issued"
	switch {
	case out.Completed:
		how = "written, which an interrupted run had issued"
	case out.OldKey:
		how = "issued for the key that was there"
	}
	_, err := fmt.Fprintf(w, "%s is %s, until %s, serial number %s\ncertificate %s, key %s (for nobody else), CA %s\n",
		x.Subject.CommonName, how, day(x.NotAfter), ca.FormatSerial(x.SerialNumber), out.CertFile, out.KeyFile, filepath.Clean(f.CAFile()))
	return err
}
