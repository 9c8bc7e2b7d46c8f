// Package handshake measures the control plane: what an IKE SA costs a responder, Esplanade and strongSwan.
package handshake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"esplanade/bench/command"
	"esplanade/bench/credentials"
)

// Options are the flags.
type Options struct {
	command.Common
	count, atOnce, runs int
	profile             string
	auth                []string
}

// maxCount is what the network of the initiators has room for.
const maxCount = 60000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.count, "count", "n", 2000, "IKE SAs that each responder has to set up")
	f.IntVarP(&o.atOnce, "at-once", "c", 16, "how many are under way at a time")
	f.IntVar(&o.runs, "runs", 3, "how often, in interleaved order")
	f.StringSliceVar(&o.auth, "auth", credentials.Ways(),
		"how both sides prove who they are: psk, ecdsa (certificates, P-256), rsa (certificates, 2048 bits), eap (EAP-MSCHAPv2 and an address of a pool; the responder by ecdsa)")
	f.StringVar(&o.profile, "profile", "", "write a CPU profile of Esplanade's to this `file`, without strongSwan and without results")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.count < 1 || o.count > maxCount || o.atOnce < 1 || o.runs < 1 || o.runs > 100 {
		return fmt.Errorf("%w: --count 1 to %d, --at-once and --runs at least 1, --runs at most 100", command.ErrUsage, maxCount)
	}
	for _, a := range o.auth {
		if !slices.Contains(credentials.Ways(), a) {
			return fmt.Errorf("%w: --auth is one of %s", command.ErrUsage, strings.Join(credentials.Ways(), ", "))
		}
	}
	if len(o.auth) == 0 || o.profile != "" && len(o.auth) != 1 {
		return fmt.Errorf("%w: --profile takes one --auth", command.ErrUsage)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "handshake",
		Short: "CPU time and memory for each IKE SA that is set up, Esplanade and strongSwan",
		Long: `Handshake measures how many IKE SAs with a CHILD SA a second Esplanade and strongSwan set up as responders, how much of a CPU each
takes, and how much memory it keeps. The initiators are machines of package ike/sa, in another network namespace on the same
machine. The benchmark that runs anywhere: go test -bench Handshake ./bench`,
		Needs: "root, Linux; strongSwan to compare with", Results: "handshake.md, handshake.json",
	}, &Options{}, run)
}
