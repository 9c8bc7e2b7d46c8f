package gateway

import "esplanade/config"

// ppk finds a post-quantum preshared key for machines.
func (g *Manager) ppk(id string) ([]byte, bool) {
	s, ok := g.conf.PPK(id)
	if !ok {
		return nil, false
	}
	return s.Key.Bytes(), true
}

// freePPK reports whether a connection without ppk_id may use a PPK, and hasFreePPK whether there is one.
func (g *Manager) freePPK(id string) bool { return g.conf.FreePPK(id) }
func (g *Manager) hasFreePPK() bool       { return g.conf.HasFreePPK() }

// ppkPosition is where a connection says which PPK it uses: the more telling of its two keys.
func ppkPosition(c *config.Connection) config.Position {
	if c.Has("ppk_id") {
		return c.At("ppk_id")
	}
	return c.At("ppk_required")
}

// ppkOf is the key of a connection's PPK; empty for none. Of a connection without ppk_id it is whatever its peers choose.
func ppkOf(g *config.Config, c *config.Connection) string {
	s, ok := g.PPK(c.PPKID)
	if !ok {
		return ""
	}
	return string(s.Key.Bytes())
}
