package sa

import (
	"time"

	"esplanade/ike/wire"
)

// rejectChildTask closes a CHILD SA that the peer has created by its answer and that this side could not accept: an SA
// that only one side has would swallow what is sent on it.
type rejectChildTask struct {
	spi      uint32 // ours, reserved until the peer cannot use it any more
	protocol wire.ProtocolID
	child    string
}

func (t *rejectChildTask) name() string                { return "reject child " + t.child }
func (t *rejectChildTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (t *rejectChildTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return []wire.Payload{deleteChild(t.protocol, t.spi)}, true
}
func (t *rejectChildTask) done(m *Machine, r *response)        { m.env.ReleaseSPI(t.spi) }
func (t *rejectChildTask) abandoned(m *Machine, now time.Time) { m.env.ReleaseSPI(t.spi) }
