package sa

import (
	"encoding/binary"
	"testing"

	"esplanade/ike/wire"
)

// A peer may delete a CHILD SA before its answer has told of it. What is remembered of such DELETEs is bounded.
func TestDeletedSPIsAreBounded(t *testing.T) {
	play(t, "x:rekey", nil, nil, func(l *ladder) {
		var spis [][]byte
		for i := range uint32(10 * maxGone) {
			spis = append(spis, binary.BigEndian.AppendUint32(nil, 0x70000000+i))
		}
		for _, d := range l.y.machine().seal(l.y.header(wire.ExchangeInformational), []wire.Payload{&wire.Delete{Protocol: wire.ProtocolESP, SPIs: spis}}) {
			l.inject(l.y, d)
		}
		if n := len(l.x.machine().gone); n != maxGone {
			l.t.Errorf("%d SPIs are remembered", n)
		}
	})
}
