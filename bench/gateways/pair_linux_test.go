package gateways

import (
	"context"
	"strings"
	"testing"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/load"
	"esplanade/integration/lab"
)

func TestPair(t *testing.T) {
	if missing := lab.Missing(); len(missing) > 0 {
		t.Skip("A PAIR OF GATEWAYS IS NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
	b, err := contest.NewBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	binary, err := b.Esplanade(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := Start(ctx, binary, Options{ESP: "aes128gcm16-x25519", ChildRekey: time.Hour, IKERekey: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := p.Lab
	numbered, err := load.StartNumbered(l.A.Do, l.B.Do, l.A.Inner4, l.B.Inner4, 200, 500)
	if err != nil {
		t.Fatal(err)
	}
	rekeyings, err := p.A.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, ask := range []struct {
		sa string
		of func(context.Context) error
	}{{"child", p.A.RekeyChild}, {"ike", p.B.RekeyIKE}, {"child", p.B.RekeyChild}} {
		if err := ask.of(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-rekeyings:
			if got.SA != ask.sa {
				t.Errorf("a rekeying of %q, want %s", got.SA, ask.sa)
			}
		case <-ctx.Done():
			t.Fatalf("no rekeying of %s is reported", ask.sa)
		}
	}
	r, err := numbered.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent == 0 || len(r.Lost) > 0 {
		t.Errorf("lost while keys were renewed: %+v", r)
	}
	a, err := p.A.Scrape(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if a.Rekeys("child") != 2 || a.Rekeys("ike") != 1 || a.Packets("out") < uint64(r.Sent) || a["go_memstats_heap_alloc_bytes"] == 0 {
		t.Errorf("metrics: %d child, %d ike, %d packets of %d", a.Rekeys("child"), a.Rekeys("ike"), a.Packets("out"), r.Sent)
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}
