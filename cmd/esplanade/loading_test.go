package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
)

// TestHangingReload: a reload whose file system does not answer silences no sign of life, fails in time, and is not tried again
// while it hangs.
func TestHangingReload(t *testing.T) {
	l := newLab(t)
	m := newManager(l)
	n := l.make(rightSide())
	hang, hangs := make(chan struct{}), make(chan struct{}, 10)
	n.read = func(path string) (*config.Config, error) {
		hangs <- struct{}{}
		<-hang
		return config.Load(path)
	}
	notify, err := supervisorFromEnv(func(k string) string {
		return map[string]string{"NOTIFY_SOCKET": l.path("notify"), "WATCHDOG_USEC": "20000"}[k]
	})
	if err != nil {
		t.Fatal(err)
	}
	hangUp := make(chan os.Signal, 1)
	n.start(t, func(ctx context.Context) error {
		return (&service{g: n.gateway, notify: notify, hangUp: hangUp}).run(ctx)
	})
	m.want(`READY=1\nSTATUS=.*`)
	hangUp <- syscall.SIGHUP
	<-hangs
	for m.next() != "WATCHDOG=1" { // what was sent before
	}
	for range 10 {
		m.want(`WATCHDOG=1|RELOADING=1(\nMONOTONIC_USEC=\d+)?`)
	}
	for range 10 { // these are one reload more
		select {
		case hangUp <- syscall.SIGHUP:
		default:
		}
	}
	close(hang)
	ready := 0
	for ready < 2 {
		if s := m.next(); regexp.MustCompile(`^READY=1`).MatchString(s) {
			ready++
		}
	}
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	if len(hangs) != 1 {
		t.Errorf("%d more reloads", len(hangs))
	}
}

// TestReadingTakesTooLong: the reading of a configuration has a limit, and only one reader hangs.
func TestReadingTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, hang, readers := newLoader(), make(chan struct{}), 0
		read := func(string) (*config.Config, error) { readers++; <-hang; return &config.Config{}, nil }
		start := time.Now()
		_, err := l.load(t.Context(), "x.toml", read)
		if d := time.Since(start); err == nil || !strings.Contains(err.Error(), "no answer for "+loadTimeout.String()) || d != loadTimeout {
			t.Errorf("%v after %s", err, d)
		}
		for range 100 {
			if _, err := l.load(t.Context(), "x.toml", read); err == nil || !strings.Contains(err.Error(), "an earlier reading") {
				t.Error(err)
			}
		}
		synctest.Wait()
		if readers != 1 {
			t.Errorf("%d readers", readers)
		}
		close(hang)
		synctest.Wait()
		if c, err := l.load(t.Context(), "x.toml", read); c == nil || err != nil {
			t.Errorf("it does not work again: %v", err)
		}
	})
}

// TestNotifyWithoutDescriptors: the manager is heard from when there are no descriptors left, and when it was started again.
func TestNotifyWithoutDescriptors(t *testing.T) {
	l := newLab(t)
	m := newManager(l)
	s, err := supervisorFromEnv(func(k string) string { return map[string]string{"NOTIFY_SOCKET": l.path("notify")}[k] })
	if err != nil {
		t.Fatal(err)
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	none := old
	none.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Skip("NOT TESTED: the limit of descriptors can't be changed: ", err)
	}
	_, openErr := os.Open(l.dir)
	sendErr := s.send("WATCHDOG=1")
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if openErr == nil || sendErr != nil {
		t.Fatalf("open: %v, send: %v", openErr, sendErr)
	}
	m.want(`WATCHDOG=1`)

	m.c.Close()
	os.Remove(l.path("notify"))
	if err := s.send("WATCHDOG=1"); err == nil {
		t.Error("no error without a manager")
	}
	again, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: l.path("notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := s.send("WATCHDOG=1"); err != nil {
		t.Error(err)
	}
}

// TestNotifyFullQueue: a manager that does not read holds nobody up.
func TestNotifyFullQueue(t *testing.T) {
	l := newLab(t)
	newManager(l)
	s, err := supervisorFromEnv(func(k string) string { return map[string]string{"NOTIFY_SOCKET": l.path("notify")}[k] })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100000 {
		if err := s.send("STATUS=" + strconv.Itoa(i)); err != nil {
			return
		}
	}
	t.Error("it reads everything")
}

// TestConfigurationFromAPipe: what is no file is refused with what to do, by check and by run.
func TestConfigurationFromAPipe(t *testing.T) {
	l := newLab(t)
	pipe := l.path("pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"check " + pipe, "is a pipe, not a regular file; write the configuration to a file"},
		{"run -c " + pipe, "is a pipe, not a regular file"},
		{"check /dev/zero", "is a device, not a regular file"},
		{"check -", "not from standard input"},
	} {
		if code, _, stderr := cli(strings.Fields(c.args)...); code == exitOK || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %q, want %q", c.args, stderr, c.want)
		}
	}
}

// TestLooseKeyFiles: the gateway does not start with exported keys or a crash secret in the hands of others.
func TestLooseKeyFiles(t *testing.T) {
	l := newLab(t)
	dir := l.path("keys")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ikeTable, espTable} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o666); err != nil {
			t.Fatal(err)
		}
		if k, err := newKeyLog(dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "mode 0666") {
			t.Errorf("%s: %v, %v", name, k, err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := newKeyLog(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	k.close()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := newKeyLog(dir, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a directory that others can change is used")
	}
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: the crash secret of another user, which only root can make")
	}
	conf := &config.Config{}
	conf.IKE.QCDSecretFile = l.path("qcd")
	if _, err := crashSecret(conf); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(l.path("qcd"), 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := crashSecret(conf); err == nil || !strings.Contains(err.Error(), "belongs to another user (id 12345)") {
		t.Errorf("the crash secret of another user: %v", err)
	}
}
