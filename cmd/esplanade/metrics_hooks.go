package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike/hooks"
)

// hookDescs are the metrics of updown commands, and of the readers of events.
type hookDescs struct{ calls, waiting, lines, lost, readers *prometheus.Desc }

func newHookDescs(d func(name, help string, labels ...string) *prometheus.Desc) hookDescs {
	return hookDescs{
		calls:   d("updown_calls_total", "Calls of updown commands by how they ended; needless are those of CHILD SAs that had gone before their turn came.", "result"),
		waiting: d("updown_waiting", "What updown commands are still to be called for."),
		lines:   d("events_lines_total", "Lines of events that were made."),
		lost:    d("events_lost_total", "Lines of events that were lost: too much had happened at once, or a reader was too slow.", "reason"),
		readers: d("events_readers_dropped_total", "Readers of the socket of events that were disconnected for being slow, or not taken since there were too many.", "reason"),
	}
}

func (h hookDescs) all() []*prometheus.Desc {
	return []*prometheus.Desc{h.calls, h.waiting, h.lines, h.lost, h.readers}
}

// collect gives them. f is nil where nobody is told of events.
func (h hookDescs) collect(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string), u *hooks.Updown, f *hooks.Feed) {
	n := u.Counts()
	count(h.calls, n.Done, "done")
	count(h.calls, n.Failed, "failed")
	count(h.calls, n.TimedOut, "timeout")
	count(h.calls, n.Needless, "needless")
	gauge(h.waiting, float64(u.Waiting()))
	c := hooks.FeedCounts{}
	if f != nil {
		c = f.Counts()
	}
	count(h.lines, c.Lines)
	count(h.lost, c.Lost, "burst")
	count(h.lost, c.Missed, "reader")
	count(h.readers, c.Slow, "slow")
	count(h.readers, c.Refused, "limit")
}
