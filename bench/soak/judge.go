package soak

import (
	"fmt"
	"strings"
	"time"

	"esplanade/bench/gateways"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
	"esplanade/integration/lab"
)

// What is asked. The machine may be busy with other things meanwhile, so throughput is put in relation to what it left:
// the CPU time that was there, less what other processes and the hypervisor's other guests took. That shows a gateway that
// has become slower and one that stands idle alike. And as a CPU second is worth less while others share caches and cores,
// CPU time counts in units of the reference: what the same little work takes at the same time.
const (
	// minThroughput is the least throughput for each unit of CPU time left, last third to first third.
	minThroughput = 0.9
	// maxCost is the most CPU time of both gateways for each GB, last third to first third.
	maxCost = 1.1
	// maxGrowthRSS bounds what a gateway's resident memory grows by after the warm-up, maxGrowthHeap what its live heap does.
	maxGrowthRSS  = 4.0 // MiB
	maxGrowthHeap = 1.0 // MiB
	// maxMoreGoroutines and maxMoreFiles bound what may be under way at one moment and not at another.
	maxMoreGoroutines = 2
	maxMoreFiles      = 2
	mebi              = 1 << 20
	giga              = 1e9
)

// ages at which keys are renewed.
const (
	childRekey = time.Minute
	ikeRekey   = 2 * time.Minute
)

// reading is the state of everything at one moment; counters count from the beginning of the programs.
type reading struct {
	at                 time.Duration // from the end of the warm-up
	forth, back        uint64        // bytes of TCP payload that arrived
	retransmits        uint64
	busy, stolen, ours time.Duration // CPU time of the machine, of its other guests, of this process and the gateways
	units              int64         // of the reference
	unitTime           time.Duration // what they took
	gateways           [2]state
	overflow           lab.Overflow // of both hosts
}

// state is that of one gateway.
type state struct {
	cpu     time.Duration
	rss     uint64
	metrics gateways.Metrics
}

// interval is what happened between two readings.
type interval struct {
	begin, end  time.Duration
	forth, back float64 // Gbit/s
	left        float64 // CPU seconds that the machine left
	perLeft     float64 // GB for each of them
	cost        float64 // CPU seconds of both gateways for each GB
	unit        float64 // CPU seconds for a unit of the reference
	rss, heap   [2]float64
	last        reading
}

// intervals are the differences of readings. cpus is the number of the machine's.
func intervals(rs []reading, cpus int) []interval {
	var all []interval
	for i := 1; i < len(rs); i++ {
		a, b := rs[i-1], rs[i]
		seconds := (b.at - a.at).Seconds()
		gb := float64(b.forth+b.back-a.forth-a.back) / giga
		others := (b.busy - a.busy) - (b.ours - a.ours)
		left := float64(cpus)*seconds - max(others, 0).Seconds() - (b.stolen - a.stolen).Seconds()
		x := interval{begin: a.at, end: b.at, left: left, last: b,
			forth: float64(b.forth-a.forth) * 8 / giga / seconds, back: float64(b.back-a.back) * 8 / giga / seconds, perLeft: gb / left}
		x.unit = (b.unitTime - a.unitTime).Seconds() / float64(b.units-a.units)
		for g := range b.gateways {
			x.cost += (b.gateways[g].cpu - a.gateways[g].cpu).Seconds() / gb
			x.rss[g] = float64(b.gateways[g].rss) / mebi
			// The heap at which the collector begins its next round is twice what was alive after the last one.
			x.heap[g] = b.gateways[g].metrics["go_memstats_next_gc_bytes"] / 2 / mebi
		}
		all = append(all, x)
	}
	return all
}

// thirds gives the median of a figure in the first and in the last third.
func thirds(xs []interval, of func(interval) float64) (first, last float64) {
	n := len(xs) / 3
	median := func(xs []interval) float64 {
		var v []float64
		for _, x := range xs {
			v = append(v, of(x))
		}
		return stats.Summarise(v).Median
	}
	return median(xs[:n]), median(xs[len(xs)-n:])
}

