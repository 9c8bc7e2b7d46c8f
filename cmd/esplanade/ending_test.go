package main

import (
	"context"
	"errors"
	"testing"

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
