package main

import (
	"testing"

	"esplanade/ike/vici"
)

// The line of a peer that is a user, or of this side where it is one.
func TestUserText(t *testing.T) {
	for want, p := range map[string]vici.PeerStatus{
		`user "ann" by eap-mschapv2, in staff, ops`: {User: "ann", UserMethod: "eap-mschapv2", UserGroups: []string{"staff", "ops"}},
		`as user "ann" by eap-tls`:                  {User: "ann", UserMethod: "eap-tls", Client: true},
		`user "a\x1b[2Jb"`:                          {User: "a\x1b[2Jb"},
	} {
		if got := userText(&peerReport{PeerStatus: p}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
