package soak

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// reference does a little of the same work all the time: some packets encrypted, and a system call that carries them. What CPU
// time that takes says how fast the machine's CPUs are at the moment, which on a busy or a virtual one is not always the same.
type reference struct {
	units atomic.Int64
	cpu   atomic.Int64 // nanoseconds of thread time

	stop chan struct{}
	wg   sync.WaitGroup
	err  error
}

const (
	// referencePause is how long it rests between two units, so that it takes few per cent of a CPU.
	referencePause = 5 * time.Millisecond
	// A unit encrypts so many packets, from memory that no cache near the CPU holds all of.
	referencePackets = 40
	referencePacket  = 1400
	referenceMemory  = 8 << 20
)

func startReference() (*reference, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	r := &reference{stop: make(chan struct{})}
	r.wg.Go(func() {
		runtime.LockOSThread() // not unlocked: the thread's clock is this goroutine's
		defer unix.Close(fds[0])
		defer unix.Close(fds[1])
		r.err = r.work(fds)
	})
	return r, nil
}

func (r *reference) close() error {
	close(r.stop)
	r.wg.Wait()
	return r.err
}

// read gives the units done so far and what they took.
func (r *reference) read() (units int64, cpu time.Duration) {
	return r.units.Load(), time.Duration(r.cpu.Load())
}

func (r *reference) work(fds [2]int) error {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	memory, nonce := make([]byte, referenceMemory), make([]byte, aead.NonceSize())
	sealed, back := make([]byte, 0, referencePackets*(referencePacket+16)), make([]byte, referencePackets*(referencePacket+16))
	tick := time.NewTicker(referencePause)
	defer tick.Stop()
	for at := 0; ; {
		select {
		case <-r.stop:
			return nil
		case <-tick.C:
		}
		before, err := threadTime()
		if err != nil {
			return err
		}
		sealed = sealed[:0]
		for range referencePackets {
			if at += referencePacket; at+referencePacket > len(memory) {
				at = 0
			}
			sealed = aead.Seal(sealed, nonce, memory[at:at+referencePacket], nil)
		}
		if n, err := unix.Write(fds[0], sealed); err != nil || n != len(sealed) {
			return fmt.Errorf("reference: %d bytes written: %w", n, err)
		}
		for n := 0; n < len(sealed); {
			k, err := unix.Read(fds[1], back)
			if err != nil {
				return os.NewSyscallError("read", err)
			}
			n += k
		}
		after, err := threadTime()
		if err != nil {
			return err
		}
		r.cpu.Add(int64(after - before))
		r.units.Add(1)
	}
}

// threadTime is the CPU time of this thread.
func threadTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(t.Nano()), nil
}
