package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/peertest"
)

// TestGuessing: after five wrong passwords no password of the user is compared for two seconds, whether or not there is such a user. The operator
// reads that it was not, and the client hears what it hears after any wrong one. Then the right one lets the user in.
func TestGuessing(t *testing.T) {
	text := roadWarriors(t)
	synctest.Test(t, func(t *testing.T) {
		p := meetWith(t, peertest.KnownAs(peertest.MacOS), text)
		again := *p.Peer // each attempt is one from the beginning
		attempt := func(name, password string) bool {
			fresh := again
			p.Peer = &fresh
			again.SPI++
			return p.comesIn(&login{name: name, password: password})
		}
		for range 5 {
			if attempt("mallory", "a guess") {
				t.Fatal("nobody comes in")
			}
		}
		for range 4 {
			attempt("alice", "a guess")
		}
		if log := p.n.log.String(); strings.Contains(log, string(diag.CodeEAPPaused)) {
			t.Errorf("a pause for too few wrong ones:\n%s", log)
		}
		attempt("alice", "a guess")
		if attempt("Alice", "alices password") || attempt("mallory", "another guess") {
			t.Fatal("the right password counts within the pause")
		}
		settle(time.Second)
		wantTold(t, p.n, diag.CodeEAPPaused, []string{"user 'alice'", "user 'mallory'", "5 wrong passwords of this user from there; the next one is compared in ", "set the right password at its client"})
		p.n.d.turn(func(now time.Time) {
			if r := p.n.d.Guesses(now); r.Wrong != 10 || r.Refused != 2 || r.Paused[eap.PauseOfUser] != 2 {
				t.Errorf("%+v", r)
			}
		})
		settle(2 * time.Second)
		if !attempt("alice", "alices password") {
			t.Fatalf("after the pause the right password does not count\n%s", p.n.log)
		}
		p.n.d.turn(func(now time.Time) {
			if r := p.n.d.Guesses(now); r.Right != 1 || r.Wrong != 10 || len(r.Shown) != 0 {
				t.Errorf("%+v", r)
			}
		})
	})
}
