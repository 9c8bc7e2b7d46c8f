package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esplanade/config"
)

// loadTimeout is how long the reading of a configuration, and of the files that it names, may take. It takes milliseconds, seconds
// for ten thousand connections on a busy host, and as long as it likes where a network file system does not answer.
const loadTimeout = 30 * time.Second

// loadResult is what became of reading a configuration.
type loadResult struct {
	conf *config.Config
	err  error
}

// loadInTime is config.Load within loadTimeout. What is still being read then goes on in vain: nothing can end a read that a file
// system does not answer.
func loadInTime(ctx context.Context, path string) (*config.Config, error) {
	return newLoader().load(ctx, path, config.Load)
}

// loader reads configurations for one caller at a time. However often it is asked, one reader at most waits for an answer.
type loader struct{ slot chan struct{} }

func newLoader() *loader { return &loader{slot: make(chan struct{}, 1)} }

func (l *loader) load(ctx context.Context, path string, read func(string) (*config.Config, error)) (*config.Config, error) {
	select {
	case l.slot <- struct{}{}:
	default:
		return nil, errors.New("an earlier reading of it still has no answer: is its file system there?")
	}
	done := make(chan loadResult, 1)
	go func() {
		c, err := read(path)
		<-l.slot
		done <- loadResult{c, err}
	}()
	late := time.NewTimer(loadTimeout)
	defer late.Stop()
	select {
	case r := <-done:
		return r.conf, r.err
	case <-late.C:
		return nil, fmt.Errorf("no answer for %s: is the file system there that it and the files it names are on, and has the host time for it?", loadTimeout)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
