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
)

// Options are the flags.
type Options struct {
	command.Common
	count, atOnce, runs int
	profile             string
	auth                []string
}

// The ways of authentication: a pre-shared key, certificates with keys of a kind, and users with passwords at a responder with a certificate.
const (
	authPSK   = "psk"
	authECDSA = "ecdsa"
	authRSA   = "rsa"
	authEAP   = "eap-mschapv2"
)

// auths are all of them.
var auths = []string{authPSK, authECDSA, authRSA, authEAP}

// maxCount is what the network of the initiators has room for.
const maxCount = 60000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.count, "count", "n", 2000, "IKE SAs that each responder has to set up")
	f.IntVarP(&o.atOnce, "at-once", "c", 16, "how many are under way at a time")
	f.IntVar(&o.runs, "runs", 3, "how often, in interleaved order")
	f.StringSliceVar(&o.auth, "auth", auths, "how the sides prove who they are: psk, ecdsa (certificates, P-256), rsa (certificates, 2048 bits), eap-mschapv2 (users; the responder as with ecdsa)")
	f.StringVar(&o.profile, "profile", "", "write a CPU profile of Esplanade's to this `file`, without strongSwan and without results")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.count < 1 || o.count > maxCount || o.atOnce < 1 || o.runs < 1 || o.runs > 100 {
		return fmt.Errorf("%w: --count 1 to %d, --at-once and --runs at least 1, --runs at most 100", command.ErrUsage, maxCount)
	}
	for _, a := range o.auth {
		if !slices.Contains(auths, a) {
			return fmt.Errorf("%w: --auth is one of %s", command.ErrUsage, strings.Join(auths, ", "))
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
