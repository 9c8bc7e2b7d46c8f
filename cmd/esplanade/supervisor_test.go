package main

import (
	"context"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager's end of the notification socket.
type manager struct {
	t *testing.T
	c *net.UnixConn
}

func newManager(l *lab) *manager {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: l.path("notify"), Net: "unixgram"})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	return &manager{l.t, c}
}

// next is the next message.
func (m *manager) next() string {
	m.t.Helper()
	m.c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 4096)
	n, err := m.c.Read(buf)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(buf[:n])
}

func (m *manager) want(pattern string) {
	m.t.Helper()
	if got := m.next(); !regexp.MustCompile(`^` + pattern + `$`).MatchString(got) {
		m.t.Fatalf("%q, want %s", got, pattern)
	}
}

// TestServiceManager: it hears when the gateway is ready, reloads and stops, in that order.
func TestServiceManager(t *testing.T) {
	l := newLab(t)
	m := newManager(l)
	n := l.make(rightSide())
	notify, err := supervisorFromEnv(func(k string) string { return map[string]string{"NOTIFY_SOCKET": l.path("notify")}[k] })
	if err != nil {
		t.Fatal(err)
	}
	hangUp := make(chan os.Signal, 1)
	n.start(t, func(ctx context.Context) error {
		return (&service{g: n.gateway, notify: notify, hangUp: hangUp}).run(ctx)
	})

	m.want(`READY=1\nSTATUS=.*right\.toml: 1 connection`)
	hangUp <- syscall.SIGHUP
	m.want(`RELOADING=1(\nMONOTONIC_USEC=\d+)?`)
	m.want(`READY=1\nSTATUS=.*right\.toml: 1 connection`)
	if !strings.Contains(n.log.String(), `msg="configuration loaded"`) {
		t.Errorf("it was not reloaded:\n%s", n.log)
	}
	l.write("right.toml", "[[[")
	hangUp <- syscall.SIGHUP
	m.want(`RELOADING=1(\nMONOTONIC_USEC=\d+)?`)
	m.want(`READY=1\nSTATUS=.*right\.toml: 1 connection; the last reload failed`)
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	m.want(`STOPPING=1`)
}

// TestWatchdog: signs of life come for as long as the event loop answers.
func TestWatchdog(t *testing.T) {
	l := newLab(t)
	m := newManager(l)
	n := l.make(rightSide())
	notify, err := supervisorFromEnv(func(k string) string {
		return map[string]string{"NOTIFY_SOCKET": l.path("notify"), "WATCHDOG_USEC": "20000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}[k]
	})
	if err != nil {
		t.Fatal(err)
	}
	n.start(t, func(ctx context.Context) error { return (&service{g: n.gateway, notify: notify}).run(ctx) })
	m.want(`READY=1\nSTATUS=.*`)
	m.want(`WATCHDOG=1`)
	m.want(`WATCHDOG=1`)
}

// TestSupervisorFromEnv: the variables of sd_notify(3) and sd_watchdog_enabled(3).
func TestSupervisorFromEnv(t *testing.T) {
	for _, c := range []struct {
		env      string
		none     bool
		err      string
		watchdog time.Duration
	}{
		{env: "", none: true},
		{env: "WATCHDOG_USEC=1000", none: true},
		{env: "NOTIFY_SOCKET=/run/notify"},
		{env: "NOTIFY_SOCKET=@abstract"},
		{env: "NOTIFY_SOCKET=vsock:2:1", none: true, err: "only unix sockets"},
		{env: "NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=3000000", watchdog: 1500 * time.Millisecond},
		{env: "NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=3000000 WATCHDOG_PID=1"},
		{env: "NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=soon", err: "not a number"},
		{env: "NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=0", err: "not a number"},
	} {
		env := map[string]string{}
		for _, kv := range strings.Fields(c.env) {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
		s, err := supervisorFromEnv(func(k string) string { return env[k] })
		if (s == nil) != c.none || (err == nil) != (c.err == "") || s.watchdog() != c.watchdog {
			t.Errorf("%s: %+v, %v", c.env, s, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", c.env, err)
		}
	}
	var none *supervisor
	if err := none.send("READY=1"); err != nil {
		t.Error(err)
	}
}
