package rekey

import (
	"fmt"
	"slices"
	"time"

	"esplanade/bench/gateways"
	"esplanade/bench/load"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

// slot is what a figure of throughput is made of.
const slot = 100 * time.Millisecond

// What is asked.
const (
	// minMedian is the least throughput in the slot that a rekeying is due in, in relation to that of slots without, by their
	// medians. On a busy machine slots differ so much that the median of some dozen is uncertain by more than that: a dip
	// counts when it is larger than chance, and the report says how small one could have been seen.
	minMedian = 0.95
	// maxLow is the largest share of slots with a rekeying that may be as low as the lowest tenth of those without.
	maxLow = 0.2
	// maxMoreRetransmits bounds what phases with rekeyings have more than those without, in segments for each GB, of which
	// there are some 740,000.
	maxMoreRetransmits = 1.0
	giga               = 1e9
	// after is how many slots from its due time on are looked at by themselves: a rekeying takes some milliseconds, and a busy
	// machine delays it. Slots further on count as without.
	after = 3
)

// rekeying is one that was asked for. Slots go by the time when it was due: the time that it took on a busy machine would
// pick those slots in which the machine was busy.
type rekeying struct {
	sa              string // "child" or "ike"
	due, begin, end time.Time
}

// point is how much had arrived at a moment.
type point struct {
	at  time.Time
	sum uint64
}

// phase is a time with or without rekeyings.
type phase struct {
	begin       time.Time
	every       time.Duration
	curve       []point
	rekeyings   []rekeying
	retransmits uint64
}

func (p *phase) bytes() uint64 { return p.curve[len(p.curve)-1].sum - p.curve[0].sum }

// sumAt is how much had arrived at a moment, by interpolation; false outside of the phase.
func (p *phase) sumAt(t time.Time) (float64, bool) {
	i, _ := slices.BinarySearchFunc(p.curve, t, func(a point, t time.Time) int { return a.at.Compare(t) })
	if i == len(p.curve) || i == 0 && p.curve[0].at.After(t) {
		return 0, false
	}
	if i == 0 {
		return float64(p.curve[0].sum), true
	}
	a, b := p.curve[i-1], p.curve[i]
	part := float64(t.Sub(a.at)) / float64(b.at.Sub(a.at))
	return float64(a.sum) + part*float64(b.sum-a.sum), true
}

// gbits is the throughput in the slot that begins at t.
func (p *phase) gbits(t time.Time) (float64, bool) {
	a, okA := p.sumAt(t)
	b, okB := p.sumAt(t.Add(slot))
	return (b - a) * 8 / giga / slot.Seconds(), okA && okB
}

// result is that of a run.
type result struct {
	with, without []phase
	full, paced   part
}

// part is a time with the same load, from no traffic to no traffic.
type part struct {
	account   gateways.Account
	numbered  []flow
	rekeyings []rekeying
}

// flow is what became of numbered datagrams in one direction.
type flow struct {
	name string
	load.NumberedResult
}

// kind is a row of the table: slots of one kind.
type kind struct {
	name  string
	gbits []float64
}

// kinds sorts all slots. In due are those that a rekeying is due in, in later those after them, of which none has one.
func (r *result) kinds() (due, later, without kind, details []kind) {
	due, later, without = kind{name: "a rekeying due"}, kind{name: "none any more"}, kind{name: "none, in the phases without"}
	child, ike := kind{name: "– of the CHILD SA"}, kind{name: "– of the IKE SA"}
	next := make([]kind, after)
	for i := range next {
		next[i].name = fmt.Sprintf("one due %d ms before", i*int(slot/time.Millisecond))
	}
	for _, p := range r.with {
		for _, x := range p.rekeyings {
			for i := 0; time.Duration(i+1)*slot <= p.every; i++ {
				v, ok := p.gbits(x.due.Add(time.Duration(i) * slot))
				switch {
				case !ok:
				case i == 0:
					due.gbits = append(due.gbits, v)
					if x.sa == "ike" {
						ike.gbits = append(ike.gbits, v)
					} else {
						child.gbits = append(child.gbits, v)
					}
				case i < after:
					next[i].gbits = append(next[i].gbits, v)
				default:
					later.gbits = append(later.gbits, v)
				}
			}
		}
	}
	for _, p := range r.without {
		for t := p.begin; ; t = t.Add(slot) {
			v, ok := p.gbits(t)
			if !ok {
				break
			}
			without.gbits = append(without.gbits, v)
		}
	}
	return due, later, without, append([]kind{child, ike}, next[1:]...)
}

func (r *result) judge() []proof.Verdict {
	due, none, _, _ := r.kinds()
	tenth := stats.Percentile(none.gbits, 10)
	low := 0
	for _, v := range due.gbits {
		if v <= tenth {
			low++
		}
	}
	usual := stats.Summarise(none.gbits).Median
	least, most := stats.MedianWithin(due.gbits)
	vs := []proof.Verdict{
		{What: "throughput of the 100 ms in which a rekeying is due / of those with none, by medians, and where that of the former lies with 95 %",
			Found: fmt.Sprintf("%.3f (%.3f–%.3f)", stats.Summarise(due.gbits).Median/usual, least/usual, most/usual),
			Bound: fmt.Sprintf("not with 95 %% below %.2f", minMedian), Ok: most/usual >= minMedian},
		proof.AtMost("share of the former that are as low as the lowest tenth of the latter", float64(low)/float64(len(due.gbits)), maxLow, "%.3f"),
	}
	sent := func(ps []phase) float64 {
		var each []float64
		for i := range ps {
			each = append(each, float64(ps[i].retransmits)/(float64(ps[i].bytes())/giga))
		}
		return stats.Summarise(each).Median
	}
	with, without := sent(r.with), sent(r.without)
	vs = append(vs, proof.Shown("segments sent again for each GB, phases without rekeyings", "%.2f", without),
		proof.AtMost("– with rekeyings", with, without+maxMoreRetransmits, "%.2f"))
	vs = append(vs, r.full.judge("full load")...)
	return append(vs, r.paced.judge("paced load")...)
}

// judge asks that every packet is accounted for.
func (p *part) judge(name string) []proof.Verdict {
	a := p.account
	var child, ike []float64
	for _, r := range p.rekeyings {
		ms := float64(r.end.Sub(r.begin)) / float64(time.Millisecond)
		if r.sa == "ike" {
			ike = append(ike, ms)
		} else {
			child = append(child, ms)
		}
	}
	c, i := stats.Summarise(child), stats.Summarise(ike)
	vs := []proof.Verdict{
		proof.Shown(name+": rekeyings", "%d of CHILD SAs in %.1f ms each (median; at most %.1f), %d of IKE SAs in %.1f (%.1f)", c.N, c.Median, c.Max, i.N, i.Median, i.Max),
		proof.None(name+": packets dropped by a gateway, but for congestion", a.Drops, a.OtherReasons()),
		proof.Shown(name+": packets", "%d sealed, %d opened; dropped for congestion by gateways and kernels: %d", a.Sealed, a.Opened, a.Congestion()),
		proof.AtMost(name+": packets sealed, and neither opened nor dropped by a gateway; asked: not more than the kernels dropped",
			float64(max(a.Missing(), -a.Missing())), float64(a.Overflow.Total()), "%.0f"),
	}
	for _, f := range p.numbered {
		found := fmt.Sprintf("%d of %d", len(f.Lost), f.Sent)
		vs = append(vs, proof.Verdict{What: name + ": numbered datagrams lost " + f.name, Found: found,
			Bound: fmt.Sprintf("≤ %d, dropped for congestion", a.Congestion()), Ok: uint64(len(f.Lost)) <= a.Congestion() && f.Sent > 0 && f.Repeated == 0})
	}
	return vs
}
