//go:build unix

package hooks

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

func newFeed(t *testing.T, o FeedOptions) *Feed {
	t.Helper()
	var err error
	if o.Runner, err = NewRunner(""); err != nil {
		t.Fatal(err)
	}
	o.Log, o.Daemon = slog.New(slog.DiscardHandler), "esplanade test"
	o.Counters = func(uint64) (gateway.Counters, bool) { return gateway.Counters{InBytes: 7}, true }
	f := NewFeed(o)
	t.Cleanup(func() { f.Close(0) })
	return f
}

func socket(t *testing.T) (net.Listener, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ev") // a path that is short enough
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "e")
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return l, path
}

// connect is a reader of the socket.
func connect(t *testing.T, path string) *bufio.Reader {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return bufio.NewReader(c)
}

func next(t *testing.T, r *bufio.Reader) (x Record) {
	t.Helper()
	line, err := r.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &x)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return x
}

// TestSocket: each reader gets a greeting and, from then on, every line; what it says counts for nothing; the end brings what was observed before.
func TestSocket(t *testing.T) {
	l, path := socket(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	f := newFeed(t, FeedOptions{Listener: l})
	f.Observe(event(t, true, 1, "nobody.listens"))
	var readers []*bufio.Reader
	for range 3 {
		r := connect(t, path)
		if x := next(t, r); x.Event != EventHello || x.Version != schemaVersion || x.Daemon != "esplanade test" {
			t.Errorf("greeting %+v", x)
		}
		readers = append(readers, r)
	}
	f.Observe(event(t, true, 2, "b.example"))
	f.Observe(event(t, false, 2, "b.example"))
	f.Reloaded(nil, fmt.Errorf("one\ntwo"))
	f.Observe(gateway.ChildKeys{})
	f.Close(time.Minute)
	for _, r := range readers {
		up, down, re := next(t, r), next(t, r), next(t, r)
		if up.Event != EventChildUp || up.IKE.RemoteID != "b.example" || up.Seq != 1 || down.Event != EventChildDown || down.Child.BytesIn != 7 || down.Seq != 2 {
			t.Errorf("%+v\n%+v", up, down)
		}
		if re.Event != EventReloadFailed || len(re.Errors) != 2 {
			t.Errorf("%+v", re)
		}
		if _, err := r.ReadByte(); err == nil {
			t.Error("the connection is still there")
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
	f.Observe(event(t, true, 3, "b.example")) // after the end
}

// TestSlowReaders: one that reads nothing is disconnected once too much waits for it, and another one does not notice. There is a greatest number.
func TestSlowReaders(t *testing.T) {
	l, path := socket(t)
	f := newFeed(t, FeedOptions{Listener: l})
	slow := connect(t, path)
	next(t, slow)
	quick := connect(t, path)
	next(t, quick)
	lines := uint64(0)
	for f.Counts().Slow == 0 {
		f.Observe(event(t, true, 2, strings.Repeat("x", 1000)))
		if x := next(t, quick); x.Event == EventChildUp {
			lines++
		}
		if lines > 10*maxLinesWaiting {
			t.Fatal("nobody was disconnected")
		}
	}
	f.Observe(event(t, true, 2, "b.example"))
	if x := next(t, quick); x.IKE.RemoteID != "b.example" || x.Seq != lines+1 {
		t.Errorf("%+v", x)
	}
	for range maxReaders + 4 {
		connect(t, path)
	}
	for end := time.Now().Add(30 * time.Second); f.Counts().Refused < 4; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", f.Counts())
		}
	}
}

// TestTooMuchAtOnce: what has no room is lost, and the readers are told how much.
func TestTooMuchAtOnce(t *testing.T) {
	l, path := socket(t)
	f := newFeed(t, FeedOptions{Listener: l})
	r := connect(t, path)
	next(t, r)
	f.mu.Lock() // the goroutine that makes lines waits
	f.items, f.lost = make([]item, maxItems), 0
	for i := range f.items {
		f.items[i] = item{event: reloading{}}
	}
	f.mu.Unlock()
	for range 3 {
		f.Observe(gateway.IKEMoved{SA: sa.Snapshot{}}) // does not fit, unless the lines were made meanwhile
	}
	f.mu.Lock()
	lost := f.lost
	select {
	case f.wake <- struct{}{}:
	default:
	}
	f.mu.Unlock()
	told := uint64(0)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			var x Record
			line, err := r.ReadBytes('\n')
			if err != nil || json.Unmarshal(line, &x) != nil {
				return
			}
			told += x.Dropped
		}
	}()
	f.Close(time.Minute)
	<-read
	if n := f.Counts(); n.Lost != 3 || lost != 3 || told != 3 {
		t.Errorf("lost %d, counted %+v, told %d", lost, n, told)
	}
}

// TestMissed: a line says how many a reader has missed, as soon as there is room.
func TestMissed(t *testing.T) {
	r := newReader()
	for range maxLinesWaiting {
		if !r.offer([]byte("x")) {
			t.Fatal("no room")
		}
	}
	for range 5 {
		if r.offer([]byte("x")) {
			t.Fatal("room")
		}
	}
	<-r.lines
	<-r.lines
	if !r.offer([]byte("last")) {
		t.Fatal("no room")
	}
	for range maxLinesWaiting - 2 {
		<-r.lines
	}
	var x Record
	if err := json.Unmarshal(<-r.lines, &x); err != nil || x.Event != EventDropped || x.Dropped != 5 {
		t.Errorf("%+v %v", x, err)
	}
	if s := string(<-r.lines); s != "last" {
		t.Errorf("then %q", s)
	}
}

// TestCommand: the command reads all lines, is started again when it ends, and has the last ones at the end.
func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	f := newFeed(t, FeedOptions{Command: fmt.Sprintf(`while read -r line; do echo "$line" >> %s; case $line in *stop*) exit 1;; esac; done; echo end >> %s`, file, file)})
	lines := func() []string {
		b, _ := os.ReadFile(file)
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	wait := func(n int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); len(lines()) < n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d lines are not there:\n%s", n, strings.Join(lines(), "\n"))
			}
		}
	}
	f.Observe(event(t, true, 1, "one.example"))
	f.Observe(event(t, true, 2, "stop.example"))
	wait(4) // with the second greeting
	f.Observe(event(t, true, 3, "three.example"))
	f.Close(time.Minute)
	got := lines()
	for i, want := range []string{EventHello, "one.example", "stop.example", EventHello, "three.example", "end"} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Fatalf("line %d is not of %s:\n%s", i, want, strings.Join(got, "\n"))
		}
	}
}

// TestCommandThatHangs: one that reads nothing keeps nobody waiting at the end.
func TestCommandThatHangs(t *testing.T) {
	f := newFeed(t, FeedOptions{Command: "exec sleep 1000"})
	for range 2000 {
		f.Observe(event(t, true, 1, strings.Repeat("x", 200)))
	}
	f.Close(10 * time.Millisecond)
}

// TestListen: a file that is there stays, and so does a socket on which somebody answers; one that was left behind is replaced.
func TestListen(t *testing.T) {
	l, path := socket(t)
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("error %v", err)
	}
	l.(*listener).UnixListener.Close() // as a crash leaves it
	again, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := os.Stat(path); err != nil {
		t.Error("the old one has removed the new one's socket")
	}
	again.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("error %v", err)
	}
	if _, err := Listen(path, "no-such-group-here"); err == nil || !strings.Contains(err.Error(), "events.group") {
		t.Errorf("error %v", err)
	}
}
