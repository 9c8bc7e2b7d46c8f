package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func newRun() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the gateway in the foreground",
		Long: `Run is the daemon. It stays in the foreground and logs to standard error. SIGTERM and SIGINT make it delete its SAs,
undo its network configuration and end.

The file is checked whole before anything is touched; see also "esplanade check".`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			conf, err := load(file)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			g, err := newGateway(conf, gatewayOptions{log: newLogHandler(os.Stderr, conf.Log)})
			if err != nil {
				return err
			}
			return g.run(ctx)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "/etc/esplanade/esplanade.toml", "the configuration `file`")
	return c
}
