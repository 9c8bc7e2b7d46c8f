package gateways

import (
	"maps"
	"slices"

	"esplanade/integration/lab"
)

// Account is what has become of the packets of a tunnel, in both directions together.
type Account struct {
	// Sealed and Opened are packets that went into SAs and came out of them.
	Sealed, Opened uint64
	// Drops are those of both gateways, by direction and reason.
	Drops map[string]uint64
	// Overflow are those of both kernels.
	Overflow lab.Overflow
}

// NewAccount is made of the metrics of both gateways and the overflow of both hosts.
func NewAccount(a, b Metrics, overflow lab.Overflow) Account {
	drops := a.Drops()
	for reason, n := range b.Drops() {
		drops[reason] += n
	}
	return Account{Sealed: a.Packets("out") + b.Packets("out"), Opened: a.Packets("in") + b.Packets("in"), Drops: drops, Overflow: overflow}
}

// Since is what has come since an earlier account.
func (a Account) Since(earlier Account) Account {
	return Account{Sealed: a.Sealed - earlier.Sealed, Opened: a.Opened - earlier.Opened, Drops: Sub(a.Drops, earlier.Drops),
		Overflow: a.Overflow.Sub(earlier.Overflow)}
}

// Missing is how many packets were sealed, and neither opened nor dropped by a gateway in between. With nothing under way, it
// is what the kernels have dropped between the gateways. A negative figure is of packets that came twice.
func (a Account) Missing() int64 {
	between := uint64(0)
	for reason, n := range a.Drops {
		switch reason {
		case "out send_buffer", "out send":
			between += n
		case "in device": // counted as opened
		default:
			if reason[:2] == "in" {
				between += n
			}
		}
	}
	return int64(a.Sealed) - int64(a.Opened) - int64(between)
}

// CongestionReasons are those for which a gateway drops packets when more comes than goes: TCP is made for it.
func CongestionReasons() []string { return []string{"out send_buffer", "in device"} }

// Congestion is how many packets gateways and kernels have dropped because a queue was full.
func (a Account) Congestion() uint64 {
	n := uint64(a.Overflow.Total())
	for _, reason := range CongestionReasons() {
		n += a.Drops[reason]
	}
	return n
}

// OtherReasons are the reasons of dropped packets that are not congestion.
func (a Account) OtherReasons() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(a.Drops)), func(r string) bool { return slices.Contains(CongestionReasons(), r) })
}
