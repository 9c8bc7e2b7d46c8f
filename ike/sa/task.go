package sa

import (
	"slices"
	"time"

	"esplanade/ike/wire"
)

// task is a request that this side wants to make. Tasks wait in Machine.queue; one at a time becomes Machine.pending.
type task interface {
	// name is shown to the operator: "create child net".
	name() string
	exchange() wire.ExchangeType
	traits() traits
	// build makes the request. ok is false when there is nothing to do any more, or when the task has already reported
	// its own failure. It may ask for something ([Machine.ask]) before it changes anything, and is called again then.
	build(m *Machine, now time.Time) (payloads []wire.Payload, ok bool)
	// abandoned gives back what the task holds; the SA is being closed, and says why itself.
	abandoned(m *Machine, now time.Time)
}

// protectedTask is a task whose exchange is protected: every one but those that are an [openingTask].
type protectedTask interface {
	task
	// done handles the answer. It may ask as build may, and the request is in flight again while it waits.
	done(m *Machine, r *response)
}

// maxQueuedTasks bounds the queue: more than that is a daemon that asks faster than any peer answers.
const maxQueuedTasks = 256

var errQueueFull = &RequestError{Want: "a request to the peer", Reason: "too many others wait on the same IKE SA"}

// enqueue adds a task at the end. It reports whether the task was taken. Whoever must not ask twice looks with queued first.
func (m *Machine) enqueue(t task) bool {
	if m.state == StateClosed || m.state == StateDeleting || len(m.queue) >= maxQueuedTasks {
		return false
	}
	m.queue = append(m.queue, t)
	return true
}

// requeue puts a task back in front, to be tried again at once.
func (m *Machine) requeue(t task) { m.queue = slices.Insert(m.queue, 0, t) }

// delayed is a task that waits for its time.
type delayed struct {
	task task
	at   time.Time
}

// putOff has a task wait after TEMPORARY_FAILURE, by a time that differs from the peer's.
func (m *Machine) putOff(now time.Time, t task) {
	m.delayed = append(m.delayed, delayed{t, now.Add(jittered(rekeyRetry, rekeyRetry/2, m.env.Jitter()))})
}

// advanceDelayed queues the tasks whose time has come.
func (m *Machine) advanceDelayed(now time.Time) {
	m.delayed = slices.DeleteFunc(m.delayed, func(d delayed) bool {
		if now.Before(d.at) {
			return false
		}
		if !m.enqueue(d.task) {
			d.task.abandoned(m, now)
		}
		return true
	})
}

// abandonTasks drops whatever has not been sent.
func (m *Machine) abandonTasks(now time.Time) {
	for _, t := range m.queue {
		t.abandoned(m, now)
	}
	for _, d := range m.delayed {
		d.task.abandoned(m, now)
	}
	m.queue, m.delayed, m.building = nil, nil, nil
}

// pump starts the next request when none is in flight.
func (m *Machine) pump(now time.Time) {
	m.checkIDs(now)
	for m.pending == nil && len(m.queue) > 0 && m.state != StateClosed {
		if !m.buildNext(now) {
			return
		}
	}
}

// tasks lists the request in flight and those that wait.
func (m *Machine) tasks() []Task {
	var list []Task
	if m.pending != nil {
		list = append(list, Task{Kind: m.pending.task.traits().kind, Name: m.pending.task.name(), InFlight: true})
	}
	for _, t := range m.queue {
		list = append(list, Task{Kind: t.traits().kind, Name: t.name()})
	}
	return list
}

// doing returns the outstanding task if it has type T.
func doing[T task](m *Machine) (t T, ok bool) {
	if m.pending == nil {
		return t, false
	}
	t, ok = m.pending.task.(T)
	return t, ok
}

// queued returns the first waiting or outstanding task of type T that fits.
func queued[T task](m *Machine, fits func(T) bool) (t T, ok bool) {
	if t, ok := doing[T](m); ok && fits(t) {
		return t, true
	}
	for _, q := range m.queue {
		if t, ok := q.(T); ok && fits(t) {
			return t, true
		}
	}
	for _, d := range m.delayed {
		if t, ok := d.task.(T); ok && fits(t) {
			return t, true
		}
	}
	return t, false
}
