package gateway

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/sa"
)

// costs is a part of a proof that costs so much.
type costs time.Duration

func (costs) Same(auth.Want) bool       { return false }
func (costs) String() string            { return "work" }
func (costs) CarryOut() auth.Answer     { return auth.Answer{} }
func (c costs) Cost() time.Duration     { return time.Duration(c) }
func wants(cost time.Duration) sa.Proof { return sa.Proof{Want: costs(cost)} }

// What strangers have verified is bounded by its cost, as key exchanges are, for all of them and for each; what costs little always is.
func TestSignaturesOfStrangersAreBudgeted(t *testing.T) {
	for _, cost := range []time.Duration{costly, expensive} {
		g := &Manager{expensive: budget{limits: expensiveLimits()}, costly: budget{limits: costlyLimits()}}
		from, now := netip.MustParseAddr("203.0.113.7"), time.Unix(1e9, 0)
		end := now.Add(time.Minute)
		var made time.Duration
		for ; now.Before(end); now = now.Add(time.Millisecond) {
			if g.affords(now, from, wants(cost)) {
				made += cost
			}
			if !g.affords(now, from, wants(costly-1)) {
				t.Fatal("what costs little is refused")
			}
		}
		limits := costlyLimits()
		if cost >= expensive {
			limits = expensiveLimits()
		}
		if most := limits.sourceBurst + time.Duration(limits.sourceRate*float64(time.Minute)); made > most || made < most/2 {
			t.Errorf("cost %v: %v of work in a minute, want at most %v", cost, made, most)
		}
		if !g.affords(now, netip.MustParseAddr("198.51.100.1"), wants(cost)) {
			t.Error("a newcomer got nothing")
		}
	}
}
