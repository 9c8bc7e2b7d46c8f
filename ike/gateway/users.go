package gateway

import (
	"time"

	"esplanade/config"
)

// SetUsers takes other users up, and what this side proves itself with as a user. What is proved next is proved with these.
func (g *Manager) SetUsers(_ time.Time, s *config.EAPSet) {
	g.users = s
}
