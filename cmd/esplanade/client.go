package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/ike/vici"
)

// answerTime is how long the daemon has for an answer that waits for nobody else. Commands that wait for a peer have no
// limit but --timeout.
const answerTime = 10 * time.Second

// socketFlag adds the flag that all commands have which talk to a running daemon.
func socketFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "socket", config.DefaultSocket, "the daemon's control `socket`, control.socket in its configuration")
}

// client is a connection to a running daemon whose errors say what to do.
type client struct {
	*vici.Client
	path   string
	answer time.Duration
	log    io.Writer // takes the lines of a command under way
}

// dial reaches the running daemon, or says what to do.
func dial(c *cobra.Command, path string) (*client, error) {
	v, err := vici.DialContext(c.Context(), path)
	switch {
	case err == nil:
		return &client{v, path, answerTime, c.ErrOrStderr()}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no daemon is at %s: start one with `esplanade run -c FILE`, or name its socket with --socket", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		if info, e := os.Lstat(path); e == nil && info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is no socket: name control.socket of the daemon's configuration with --socket", path)
		}
		return nil, fmt.Errorf("the daemon at %s has ended: start it again with `esplanade run -c FILE`", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s may only be used by its owner: run this command as the user who runs the daemon", path)
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("%s is too long for the path of a socket: name control.socket of the daemon's configuration", path)
	}
	return nil, err
}

// call asks for something that the daemon answers at once.
func (c *client) call(ctx context.Context, command string, request *vici.Message) (*vici.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.answer)
	defer cancel()
	m, err := c.Call(ctx, command, request)
	return m, c.explain(err)
}

// stream asks for something that takes its time, and shows what the daemon says meanwhile.
func (c *client) stream(ctx context.Context, command string, request *vici.Message) (*vici.Message, error) {
	m, err := c.Stream(ctx, command, vici.EventControlLog, request, func(m *vici.Message) error {
		level, group, msg := vici.ControlLog(m)
		if level <= 1 {
			fmt.Fprintf(c.log, "[%s] %s\n", group, msg)
		}
		return nil
	})
	return m, c.explain(err)
}

// status asks for the status of one connection or, if name is empty, of all.
func (c *client) status(ctx context.Context, name string) (vici.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, c.answer)
	defer cancel()
	s, err := c.Status(ctx, name)
	return s, c.explain(err)
}

// explain gives errors of the transport the form that says what to do; what the daemon itself says stays as it is.
func (c *client) explain(err error) error {
	var answer *vici.CommandError
	switch {
	case err == nil, errors.As(err, &answer):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the daemon at %s does not answer within %s: it is stopped or overloaded, its log says more", c.path, c.answer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("the daemon at %s ended before it answered: its log says why", c.path)
	case errors.Is(err, vici.ErrUnknownCommand), errors.Is(err, vici.ErrUnknownEvent):
		return fmt.Errorf("%w: what listens at %s is no esplanade of this version", err, c.path)
	}
	return fmt.Errorf("%s: %w", c.path, err)
}
