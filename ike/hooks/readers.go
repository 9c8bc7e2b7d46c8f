package hooks

import (
	"context"
	"io"
	"net"
	"os"
	"time"
)

// reader is one that gets the lines.
type reader struct {
	lines chan []byte
	// missed is how many lines had no room, of which it was not told yet. It belongs to the goroutine that makes lines.
	missed uint64
	conn   net.Conn // nil for the command
	ctx    context.Context
	kill   context.CancelFunc
}

func newReader() *reader {
	r := &reader{lines: make(chan []byte, maxLinesWaiting)}
	r.ctx, r.kill = context.WithCancel(context.Background())
	return r
}

// offer has a line written if there is room for it. Lines that have found none are told of by a line of their own, as soon as there is.
func (r *reader) offer(line []byte) bool {
	if r.missed > 0 {
		told := encode(Record{Version: schemaVersion, Time: time.Now(), Event: EventDropped, Dropped: r.missed})
		select {
		case r.lines <- told:
			r.missed = 0
		default:
			r.missed++
			return false
		}
	}
	select {
	case r.lines <- line:
		return true
	default:
		r.missed++
		return false
	}
}

// The pause before a command that has ended is started again: it doubles while it ends soon.
const (
	minRestart = time.Second
	maxRestart = time.Minute
)

// keepCommand runs the command of [events], again and again, until there are no more lines.
func (f *Feed) keepCommand() {
	pause := minRestart
	for {
		began := time.Now()
		err, over := f.runCommand()
		if over {
			return
		}
		if time.Since(began) > maxRestart {
			pause = minRestart
		}
		f.o.Log.Warn("events: the command has ended, it is started again", "command", f.o.Command, "error", err, "after", pause)
		select {
		case <-time.After(pause):
		case <-f.closed:
			return
		}
		pause = min(2*pause, maxRestart)
	}
}

// runCommand runs it once. over: there are no more lines.
func (f *Feed) runCommand() (err error, over bool) {
	in, out, err := os.Pipe()
	if err != nil {
		return err, false
	}
	exited := make(chan struct{})
	go func() {
		err = f.o.Runner.Run(f.command.ctx, Job{Command: f.o.Command, Env: []string{"PATH=" + path}, Input: in, Log: f.o.Log, Name: "events"})
		in.Close()
		out.Close() // ends a write that nobody reads
		close(exited)
	}()
	line, ok := f.hello(), true
	for {
		if !ok {
			out.Close()
			<-exited
			return err, true
		}
		if _, failed := out.Write(line); failed != nil {
			<-exited
			return err, false
		}
		select {
		case line, ok = <-f.command.lines:
		case <-exited:
			return err, false
		}
	}
}

// accept takes readers of the socket until that is closed.
func (f *Feed) accept() {
	for {
		c, err := f.o.Listener.Accept()
		if err != nil {
			select {
			case <-f.closed:
				return
			default:
			}
			f.mu.Lock()
			over := f.over
			f.mu.Unlock()
			if over {
				return
			}
			f.o.Log.Warn("events: cannot accept a reader", "error", err)
			select {
			case <-time.After(minRestart): // for want of file descriptors, which may come back
			case <-f.closed:
				return
			}
			continue
		}
		f.welcome(c)
	}
}

// welcome begins with a reader, if there is room for one.
func (f *Feed) welcome(c net.Conn) {
	r := newReader()
	r.conn = c
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || len(f.readers) >= maxReaders {
		f.counts.refused.Add(1)
		c.Close()
		return
	}
	r.lines <- f.hello()
	f.readers[r] = struct{}{}
	f.listening.Add(1)
	f.wg.Go(func() { f.write(r) })
	f.wg.Go(func() { // until it goes: what it says counts for nothing
		_, _ = io.Copy(io.Discard, c)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dismiss(r)
	})
}

// dismiss ends a reader of the socket. The mutex is held.
func (f *Feed) dismiss(r *reader) {
	if _, ok := f.readers[r]; ok {
		delete(f.readers, r)
		r.kill()
		r.conn.Close()
	}
}

// write writes the lines of a reader of the socket until it goes, or there are no more.
func (f *Feed) write(r *reader) {
	defer f.listening.Add(-1)
	defer r.conn.Close()
	for {
		var line []byte
		ok := false
		select {
		case line, ok = <-r.lines:
		case <-r.ctx.Done():
		}
		if !ok {
			return
		}
		select {
		case <-f.closed: // the time that is left was set
		default:
			r.conn.SetWriteDeadline(time.Now().Add(readerTimeout))
		}
		if _, err := r.conn.Write(line); err != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			if _, ok := f.readers[r]; ok && os.IsTimeout(err) {
				f.counts.slow.Add(1)
				f.o.Log.Warn("events: a reader of the socket takes nothing and was disconnected", "limit", readerTimeout)
			}
			f.dismiss(r)
			return
		}
	}
}
