package main

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// endsSoon is from when on a list says how many days a certificate has left.
const endsSoon = 30 * ca.Day

func newPKIList() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "list",
		Short: "List what was issued, and what has become of it",
		Long: `List prints a line for each certificate that was ever issued: its name, what it is for, when it ends, its state, and its serial
number. The state is valid, ends in some days, ended, or revoked with the reason.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := folder.Open(dir)
			if err != nil {
				return err
			}
			all, err := f.Issued()
			if err != nil {
				return err
			}
			revoked, err := f.Revoked()
			if err != nil {
				return err
			}
			crl, err := f.CRL()
			if err != nil {
				return err
			}
			now := time.Now()
			rows := [][]string{{"NAME", "FOR", "UNTIL", "STATE", "SERIAL NUMBER"}}
			for _, x := range all {
				rows = append(rows, []string{x.Subject.CommonName, ca.RoleOf(x).String(), day(x.NotAfter), stateOf(x, revoked, now), ca.FormatSerial(x.SerialNumber)})
			}
			fmt.Fprintf(c.OutOrStdout(), "%s, until %s: %s\n", f.CA().Subject.CommonName, day(f.CA().NotAfter), f.CAFile())
			for _, line := range columnsOf(rows) {
				fmt.Fprintln(c.OutOrStdout(), line)
			}
			for _, w := range crlRemarks(f, crl, revoked, now) {
				fmt.Fprintln(c.ErrOrStderr(), "warning: "+w)
			}
			return nil
		},
	}
	dirFlag(c, &dir)
	return c
}

// stateOf is what has become of a certificate.
func stateOf(x *x509.Certificate, revoked ca.Revoked, now time.Time) string {
	r, gone := revoked.Find(x.SerialNumber)
	left := x.NotAfter.Sub(now)
	switch {
	case gone:
		return "revoked " + day(r.At) + " (" + r.Reason.String() + ")"
	case left <= 0:
		return "ended"
	case left < endsSoon:
		return "ends in " + plural(int(left/ca.Day), "day")
	}
	return "valid"
}

// crlRemarks say where the CRL is not what peers need.
func crlRemarks(f *folder.Folder, crl *x509.RevocationList, revoked ca.Revoked, now time.Time) (out []string) {
	const fix = "; `esplanade pki crl` writes another one"
	if crl == nil {
		if len(revoked) > 0 {
			out = append(out, f.CRLFile()+" is not there, so that no peer knows what was revoked"+fix)
		}
		return out
	}
	if !now.Before(crl.NextUpdate) {
		out = append(out, fmt.Sprintf("%s has ended %s%s", f.CRLFile(), day(crl.NextUpdate), fix))
	} else if left := crl.NextUpdate.Sub(now); left < 7*ca.Day {
		out = append(out, fmt.Sprintf("%s ends in %s%s", f.CRLFile(), plural(int(left/ca.Day), "day"), fix))
	}
	if n := len(revoked) - len(crl.RevokedCertificateEntries); n > 0 {
		out = append(out, fmt.Sprintf("%s lacks %s%s", f.CRLFile(), plural(n, "certificate"), fix))
	}
	return out
}

// columnsOf are rows as lines, with columns below each other.
func columnsOf(rows [][]string) (lines []string) {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], columns(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell
			if i < len(row)-1 {
				line += fmt.Sprintf("%*s", width[i]-columns(cell)+2, "")
			}
		}
		lines = append(lines, line)
	}
	return lines
}
