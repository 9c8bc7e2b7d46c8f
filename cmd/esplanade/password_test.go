//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newTerminal makes a pseudo-terminal: what is written to user is typed, and what user reads is shown.
func newTerminal(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("NOT TESTED: no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return user, terminal
}

// prompts writes an answer for each question that it sees, since a terminal that is about to hide what is typed drops nothing.
type prompts struct {
	bytes.Buffer
	user    *os.File
	answers []string
	echo    func() bool
	shown   bool
}

func (p *prompts) Write(b []byte) (int, error) {
	if strings.HasSuffix(string(b), ": ") {
		p.shown = p.shown || p.echo()
		if _, err := p.user.WriteString(p.answers[0]); err != nil {
			return 0, err
		}
		p.answers = p.answers[1:]
	}
	return p.Buffer.Write(b)
}

// TestAskPassword: the password is asked for twice and not shown, and the terminal is as before.
func TestAskPassword(t *testing.T) {
	for _, tt := range []struct {
		answers    []string
		want, fail string
	}{
		{[]string{"correct horse\n", "correct horse\n"}, "correct horse", ""},
		{[]string{"correct horse\n", "correct hose\n"}, "", "the two are not the same"},
		{[]string{"\n"}, "", "the password is empty"},
		{[]string{"\x04"}, "", "no password was typed"},
	} {
		user, terminal := newTerminal(t)
		echo := func() bool {
			x, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			return x.Lflag&unix.ECHO != 0
		}
		p := &prompts{user: user, answers: tt.answers, echo: echo}
		got, err := askNewPassword(terminal, p)
		if got != tt.want || (err == nil) != (tt.fail == "") || err != nil && !strings.Contains(err.Error(), tt.fail) {
			t.Errorf("%q: %q, %v", tt.answers, got, err)
		}
		if p.shown || !echo() {
			t.Errorf("%q: it was shown, or the terminal is not as before", tt.answers)
		}
		if !strings.HasPrefix(p.String(), "password of the bundle: \n") {
			t.Errorf("%q", p.String())
		}
	}
	if _, err := askNewPassword(bufio.NewReader(nil), new(bytes.Buffer)); !errors.Is(err, errNoTerminal) {
		t.Error(err)
	}
}
