package gateway

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/wire"
)

// TestLabelsAreNoStrangersChoice: whatever octets for version, exchange type, flags and first payload a stranger sends, it makes no
// more than a few series.
func TestLabelsAreNoStrangersChoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		s := newStranger(f, "198.51.100.9")
		a := f.start(addrA, toml("", left("none")))
		for i := range 256 {
			for _, version := range []int{0, 0x10, 0x1f, 0x20, 0x2f, 0x30, 0xff, i} {
				b := make([]byte, wire.HeaderLen)
				binary.BigEndian.PutUint64(b, uint64(1+i*256+version))
				b[16], b[17], b[18], b[19] = byte(i), byte(version), byte(i), byte(wire.FlagInitiator)
				if version == 0x20 && i%2 == 0 {
					b[16] = 0 // no payload at all, which parses
				}
				binary.BigEndian.PutUint32(b[24:], uint32(len(b)))
				s.send(addrA, b)
			}
			settle(time.Second)
		}
		st := a.d.Stats()
		if len(st.Failures) == 0 || len(st.Failures) > 2 || len(st.Exchanges) > 4 || len(st.Ignored) > 8 {
			t.Errorf("%d failures, %d exchanges, %d ignored:\n%v", len(st.Failures), len(st.Exchanges), len(st.Ignored), st.Failures)
		}
		a.stop()
	})
}

// TestExchangeLabels: the exchanges that this gateway has keep their names, everything else has one.
func TestExchangeLabels(t *testing.T) {
	seen := map[string]bool{}
	exchanges := map[string]bool{}
	for i := range 256 {
		x := wire.ExchangeType(i)
		seen[exchangeLabel(x.String())] = true
		exchanges[ExchangeLabel(x)] = true
	}
	if len(seen) != 8 || !seen[otherExchange] || !seen["IKE_AUTH"] || len(exchanges) != 8 {
		t.Errorf("%v, %v", seen, exchanges)
	}
	if exchangeLabel("") != "" {
		t.Error("a failure outside of exchanges has one")
	}
}
