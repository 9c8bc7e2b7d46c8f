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
	// Group is the name or the number of the group that may use it in addition to the user of the daemon. Default "", none.
	Group string `key:"group" default:""`
}

// DefaultSocket is the control socket where the configuration names none.
const DefaultSocket = "/run/esplanade/charon.vici"

// maxSocketPath is what fits a sockaddr_un everywhere, without its final NUL (Linux would have 107).
const maxSocketPath = 103

func readControl(t *table) (c Control) {
	t.fill(&c)
	checkSocketPath(t, "socket", c.Socket)
	if c.Group != "" && strings.ContainsAny(c.Group, ": /,\t\n\x00") {
		t.errorf(t.at("group"), "write the name or the number of one group", "%s is %s", t.name("group"), quote(c.Group))
	}
	c.Source = t.done()
	return c
}

// checkSocketPath reports what is no path of a unix socket.
func checkSocketPath(t *table, key, path string) {
	switch at := t.at(key); {
	case strings.Contains(path, "://"):
		t.errorf(at, "write the path of a unix socket alone", "%s is %s", t.name(key), quote(path))
	case path == "" || strings.ContainsRune(path, 0):
		t.errorf(at, "write the path of a unix socket", "%s is %s", t.name(key), quote(path))
	case len(path) > maxSocketPath:
		t.errorf(at, fmt.Sprintf("choose a path of at most %d bytes", maxSocketPath),
			"%s has %d bytes, more than a unix socket's path can have", t.name(key), len(path))
	}
}
