package sa

import (
	"testing"
	"time"

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
