//go:build linux

package lab

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCables(t *testing.T) {
	NeedRoot(t)
	for cable, want := range map[Cable]string{
		CableMTU: "tcp-segmentation-offload off", CableMerge: "generic-receive-offload on", CableSuper: "tcp-segmentation-offload on",
	} {
		l := New(t, Options{Cable: cable})
		o, err := l.Offloads()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(o, ","), want) {
			t.Errorf("cable %d: %v, want %s", cable, o, want)
		}
		if mtu, err := l.A.MTU(l.A.Link); err != nil || mtu != 1500 {
			t.Errorf("MTU %d, %v", mtu, err)
		}
		// The inner networks are not connected: that is for the gateways.
		if err := l.A.IP("route get " + l.B.Inner4.String()); err == nil {
			t.Error("there is a route to the other inner network")
		}
		for _, s := range l.Sites() {
			if err := s.IP("route get "+l.Other(s).Outer4.String(), "route get "+l.Other(s).Outer6.String()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	NeedRoot(t)
	l, err := Build(Options{Router: true})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := os.Stat(l.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", l.Dir, err)
	}
}

// failing is a test that has failed.
type failing struct {
	*testing.T
	clean []func()
	said  []string
}

func (f *failing) Failed() bool                 { return true }
func (f *failing) Cleanup(do func())            { f.clean = append(f.clean, do) }
func (f *failing) Logf(format string, _ ...any) { f.said = append(f.said, format) }

func TestFailureKeepsTheDirectory(t *testing.T) {
	NeedRoot(t)
	to := t.TempDir()
	t.Setenv("ESPLANADE_ARTEFACTS", to)
	f := &failing{T: t}
	h := NewLone(f)
	if err := os.WriteFile(h.Dir+"/log", []byte("why"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, do := range f.clean {
		do()
	}
	if b, err := os.ReadFile(to + "/" + t.Name() + "/lone/log"); err != nil || string(b) != "why" || len(f.said) != 1 {
		t.Errorf("%q, %v; said %q", b, err, f.said)
	}
	if _, err := os.Stat(h.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", h.Dir, err)
	}
}

func TestProcess(t *testing.T) {
	NeedRoot(t)
	h := NewLone(t)
	// A shell that ignores the polite signal, to see that the other one follows.
	p, err := h.Start("stubborn", Command{Args: []string{"sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"}})
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, 10*time.Second, "it is up", func() (bool, string) { return p.Tail() == "up", p.Log() })
	if _, err := CPU(p.PID()); err != nil {
		t.Error(err)
	}
	if rss, err := RSS(p.PID()); err != nil || rss == 0 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	for range 2 {
		if err := p.Stop(20 * time.Millisecond); err == nil {
			t.Error("a program that had to be killed has ended in order")
		}
	}
	if err := syscall.Kill(p.PID(), 0); err == nil {
		t.Error("it is still there")
	}
	if _, err := CPU(p.PID()); err == nil {
		t.Error("CPU time of a process that has ended")
	}
	if p.CPUTime() < 0 {
		t.Error("it has taken less than nothing")
	}
}

func TestOutput(t *testing.T) {
	NeedRoot(t)
	h := NewLone(t)
	both := Command{Args: []string{"sh", "-c", "echo $X; echo no >&2"}, Env: []string{"X=yes"}}
	if out, _, err := h.Output(t.Context(), both); err != nil || string(out) != "yes\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := h.RunContext(t.Context(), both); err != nil || out != "yes\nno\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, _, err := h.Output(t.Context(), Command{Args: []string{"sh", "-c", "echo complaint >&2; exit 3"}}); err == nil || !strings.Contains(err.Error(), "complaint") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := h.Output(ctx, Command{Args: []string{"sleep", "60"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := h.Run("no-such-program"); err == nil {
		t.Error("a program that does not exist was run")
	}
}

func TestCounters(t *testing.T) {
	NeedRoot(t)
	h := NewLone(t)
	if o, err := h.Overflow(); err != nil || o.Total() != 0 {
		t.Errorf("%v, %v", o, err)
	}
	if n, err := h.OutOfOrder(); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if busy, _, err := MachineTimes(); err != nil || busy <= 0 {
		t.Errorf("%v, %v", busy, err)
	}
}
