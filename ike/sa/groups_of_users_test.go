package sa

import (
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/eap"
)

// A child that is for a group is had by users of it, and by nobody else; the failure says which group.
func TestChildForGroups(t *testing.T) {
	for _, c := range []struct {
		user, password string
		may            bool
	}{{"ann", "correct", true}, {"ben", "battery", false}} {
		r := newUserRig(t, eap.TypeMD5, func(a, b *Config) {
			b.Children[0].Groups, b.Children[0].GroupsLine = []string{"ops", "staff"}, "gw.toml:30"
		})
		r.a.is(c.user, c.password, eap.TypeMD5)
		r.a.connect()
		r.run(10 * time.Second)
		if c.may {
			r.wantUp(1)
			continue
		}
		f := r.b.wantFailure(diag.CodeEAPAllowed)
		if !strings.Contains(f.Ours, "ops, staff") || !strings.Contains(f.Theirs, c.user) || f.ConfigLine != "gw.toml:30" {
			t.Errorf("the failure is %v", f)
		}
		if slices.ContainsFunc(r.b.all(), func(m *Machine) bool { return len(m.Children()) > 0 }) {
			t.Error("a user of no group has the child")
		}
	}
}

// A peer that is no user has no child that is for groups.
func TestChildForGroupsOfNoUser(t *testing.T) {
	r := newRig(t, 211, func(a, b *Config) { b.Children[0].Groups = []string{"staff"} })
	r.a.connect()
	r.run(10 * time.Second)
	r.b.wantFailure(diag.CodeEAPAllowed)
}
