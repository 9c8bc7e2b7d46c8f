package suite

import (
	"time"

	"esplanade/ike/wire"
)

// Cost is about what Respond takes for a group, on one core of a small server: what bounds the work of a gateway counts in
// it, so that the bound is the same in each run, whatever else the machine does. A group that is not implemented costs
// nothing. `go test ./ike/suite -bench Respond` measures it.
func Cost(group uint16) time.Duration {
	switch group {
	case wire.KE_CURVE25519, wire.KE_ECP_256, wire.KE_ML_KEM_768:
		return 70 * time.Microsecond
	case wire.KE_ML_KEM_1024:
		return 110 * time.Microsecond
	case wire.KE_MODP_1024:
		return 300 * time.Microsecond
	case wire.KE_MODP_1536:
		return 500 * time.Microsecond
	case wire.KE_ECP_384:
		return 600 * time.Microsecond
	case wire.KE_MODP_2048:
		return 800 * time.Microsecond
	case wire.KE_ECP_521:
		return 2500 * time.Microsecond
	case wire.KE_MODP_3072:
		return 6 * time.Millisecond
	case wire.KE_MODP_4096:
		return 12 * time.Millisecond
	case wire.KE_MODP_6144:
		return 30 * time.Millisecond
	case wire.KE_MODP_8192:
		return 60 * time.Millisecond
	}
	return 0
}
