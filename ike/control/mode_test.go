package control

import (
	"testing"

	"esplanade/ike/gateway"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// The protocol and the mode of a CHILD SA, tunnel if nothing else is said, are shown as strongSwan shows them.
func TestModeAndProtocol(t *testing.T) {
	c := ChildSA(sa.ChildSnapshot{State: sa.ChildInstalled, Protocol: wire.ProtocolESP}, gateway.Counters{})
	if c.Mode != "TUNNEL" || c.Protocol != "ESP" {
		t.Errorf("shown as %s, %s", c.Mode, c.Protocol)
	}
	if m := modeName(policy.ModeTunnel); m != "TUNNEL" {
		t.Errorf("the configured mode is shown as %s", m)
	}
}
