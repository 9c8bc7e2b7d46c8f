//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func run(options, []string) error {
	return errors.New("this run needs the network namespaces of Linux; this is " + runtime.GOOS)
}
