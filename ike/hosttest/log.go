package hosttest

import (
	"strings"
	"sync"
)

// Log keeps what is logged. The zero value is empty.
type Log struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write takes a line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
