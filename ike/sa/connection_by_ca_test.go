package sa

import (
	"fmt"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
)

// Two connections for the same identities trust different CAs: the peer gets the one whose CA has issued its certificate. If neither has,
// the first one says what is wrong.
func TestConnectionByCA(t *testing.T) {
	for _, late := range []bool{false, true} {
		for issuer, want := range map[string]string{"staff": "staff", "partners": "partners", "others": ""} {
			r, a, b := newCertRig(t, 370, pkitest.P256, nil)
			cas := map[string]*pkitest.Holder{}
			for _, name := range []string{"staff", "partners", "others"} {
				cas[name] = pkitest.CA(t, epoch, name, pkitest.P256)
			}
			a.own = []credential.Pair{cas[issuer].End(t, epoch, "a.example", pkitest.P256).Pair()}
			staff, partners := *b.cfg, *b.cfg
			staff.Name, partners.Name = "staff", "partners"
			staff.RemoteID, partners.RemoteID = mustID(t, "*.example"), mustID(t, "*.example")
			b.connections(&staff, &partners)
			trusts := map[string]*pki.Trust{"staff": {Anchors: cas["staff"].Chain()}, "partners": {Anchors: cas["partners"].Chain()}}
			b.env.Accepted = func(name string, _ int) credential.Accepted { return credential.Accepted{Trust: trusts[name]} }
			if late {
				b.proofs(func(int) outcome { return outcome{after: time.Second} })
			}
			a.connect()
			r.run(20 * time.Second)
			if want == "" {
				if f := b.wantFailure(diag.CodeCertCA); f.Connection != "staff" {
					t.Errorf("late %v: the failure is %v", late, f)
				}
				a.wantNothing()
				b.wantNothing()
				continue
			}
			r.wantUp(1)
			if got := b.live()[0].Snapshot().Connection; got != want {
				t.Errorf("late %v: issued by %s, the connection is %s", late, issuer, got)
			}
		}
	}
}

// Of many connections for the same identities with other CAs only the first few judge the certificate of somebody who has proved nothing.
func TestStrangerIsJudgedByFewConnections(t *testing.T) {
	for _, own := range []int{0, maxTrusts - 1, maxTrusts, 29} {
		r, a, b := newCertRig(t, 371, pkitest.P256, nil)
		trusts := map[string]*pki.Trust{}
		var list []*Config
		for i := range 30 {
			ca := pkitest.CA(t, epoch, "CA", pkitest.P256)
			c := *b.cfg
			c.Name, c.RemoteID = fmt.Sprint("conn-", i), mustID(t, "*.example")
			list, trusts[c.Name] = append(list, &c), &pki.Trust{Anchors: ca.Chain()}
			if i == own {
				a.own = []credential.Pair{ca.End(t, epoch, "a.example", pkitest.P256).Pair()}
			}
		}
		b.connections(list...)
		b.env.Accepted = func(name string, _ int) credential.Accepted { return credential.Accepted{Trust: trusts[name]} }
		judged := 0
		b.desk.late = func(r Request) outcome {
			if p, ok := r.Want.(Proof); ok {
				if _, ok := p.Want.(auth.Judge); ok {
					judged++
				}
			}
			return outcome{}
		}
		a.connect()
		r.run(20 * time.Second)
		if judged != min(own+1, maxTrusts) {
			t.Errorf("the certificate for connection %d: %d have judged it", own, judged)
		}
		if own < maxTrusts {
			r.wantUp(1)
			continue
		}
		if f := b.wantFailure(diag.CodeCertCA); f.Connection != "conn-0" {
			t.Error(f)
		}
		b.wantNothing()
	}
}

// Whoever has proved the first of several identities is no stranger: a signature for it, by a key that takes long, is not what strangers have
// to share.
func TestProvedIsNoStranger(t *testing.T) {
	r, _, b := newCertRig(t, 372, pkitest.P256, func(a, b *Config) {
		a.LocalRounds, b.RemoteRounds = moreRounds(t, "a", 2), moreRounds(t, "a", 2)
	})
	var asked []string
	b.desk.late = func(r Request) outcome {
		if p, ok := r.Want.(Proof); ok {
			asked = append(asked, fmt.Sprintf("%T %v", p.Want, p.Proved))
		}
		return outcome{}
	}
	r.a.connect()
	r.run(20 * time.Second)
	r.wantUp(1)
	if got := fmt.Sprint(asked); got != "[auth.Judge false auth.Sign true]" {
		t.Error(got)
	}
}
