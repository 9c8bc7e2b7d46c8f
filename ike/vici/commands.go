package vici

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// command carries out a command. It reports false for one that strongSwan does not have either.
func (ss *session) command(ctx context.Context, name string, req *Message) (response *Message, known bool) {
	switch name {
	case "version":
		return ss.version(), true
	case "stats":
		return ss.stats(ctx), true
	case "list-sas":
		return ss.listSAs(ctx, req), true
	case "list-conns":
		return ss.listConns(ctx, req), true
	case "get-conns":
		return ss.getConns(ctx, req), true
	case "initiate":
		return ss.initiate(ctx, req), true
	case "terminate":
		return ss.terminate(ctx, req), true
	case "rekey":
		return ss.rekey(ctx, req), true
	case "redirect":
		return ss.redirect(ctx, req), true
	case "list-policies":
		return ss.listPolicies(ctx, req), true
	case "install":
		return ss.trap(ctx, req, ss.server.backend.Install, "configuration name not found"), true
	case "uninstall":
		return ss.trap(ctx, req, ss.server.backend.Uninstall, "policy 'CHILD' not found"), true
	case "get-algorithms":
		return algorithms(ss.server.backend.Algorithms()), true
	case "get-pools":
		return ss.getPools(ctx, req), true
	case "get-counters":
		return ss.getCounters(ctx, req), true
	case "reset-counters":
		return ss.resetCounters(ctx, req), true
	case "reload-settings":
		return ss.reloadSettings(ctx), true
	case CmdESP:
		return ss.espSAs(ctx, req), true
	case CmdStatus:
		return ss.status(ctx, req), true
	}
	return ss.load(ctx, name, req)
}

// reloadSettings answers with what has changed, or with every error: swanctl shows what both have in common with strongSwan.
func (ss *session) reloadSettings(ctx context.Context) *Message {
	changes, err := ss.server.backend.ReloadSettings(ctx)
	m := result(err)
	m.SetListNonEmpty("changes", changes...)
	if err != nil {
		m.SetList("errors", strings.Split(err.Error(), "\n")...)
	}
	return m
}

// result is the response that says only whether it worked, and why not.
func result(err error) *Message {
	if err != nil {
		return failed(err)
	}
	return new(Message).Set("success", "yes")
}

func failed(err error) *Message {
	m := new(Message)
	m.Set("success", "no")
	m.Set("errmsg", errText(err))
	return m
}

func errText(err error) string { return cut(err.Error(), maxText) }

// streamed is the response that completes a stream: empty if all went well, as clients expect.
func streamed(err error) *Message {
	if err != nil {
		return failed(err)
	}
	return new(Message)
}

func (ss *session) version() *Message {
	v := ss.server.backend.Version()
	m := new(Message)
	m.Set("daemon", v.Daemon)
	m.Set("version", v.Version)
	m.Set("sysname", v.Sysname)
	m.Set("release", v.Release)
	m.Set("machine", v.Machine)
	return m
}

func (ss *session) stats(ctx context.Context) *Message {
	st, err := ss.server.backend.Stats(ctx)
	if err != nil {
		return failed(err)
	}
	m := new(Message)
	up := m.Sub("uptime")
	up.Set("running", duration(ss.server.o.Now().Sub(st.Since)))
	up.Set("since", st.Since.Format("Jan 02 15:04:05 2006"))
	w := m.Sub("workers")
	w.Setf("total", "%d", st.Workers)
	w.Setf("idle", "%d", st.IdleWorkers)
	priorities(w.Sub("active"), max(st.Workers-st.IdleWorkers, 0))
	priorities(m.Sub("queues"), st.Queued)
	m.Setf("scheduled", "%d", st.Scheduled)
	sas := m.Sub("ikesas")
	sas.Setf("total", "%d", st.IKESAs)
	sas.Setf("half-open", "%d", st.HalfOpen)
	m.SetList("plugins", st.Features...)
	if st.HeapBytes > 0 {
		mem := m.Sub("mallinfo")
		mem.Setf("sbrk", "%d", st.HeapBytes)
		mem.Setf("mmap", "%d", st.OtherBytes)
		mem.Setf("used", "%d", st.HeapUsed)
		mem.Setf("free", "%d", st.HeapBytes-min(st.HeapUsed, st.HeapBytes))
	}
	return m
}

