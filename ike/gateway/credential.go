package gateway

import "esplanade/ike/auth"

// credential finds what the machines, and their peers, prove with who they are: the key of today's configuration.
func (d *Manager) credential(q auth.Query) (auth.Credential, bool) {
	s, ok := d.conf.Credential(q.Connection, q.Local, q.Remote, q.Guess)
	if !ok {
		return auth.Credential{}, false
	}
	return auth.Credential{Secret: s.Key.Bytes(), Name: s.FullName()}, true
}
