package control

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/credential"
	"esplanade/ike/gateway"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// inForce is the configuration in force, and the credentials of today. Neither changes: others take their place.
func (b *Backend) inForce(ctx context.Context) (c *config.Config, s *credential.Set, err error) {
	err = b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { c, s = g.Config() })
	return c, s, err
}

// ListConns implements vici.Backend.
func (b *Backend) ListConns(ctx context.Context, name string, yield func(vici.Conn) error) error {
	conf, set, err := b.inForce(ctx)
	if err != nil {
		return err
	}
	for _, c := range conf.Connections {
		if name != "" && name != c.Name {
			continue
		}
		if err := yield(conn(c, set)); err != nil {
			return err
		}
	}
	return nil
}

func conn(c *config.Connection, set *credential.Set) vici.Conn {
	v := vici.Conn{
		Name: c.Name, LocalAddrs: texts(c.LocalAddrs), RemoteAddrs: texts(c.RemoteAddrs),
		LocalPort: c.LocalPort, RemotePort: c.RemotePort, Version: "IKEv2", ReauthTime: c.ReauthTime, RekeyTime: c.RekeyTime,
		Unique: c.Unique.String(), DPDDelay: c.DPDDelay, PPKID: c.PPKID, PPKRequired: c.PPKRequired,
	}
	local, remote := c.Rounds()
	for i, a := range local {
		x := authRound(a)
		if a.Has("certs") {
			for _, p := range set.Own(c.Name, i) {
				if len(p.Chain) > 0 {
					x.Certs = append(x.Certs, pki.Subject(p.Chain[0]))
				}
			}
		}
		v.LocalAuth = append(v.LocalAuth, x)
	}
	for i, a := range remote {
		x := authRound(a)
		if t := set.Accepted(c.Name, i).Trust; t != nil {
			x.Certs = subjects(t.Pinned)
			for range t.Keys { // strongSwan has the identity of a key for its subject
				x.Certs = append(x.Certs, a.ID.String())
			}
			if a.Has("cacerts") {
				x.CACerts = subjects(t.Anchors)
			}
		}
		v.RemoteAuth = append(v.RemoteAuth, x)
	}
	for _, h := range c.Children {
		v.Children = append(v.Children, vici.ConnChild{
			Name: h.Name, Mode: modeName(h.Mode), RekeyTime: h.RekeyTime, RekeyBytes: h.RekeyBytes, RekeyPackets: h.RekeyPackets,
			DPDAction: h.DPDAction.String(), CloseAction: h.CloseAction.String(),
			LocalTS: selectors(h.LocalTS), RemoteTS: selectors(h.RemoteTS),
		})
	}
	return v
}

// authRound is a round of authentication of a side, without its certificates. What is written nowhere is left out.
func authRound(a config.Auth) vici.Auth {
	x := vici.Auth{Class: authClass(a.Method), EAPType: eapType(a.Method), Revocation: revocationName(a.Revocation), Groups: a.Groups}
	if !a.ID.Any() || a.Has("id") {
		x.ID = a.ID.String()
	}
	if !a.EAPID.Any() || a.Has("eap_id") {
		x.EAPID = a.EAPID.String()
	}
	if a.Has("aaa_id") {
		x.AAAID = a.AAAID.String()
	}
	if a.Has("ca_id") {
		x.CAID = a.CAID.String()
	}
	for _, p := range a.Policies {
		x.CertPolicies = append(x.CertPolicies, p.String())
	}
	return x
}

func subjects(list []*x509.Certificate) (out []string) {
	for _, c := range list {
		out = append(out, pki.Subject(c))
	}
	return out
}

// authClass is strongSwan's name for a method.
func authClass(m policy.Auth) string {
	switch {
	case m == policy.AuthPSK:
		return "pre-shared key"
	case m == policy.AuthPubkey:
		return "public key"
	case m.EAP():
		return "EAP"
	default:
		return m.String()
	}
}

// eapType is strongSwan's name for a method of EAP, "" for any of them.
func eapType(m policy.Auth) string {
	if !m.EAP() || m == policy.AuthEAP {
		return ""
	}
	return strings.ToUpper(strings.ReplaceAll(m.String(), "-", "_"))
}

// revocationName is strongSwan's name for how well a certificate has to be known as good.
func revocationName(r policy.Revocation) string {
	switch r {
	case policy.RevocationStrict:
		return "GOOD"
	case policy.RevocationIfURI:
		return "SKIPPED"
	case policy.RevocationRelaxed:
	}
	return ""
}

// GetConns implements vici.Backend.
func (b *Backend) GetConns(ctx context.Context, all bool) (names []string, err error) {
	conf, _, err := b.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if !all {
		return conf.Loaded().Connections(), nil
	}
	for _, c := range conf.Connections {
		names = append(names, c.Name)
	}
	return names, nil
}
