package report

import (
	"esplanade/bench/stats"
)

// target is a ratio that Esplanade has to reach.
type target struct {
	What     string
	Metric   Metric
	Num, Den string
	// DenOr is another contestant: the better of the two is the denominator.
	DenOr string
	// Goal by wire; a wire without one has no target.
	Goal map[Wire]float64
	// AtMost says that the ratio must not be above the goal; otherwise it must not be below.
	AtMost bool
}

// targets are what the packet loop is held to.
func targets() []target {
	both := func(super, mtu float64) map[Wire]float64 { return map[Wire]float64{WireSuper: super, WireMTU: mtu} }
	return []target{
		{What: "TCP, one stream: Esplanade / wireguard-go", Metric: TCP1, Num: KeyEsplanade, Den: KeyWireGuard, Goal: both(2.2, 1.8)},
		{What: "TCP, one stream: Esplanade / strongSwan kernel-libipsec", Metric: TCP1, Num: KeyEsplanade, Den: KeySwan, Goal: both(7, 5.5)},
		{What: "TCP, one stream: Esplanade / its own engine with encryption off", Metric: TCP1, Num: KeyEsplanade, Den: KeyNull,
			Goal: map[Wire]float64{WireSuper: 0.65}},
		{What: "TCP, one stream: AES-256-GCM / AES-128-GCM", Metric: TCP1, Num: KeyAES256, Den: KeyEsplanade, Goal: both(0.9, 0.9)},
		{What: "UDP 64 B, highest rate with at most 0.1 % loss: Esplanade / the better of wireguard-go and strongSwan", Metric: UDP64,
			Num: KeyEsplanade, Den: KeyWireGuard, DenOr: KeySwan, Goal: both(1.5, 1.5)},
		{What: "p99 round trip at half load: Esplanade / wireguard-go", Metric: HalfP99, Num: KeyEsplanade, Den: KeyWireGuard,
			Goal: both(0.8, 0.8), AtMost: true},
	}
}

// verdict is what became of a target on one wire.
type verdict struct {
	stats.Ratio
	Goal float64
	// HasGoal is false where the ratio is shown and nothing is asked of it.
	HasGoal bool
	Reached bool
}

// Judge compares the samples with a target. Of two denominators the one with the higher median is taken; of metrics
// where less is better there are none with two.
func (t target) judge(r *Results, w Wire) verdict {
	den := t.Den
	if t.DenOr != "" {
		a, b := stats.RatioOf(r.values(w, t.DenOr, t.Metric), r.values(w, t.Den, t.Metric)), t.DenOr
		if len(r.values(w, t.Den, t.Metric)) == 0 || a.Ok && a.Value > 1 {
			den = b
		}
	}
	v := verdict{Ratio: stats.RatioOf(r.values(w, t.Num, t.Metric), r.values(w, den, t.Metric))}
	v.Goal, v.HasGoal = t.Goal[w]
	if v.Ok && v.HasGoal {
		v.Reached = v.Value >= v.Goal
		if t.AtMost {
			v.Reached = v.Value <= v.Goal
		}
	}
	return v
}
