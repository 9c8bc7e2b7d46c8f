package config

import (
	"fmt"
	"strings"
)

// Control is where commands reach the daemon: the table [control].
type Control struct {
	Source
	// Socket is the path of the unix socket that speaks VICI. Default [DefaultSocket].
	Socket string `key:"socket" default:"/run/esplanade/charon.vici"`
}

// DefaultSocket is the control socket where the configuration names none.
const DefaultSocket = "/run/esplanade/charon.vici"

// maxSocketPath is what fits a sockaddr_un everywhere, without its final NUL (Linux would have 107).
const maxSocketPath = 103

func readControl(t *table) (c Control) {
	t.fill(&c)
	at := t.at("socket")
	switch {
	case strings.Contains(c.Socket, "://"):
		t.errorf(at, "write the path of a unix socket alone", "control.socket is %s", quote(c.Socket))
	case c.Socket == "" || strings.ContainsRune(c.Socket, 0):
		t.errorf(at, "write the path of a unix socket", "control.socket is %s", quote(c.Socket))
	case len(c.Socket) > maxSocketPath:
		t.errorf(at, fmt.Sprintf("choose a path of at most %d bytes", maxSocketPath),
			"control.socket has %d bytes, more than a unix socket's path can have", len(c.Socket))
	}
	c.Source = t.done()
	return c
}
