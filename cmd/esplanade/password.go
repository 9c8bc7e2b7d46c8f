package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxPassword is how long a password is at most: more is some other file.
const maxPassword = 1024

// errNoTerminal is the error where nobody can be asked.
var errNoTerminal = errors.New("no terminal")

// passwordOf is the first line of a file.
func passwordOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPassword+2))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	secret := strings.TrimSuffix(string(line), "\r")
	switch {
	case secret == "":
		return "", fmt.Errorf("the first line of %s is empty: write the password there", path)
	case len(secret) > maxPassword:
		return "", fmt.Errorf("the first line of %s is longer than %d bytes: that is no password", path, maxPassword)
	}
	return secret, nil
}

// askNewPassword asks twice for a password, without showing it.
func askNewPassword(in io.Reader, prompt io.Writer) (string, error) {
	first, err := askPassword(in, prompt, "password of the bundle: ")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", errors.New("the password is empty; type one, or use --generate-password")
	}
	second, err := askPassword(in, prompt, "the same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same; nothing was made; try again")
	}
	return first, nil
}

// askPassword asks for a line that is not shown.
func askPassword(in io.Reader, prompt io.Writer, text string) (line string, err error) {
	f, ok := in.(*os.File)
	if !ok {
		return "", errNoTerminal
	}
	restore, err := hideInput(f)
	if err != nil {
		return "", errNoTerminal
	}
	defer func() {
		err = errors.Join(err, restore())
		fmt.Fprintln(prompt)
	}()
	fmt.Fprint(prompt, text)
	line, err = bufio.NewReader(io.LimitReader(&byByte{f}, maxPassword+1)).ReadString('\n')
	if err != nil && !(errors.Is(err, io.EOF) && line != "") {
		if errors.Is(err, io.EOF) {
			err = errors.New("no password was typed")
		}
		return "", err
	}
	if len(line) > maxPassword {
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// byByte reads a byte at a time, so that what is typed ahead is left to the next question.
type byByte struct{ r io.Reader }

func (b *byByte) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.r.Read(p[:1])
}
