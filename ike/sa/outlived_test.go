package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// An IKE SA with a successor is remembered for as long as a peer may repeat a request, and not more of them than the bound says.
func TestOutlived(t *testing.T) {
	var o outlived
	if o.has(1) {
		t.Error("the empty one has something")
	}
	o.add(epoch, 1)
	o.add(epoch.Add(outlivedTime-1), 2)
	o.add(epoch.Add(outlivedTime), 3)
	if !o.has(1) || !o.has(2) || !o.has(3) {
		t.Error("something is forgotten too early")
	}
	o.add(epoch.Add(2*outlivedTime), 4)
	if o.has(1) || o.has(2) || !o.has(3) || !o.has(4) {
		t.Error("something is not forgotten in time, or too early")
	}
	for i := range wire.SPI(5 * maxOutlived) {
		o.add(epoch.Add(2*outlivedTime), 100+i)
	}
	if n := len(o.fresh) + len(o.old); n > 2*maxOutlived {
		t.Errorf("%d are remembered", n)
	}
}

// The peer has lost no IKE SA that it has a successor of, though it doesn't have it any more: no token is shown for it
// (RFC 6290 section 4.5), and one is for an IKE SA that was lost.
func TestNoProofOfLossAfterSuccession(t *testing.T) {
	r := newRig(t, 1, nil)
	r.b.env.CrashToken = func(spii, spir wire.SPI) []byte { return slices.Repeat([]byte{byte(spii), byte(spir)}, 16) }
	r.a.connect()
	r.run(time.Second)
	_, old := r.wantUp(1)
	lost := wire.Header{SPIi: 0x1234, SPIr: 0x5678, NextPayload: wire.PayloadSK, Exchange: wire.ExchangeInformational}
	gone := wire.Header{SPIi: old.spii(), SPIr: old.spir(), NextPayload: wire.PayloadSK, Exchange: wire.ExchangeInformational}
	shown := func(h wire.Header) int {
		return len(r.b.env.ProofOfLoss(h, func(spi wire.SPI) bool { return r.b.machines[spi] != nil && !r.b.machines[spi].Done() }, slices.Values(r.b.all())))
	}
	if shown(gone) != 0 || shown(lost) != 1 {
		t.Errorf("of an IKE SA that lives %d tokens, of one that does not %d", shown(gone), shown(lost))
	}
	old.RekeyIKE(r.now)
	r.b.drain(old)
	r.run(2 * lingerTime)
	if !old.Done() || !old.Replaced() {
		t.Fatalf("the old IKE SA is %s", old.State())
	}
	if shown(gone) != 0 || shown(lost) != 1 {
		t.Errorf("of an IKE SA that has a successor %d tokens, of one that was lost %d", shown(gone), shown(lost))
	}
}
