package conns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/metrics"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/document"
	"esplanade/bench/proof"
	"esplanade/ike/control"
	"esplanade/ike/vici"
)

const (
	// maxLoad is how long loading may take for each ten thousand, and maxTurn how long the event loop may be busy in one go, in processor time.
	maxLoad = 10 * time.Second
	maxTurn = 5 * time.Millisecond
	// askEvery is how often the event loop is asked for a turn.
	askEvery = time.Millisecond
)

// step is one thing that was done.
type step struct {
	Name string `json:"name"`
	// Seconds is how long it took. BusyMs is the longest that the event loop was busy in one go, in processor time; TurnMs is its longest turn
	// for a command by the clock, and WaitMs the longest that anybody else has waited for one.
	Seconds float64 `json:"seconds"`
	// CPUSeconds is the processor time of the whole process, with the client.
	CPUSeconds float64 `json:"cpu_seconds"`
	BusyMs     float64 `json:"longest_busy_ms"`
	TurnMs     float64 `json:"longest_turn_ms"`
	WaitMs     float64 `json:"longest_wait_ms"`
	// AssistMs is the processor time that goroutines of the whole process gave the garbage collector for what they allocated, in all.
	AssistMs float64 `json:"gc_assist_ms"`
}

type results struct {
	Count int    `json:"count"`
	Steps []step `json:"steps"`
}

// Run measures, judges and writes.
func Run(ctx context.Context, o *Options) (err error) {
	b, err := contest.NewBuilder(ctx, "")
	if err != nil {
		return err
	}
	conditions := proof.Look(ctx, b.Root, o.Line)
	dir, err := os.MkdirTemp("", "conns")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, w, stop, err := start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(), stop()) }()
	r := results{Count: o.count}
	for _, s := range steps(ctx, c, o.count) {
		took, err := measure(ctx, w, s.do)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		took.Name = s.name
		r.Steps = append(r.Steps, took)
	}
	if err := write(o, r, conditions); err != nil {
		return err
	}
	return r.judge()
}

// todo is a step that is to be done.
type todo struct {
	name string
	do   func() error
}

// steps are those that are measured, in their order; the second is the one that is judged by its time.
func steps(ctx context.Context, c *vici.Client, count int) []todo {
	each := func(command string, message func(int) *vici.Message) func() error {
		return func() error {
			for n := range count {
				if _, err := c.Call(ctx, command, message(n)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	list := func(command, event string, want int) func() error {
		return func() error {
			n := 0
			_, err := c.Stream(ctx, command, event, nil, func(*vici.Message) error { n++; return nil })
			if err == nil && n != want {
				err = fmt.Errorf("%d of %d were listed", n, want)
			}
			return err
		}
	}
	return []todo{
		{"load the secrets", each("load-shared", secretOf)},
		{loading, each("load-conn", connection)},
		{"load the same connections again", each("load-conn", connection)},
		{"list-conns", list("list-conns", "list-conn", count)},
		{"the whole status", list(vici.CmdStatus, vici.EventStatusConn, count)},
		{"unload the connections", each("unload-conn", func(n int) *vici.Message { return new(vici.Message).Set("name", fmt.Sprintf("c%d", n)) })},
	}
}

const loading = "load the connections"

// measure does a step, and has the event loop asked for turns meanwhile.
func measure(ctx context.Context, w *watched, do func() error) (s step, err error) {
	w.take()
	ctx, cancel := context.WithCancel(ctx)
	waited := make(chan time.Duration)
	assisted, used := assists(), processTime()
	go func() { waited <- ask(ctx, control.Commands{Loop: w}) }()
	began := time.Now()
	err = do()
	s.Seconds, s.CPUSeconds = time.Since(began).Seconds(), (processTime() - used).Seconds()
	cancel()
	s.WaitMs = ms(<-waited)
	wall, cpu := w.take()
	s.TurnMs, s.BusyMs, s.AssistMs = ms(wall), ms(cpu), 1000*(assists()-assisted)
	return s, err
}

// assists are the seconds of processor time that goroutines had to give the garbage collector since the process began.
func assists() float64 {
	list := []metrics.Sample{{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}}
	if metrics.Read(list); list[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return list[0].Value.Float64()
}

// ask asks the event loop for a turn again and again. It returns the longest that it has waited for one.
func ask(ctx context.Context, c control.Commands) (longest time.Duration) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return longest
		case <-tick.C:
		}
		began := time.Now()
		if c.Answers(ctx) == nil {
			longest = max(longest, time.Since(began))
		}
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func errorsOf(errs ...error) error { return errors.Join(errs...) }

// judge says what took too long.
func (r *results) judge() error {
	var wrong proof.Faults
	for _, s := range r.Steps {
		if most := maxLoad.Seconds() * max(1, float64(r.Count)/10000); s.Name == loading {
			wrong.Must(s.Seconds < most, "%d connections were loaded in %.1f s; %.0f s is the most", r.Count, s.Seconds, most)
		}
		wrong.Must(s.BusyMs < ms(maxTurn), "%s: the event loop was busy for %.1f ms in one go", s.Name, s.BusyMs)
	}
	return wrong.Err()
}

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "conns.json", &r); err != nil {
		return err
	}
	t := document.NewTable("step", "seconds", "CPU seconds", "longest busy in one go (CPU ms)", "longest turn by the clock (ms)", "longest wait of others (ms)", "GC assist in all (ms)")
	for _, s := range r.Steps {
		t.Rowf("%s | %.2f | %.2f | %.2f | %.2f | %.2f | %.0f", s.Name, s.Seconds, s.CPUSeconds, s.BusyMs, s.TurnMs, s.WaitMs, s.AssistMs)
	}
	return document.WriteFile(o.Out, "conns.md", fmt.Sprintf(`# Many connections, %s

A client of VICI loaded %d connections with a child and a pre-shared key each, one request after the other. Meanwhile the event loop was asked every
%v for a turn. %s

%s
Longest busy is the processor time of the event loop's thread from one point at which it would have handled other input to the next: a command, or
what it did between two of them, with the garbage collector's share in what it allocates. That is judged. The longest turn is what a command took by
the clock; turns and waits have in them what the machine, and the garbage collector, did meanwhile. GC assist, and CPU seconds, are
those of the whole process, which has the client in it.

%s`, c.Began.UTC().Format("2006-01-02"), r.Count, askEvery, proof.Sentence(r.judge(), "All was in time."), t, c))
}