// judge holds a run of some length to what is asked. rs has the readings after the warm-up, numbered what became of the
// datagrams each way.
func judge(rs []reading, cpus int, numbered []flow) []proof.Verdict {
	xs := intervals(rs, cpus)
	first, last := rs[0], rs[len(rs)-1]
	length := last.at - first.at
	var vs []proof.Verdict
	change := func(of func(interval) float64) float64 { a, b := thirds(xs, of); return b / a }
	vs = append(vs,
		proof.AtLeast("throughput for each unit of CPU time that the machine left, last third / first third",
			change(func(x interval) float64 { return x.perLeft * x.unit }), minThroughput, "%.3f"),
		proof.AtMost("units of CPU time of both gateways for each GB, last third / first third",
			change(func(x interval) float64 { return x.cost / x.unit }), maxCost, "%.3f"),
		proof.Shown("a unit of CPU time, last third / first third", "%.3f", change(func(x interval) float64 { return x.unit })),
		proof.Shown("throughput as it is, last third / first third", "%.3f", change(func(x interval) float64 { return x.forth + x.back })),
		proof.Shown("CPU seconds that the machine left, last third / first third", "%.3f", change(func(x interval) float64 { return x.left })))
	congestion := uint64(0)
	for g, name := range []string{"a", "b"} {
		growth := func(of func(interval) float64) float64 { a, b := thirds(xs, of); return b - a }
		of := "gateway " + name + ": "
		metric := func(name string) func(interval) float64 {
			return func(x interval) float64 { return x.last.gateways[g].metrics[name] }
		}
		vs = append(vs,
			proof.AtMost(of+"growth of resident memory, MiB", growth(func(x interval) float64 { return x.rss[g] }), maxGrowthRSS, "%.2f"),
			proof.AtMost(of+"growth of live heap, MiB", growth(func(x interval) float64 { return x.heap[g] }), maxGrowthHeap, "%.2f"),
			proof.AtMost(of+"more goroutines", growth(metric("go_goroutines")), maxMoreGoroutines, "%.1f"),
			proof.AtMost(of+"more open files", growth(metric("process_open_fds")), maxMoreFiles, "%.1f"))
		drops := gateways.Account{Drops: gateways.Sub(last.gateways[g].metrics.Drops(), first.gateways[g].metrics.Drops())}
		congestion += drops.Congestion()
		vs = append(vs, proof.None(of+"dropped packets, but for congestion", drops.Drops, drops.OtherReasons()),
			proof.Shown(of+"dropped packets, congestion", "%s", counts(drops.Drops, gateways.CongestionReasons())))
	}
	a := last.gateways[0].metrics
	for _, sa := range []struct {
		name string
		age  time.Duration
	}{{"child", childRekey}, {"ike", ikeRekey}} {
		// The last one may be under way when the run ends.
		vs = append(vs, proof.AtLeast("rekeyings of the "+strings.ToUpper(sa.name)+" SA",
			float64(a.Rekeys(sa.name)-first.gateways[0].metrics.Rekeys(sa.name)), float64(max(0, length/sa.age-1)), "%.0f"))
	}
	overflow := last.overflow.Sub(first.overflow)
	lost := 0
	for _, f := range numbered {
		lost += len(f.Lost)
		vs = append(vs, proof.AtMost(f.name+": datagrams that arrived twice", float64(f.Repeated), 0, "%.0f"),
			proof.Shown(f.name+": datagrams", "%d sent, %d arrived, %d late", f.Sent, f.Received, f.Late))
	}
	return append(vs,
		proof.AtMost("numbered datagrams lost, of both ways; asked: not more than packets of all sorts were dropped for congestion by kernel and gateways",
			float64(lost), float64(overflow.Total())+float64(congestion), "%.0f"),
		proof.Shown("dropped by the kernels for congestion", "%d in device queues, %d in UDP receive buffers", overflow.TUN+overflow.Backlog, overflow.UDP),
		proof.Shown("TCP segments sent again", "%d", last.retransmits-first.retransmits))
}

func counts(drops map[string]uint64, names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, fmt.Sprintf("%s %d", n, drops[n]))
	}
	return strings.Join(all, ", ")
}
