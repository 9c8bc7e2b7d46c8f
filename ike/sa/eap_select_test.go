package sa

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

func userPattern(t *testing.T, text string) identity.UserPattern {
	t.Helper()
	p, reason, _ := identity.ParseUserPattern(text)
	if reason != "" {
		t.Fatal(reason)
	}
	return p
}

// For a user it is the connection whose eap_id and groups fit, whatever IDi says, and for a peer with AUTH one that is not for users.
func TestConnectionOfUser(t *testing.T) {
	for name, c := range map[string]struct {
		// what the gateway has, in order: "NAME METHOD EAPID GROUPS SERVER", - for nothing
		have []string
		want string
		says []string
	}{
		"the first":                   {[]string{"x eap - - s", "y eap - - s"}, "x", nil},
		"by the name":                 {[]string{"x eap ben - s", "y eap ann - s"}, "y", nil},
		"by the closer name":          {[]string{"x eap a* - s", "y eap - - s", "z eap ann - s"}, "z", nil},
		"by the group":                {[]string{"x eap - ops s", "y eap - staff s"}, "y", nil},
		"by the group, no other name": {[]string{"x eap ben staff s", "y eap ann staff s"}, "y", nil},
		"by the name, another server": {[]string{"x eap ben - tls", "y eap ann - s"}, "y", nil},
		"a connection for keys":       {[]string{"x psk - - s", "y eap - - s"}, "y", nil},
		"a closer one for keys":       {[]string{"x psk=a.example - - s", "y eap - - s"}, "y", nil},
		"none": {[]string{"x eap - ops s", "y eap ben - s", "z eap - boss other"}, "",
			[]string{"x: groups are ops", "y: eap_id is ben", "z: its users are checked in another way"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, nil)
			users := people{"ann": {"correct", []string{"staff"}}, "ben": {"battery", nil}}
			servers := map[string]auth.EAPServer{
				"s":     {Config: &eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Users: users}, Realm: "s"},
				"other": {Config: &eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Users: users}, Realm: "other"},
				"tls":   {Config: &eap.ServerConfig{Methods: []eap.Type{eap.TypeGTC}, AskIdentity: true, Users: users}, Realm: "tls"},
			}
			of := map[string]auth.EAPServer{}
			var list []*Config
			for _, text := range c.have {
				f := strings.Fields(text)
				x := *r.b.cfg
				x.Name, x.RemoteAuth = f[0], policy.AuthEAP
				if kind, id, ok := strings.Cut(f[1], "="); kind == "psk" {
					x.LocalAuth, x.RemoteAuth = policy.AuthPSK, policy.AuthPSK
					if ok {
						x.RemoteID = mustID(t, id)
					}
				}
				rule := UserRule{}
				if f[2] != "-" {
					rule.ID = userPattern(t, f[2])
				}
				if f[3] != "-" {
					rule.Groups = []string{f[3]}
				}
				x.Users, of[f[0]] = []UserRule{rule}, servers[f[4]]
				list = append(list, &x)
			}
			r.b.connections(list...)
			r.b.env.EAPServer = func(name string, _ int, _ netip.Addr) (auth.EAPServer, bool) { return of[name], true }
			r.a.connect()
			r.run(10 * time.Second)
			if c.want == "" {
				f := r.b.wantFailure(diag.CodeEAPAllowed)
				for _, s := range c.says {
					if !strings.Contains(f.Error(), s) {
						t.Errorf("no %q in %s", s, f)
					}
				}
				r.a.wantNothing()
				r.b.wantNothing()
				return
			}
			if _, mb := r.wantUp(1); mb.Config().Name != c.want || mb.PeerUser() == nil {
				t.Errorf("it is %s with %v", mb.Config().Name, mb.PeerUser())
			}
		})
	}
}

// A peer with a certificate gets the connection for that though one for users fits as well, in either order.
func TestConnectionOfCertificate(t *testing.T) {
	for _, first := range []bool{true, false} {
		r := newUserRig(t, eap.TypeMSCHAPv2, nil)
		r.a.cfg.LocalAuth = policy.AuthPubkey
		cert := *r.b.cfg
		cert.Name, cert.RemoteAuth, cert.SendCertReq = "cert", policy.AuthPubkey, true
		if r.b.connections(r.b.cfg, &cert); first {
			r.b.connections(&cert, r.b.cfg)
		}
		r.a.connect()
		r.run(10 * time.Second)
		if _, mb := r.wantUp(1); mb.Config().Name != "cert" || mb.PeerUser() != nil {
			t.Errorf("it is %s", mb.Config().Name)
		}
	}
}

// Two rounds (RFC 4739): the machine proves itself by its certificate, and then its user by EAP.
func TestCertificateThenUser(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		r := newUserRig(t, eap.TypeMSCHAPv2, func(a, b *Config) {
			a.LocalAuth, b.RemoteAuth, b.SendCertReq = policy.AuthPubkey, policy.AuthPubkey, true
			a.LocalRounds = []Round{{mustID(t, "ann@example.org"), policy.AuthEAP}}
			b.RemoteRounds = []Round{{mustID(t, "%any"), policy.AuthEAP}}
			b.Users = []UserRule{{}, {Groups: []string{"staff"}}}
		})
		if wrong {
			r.b.cfg.Users[1].Groups = []string{"ops"}
		}
		r.a.connect()
		r.run(10 * time.Second)
		if wrong {
			r.b.wantFailure(diag.CodeEAPAllowed)
			r.a.wantFailure(diag.CodeEAPRefused)
			r.a.wantNothing()
			r.b.wantNothing()
			continue
		}
		_, mb := r.wantUp(1)
		if u := mb.PeerUser(); u == nil || u.Name != "ann" || mb.RemoteID().String() != "ann@example.org" || mb.Snapshot().Certificate == "" {
			t.Errorf("%v as %s", u, mb.RemoteID())
		}
	}
}
