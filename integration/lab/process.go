//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// runLimit ends a command that hangs: nothing in the lab that isn't a daemon needs longer.
const runLimit = 60 * time.Second

// Command is a program to run on a host.
type Command struct {
	Args  []string
	Env   []string // added to the test's own environment
	Stdin string
	Dir   string
	// User runs the program as this user id, with no supplementary groups and, unless it is 0, no capabilities.
	User uint32
}

func (h *Host) prepare(ctx context.Context, c Command) (*exec.Cmd, error) {
	path, err := LookPath(c.Args[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = c.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.User != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User, Gid: c.User}
	}
	if c.Stdin != "" {
		cmd.Stdin = strings.NewReader(c.Stdin)
	}
	return cmd, nil
}

// RunContext runs a program to its end and returns what it wrote to both outputs together. The error of a
// program that failed holds that output too.
func (h *Host) RunContext(ctx context.Context, c Command) (string, error) {
	cmd, err := h.prepare(ctx, c)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.onThread(cmd.Start); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
		return out.String(), fmt.Errorf("%s: %s: %w\n%s", h.Name, strings.Join(c.Args, " "), err, out.String())
	}
	return out.String(), nil
}

// Run is RunContext with the lab's time limit and nothing but arguments.
func (h *Host) Run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	return h.RunContext(ctx, Command{Args: args})
}

// Process is a program that goes on running on a host. Safe for concurrent use.
type Process struct {
	Name    string
	LogPath string // both outputs, appended

	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid after done is closed
}

// Start starts a program; its output goes to NAME.log in the host's directory, after that of an earlier run.
func (h *Host) Start(name string, c Command) (*Process, error) {
	cmd, err := h.prepare(context.Background(), c)
	if err != nil {
		return nil, err
	}
	p := &Process{Name: h.Name + "/" + name, LogPath: filepath.Join(h.Dir, name+".log"), cmd: cmd, done: make(chan struct{})}
	out, err := os.OpenFile(p.LogPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := h.onThread(cmd.Start); err != nil {
		return nil, fmt.Errorf("%s: start %s: %w", h.Name, strings.Join(c.Args, " "), err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the program has ended, whatever ended it.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running reports whether the program hasn't ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Log returns everything the program has written so far.
func (p *Process) Log() string {
	b, err := os.ReadFile(p.LogPath)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Stop asks the program to end (SIGTERM) and waits. A program that hasn't ended when the grace is over is
// killed, and that is an error; so is a non-zero exit status.
func (p *Process) Stop(grace time.Duration) error {
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s: didn't end within %v of SIGTERM; killed", p.Name, grace)
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == syscall.SIGTERM {
			return nil // a program without a handler: ended by what we sent
		}
	}
	if p.err != nil {
		return fmt.Errorf("%s: after SIGTERM: %w", p.Name, p.err)
	}
	return nil
}

// Kill ends the program at once (SIGKILL), as a power cut would, and waits until it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Signal sends a signal; one sent to a program that has ended is ignored.
func (p *Process) Signal(s syscall.Signal) { p.signal(s) }

func (p *Process) signal(s syscall.Signal) {
	if p.Running() {
		_ = p.cmd.Process.Signal(s) // the only error is that it has ended meanwhile
	}
}
