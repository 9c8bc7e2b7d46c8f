//go:build darwin || freebsd || openbsd

package tun

import (
	"context"
	"os/exec"
	"runtime"
	"time"
)

// commandTimeout bounds each command; they are done in milliseconds.
const commandTimeout = 10 * time.Second

func configure(name string, o LinkOptions) (Link, error) {
	if o.BlockWhenStopped || o.Local != LocalKept {
		return nil, &LinkError{Op: "configure", Device: name, Err: ErrUnsupported,
			Fix: "leave block_when_stopped and local_routes out: both need the routing rules of Linux"}
	}
	return newLink(name, newBSDLink(runtime.GOOS, name, runCommand)), nil
}

// runCommand runs a command with a fixed environment: its messages are compared with English ones.
func runCommand(argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = []string{"LC_ALL=C", "PATH=/sbin:/bin:/usr/sbin:/usr/bin"}
	out, err := c.CombinedOutput()
	return string(out), err
}
