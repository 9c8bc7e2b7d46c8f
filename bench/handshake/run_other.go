//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func run(options) error {
	return errors.New("this comparison needs the network namespaces of Linux; this is " + runtime.GOOS +
		". The benchmark that runs anywhere: go test -bench Handshake ./bench/")
}
