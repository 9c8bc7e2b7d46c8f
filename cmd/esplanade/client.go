package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/ike/vici"
)

// socketFlag adds the flag that all commands have which talk to a running daemon.
func socketFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "socket", config.DefaultSocket, "the daemon's control `socket`, control.socket in its configuration")
}

// dial reaches the running daemon, or says what to do.
func dial(ctx context.Context, path string) (*vici.Client, error) {
	c, err := vici.DialContext(ctx, path)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no daemon is at %s: start one with `esplanade run -c FILE`, or name its socket with --socket", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("the daemon at %s has ended: start it again with `esplanade run -c FILE`", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s may only be used by its owner: run this command as that user", path)
	}
	return nil, err
}

// controlLog prints the lines of a command under way.
func controlLog(m *vici.Message) error {
	level, group, msg := vici.ControlLog(m)
	if level <= 1 {
		fmt.Fprintf(os.Stderr, "[%s] %s\n", group, msg)
	}
	return nil
}
