package gateway

import "esplanade/ike/auth"

// credential finds what the machines, and their peers, prove with who they are: the key of today's configuration.
func (d *Manager) credential(q auth.Query) (auth.Credential, bool) {
	find := d.conf.PSK
	if q.Guess {
		find = d.conf.OfferPSK
	}
	s, ok := find(q.Local, q.Remote)
	if !ok {
		return auth.Credential{}, false
	}
	return auth.Credential{Secret: s.Key.Bytes(), Name: "secrets.ike." + s.Name}, true
}
