package sa

import (
	"net/netip"
	"testing"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
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
	r.ca = ca
	r.a.certify(ca.End(t, epoch, "a.example", pkitest.P256), ca)
	r.b.certify(ca.End(t, epoch, "b.example", pkitest.P256), ca)
	users := people{"ann": {"correct", []string{"staff"}}, "ben": {"battery", nil}}
	r.b.userServer(users, method)
	r.a.is("ann", "correct", method)
	return r
}

// is makes a side a user.
func (e *end) is(name, password string, methods ...eap.Type) {
	e.env.EAPClient = func(string, int) (*eap.ClientConfig, bool) {
		return &eap.ClientConfig{Methods: methods, Identity: name, Secret: eap.Password(password), Random: e.env.Nonce}, true
	}
}

// userServer is what checks users.
func (e *end) userServer(users people, methods ...eap.Type) {
	e.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) {
		return auth.EAPServer{Config: &eap.ServerConfig{Methods: methods, AskIdentity: true, Users: users, Random: e.env.Nonce}, Realm: "users"}, true
	}
}

// eapIn is the EAP payload among payloads, nil without.
func eapIn(ps []wire.Payload) *wire.EAP {
	e, _ := find[*wire.EAP](ps)
	return e
}