// priorities fills strongSwan's four priorities of jobs; this daemon has one, which counts as medium.
func priorities(m *Message, n int) {
	m.Set("critical", "0")
	m.Set("high", "0")
	m.Setf("medium", "%d", n)
	m.Set("low", "0")
}

// duration is d in words, in the largest unit of which there are more than two, as strongSwan shows it.
func duration(d time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d > 2*u.d {
			return fmt.Sprintf("%d %ss", d/u.d, u.name)
		}
	}
	n := int64(max(d, 0) / time.Second)
	if n == 1 {
		return "1 second"
	}
	return fmt.Sprintf("%d seconds", n)
}

func (ss *session) listSAs(ctx context.Context, req *Message) *Message {
	filter := SAFilter{IKE: req.Get("ike"), Child: req.Get("child")}
	var err error
	if filter.IKEID, err = uniqueID(req, "ike-id"); err != nil {
		return failed(err)
	}
	if filter.ChildID, err = uniqueID(req, "child-id"); err != nil {
		return failed(err)
	}
	return streamed(ss.server.backend.ListSAs(ctx, filter, func(sa IKESA) error {
		now := ss.server.o.Now()
		// An IKE_SA with more children than fit an event comes in several, each with the IKE_SA's values.
		for _, page := range pages(sa.Children, func(c *ChildSA, m *Message) { c.fill(m, now) }) {
			if err := ss.stream(ctx, EventListSA, sa.message(page, now)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (ss *session) listConns(ctx context.Context, req *Message) *Message {
	return streamed(ss.server.backend.ListConns(ctx, req.Get("ike"), func(c Conn) error {
		for _, c.Children = range pages(c.Children, (*ConnChild).fill) {
			if err := ss.stream(ctx, EventListConn, c.message()); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (ss *session) getConns(ctx context.Context, req *Message) *Message {
	all, err := req.Bool("all")
	if err != nil {
		return failed(err)
	}
	return listed(ctx, "conns", func(ctx context.Context) ([]string, error) { return ss.server.backend.GetConns(ctx, all) })
}

// maxWholeCounters is how many connections' counters fit an answer with all their zeros: 21 of about 25 octets each.
const maxWholeCounters = MaxSegment / 1024

// noCounters is strongSwan's answer about a connection that it does not count.
const noCounters = "no counters found for this connection"

func (ss *session) getCounters(ctx context.Context, req *Message) *Message {
	all, err := req.Bool("all")
	if err != nil {
		return failed(err)
	}
	cs, err := ss.server.backend.GetCounters(ctx, req.Get("name"), all)
	err = notFound(err, noCounters)
	m := new(Message)
	sections := m.Sub("counters")
	for _, c := range cs {
		s := sections.Sub(c.Name)
		for _, name := range CounterNames() {
			// One answer has those of all connections: of very many, only what has happened.
			if n := c.Values[name]; n > 0 || len(cs) <= maxWholeCounters {
				s.Setf(name, "%d", n)
			}
		}
	}
	m.Set("success", yesNo(err == nil))
	if err != nil {
		m.Set("errmsg", errText(err))
	}
	return m
}

func (ss *session) resetCounters(ctx context.Context, req *Message) *Message {
	all, err := req.Bool("all")
	if err != nil {
		return failed(err)
	}
	return result(notFound(ss.server.backend.ResetCounters(ctx, req.Get("name"), all), noCounters))
}

func (ss *session) status(ctx context.Context, req *Message) *Message {
	st, err := ss.server.backend.Status(ctx, req.Get("connection"), func(c ConnStatus) error {
		for _, m := range c.messages() {
			if err := ss.stream(ctx, EventStatusConn, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return failed(err)
	}
	st.DroppedEvents = ss.server.Dropped()
	return st.message()
}
