package rekey

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"esplanade/bench/gateways"
	"esplanade/bench/load"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

// sample is a run in which every slot carries 100 to 109 MB, those with a rekeying a share of it.
func sample(share float64, change func(r *result)) *result {
	r := &result{}
	at := time.Unix(1000, 0)
	for i := range 8 {
		p := phase{begin: at, every: time.Second, curve: []point{{at, 0}}}
		sum := uint64(0)
		for k := range 100 {
			more := uint64(100e6 + 1e6*float64(k*7%10))
			if i%2 == 0 && k%10 == 5 {
				x := rekeying{sa: "child", due: at, begin: at.Add(10 * time.Millisecond), end: at.Add(15 * time.Millisecond)}
				if k == 55 {
					x.sa = "ike"
				}
				p.rekeyings = append(p.rekeyings, x)
				more = uint64(105e6 * share)
			}
			sum += more
			at = at.Add(slot)
			p.curve = append(p.curve, point{at, sum})
		}
		if i%2 == 0 {
			r.with = append(r.with, p)
			r.full.rekeyings = append(r.full.rekeyings, p.rekeyings...)
		} else {
			r.without = append(r.without, p)
		}
	}
	for _, p := range []*part{&r.full, &r.paced} {
		p.account = gateways.Account{Sealed: 1000, Opened: 1000}
		p.numbered = []flow{{"forth", load.NumberedResult{Sent: 10, Received: 10}}}
	}
	if change != nil {
		change(r)
	}
	return r
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		share  float64
		change func(r *result)
		bad    []string // what is not kept, in order
	}{
		{name: "no dip", share: 1},
		{name: "a dip of a tenth", share: 0.9, bad: []string{"throughput of the 100 ms", "share of the former"}},
		{name: "more sent again", share: 1, change: func(r *result) {
			for i := range r.with {
				r.with[i].retransmits = 20 // in some 10 GB
			}
		}, bad: []string{"– with rekeyings"}},
		{name: "as much sent again without", share: 1, change: func(r *result) {
			for i := range r.with {
				r.with[i].retransmits, r.without[i].retransmits = 20, 20
			}
		}},
		{name: "an unknown SPI", share: 1, change: func(r *result) {
			r.full.account.Opened--
			r.full.account.Drops = map[string]uint64{"in unknown_spi": 1}
		}, bad: []string{"full load: packets dropped by a gateway"}},
		{name: "a packet that nobody owns to", share: 1, change: func(r *result) { r.paced.account.Opened-- }, bad: []string{"paced load: packets sealed"}},
		{name: "a packet that comes twice", share: 1, change: func(r *result) { r.paced.account.Opened++ }, bad: []string{"paced load: packets sealed"}},
		{name: "a full queue", share: 1, change: func(r *result) {
			r.full.account.Opened--
			r.full.account.Overflow = lab.Overflow{UDP: 1}
			r.full.numbered[0].Lost = make([]time.Duration, 1)
		}},
		{name: "a datagram lost", share: 1, change: func(r *result) { r.paced.numbered[0].Lost = make([]time.Duration, 1) }, bad: []string{"paced load: numbered datagrams"}},
		{name: "a datagram twice", share: 1, change: func(r *result) { r.paced.numbered[0].Repeated = 1 }, bad: []string{"paced load: numbered datagrams"}},
	} {
		var bad []string
		for _, v := range sample(c.share, c.change).judge() {
			if !v.Ok {
				bad = append(bad, v.What)
			}
		}
		ok := len(bad) == len(c.bad)
		for i := range min(len(bad), len(c.bad)) {
			ok = ok && strings.HasPrefix(bad[i], c.bad[i])
		}
		if !ok {
			t.Errorf("%s: not kept: %q, want %q", c.name, bad, c.bad)
		}
	}
}

func TestText(t *testing.T) {
	r := sample(0.5, nil)
	got := r.text(&Options{streams: 4, phase: 10 * time.Second, every: time.Second}, []proof.Verdict{proof.Shown("x", "y")}, "conditions")
	for _, want := range []string{
		"| a rekeying due | 40 | 4.20 |",
		"| – of the CHILD SA | 36 |", "| – of the IKE SA | 4 |", "| one due 100 ms before | 40 |", "| one due 200 ms before | 40 |",
		// The last rekeying of a phase has only half a second after it.
		"| none any more | 260 | 8.", "| none, in the phases without | 400 | 8.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestSumAt(t *testing.T) {
	at := time.Unix(1000, 0)
	p := phase{curve: []point{{at, 10}, {at.Add(slot), 20}, {at.Add(3 * slot), 60}}}
	for _, c := range []struct {
		at   time.Duration
		want float64
		ok   bool
	}{{-1, 0, false}, {0, 10, true}, {slot / 2, 15, true}, {slot, 20, true}, {2 * slot, 40, true}, {3 * slot, 60, true}, {3*slot + 1, 0, false}} {
		if got, ok := p.sumAt(at.Add(c.at)); got != c.want || ok != c.ok {
			t.Errorf("after %v: %v, %v", c.at, got, ok)
		}
	}
	if g, ok := p.gbits(at.Add(slot)); !ok || g != 20*8/giga/0.1 {
		t.Errorf("%v, %v", g, ok)
	}
}

// ender is an end that notes what it is asked for.
type ender struct {
	name  string
	asked *[]string
	done  chan<- gateways.Rekeying
	wrong bool
}

func (e *ender) ask(sa string) error {
	*e.asked = append(*e.asked, e.name+" "+sa)
	if e.wrong {
		sa = "other"
	}
	e.done <- gateways.Rekeying{SA: sa, At: time.Now()}
	return nil
}
func (e *ender) RekeyChild(context.Context) error { return e.ask("child") }
func (e *ender) RekeyIKE(context.Context) error   { return e.ask("ike") }

func TestDriver(t *testing.T) {
	var asked []string
	events := make(chan gateways.Rekeying, 1)
	a, b := &ender{name: "a", asked: &asked, done: events}, &ender{name: "b", asked: &asked, done: events}
	d := &driver{ends: [2]end{a, b}, events: events}
	for range 11 {
		if r, err := d.next(t.Context(), time.Now()); err != nil || r.end.Before(r.begin) {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	const want = "b child,a child,b child,a child,b ike,a child,b child,a child,b child,a ike,b child"
	if got := strings.Join(asked, ","); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.wrong = true
	if r, err := d.next(t.Context(), time.Now()); err == nil {
		t.Errorf("a rekeying of another SA was taken for the one asked for: %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if x := d.renew(ctx, time.Now(), time.Hour, 2*time.Hour); !errors.Is(x.err, context.Canceled) {
		t.Errorf("%+v", x)
	}
}
