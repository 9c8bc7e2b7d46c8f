package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// called is a gateway that two peers call: both of the names are those of the peers, for all that it knows.
func called(remoteID, unique string) conn {
	r := right("none")
	r.remote, r.remoteID, r.extra = "%any", remoteID, "unique = \""+unique+"\""
	return r
}

// caller is one of the two peers, with the network of its own within that of the gateway's configuration.
func callerAt(addr, id, network string) conn {
	l := left("start")
	l.local, l.localID = addr, id
	l.children[0].local = network
	return l
}

// Two devices share an identity, which unique = "never" is for: the INITIAL_CONTACT of the second, which knows nothing of the
// first, ends nothing, and neither does that of another identity.
func TestInitialContactWithNever(t *testing.T) {
	for _, c := range []struct {
		unique, first, second string
		stays                 bool
	}{
		{"never", "a.example", "a.example", true},
		{"no", "a.example", "A.example", false}, // the first one was lost, for all that can be known
		{"replace", "a.example", "a.example", false},
		{"no", "a.example", "c.example", true},
		// Octets that look alike to people, or are the same but for their case where case matters, are another identity.
		{"no", "keyid:branch", "keyid:Branch", true},
		{"no", "a.example", "keyid:a.example", true},
		{"replace", "keyid:branch", "keyid:Branch", true},
	} {
		t.Run(c.unique+"/"+c.first+"/"+c.second, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				b := f.start(addrB, toml("", called("%any", c.unique)))
				f.start(addrA, toml("", callerAt(addrA, c.first, "10.1.1.0/24")))
				settle(time.Second)
				ikes, _ := saIDs(b, "a")
				second := f.start(addrC, toml("", callerAt(addrC, c.second, "10.1.2.0/24")))
				settle(time.Second)
				if !strings.Contains(second.log.String(), "N(INIT_CONTACT)") {
					t.Fatal("the second peer has not claimed INITIAL_CONTACT")
				}
				now, children := saIDs(b, "a")
				want := 1
				if c.stays {
					want = 2
				}
				if len(ikes) != 1 || len(now) != want || len(children) != want || c.stays != (now[0] == ikes[0]) {
					t.Errorf("IKE SAs %v before, %v with children %v after\n%s", ikes, now, children, b.log)
				}
			})
		})
	}
}
