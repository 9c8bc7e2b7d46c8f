package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// supervisor is the service manager that started the process, if it wants to hear from it: systemd's protocol of
// sd_notify(3), which others speak as well. A nil supervisor hears nothing.
type supervisor struct {
	addr     net.UnixAddr
	interval time.Duration // how often it wants a sign of life; 0: never
}

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
	c, err := net.DialUnix("unixgram", nil, &s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
