package sa

import (
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
)

// people are users for the tests.
type people map[string]person

type person struct {
	password string
	groups   []string
}

func (p people) User(name string) (eap.Secret, aaa.User, bool) {
	x, ok := p[name]
	return eap.Password(x.password), aaa.User{Name: name, Groups: x.groups}, ok
}

// newUserRig makes a client, a, and a gateway, b, which proves itself by a certificate. The client is ann, and has a method.
func newUserRig(t *testing.T, method eap.Type, edit func(a, b *Config)) *rig {
	ca := pkitest.CA(t, epoch, "Test CA", pkitest.P256)
	r := newRig(t, 210, func(a, b *Config) {
		a.LocalAuth, a.RemoteAuth = policy.AuthEAP, policy.AuthPubkey
		b.LocalAuth, b.RemoteAuth = policy.AuthPubkey, policy.AuthEAP
		b.RemoteID, a.SendCertReq = mustID(t, "%any"), true
		if edit != nil {
			edit(a, b)
		}
	})
	r.a.certify(ca.End(t, epoch, "a.example", pkitest.P256), ca)
	r.b.certify(ca.End(t, epoch, "b.example", pkitest.P256), ca)
	users := people{"ann": {"correct", []string{"staff"}}, "ben": {"battery", nil}}
	r.b.env.EAPServer = func(string, int) (auth.EAPServer, bool) {
		return auth.EAPServer{Config: &eap.ServerConfig{Methods: []eap.Type{method}, AskIdentity: true, Users: users, Random: r.b.env.Nonce}, Realm: "users"}, true
	}
	r.a.is("ann", "correct", method)
	return r
}

// is makes a side a user.
func (e *end) is(name, password string, methods ...eap.Type) {
	e.env.EAPClient = func(string, int) (*eap.ClientConfig, bool) {
		return &eap.ClientConfig{Methods: methods, Identity: name, Secret: eap.Password(password), Random: e.env.Nonce}, true
	}
}

// A user comes in with each method, and both sides know who it is.
func TestUserComesIn(t *testing.T) {
	for name, edit := range map[string]func(a, b *Config){
		"plain":        nil,
		"fragments":    func(a, b *Config) { a.FragmentSize, b.FragmentSize = 150, 150 },
		"intermediate": ikeProposals(t, hybrid, hybrid),
		"PPK":          func(a, b *Config) { a.PPKID, b.PPKID, b.PPKRequired = "office", "office", true },
		"PPK, another": func(a, b *Config) { a.PPKID, b.PPKID = "other", "office" },
	} {
		for _, method := range []eap.Type{eap.TypeMD5, eap.TypeGTC} {
			t.Run(name+", "+method.String(), func(t *testing.T) {
				r := newUserRig(t, method, edit)
				r.a.ppks("office=key", "other=key")
				r.b.ppks("office=key")
				r.a.connect()
				r.run(10 * time.Second)
				ma, mb := r.wantUp(1)
				if u := mb.User(); u == nil || u.Name != "ann" || !u.In("staff") {
					t.Errorf("the user is %+v", u)
				}
				if u := ma.User(); u == nil || u.Name != "ann" {
					t.Errorf("the client is %+v", u)
				}
				ma.RekeyIKE(r.now)
				r.a.drain(ma)
				r.run(10 * time.Second)
				if _, mb = r.wantUp(1); mb.User() == nil {
					t.Error("a rekeyed IKE SA has no user")
				}
			})
		}
	}
}
