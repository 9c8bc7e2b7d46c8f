package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// defaultCADays is how long a new CA is valid: ten years.
const defaultCADays = 3650

func newPKIInit() *cobra.Command {
	var dir, kind, name string
	var days, length int
	var permitted, crls []string
	c := &cobra.Command{
		Use:   "init",
		Short: "Make a CA",
		Long: `Init makes a CA: its certificate ca.crt, which every peer gets, and its key ca.key, which nobody gets. The folder must not be
there, or be empty.

--permit restricts the names that it may give for ever: a DNS domain with all below it (example.org), an e-mail domain (@example.org), a
network (10.0.0.0/8). A kind of name of which nothing is permitted is not restricted. Who trusts the CA then trusts it for no more.

--crl-uri goes into every certificate: peers fetch the revocation list from there. Put ca.crl there after each "esplanade pki revoke",
and a new one ("esplanade pki crl") before it ends.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := parseKind(c, kind)
			if err != nil {
				return err
			}
			valid, err := validity(c, days, false)
			if err != nil {
				return err
			}
			if length < -1 {
				return usageError{c, fmt.Sprintf("--path-length is %d; write how many CAs may be below this one, or -1 for any number", length)}
			}
			for _, u := range crls {
				if err := checkCRLURI(u); err != nil {
					return usageError{c, err.Error()}
				}
			}
			key, err := ca.GenerateKey(k)
			if err != nil {
				return err
			}
			a, err := ca.NewRoot(time.Now(), ca.Root{Name: name, Validity: valid, PathLen: length, Permitted: permitted}, key)
			if err != nil {
				return err
			}
			if err := folder.Init(dir, a, crls); err != nil {
				return err
			}
			f, err := folder.Open(dir)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the CA %q is in %s, until %s: %s is for all peers, and ca.key beside it for nobody\n"+
				"next: esplanade pki server NAME, with the DNS name or the address of the gateway\n", a.Certificate.Subject.CommonName, f.Path(), day(a.Certificate.NotAfter), f.CAFile())
			return nil
		},
	}
	dirFlag(c, &dir)
	keyFlag(c, &kind)
	daysFlag(c, &days, defaultCADays, "how many `days` the CA is valid")
	c.Flags().StringVar(&name, "name", "", "the common `name` of the CA (default: \"Esplanade CA\" and a part of its key's hash)")
	c.Flags().IntVar(&length, "path-length", 0, "how many CAs may be below this one; -1 for any number")
	c.Flags().StringArrayVar(&permitted, "permit", nil, "a `name` below which the CA may give names; may be repeated")
	c.Flags().StringArrayVar(&crls, "crl-uri", nil, "a `URI` from which peers fetch the revocation list; may be repeated")
	return c
}

// checkCRLURI refuses a URI from which no peer would fetch a CRL.
func checkCRLURI(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("--crl-uri is %q; write a URI such as http://example.org/ca.crl (with http: whoever checks a certificate cannot rely on one to get there)", text)
	}
	return nil
}
