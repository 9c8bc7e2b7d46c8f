package netlab

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

// Command is a program to run on a host.
type Command struct {
	Args []string
	Env  []string // added to the environment
	// OwnMounts gives the program a mount namespace, so that it may mount what nobody else is to see.
	OwnMounts bool
}

func (h *Host) prepare(c Command) (*exec.Cmd, error) {
	path, err := LookPath(c.Args[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	// A process group of its own: an interrupt from the terminal is for this process, which ends the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if c.OwnMounts {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	return cmd, nil
}

// LookPath finds a program also in the sbin directories, which are not in everybody's PATH.
func LookPath(program string) (string, error) {
	if p, err := exec.LookPath(program); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if p, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("netlab: the program %s is not installed", program)
}

// Process is a program that runs. Safe for concurrent use.
type Process struct {
	Name string

	log  string // path of what it writes
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed
}

// Start starts a program; what it writes goes to a file.
func (h *Host) Start(name, log string, c Command) (*Process, error) {
	cmd, err := h.prepare(c)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := h.onThread(cmd.Start); err != nil {
		return nil, fmt.Errorf("netlab: start %s on %s: %w", name, h.Name, err)
	}
	p := &Process{Name: h.Name + "/" + name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Log is what it has written, at most the last 4 KiB.
func (p *Process) Log() string {
	const most = 4 << 10
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return strings.TrimSpace(string(b))
}

// CPUTime is what a program that has ended has taken of the CPUs; it waits for the end.
func (p *Process) CPUTime() time.Duration {
	<-p.done
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Stop ends the program: SIGTERM, and SIGKILL if it takes too long. It may be called more than once.
func (p *Process) Stop(grace time.Duration) {
	p.Signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Signal(syscall.SIGKILL)
		<-p.done
	}
}

// Signal sends a signal to a program that has not ended.
func (p *Process) Signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Signal(s) // fails only when it has just ended
	}
}

// runLimit ends a command that hangs, beyond what the caller's context says.
const runLimit = 60 * time.Second

// Output runs a program to its end and gives what it wrote to its standard output, and the CPU time it took. An error has
// what it wrote to the other one.
func (h *Host) Output(ctx context.Context, c Command) ([]byte, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	cmd, err := h.prepare(c)
	if err != nil {
		return nil, 0, err
	}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := h.onThread(cmd.Start); err != nil {
		return nil, 0, fmt.Errorf("netlab: %s on %s: %w", c.Args[0], h.Name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // fails only when it has just ended
		err = errors.Join(<-ended, ctx.Err())
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		err = fmt.Errorf("netlab: %s on %s: %w: %s", strings.Join(c.Args, " "), h.Name, err, strings.TrimSpace(complaint.String()))
	}
	return out.Bytes(), cpu, err
}

// Run is Output for a command whose output does not matter.
func (h *Host) Run(ctx context.Context, args ...string) error {
	_, _, err := h.Output(ctx, Command{Args: args})
	return err
}

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
			return fmt.Errorf("netlab: %s has ended: %v: %s", p.Name, p.err, p.Log())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// CPU is the time that a process has taken so far, all threads together.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// MachineCPU is the time that all CPUs together were busy so far.
func MachineCPU() (time.Duration, error) {
	busy, _, err := MachineTimes()
	return busy, err
}

// MachineTimes is how long all CPUs together were busy so far, and how long the hypervisor gave them to others.
func MachineTimes() (busy, stolen time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseMachine(b)
}

// RSS is the resident memory of a process in octets.
func RSS(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(b)
}

// Overflow reads what the host's kernel has thrown away so far.
func (h *Host) Overflow() (o Overflow, err error) {
	err = h.Do(func() error {
		snmp, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		dev, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		if o.UDP, err = parseBufferErrors(string(snmp)); err != nil {
			return err
		}
		o.Device, err = parseDeviceDrops(string(dev))
		return err
	})
	return o, err
}
