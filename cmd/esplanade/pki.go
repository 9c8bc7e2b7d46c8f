package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/ca/folder"
)

// defaultPKI is the folder of the CA where none is named.
const defaultPKI = "pki"

// maxDays is how long anything is valid at most: a century.
const maxDays = 36500

func newPKI() *cobra.Command {
	c := &cobra.Command{
		Use:   "pki",
		Short: "Make and look at certificates: a CA of your own in a folder",
		Long: `Pki is a small certification authority for those who have none, in a plain folder: "pki" where --dir names no other.

    esplanade pki init
    esplanade pki server vpn.example.org

are two commands to a working pair: pki/vpn.example.org.crt and its key for the gateway, and pki/ca.crt for its peers. The folder does
not have to be on a gateway; ca.key proves everything, so keep it where few can read it. docs/certificates.md has the rest.`,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPKIInit(), newPKIServer(), newPKIClient(), newPKIRevoke(), newPKICRL(), newPKIList(), newPKIShow(), newPKIVerify())
	return c
}

// dirFlag is the folder of the CA.
func dirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", defaultPKI, "the `folder` of the CA")
}

// daysFlag is a time of validity in days; value 0 is what text says.
func daysFlag(c *cobra.Command, days *int, value int, text string) {
	c.Flags().IntVar(days, "days", value, text)
}

// validity is what a flag of days says. Zero is for whoever takes a default then.
func validity(c *cobra.Command, days int, zero bool) (time.Duration, error) {
	if zero && days == 0 && !c.Flags().Changed("days") {
		return 0, nil
	}
	if days <= 0 || days > maxDays {
		return 0, usageError{c, fmt.Sprintf("--days is %d; write 1 to %d", days, maxDays)}
	}
	return time.Duration(days) * ca.Day, nil
}

// keyFlag is the kind of a new key.
func keyFlag(c *cobra.Command, kind *string) {
	c.Flags().StringVar(kind, "key", string(ca.KindP256), "the `kind` of the key: p256, p384, rsa3072 (which Android's own client needs), ed25519")
	_ = c.RegisterFlagCompletionFunc("key", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { // fails for a flag that is not there
		var all []string
		for _, k := range ca.Kinds() {
			all = append(all, string(k))
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
}

// parseKind reads the flag of a kind of key.
func parseKind(c *cobra.Command, text string) (ca.Kind, error) {
	kind, err := ca.ParseKind(text)
	if err != nil {
		return "", usageError{c, "--key: " + err.Error()}
	}
	return kind, nil
}

// inFolder does something in the folder of the CA that writes there.
func inFolder(dir string, do func(*folder.Folder) error) error {
	f, err := folder.OpenToWrite(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(f), f.Close())
}

// day is a date as these commands print it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
