package vici

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// control is what initiate and terminate have in common: how long to wait, and how much to log.
type control struct {
	timeout  time.Duration // 0: no limit
	noWait   bool
	logLevel int
}

// parseControl reads it: "The default timeout of 0 waits indefinitely for a result, and a timeout value of -1 returns a
// result immediately."
func parseControl(req *Message) (control, error) {
	var c control
	// swanctl takes seconds, and sends -1000 for "--timeout -1".
	ms, err := req.Int("timeout", 0, math.MinInt32, math.MaxInt32)
	if err != nil {
		return c, err
	}
	level, err := req.Int("loglevel", 1, -1, 4)
	if err != nil {
		return c, err
	}
	c.noWait, c.logLevel = ms < 0, int(level)
	if ms > 0 {
		c.timeout = time.Duration(ms) * time.Millisecond
	}
	return c, nil
}

// errTimeout is what ends a command that has had its time.
var errTimeout = errors.New("--timeout")

// start derives the context of the command and its log. What it returns last must be called at the end.
func (ss *session) start(ctx context.Context, c control) (context.Context, LogFunc, func()) {
	level := c.logLevel
	if c.noWait {
		level = math.MinInt
	}
	log, endLog := ss.controlLog(level)
	cancel := context.CancelFunc(func() {})
	if c.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("the %s of %w are over", c.timeout, errTimeout))
	}
	return ctx, log, func() { endLog(); cancel() }
}

func (ss *session) initiate(ctx context.Context, req *Message) *Message {
	c, err := parseControl(req)
	if err != nil {
		return failed(err)
	}
	r := InitiateRequest{Child: req.Get("child"), IKE: req.Get("ike"), NoWait: c.noWait, LogLevel: c.logLevel}
	if r.Children, err = req.Bool("children"); err != nil {
		return failed(err)
	}
	kind, name := "CHILD_SA", r.Child
	if name == "" {
		kind, name = "IKE_SA", r.IKE
	}
	if name == "" {
		return failed(errors.New("missing configuration name"))
	}
	// No limit here keeps this side from initiating, so that "init-limits" makes no difference.
	if _, err := req.Bool("init-limits"); err != nil {
		return failed(err)
	}
	ctx, log, end := ss.start(ctx, c)
	err = ss.server.backend.Initiate(ctx, r, log)
	end()
	if err != nil {
		err = c.notInitiated(err, kind, name, r.Children)
	}
	return result(err)
}

// explainEnd replaces the bare error of a context that has ended by words: "what not done after 2000ms, rest". An error
// that says more, as when the backend knows the last failure, is kept.
func (c control) explainEnd(err error, what, done, rest string) error {
	switch {
	case err == context.DeadlineExceeded && c.timeout > 0:
		return fmt.Errorf("%s not %s after %dms%s", what, done, c.timeout.Milliseconds(), rest)
	case err == context.Canceled:
		return errStopping
	}
	return err
}

// errStopping is the end of a command with the daemon.
var errStopping = errors.New("the daemon is stopping")

// selectors reads what terminate and rekey select SAs by.
func selectors(req *Message) (child, ike string, childID, ikeID uint32, err error) {
	child, ike = req.Get("child"), req.Get("ike")
	if childID, err = uniqueID(req, "child-id"); err == nil {
		ikeID, err = uniqueID(req, "ike-id")
	}
	return child, ike, childID, ikeID, err
}

func uniqueID(req *Message, name string) (uint32, error) {
	n, err := req.Int(name, 0, 0, math.MaxUint32)
	return uint32(n), err
}

func (ss *session) terminate(ctx context.Context, req *Message) *Message {
	c, err := parseControl(req)
	if err != nil {
		return failed(err)
	}
	r := TerminateRequest{NoWait: c.noWait, LogLevel: c.logLevel}
	if r.Child, r.IKE, r.ChildID, r.IKEID, err = selectors(req); err != nil {
		return failed(err)
	}
	if r.Force, err = req.Bool("force"); err != nil {
		return failed(err)
	}
	if r.Hold, err = req.Bool("hold"); err != nil {
		return failed(err)
	}
	if r.Child == "" && r.IKE == "" && r.ChildID == 0 && r.IKEID == 0 {
		return failed(errors.New("missing terminate selector"))
	}
	ctx, log, end := ss.start(ctx, c)
	res, err := ss.server.backend.Terminate(ctx, r, log)
	end()
	if c.noWait && err == nil {
		res.Terminated = res.Matches // as strongSwan counts what it has begun to end
	}
	switch {
	case err != nil:
		err = notFound(c.explainEnd(err, "all SAs", "terminated", ""), "no matching SAs to terminate found")
		if errors.Is(err, errTimeout) && res.Matches > 0 {
			err = fmt.Errorf("%s: %w", notTerminated(res), err)
		}
	case res.Matches == 0 && !r.Hold:
		err = errors.New("no matching SAs to terminate found")
	case res.Terminated < res.Matches:
		err = errors.New(notTerminated(res))
	}
	m := new(Message)
	m.Set("success", yesNo(err == nil))
	m.Setf("matches", "%d", res.Matches)
	m.Setf("terminated", "%d", res.Terminated)
	if err != nil {
		m.Set("errmsg", errText(err))
	}
	return m
}

func (ss *session) rekey(ctx context.Context, req *Message) *Message {
	var r RekeyRequest
	var err error
	if r.Child, r.IKE, r.ChildID, r.IKEID, err = selectors(req); err != nil {
		return failed(err)
	}
	if r.Reauth, err = req.Bool("reauth"); err != nil {
		return failed(err)
	}
	if r.Child == "" && r.IKE == "" && r.ChildID == 0 && r.IKEID == 0 {
		return failed(errors.New("missing rekey selector"))
	}
	// What is an addition to strongSwan's command: to wait, for so long at most.
	if r.Wait, err = req.Bool("wait"); err != nil {
		return failed(err)
	}
	c, err := parseControl(req)
	if err != nil {
		return failed(err)
	}
	ctx, _, end := ss.start(ctx, c)
	defer end()
	matches, err := ss.server.backend.Rekey(ctx, r)
	return matched(matches, err, "rekey")
}

// matched answers a command to do something with the SAs that match: how many did. None is a failure.
func matched(matches int, err error, what string) *Message {
	none := "no matching SAs to " + what + " found"
	if err == nil && matches == 0 {
		err = errors.New(none)
	}
	err = notFound(err, none)
	m := new(Message)
	m.Set("success", yesNo(err == nil))
	m.Setf("matches", "%d", matches)
	if err != nil {
		m.Set("errmsg", errText(err))
	}
	return m
}
