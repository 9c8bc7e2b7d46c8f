package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// TestUsersBehindOneAddress: two users with wrong passwords from one address are two failures, also where that address is configured; and whoever makes
// names up there takes no more lines than one source has.
func TestUsersBehindOneAddress(t *testing.T) {
	for _, remote := range []string{"%any", addrB} {
		t.Run(remote, func(t *testing.T) {
			text := strings.Replace(roadWarriors(t), "[connections.known]\n", "[connections.known]\nstart_action = \"none\"\nremote_addrs = \""+remote+"\"\n", 1)
			synctest.Test(t, func(t *testing.T) {
				p := meetWith(t, peertest.KnownAs(peertest.MacOS), text)
				for i, user := range []string{"alice", "mallory", "alice", "eve", "oscar", "trudy"} {
					p.SPI++
					if p.comesIn(&login{name: user, password: "not it"}) {
						t.Fatalf("%s, number %d, comes in", user, i)
					}
					settle(time.Second)
				}
				log := p.n.log.String()
				wantTold(t, p.n, diag.CodeEAPPassword, []string{"user 'alice'", "user 'mallory'"})
				if n := strings.Count(log, "the user has not proved itself") + strings.Count(log, ": unknown user"); n != 5 { // alice, mallory, eve, oscar, trudy: more than RefusedPerSource
					t.Errorf("%d lines:\n%s", n, log)
				}
			})
		})
	}
}

// TestUserGoes: a user who ends its tunnel is no failure, in the log or in the status.
func TestUserGoes(t *testing.T) {
	text := roadWarriors(t)
	synctest.Test(t, func(t *testing.T) {
		p := meetWith(t, peertest.KnownAs(peertest.MacOS), text)
		if !p.comesIn(&login{name: "alice", password: "alices password"}) {
			t.Fatal("the user does not come in")
		}
		p.ask("the answer to DELETE", wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
		settle(time.Second)
		if log := p.n.log.String(); p.n.ikeSAs() != 0 || strings.Contains(log, string(diag.CodeDeleted)) || !strings.Contains(log, "deleted by the peer") {
			t.Errorf("%d IKE SAs:\n%s", p.n.ikeSAs(), log)
		}
	})
}
