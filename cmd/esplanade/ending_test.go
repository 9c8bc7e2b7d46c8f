package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	ikegw "esplanade/ike/gateway"
	"esplanade/ike/vici"
	"esplanade/tun"
)

// endedLink remembers how it was ended.
type endedLink struct {
	tun.Link
	how string
}

func (l *endedLink) Close() error   { l.how += "closed "; return nil }
func (l *endedLink) Abandon() error { l.how += "abandoned "; return nil }

// TestOnlyAWantedEndOpensTheWay: what refuses the packets of the tunnels goes when somebody asks the gateway to end, and stays
// when a part of it fails, and when it does not come to start.
func TestOnlyAWantedEndOpensTheWay(t *testing.T) {
	asked, ask := context.WithCancelCause(t.Context())
	ctx, stop := context.WithCancelCause(asked)
	if wanted(ctx, asked) {
		t.Error("wanted before the end")
	}
	failed, fail := context.WithCancelCause(asked)
	fail(errors.New("packet loop"))
	ask(errors.New("a signal"))
	stop(errors.New("packet loop")) // it comes too late
	if !wanted(ctx, asked) || wanted(failed, asked) {
		t.Errorf("asked to end: %v, failed: %v", wanted(ctx, asked), wanted(failed, asked))
	}

	for _, c := range []struct {
		stopped bool
		want    string
	}{{true, "closed "}, {false, "abandoned "}} {
		link := &endedLink{}
		g := &gateway{link: link, stopped: c.stopped}
		g.close()
		if link.how != c.want {
			t.Errorf("stopped %v: the link was %s, want %s", c.stopped, link.how, c.want)
		}
	}
}

// looker looks for a file when a child goes down.
type looker struct {
	path string
	seen chan error
}

func (l looker) Observe(e ikegw.Event) {
	if d, ok := e.(ikegw.ChildUpdown); ok && !d.Up {
		_, err := os.Lstat(l.path)
		select {
		case l.seen <- err:
		default:
		}
	}
}

// TestSocketGoesLast: while a gateway that ends still has SAs, another one finds its control socket and does not start beside it.
func TestSocketGoesLast(t *testing.T) {
	l := newLab(t)
	_, right := l.pair(nil)
	look := looker{right.socket, make(chan error, 1)}
	right.seen.note(func() { right.seen.also = look })
	if err := right.stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-look.seen; err != nil {
		t.Errorf("while its child went down: %v", err)
	}
	if _, err := os.Lstat(right.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("afterwards: %v", err)
	}

	path := l.path("kept.vici")
	u, err := vici.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	k := keep(u)
	accepted := make(chan error, 1)
	go func() { _, err := k.Accept(); accepted <- err }()
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("who accepts is told %v", err)
	}
	if _, err := vici.Listen(path); err == nil || !strings.Contains(err.Error(), "another daemon answers on") {
		t.Errorf("another daemon is told %v", err)
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
