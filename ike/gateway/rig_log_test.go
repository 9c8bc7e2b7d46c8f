package gateway

import "esplanade/ike/hosttest"

// What a daemon has around it.
type (
	fakeNetwork = hosttest.Network
	logBuffer   = hosttest.Log
)
