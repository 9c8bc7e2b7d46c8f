package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// askedForChild reports whether the IKE_AUTH request of a side had a child in it, and whether there was one.
func (e *end) askedForChild() (with, any bool) {
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && x.Exchange == wire.ExchangeIKEAuth && x.Initiated {
			return slices.Contains(fields(x.Request), "TSi"), true
		}
	}
	return false, false
}

// TestChildless plays RFC 6023 with each combination of what the two sides want: whether IKE_AUTH has a child in it,
// and what comes of it.
func TestChildless(t *testing.T) {
	names := map[policy.Childless]string{policy.ChildlessAllow: "allow", policy.ChildlessPrefer: "prefer", policy.ChildlessForce: "force", policy.ChildlessNever: "never"}
	for ours, nameA := range names {
		for theirs, nameB := range names {
			t.Run(nameA+" to "+nameB, func(t *testing.T) {
				r := newRig(t, 5, func(a, b *Config) { a.Childless, b.Childless = ours, theirs })
				r.a.connect()
				r.run(5 * time.Second)
				with, any := r.a.askedForChild()
				offered := theirs != policy.ChildlessNever
				switch without := offered && (ours == policy.ChildlessPrefer || ours == policy.ChildlessForce); {
				case ours == policy.ChildlessForce && !offered:
					// failure_init: nothing is asked of a peer that can't.
					if any {
						t.Error("IKE_AUTH was made")
					}
					r.a.wantFailure(diag.CodeUnsupported)
					r.run(2 * time.Minute)
					r.a.wantNothing()
					r.b.wantNothing()
				case theirs == policy.ChildlessForce && !without:
					// failure_resp: the child is refused, and the IKE SA that was only for it goes.
					if !any || !with {
						t.Error("IKE_AUTH has no child")
					}
					r.b.wantFailure(diag.CodeUnsupported)
					r.run(2 * time.Minute)
					r.a.wantNothing()
					r.b.wantNothing()
				default: // regular
					if !any || with == without {
						t.Errorf("IKE_AUTH with a child: %v", with)
					}
					r.wantUp(1)
				}
			})
		}
	}
}

// manual: an IKE SA that was wanted without a child stays, and gets one when somebody asks.
func TestChildlessManual(t *testing.T) {
	r := newRig(t, 6, func(a, b *Config) { a.Childless, b.Childless = policy.ChildlessPrefer, policy.ChildlessAllow })
	m := NewInitiator(r.a.env, r.now, r.a.cfg, r.a.path(), nil)
	r.a.add(m)
	r.run(3 * time.Minute)
	if len(r.a.live()) != 1 || len(r.b.live()) != 1 || len(r.a.liveChildren())+len(r.b.liveChildren()) != 0 {
		t.Fatalf("%d and %d IKE SAs, %d and %d children", len(r.a.live()), len(r.b.live()), len(r.a.liveChildren()), len(r.b.liveChildren()))
	}
	m.InitiateChild(r.now, r.a.cfg.Children[0], nil)
	r.a.drain(m)
	r.run(5 * time.Second)
	r.wantUp(1)
}

// Without CHILDLESS_IKEV2_SUPPORTED an IKE_AUTH request without a child is malformed.
func TestChildlessForbidden(t *testing.T) {
	r := newRig(t, 7, func(a, b *Config) { a.Childless = policy.ChildlessPrefer })
	r.a.connect()
	r.run(15 * time.Millisecond) // IKE_SA_INIT has been answered
	r.b.cfg.Childless = policy.ChildlessNever
	r.run(5 * time.Second)
	r.b.wantFailure(diag.CodeSyntax)
}

// Only who has proved itself learns that: to a stranger the answer is the same as for an identity without a connection.
func TestChildlessForbiddenToStrangers(t *testing.T) {
	for name, strange := range map[string]func(r *rig){
		"another key":      func(r *rig) { r.a.psk[""] = "guessed" },
		"another identity": func(r *rig) { r.b.cfg.RemoteID = mustID(r.t, "c.example") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 7, func(a, b *Config) { a.Childless = policy.ChildlessPrefer })
			strange(r)
			r.a.connect()
			r.run(15 * time.Millisecond)
			r.b.cfg.Childless = policy.ChildlessNever
			r.run(5 * time.Second)
			if got := r.b.lastAnswer(); got != "IKE_AUTH response 1 [ N(AUTH_FAILED) ]" {
				t.Errorf("the answer is %q", got)
			}
		})
	}
}
