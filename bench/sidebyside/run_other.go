//go:build !linux

package main

import (
	"errors"
	"runtime"
)

func compare(options) error {
	return errors.New("this comparison needs Linux: network namespaces, TUN devices with offloads; this is " + runtime.GOOS +
		". The benchmarks that run anywhere: go test -bench . ./bench/... ./esp/... ./dataplane/...")
}
