package diag

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// wrongPassword is what a user behind one NAT fails with.
func wrongPassword(user string) *Failure {
	f := EAPPassword(testWhere(exchangeAuth).As(user), EAP{User: user, Method: "eap-mschapv2", Said: "the password is wrong"})
	f.Connection, f.Child, f.Stranger = "people", "", true
	return f
}

// TestCollapserTellsUsersApart: users behind one NAT fail each by itself, and so do devices without a user; the same one again is a repetition.
func TestCollapserTellsUsersApart(t *testing.T) {
	var c Collapser
	for i, user := range []string{"alice", "bob"} {
		if r, log := c.Add(wrongPassword(user), testTime); r.Count != 1 || !log {
			t.Errorf("%s, number %d, was taken for another: %v %v", user, i, r.Count, log)
		}
	}
	if r, log := c.Add(wrongPassword("alice"), testTime.Add(time.Second)); r.Count != 2 || log {
		t.Errorf("alice again: %v %v", r.Count, log)
	}
	for _, id := range []string{"laptop-1", "laptop-2"} {
		f := wrongPassword("")
		f.PeerID = id
		if r, _ := c.Add(f, testTime.Add(time.Minute)); r.Count != 1 {
			t.Errorf("the device %s was taken for another", id)
		}
	}
}

// TestCollapserUsersAreBounded: one source that makes names up takes no more than a stranger's part of the memory, and of the lines those of
// one source.
func TestCollapserUsersAreBounded(t *testing.T) {
	var c Collapser
	lines := 0
	for i := range 3 * MaxRefused {
		if _, log := c.Add(wrongPassword(fmt.Sprint("user", i)), testTime); log {
			lines++
		}
	}
	if lines != UsersPerSource || len(c.All()) != MaxRefused {
		t.Errorf("%d lines, %d entries", lines, len(c.All()))
	}
	unfinished := EAPUnfinished(testWhere(exchangeAuth).As("alice"), EAP{User: "alice"}, time.Minute)
	unfinished.Stranger = true
	if _, log := c.Add(unfinished, testTime); log {
		t.Error("the same source has another line by not going on")
	}
}

// TestCollapserRecoversOneUser: a user who comes in leaves what others have failed with, and its own is over, in whatever letters it was written.
func TestCollapserRecoversOneUser(t *testing.T) {
	var c Collapser
	c.Add(wrongPassword("Alice"), testTime)
	c.Add(wrongPassword("bob"), testTime)
	c.Recovered("people", "people", "alice", false)
	if all := c.All(); len(all) != 1 || all[0].Failure.User != "bob" {
		t.Fatalf("left: %v", all)
	}
	if r, log := c.Add(wrongPassword("bob"), testTime.Add(time.Second)); r.Count != 2 || log {
		t.Errorf("bob is told as new: %v %v", r.Count, log)
	}
}

// TestPeerNamesItsUser: what a device calls itself says nothing to the operator, and the user's name is not said twice.
func TestPeerNamesItsUser(t *testing.T) {
	w := testWhere("INFORMATIONAL").Showing("192.168.1.5").As("alice")
	if s := Silent(w, true, Sent{Times: 5}).Error(); !strings.Contains(s, "(id '192.168.1.5', user 'alice')") {
		t.Error(s)
	}
	if s := wrongPassword("alice").Error(); strings.Count(s, "'alice'") != 2 { // in what it is, and in the fix
		t.Error(s)
	}
}
