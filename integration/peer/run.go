//go:build linux

package peer

import (
	"sync"

	"esplanade/integration/lab"
)

// run is the process of a gateway's present or last run. A test may kill a gateway that another goroutine is about to start:
// whoever comes second waits, so that no process gets away.
type run struct {
	mu   sync.Mutex
	proc *lab.Process
}

func (r *run) start(site *lab.Site, name string, c lab.Command) (*lab.Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := site.Start(name, c)
	if err != nil {
		return nil, err
	}
	r.proc = p
	return p, nil
}

// process is nil before the first run.
func (r *run) process() *lab.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

func (r *run) kill() {
	if p := r.process(); p != nil {
		p.Kill()
	}
}
