// Command esplanade is an IPsec gateway in user space: IKEv2, ESP and the packet loop in one binary.
//
// There is a file for each subcommand. daemon.go wires the packages together into a gateway; run.go runs one of them,
// demo.go two.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is main with a result instead of an exit.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		var silent silentError
		if !errors.As(err, &silent) {
			fmt.Fprintln(os.Stderr, "esplanade: "+err.Error())
		}
		return 1
	}
	return 0
}

// silentError ends a command whose output has said everything.
type silentError struct{}

func (silentError) Error() string { return "failed" }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "esplanade",
		Short: "An IPsec gateway in user space",
		Long: `Esplanade is an IPsec gateway in one binary, all of it in user space: IKEv2 negotiates keys, an ESP engine uses them,
and a packet loop carries packets between a TUN device and UDP sockets. No kernel XFRM is needed.

Try it without any set-up:  esplanade demo`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(newRun(), newCheck(), newDemo(), newStatus(), newInitiate(), newTerminate(), newRekey(), newVersion())
	return root
}
