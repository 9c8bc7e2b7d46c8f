package control

import (
	"context"

	"esplanade/config"
	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// ListConns implements vici.Backend.
func (b *Backend) ListConns(ctx context.Context, name string, yield func(vici.Conn) error) error {
	info, err := b.Commands.Info(ctx)
	if err != nil {
		return err
	}
	for _, i := range info.Conns {
		c := i.Conf
		if name != "" && name != c.Name {
			continue
		}
		v := vici.Conn{
			Name: c.Name, LocalAddrs: texts(c.LocalAddrs), RemoteAddrs: texts(c.RemoteAddrs),
			LocalPort: c.LocalPort, RemotePort: c.RemotePort, Version: "IKEv2", ReauthTime: c.ReauthTime, RekeyTime: c.RekeyTime,
			Unique: c.Unique.String(), DPDDelay: c.DPDDelay, PPKID: c.PPKID, PPKRequired: c.PPKRequired,
		}
		local, remote := c.Rounds()
		v.LocalAuth, v.RemoteAuth = authRounds(local), authRounds(remote)
		for _, h := range c.Children {
			v.Children = append(v.Children, vici.ConnChild{
				Name: h.Name, Mode: modeName(h.Mode), RekeyTime: h.RekeyTime, RekeyBytes: h.RekeyBytes, RekeyPackets: h.RekeyPackets,
				DPDAction: h.AfterDPD().String(), CloseAction: h.AfterClose().String(),
				LocalTS: selectors(h.LocalTS), RemoteTS: selectors(h.RemoteTS),
			})
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	return nil
}

// authRounds are the rounds of authentication of a side.
func authRounds(list []config.Auth) (out []vici.Auth) {
	for _, a := range list {
		out = append(out, vici.Auth{Class: authClass(a.Method), ID: a.ID.String()})
	}
	return out
}

// authClass is strongSwan's name for a method.
func authClass(m policy.Auth) string {
	switch m {
	case policy.AuthPSK:
		return "pre-shared key"
	case policy.AuthPubkey:
		return "public key"
	default:
		return m.String()
	}
}

// GetConns implements vici.Backend.
func (b *Backend) GetConns(ctx context.Context) ([]string, error) {
	info, err := b.Commands.Info(ctx)
	var names []string
	for _, c := range info.Conns {
		names = append(names, c.Conf.Name)
	}
	return names, err
}
