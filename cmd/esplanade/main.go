// Command esplanade is an IPsec gateway in user space: IKEv2, ESP and the packet loop in one binary.
//
// There is a file for each subcommand. daemon.go wires the packages together into a gateway, running.go has it work, and ending.go
// takes it down; run.go is for one of them, demo.go for two.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. Scripts rely on them: docs/operations.md has them too, and a test compares.
const (
	exitOK     = 0 // what was asked for is done
	exitFailed = 1 // it is not, and standard error says why and what to do
	exitUsage  = 2 // the command line is wrong; nothing was done
	exitPartly = 3 // it is done but for what standard error lists: import
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with a result instead of an exit.
func run(args []string, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	root := newRoot(out, stderr)
	root.SetArgs(args)
	err := root.Execute()
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		err = fmt.Errorf("cannot write the output: %w", out.err)
	}
	var silent silentError
	var usage usageError
	var partly partlyError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return exitFailed
	case errors.As(err, &partly):
		return exitPartly
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "esplanade: "+err.Error())
		return exitUsage
	}
	printError(stderr, err)
	return exitFailed
}

// output is standard output. It keeps the first error of writing, so that no command has to look for it and none succeeds whose output
// is lost.
type output struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// printError says why a command has failed: on a line, or, on a terminal, on as many as it has room for, with the fix on its own.
func printError(w io.Writer, err error) {
	if !isTerminal(w) {
		fmt.Fprintln(w, "esplanade: "+err.Error())
		return
	}
	for _, line := range errorLines(err, screenOf(w)) {
		fmt.Fprintln(w, line)
	}
}

// errorLines are the lines of an error on a screen.
func errorLines(err error, s screen) (lines []string) {
	for paragraph := range strings.SplitSeq("esplanade: "+err.Error(), "\n") {
		what, fix, found := strings.Cut(paragraph, " Fix: ")
		lines = append(lines, s.wrap(what, "")...)
		if found {
			lines = append(lines, s.wrap("Fix: "+fix, "  ")...)
		}
	}
	return lines
}

// silentError ends a command whose output has said everything.
type silentError struct{}

func (silentError) Error() string { return "failed" }

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "esplanade",
		Short: "An IPsec gateway in user space",
		Long: `Esplanade is an IPsec gateway in one binary, all of it in user space: IKEv2 negotiates keys, an ESP engine uses them,
and a packet loop carries packets between a TUN device and UDP sockets. No kernel XFRM is needed.

Try it without any set-up:  esplanade demo

Exit codes: 0, done; 1, not done, and standard error says why; 2, wrong command line; 3, done but for what
standard error lists (import, export --as).`,
		Version:       fullVersion(),
		SilenceErrors: true, SilenceUsage: true,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetVersionTemplate(versionText())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{c, err.Error()} })
	root.SetHelpCommand(newHelp())
	root.AddCommand(newRun(), newCheck(), newUnblock(), newDemo(), newStatus(), newExplain(), newInitiate(), newTerminate(), newRekey(), newRedirect(), newReload(), newPair(), newUser(), newExport(), newImport(), newPKI(), newXFRM(), newIPsec(), newVersion())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = subcommand, func(c *cobra.Command, _ []string) error { return c.Help() }
			for _, shell := range c.Commands() {
				shell.Args = noArgs
			}
		}
	}
	return root
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show what a command does and its flags",
		Long: "Help shows what a command does and its flags, as --help after the command does.",
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			if len(args) == 0 {
				return root.Help()
			}
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == root || len(rest) > 0 {
				return subcommand(root, args)
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}
