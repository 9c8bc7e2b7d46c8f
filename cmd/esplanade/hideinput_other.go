//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import "os"

// hideInput fails: this system has no terminals of that kind.
func hideInput(*os.File) (restore func() error, err error) { return nil, errNoTerminal }
