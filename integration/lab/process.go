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
	Env   []string // added to this process's environment
	Stdin string
	Dir   string
	// User runs the program as this user id, with no supplementary groups and, unless it is 0, no capabilities.
	User uint32
	// OwnMounts gives the program a mount namespace, so that it may mount what nobody else is to see.
	OwnMounts bool
}

func (h *Host) prepare(ctx context.Context, c Command) (*exec.Cmd, error) {
	path, err := LookPath(c.Args[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = c.Dir
	// A process group of its own: an interrupt from the terminal is for this process, which ends the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if c.OwnMounts {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	if c.User != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User, Gid: c.User}
	}
	if c.Stdin != "" {
		cmd.Stdin = strings.NewReader(c.Stdin)
	}
	return cmd, nil
}

// run runs a program to its end. Its error holds what the program wrote to stderr.
func (h *Host) run(ctx context.Context, c Command, stdout, stderr *bytes.Buffer) (cpu time.Duration, err error) {
	cmd, err := h.prepare(ctx, c)
	if err != nil {
		return 0, err
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := h.onThread(cmd.Start); err != nil {
		return 0, fmt.Errorf("%s: start %s: %w", h.Name, strings.Join(c.Args, " "), err)
	}
	err = cmd.Wait()
	cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
		err = fmt.Errorf("%s: %s: %w\n%s", h.Name, strings.Join(c.Args, " "), err, stderr)
	}
	return cpu, err
}

// RunContext runs a program to its end and returns what it wrote to both outputs together. The error of a
// program that failed holds that output too.
func (h *Host) RunContext(ctx context.Context, c Command) (string, error) {
	var out bytes.Buffer
	_, err := h.run(ctx, c, &out, &out)
	return out.String(), err
}

// Output runs a program to its end, within the lab's time limit, and returns what it wrote to its standard output and the CPU
// time that it took. The error of a program that failed holds what it wrote to the other output.
func (h *Host) Output(ctx context.Context, c Command) (out []byte, cpu time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cpu, err = h.run(ctx, c, &stdout, &stderr)
	return stdout.Bytes(), cpu, err
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

// Tail is the end of what the program has written, at most 4 KiB.
func (p *Process) Tail() string {
	const most = 4 << 10
	log := p.Log()
	return strings.TrimSpace(log[max(0, len(log)-most):])
}

// CPUTime is what a program that has ended has taken of the CPUs; it waits for the end.
func (p *Process) CPUTime() time.Duration {
	<-p.done
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// listenPause is the pause between two looks at a program's sockets.
const listenPause = 5 * time.Millisecond

// WaitListening waits until the program has a TCP socket that listens on the port.
func (p *Process) WaitListening(ctx context.Context, port uint16) error {
	for {
		for _, table := range []string{"tcp", "tcp6"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.PID(), table))
			if err == nil && listens(b, port) {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended: %w: %s", p.Name, p.err, p.Tail())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(listenPause):
		}
	}
}

// Usage is the processor time that the program has taken so far, and its resident memory in bytes.
func (p *Process) Usage() (cpu time.Duration, rss uint64, err error) {
	if cpu, err = CPU(p.PID()); err != nil {
		return 0, 0, err
	}
	rss, err = RSS(p.PID())
	return cpu, rss, err
}

// Stop asks the program to end (SIGTERM) and waits; it may be called again. A program that hasn't ended when the grace is over is
// killed, and that is an error; so is a non-zero exit status.
func (p *Process) Stop(grace time.Duration) error {
	p.Signal(syscall.SIGTERM)
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
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Signal sends a signal; one sent to a program that has ended is ignored.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = p.cmd.Process.Signal(s) // the only error is that it has ended meanwhile
	}
}
