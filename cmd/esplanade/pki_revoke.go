package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// defaultCRLDays is how long a CRL counts.
const defaultCRLDays = int(ca.DefaultCRLValidity / ca.Day)

func newPKIRevoke() *cobra.Command {
	var dir, reason string
	var days int
	c := &cobra.Command{
		Use:   "revoke NAME|SERIAL",
		Short: "Revoke certificates, and write the revocation list",
		Long: `Revoke ends what a NAME can prove: every certificate of it that has not ended, or the one with a SERIAL number. Their files go
into the folder "revoked", and ca.crl is written again. Peers know of it when they have that file, or fetch it. Nothing takes it back.`,
		Args: oneArg("NAME or SERIAL"),
		RunE: func(c *cobra.Command, args []string) error {
			why, err := ca.ParseReason(reason)
			if err != nil {
				return usageError{c, "--reason: " + err.Error()}
			}
			valid, err := validity(c, days, false)
			if err != nil {
				return err
			}
			return inFolder(dir, func(f *folder.Folder) error {
				now := time.Now()
				list, err := f.Find(now, args[0])
				if errors.Is(err, folder.ErrUnknown) {
					return fmt.Errorf("no certificate for %q is valid and not revoked; `esplanade pki list` lists what was issued", args[0])
				}
				if err != nil {
					return err
				}
				if _, err := f.Authority(); err != nil {
					return err // before anything is revoked: the CRL could not be written
				}
				done, err := f.Revoke(now, list, why)
				if err != nil {
					return err
				}
				if len(done) == 0 {
					fmt.Fprintf(c.OutOrStdout(), "%s is revoked already\n", args[0])
				}
				for _, x := range done {
					fmt.Fprintf(c.OutOrStdout(), "revoked %s, serial number %s, which would have ended %s (%s)\n", x.Subject.CommonName, ca.FormatSerial(x.SerialNumber), day(x.NotAfter), why)
				}
				return refresh(c.OutOrStdout(), f, now, valid)
			})
		},
	}
	dirFlag(c, &dir)
	var all []string
	for _, r := range ca.Reasons() {
		all = append(all, r.String())
	}
	c.Flags().StringVar(&reason, "reason", ca.Unspecified.String(), "why: "+strings.Join(all, ", "))
	daysFlag(c, &days, defaultCRLDays, "how many `days` the revocation list counts")
	_ = c.RegisterFlagCompletionFunc("reason", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { // fails for a flag that is not there
		return all, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

// refresh writes the CRL and says so.
func refresh(w io.Writer, f *folder.Folder, now time.Time, valid time.Duration) error {
	l, err := f.Refresh(now, valid)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s is number %s, with %s, until %s: give it to the peers before then\n", f.CRLFile(), l.Number,
		plural(len(l.RevokedCertificateEntries), "certificate"), day(l.NextUpdate))
	return err
}

func newPKICRL() *cobra.Command {
	var dir string
	var days int
	c := &cobra.Command{
		Use:   "crl",
		Short: "Write the revocation list again",
		Long: `Crl writes ca.crl again, with a number that is greater than the last one, and a new end. Where peers insist on revocation lists,
let it run well before the last one ends, such as once a week:

    0 3 * * 1  esplanade pki crl --dir /root/pki && cp /root/pki/ca.crl /var/www/html/`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			valid, err := validity(c, days, false)
			if err != nil {
				return err
			}
			return inFolder(dir, func(f *folder.Folder) error { return refresh(c.OutOrStdout(), f, time.Now(), valid) })
		},
	}
	dirFlag(c, &dir)
	daysFlag(c, &days, defaultCRLDays, "how many `days` it counts")
	return c
}
