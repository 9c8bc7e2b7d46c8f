package gateway

import (
	"testing"

	"esplanade/ike/aaa"
)

// TestUserKeys: a name is one user of this gateway, whatever has proved it, another one of each CA of others, and another one of RADIUS.
func TestUserKeys(t *testing.T) {
	seen := map[string]string{}
	for what, u := range map[string]*aaa.User{
		"by a password":    {Name: "alice", Method: "eap-mschapv2"},
		"of a partner":     {Name: "alice", Method: "eap-tls", Foreign: "partner"},
		"of another one":   {Name: "alice", Method: "eap-tls", Foreign: "other"},
		"of RADIUS":        {Name: "alice", Method: "eap-tls", Server: "one"},
		"of RADIUS, again": {Name: "Alice", Method: "eap-peap", Server: "two"},
		"by a certificate": {Name: "ALICE", Method: "eap-tls"},
	} {
		key := userKey(u).owner()
		same := map[string]string{"by a password": "own", "by a certificate": "own", "of RADIUS": "radius", "of RADIUS, again": "radius"}[what]
		if same == "" {
			same = what
		}
		for other, k := range seen {
			if (k == key) != (other == same) {
				t.Errorf("%s has %q, and %s %q", what, key, other, k)
			}
		}
		seen[same] = key
	}
}
