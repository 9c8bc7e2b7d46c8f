package netlab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func needRoot(t *testing.T) {
	t.Helper()
	if missing := Missing(); len(missing) > 0 {
		t.Skip("THE LAB IS NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
}

func TestLab(t *testing.T) {
	needRoot(t)
	for _, single := range []bool{false, true} {
		l, err := New(t.Context(), single)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o, err := l.Offloads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := "tcp-segmentation-offload on"
		if single {
			want = "tcp-segmentation-offload off"
		}
		if !strings.Contains(strings.Join(o, ","), want) {
			t.Errorf("single packets %v: %v", single, o)
		}
		if mtu, err := l.A.MTU(t.Context(), "va"); err != nil || mtu != 1500 {
			t.Errorf("MTU %d, %v", mtu, err)
		}
		// The inner networks are not connected: that is for the contestants.
		if err := l.A.Run(t.Context(), "ip", "route", "get", l.B.Inner.String()); err == nil {
			t.Error("there is a route to the other inner network")
		}
		if err := l.A.Run(t.Context(), "ip", "route", "get", l.B.Outer.String()); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := os.Stat(l.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", l.Dir, err)
	}
}

func TestProcess(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// Programs get a shell that ignores the polite signal, to see that the other one follows.
	p, err := l.A.Start("stubborn", filepath.Join(l.Dir, "log"), Command{Args: []string{"sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"}})
	if err != nil {
		t.Fatal(err)
	}
	for p.Log() != "up" {
		select {
		case <-p.Done():
			t.Fatal("it has ended: " + p.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if _, err := CPU(p.PID()); err != nil {
		t.Error(err)
	}
	if rss, err := RSS(p.PID()); err != nil || rss == 0 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	p.Stop(20 * time.Millisecond)
	p.Stop(time.Second)
	if err := syscall.Kill(p.PID(), 0); err == nil {
		t.Error("it is still there")
	}
	if _, err := CPU(p.PID()); err == nil {
		t.Error("CPU time of a process that has ended")
	}
}

func TestOutput(t *testing.T) {
	needRoot(t)
	l, err := New(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, _, err := l.B.Output(t.Context(), Command{Args: []string{"sh", "-c", "echo $X; echo no >&2"}, Env: []string{"X=yes"}})
	if err != nil || string(out) != "yes\n" {
		t.Errorf("%q, %v", out, err)
	}
	_, _, err = l.B.Output(t.Context(), Command{Args: []string{"sh", "-c", "echo complaint >&2; exit 3"}})
	if err == nil || !strings.Contains(err.Error(), "complaint") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err = l.B.Output(ctx, Command{Args: []string{"sleep", "60"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := l.B.Run(t.Context(), "no-such-program"); err == nil {
		t.Error("a program that does not exist was run")
	}
}

func TestMachineCPU(t *testing.T) {
	a, err := MachineCPU()
	if err != nil || a <= 0 {
		t.Errorf("%v, %v", a, err)
	}
}

func TestKernel(t *testing.T) {
	if k, err := Kernel(); err != nil || k == "" {
		t.Errorf("%q, %v", k, err)
	}
}
