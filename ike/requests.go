package ike

import (
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// CarryOut implements gateway.Host.
func (h host) CarryOut(x gateway.Errand) (sa.Result, bool) { return carryOut(x.Want), true }

// carryOut does what an IKE SA has asked for.
func carryOut(w sa.Want) sa.Result {
	switch w := w.(type) {
	case sa.KeyExchange:
		return w.CarryOut()
	}
	panic("BUG: a request that nobody carries out")
}
