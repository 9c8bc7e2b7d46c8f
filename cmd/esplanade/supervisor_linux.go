package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// reloading is the message that a reload begins. systemd's Type=notify-reload wants the time on the monotonic clock
// with it, to tell this reload's READY=1 from an earlier one.
func reloading() string {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return "RELOADING=1"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", t.Nano()/int64(time.Microsecond))
}
