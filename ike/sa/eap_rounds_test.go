package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/policy"
)

// A user whose name is for a connection with another second round proves that one, not the one of the connection that was there before: the rounds
// of two connections have to be alike for a name to choose between them.
func TestNameLeadsToNoOtherRounds(t *testing.T) {
	for name, second := range map[string]policy.Auth{"a pre-shared key": policy.AuthPSK, "a certificate": policy.AuthPubkey} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, func(a, b *Config) {
				a.LocalRounds = []Round{{mustID(t, "a.example"), policy.AuthPSK}}
				b.RemoteRounds = []Round{{mustID(t, "a.example"), policy.AuthPSK}}
			})
			boss := *r.b.cfg
			boss.Name = "boss"
			boss.RemoteRounds = []Round{{mustID(t, "a.example"), second}}
			boss.Users = []UserRule{{ID: userPattern(t, "ann")}}
			r.b.cfg.Users = []UserRule{{ID: userPattern(t, "b*")}}
			r.b.connections(r.b.cfg, &boss)
			r.a.connect()
			r.run(10 * time.Second)
			if second == policy.AuthPSK {
				if _, mb := r.wantUp(1); mb.Config().Name != "boss" {
					t.Errorf("it is %s", mb.Config().Name)
				}
				return
			}
			for _, m := range r.b.all() {
				if m.State() == StateEstablished {
					t.Errorf("it is in by %s", m.Config().Name)
				}
			}
			r.b.wantFailure(diag.CodeEAPAllowed)
		})
	}
}
