package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// supervisor is the service manager that started the process, if it wants to hear from it: systemd's protocol of
// sd_notify(3), which others speak as well. A nil supervisor hears nothing.
type supervisor struct {
	addr     net.UnixAddr
	interval time.Duration // how often it wants a sign of life; 0: never

	mu sync.Mutex
	// conn is opened at the start, so that there is one when descriptors have run out or privileges are gone. nil: it could
	// not be had, and is tried again.
	conn *net.UnixConn
}

// notifyTimeout is how long a message waits for a manager whose queue is full.
const notifyTimeout = time.Second

// supervisorFromEnv finds the service manager by the variables it sets. It is nil if there is none.
func supervisorFromEnv(getenv func(string) string) (*supervisor, error) {
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil, nil
	}
	if path[0] != '/' && path[0] != '@' {
		return nil, fmt.Errorf("NOTIFY_SOCKET is %q: only unix sockets are supported", path)
	}
	s := &supervisor{addr: net.UnixAddr{Name: path, Net: "unixgram"}}
	s.conn, _ = net.DialUnix("unixgram", nil, &s.addr) // the first message says what is wrong
	usec := getenv("WATCHDOG_USEC")
	if usec == "" {
		return s, nil
	}
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return s, nil // meant for another process
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 {
		return s, fmt.Errorf("WATCHDOG_USEC is %q, not a number of microseconds", usec)
	}
	s.interval = time.Duration(n) * time.Microsecond
	return s, nil
}

// watchdog is how often to send a sign of life: half of the interval, as sd_watchdog_enabled(3) recommends.
func (s *supervisor) watchdog() time.Duration {
	if s == nil {
		return 0
	}
	return s.interval / 2
}

// send sends assignments, one a line.
func (s *supervisor) send(state string) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.write(state)
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	// The manager may have been started again, and have another socket under the name.
	c, dialErr := net.DialUnix("unixgram", nil, &s.addr)
	if dialErr != nil {
		return dialErr
	}
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn = c
	return s.write(state)
}

func (s *supervisor) write(state string) error {
	if s.conn == nil {
		return net.ErrClosed
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(notifyTimeout)); err != nil {
		return err
	}
	_, err := s.conn.Write([]byte(state))
	return err
}
