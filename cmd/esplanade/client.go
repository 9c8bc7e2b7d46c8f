package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/config/swanctl"
	"esplanade/ike/vici"
)

// answerTime is how long the daemon has for an answer that waits for nobody else. Commands that wait for a peer have no
// limit but --timeout.
const answerTime = 10 * time.Second

// socketVariable is in the environment of whoever asks another daemon than that of the default configuration.
const socketVariable = "ESPLANADE_SOCKET"

// socketFlag adds the flag that all commands have which talk to a running daemon.
func socketFlag(c *cobra.Command, path *string) {
	socket := config.DefaultSocket
	if s := os.Getenv(socketVariable); s != "" {
		socket = s
	}
	c.Flags().StringVar(path, "socket", socket, "the daemon's control `socket`, control.socket in its configuration; "+socketVariable+" in the environment names another default")
}

// client is a connection to a running daemon whose errors say what to do.
type client struct {
	*vici.Client
	path   string
	answer time.Duration
	log    io.Writer // takes the lines of a command under way
	plain  bool      // without the part of the daemon that each is of
}

// dial reaches the running daemon, or says what to do.
func dial(c *cobra.Command, path string) (*client, error) {
	v, err := vici.DialContext(c.Context(), path)
	if isNobody(err) && path == config.DefaultSocket {
		// The daemon of the default configuration may have another socket. Whoever may not read that has to name it.
		if conf, e := loadInTime(c.Context(), defaultConfig); e == nil && conf.Control.Socket != path {
			path = conf.Control.Socket
			v, err = vici.DialContext(c.Context(), path)
		}
	}
	if isNobody(err) && path == config.DefaultSocket {
		if ours := ofSwanctl(c.Context()); ours != nil {
			path, v, err = swanctl.DefaultSocket, ours, nil
		}
	}
	switch {
	case err == nil:
		return &client{Client: v, path: path, answer: answerTime, log: c.ErrOrStderr()}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no daemon is at %s: start one with `esplanade run -c FILE`, or name its socket with --socket or %s", path, socketVariable)
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

// isNobody reports whether nobody listens at a socket: there is none, or a daemon that was killed has left it behind.
func isNobody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// ofSwanctl reaches a daemon that runs a folder of swanctl: it is where strongSwan's would be. nil if there is none, or another one.
func ofSwanctl(ctx context.Context) *vici.Client {
	v, err := vici.DialContext(ctx, swanctl.DefaultSocket)
	if err != nil {
		return nil
	}
	asked, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if m, err := v.Call(asked, "version", nil); err != nil || m.Get("daemon") != aboutThis().Daemon {
		v.Close()
		return nil
	}
	return v
}

// call asks for something that the daemon answers at once.
func (c *client) call(ctx context.Context, command string, request *vici.Message) (*vici.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.answer)
	defer cancel()
	m, err := c.Call(ctx, command, request)
	return m, c.explain(err)
}

// stream asks for something that takes its time, and shows what the daemon says meanwhile: of a failure that others follow its title,
// since the last one is the error as well, and is not shown twice.
func (c *client) stream(ctx context.Context, command string, request *vici.Message) (*vici.Message, error) {
	group, failure := "", ""
	show := func(msg string) {
		switch {
		case msg == "":
		case c.plain:
			fmt.Fprintln(c.log, msg)
		default:
			fmt.Fprintf(c.log, "[%s] %s\n", group, msg)
		}
	}
	m, err := c.Stream(ctx, command, vici.EventControlLog, request, func(m *vici.Message) error {
		level, from, msg := vici.ControlLog(m)
		if level > 1 {
			return nil
		}
		show(title(failure))
		if group, failure = from, ""; level == 0 {
			failure = msg // until it is known what comes of it
			return nil
		}
		show(provisional(msg))
		return nil
	})
	var answer *vici.CommandError
	if !errors.As(err, &answer) || answer.Message != failure {
		show(failure)
	}
	return m, c.explain(err)
}

// ifItStays is what the daemon says before a failure that has not happened yet.
const ifItStays = "if it stays so: "

// provisional shortens such a line to the title and the fix: the failure follows, if it comes to that.
func provisional(msg string) string {
	before, failure, found := strings.Cut(msg, ifItStays)
	if !found {
		return msg
	}
	_, fix, found := strings.Cut(failure, " Fix: ")
	if failure = before + ifItStays + title(failure); found {
		failure += ". Fix: " + fix
	}
	return failure
}

// status asks for the status of one connection or, if name is empty, of all.
func (c *client) status(ctx context.Context, name string) (vici.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, c.answer)
	defer cancel()
	s, err := c.Status(ctx, name)
	return s, c.explain(err)
}

// reload asks for a reload, which may have to read many files.
func (c *client) reload(ctx context.Context) (*vici.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.answer+loadTimeout)
	defer cancel()
	m, err := c.Call(ctx, "reload-settings", nil)
	return m, c.explain(err)
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
