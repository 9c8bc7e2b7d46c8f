//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func run(options) error {
	return errors.New("this needs the network namespaces of Linux; this is " + runtime.GOOS)
}
