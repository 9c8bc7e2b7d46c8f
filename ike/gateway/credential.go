package gateway

import (
	"esplanade/config"
	"esplanade/ike/auth"
)

// credential finds what the machines, and their peers, prove with who they are: the key of today's configuration.
func (g *Manager) credential(q auth.Query) (auth.Credential, bool) {
	s, ok := g.conf.Credential(q.Connection, q.Local, q.Remote, q.Guess)
	if !ok {
		return auth.Credential{}, false
	}
	return auth.Credential{Secret: s.Key.Bytes(), Name: s.FullName(), Line: keyLine(s)}, true
}

// keyLine is where a key or the name of its file stands.
func keyLine(s *config.IKESecret) string {
	for _, key := range []string{"secret_file", "secret"} {
		if s.Has(key) {
			return s.At(key).FileLine()
		}
	}
	return s.Position().FileLine()
}
