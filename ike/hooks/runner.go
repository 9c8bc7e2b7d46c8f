package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"time"
)

// errTooLong is why a command was killed that has reached its limit.
var errTooLong = errors.New("it has taken too long")

// Job is a command to be run.
type Job struct {
	// Command is the operator's. One that is a path alone is run as it is (see [Program]); any other is for /bin/sh -c, as strongSwan runs all.
	Command string
	// Env are all of its variables.
	Env []string
	// Input is its standard input; nil is none.
	Input io.Reader
	// Log takes its output, a line each, up to a limit, and Name says whose it is.
	Log  *slog.Logger
	Name string
}

// Runner runs commands of the operator, as one user.
type Runner struct {
	as account
}

// NewRunner makes one for the user with a name; "" is the daemon's own.
func NewRunner(user string) (Runner, error) {
	as, err := lookUp(user)
	if err != nil {
		return Runner{}, fmt.Errorf("hooks.user: %w", err)
	}
	return Runner{as}, nil
}

// afterwards is how long a command that has ended, or was killed, may keep its output open through others.
const afterwards = time.Second

// Run runs a command until it ends, or ctx does: then it is killed with its whole process group. What has left the group, or was left in the
// background with its output elsewhere by a command that has ended in time, is not touched.
func (r Runner) Run(ctx context.Context, j Job) error {
	argv := arguments(j.Command)
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir, c.Env, c.Stdin, c.WaitDelay = "/", j.Env, j.Input, afterwards
	out := &output{log: j.Log, name: j.Name}
	c.Stdout, c.Stderr = out, out
	r.as.prepare(c)
	err := c.Run()
	out.end()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it has ended, and something in the background has its output
	}
	return err
}

// Program is the path of the program that a command is, if it is nothing more: it is run without a shell.
func Program(command string) (path string, ok bool) {
	for i := range len(command) {
		c := command[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/._-+:@%,", c) >= 0) {
			return "", false
		}
	}
	// One without a path is looked for in PATH, or is the shell's own.
	return command, strings.Contains(command, "/")
}

// arguments are what a command is run as.
func arguments(command string) []string {
	if path, ok := Program(command); ok {
		return []string{path}
	}
	return []string{"/bin/sh", "-c", command}
}

const (
	// maxLines and maxLineLen bound what of the output of a command is logged, in a minute.
	maxLines   = 100
	maxLineLen = 512
)

// output logs what a command writes. It is used by one goroutine at a time: the command has one pipe for both streams.
type output struct {
	log  *slog.Logger
	name string
	line []byte
	// lines is how many there were since a time.
	lines int
	since time.Time
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		part, rest, whole := bytes.Cut(b, []byte("\n"))
		o.line = append(o.line, part[:min(len(part), max(maxLineLen-len(o.line), 0))]...)
		if whole {
			o.say()
		}
		b = rest
	}
	return n, nil
}

// say logs a line.
func (o *output) say() {
	if now := time.Now(); now.Sub(o.since) > time.Minute {
		o.sayMore()
		o.since = now
	}
	if o.lines++; o.lines <= maxLines {
		o.log.Info(o.name + ": " + strings.ToValidUTF8(string(o.line), "?"))
	}
	o.line = o.line[:0]
}

// sayMore logs how many lines were too many, and begins to count again.
func (o *output) sayMore() {
	if n := o.lines - maxLines; n > 0 {
		o.log.Info(o.name+": more output", "lines", n)
	}
	o.lines = 0
}

// end logs what is left.
func (o *output) end() {
	if len(o.line) > 0 {
		o.say()
	}
	o.sayMore()
}
