//go:build !linux

package conns

import "time"

// threadTime is the time on the clock, where there is no processor time of a thread. It judges too severely on a busy machine.
func threadTime() time.Duration { return time.Duration(time.Now().UnixNano()) }

// processTime stands for the processor time of this process likewise.
func processTime() time.Duration { return threadTime() }
