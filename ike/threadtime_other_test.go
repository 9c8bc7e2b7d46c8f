//go:build !linux

package ike

import "time"

func threadTime() (time.Duration, bool) { return 0, false }
