//go:build !linux

package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"esplanade/bench/conns"
	"esplanade/bench/crowd"
	"esplanade/bench/flood"
	"esplanade/bench/handshake"
	"esplanade/bench/netstack"
	"esplanade/bench/rekey"
	"esplanade/bench/sas"
	"esplanade/bench/sidebyside"
	"esplanade/bench/soak"
	"esplanade/bench/strangers"
	"esplanade/bench/thousand"
	"esplanade/bench/users"
)

func subcommands() []*cobra.Command {
	return []*cobra.Command{
		sidebyside.Command(needsLinux), handshake.Command(needsLinux), sas.Command(sas.Run), crowd.Command(crowd.Run), conns.Command(conns.Run), netstack.Command(netstack.Run),
		flood.Command(needsLinux),
		strangers.Command(needsLinux), thousand.Command(needsLinux), rekey.Command(needsLinux), soak.Command(needsLinux), users.Command(needsLinux),
	}
}

// needsLinux is what a subcommand does on a system without network namespaces.
func needsLinux[O any](context.Context, O) error {
	return errors.New("this needs Linux: network namespaces, TUN devices with offloads; this is " + runtime.GOOS +
		". The benchmarks that run anywhere: go test -bench . ./bench/... ./esp/... ./dataplane/...")
}
