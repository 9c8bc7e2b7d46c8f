package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"esplanade/bench/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := command.Execute(ctx, root(), os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

func root() *cobra.Command {
	return command.Root(command.Text{
		Name:  "bench",
		Short: "Measures Esplanade",
		Long: `Bench measures Esplanade, and holds it to what is asked of it. A subcommand writes what it finds to bench/results, or to the
directory that --out names, and ends with status 1 if what is asked was not kept.

What needs root and Linux makes network namespaces of its own and leaves nothing behind; nothing else should run meanwhile. The
benchmarks that run anywhere:  go test -bench . ./bench/... ./esp/... ./dataplane/...`,
	}, subcommands()...)
}
