package control

import (
	"testing"

	"esplanade/ike/sa"
)

// The name of a user is what swanctl shows as the EAP identity of the peer. On the side of the client it is none of the peer's.
func TestEAPIdentity(t *testing.T) {
	for client, want := range map[bool]string{false: "ann", true: ""} {
		if got := IKESA(sa.Snapshot{State: sa.StateEstablished, User: "ann", Client: client}).RemoteEAPID; got != want {
			t.Errorf("client %v: %q", client, got)
		}
	}
}
