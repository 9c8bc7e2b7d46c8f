package config

import (
	"path/filepath"
	"strings"
	"time"
)

// Hooks is how commands of the operator are run: the table [hooks]. They are `updown` of a child, and `command` of [events].
type Hooks struct {
	Source
	// User is whose name they run under. Default none, the daemon's own.
	User string `key:"user" default:""`
	// Timeout is how long a call of `updown` may take before it is killed, with all that it has started.
	Timeout time.Duration `key:"timeout" default:"30s" range:"100ms..10m"`
	// Parallel is how many calls of `updown` run at a time.
	Parallel int `key:"parallel" default:"8" range:"1..256"`
}

// EventsFeed is where what happens is told, as lines of JSON: the table [events].
type EventsFeed struct {
	Source
	// Command is kept running, and reads the lines from its standard input. Default none.
	Command string `key:"command" default:""`
	// Socket is the path of a unix socket whose readers get the lines. Default none.
	Socket string `key:"socket" default:""`
	// Group may read from Socket, too. Default none, the daemon's user alone.
	Group string `key:"group" default:""`
}

// maxCommand bounds a command of the operator, in bytes. It is no line of a shell script, but calls one.
const maxCommand = 4096

func readHooks(t *table) (h Hooks) {
	t.fill(&h)
	h.Source = t.done()
	return h
}

func readEvents(t *table) (e EventsFeed) {
	t.fill(&e)
	checkCommand(t, "command", e.Command)
	if at := t.at("socket"); e.Socket != "" {
		checkSocketPath(t, "socket", e.Socket)
		if !filepath.IsAbs(e.Socket) {
			t.errorf(at, "write a path that begins with /", "%s is %s", t.name("socket"), quote(e.Socket))
		}
	}
	if at := t.at("group"); e.Group != "" && e.Socket == "" {
		t.warnf(at, "write events.socket, or remove it", "%s has no effect: there is no socket", t.name("group"))
	}
	e.Source = t.done()
	return e
}

// checkCommand reports a command that cannot be run for what it is made of.
func checkCommand(t *table, key, command string) {
	switch at := t.at(key); {
	case strings.ContainsAny(command, "\x00\n\r"):
		t.errorf(at, "write one line, such as the path of a script", "%s is %s", t.name(key), quote(command))
	case len(command) > maxCommand:
		t.errorf(at, "put it into a script, and write the path of that", "%s has %d bytes", t.name(key), len(command))
	case command != "" && strings.TrimSpace(command) == "":
		t.errorf(at, "write the path of a script, or remove it", "%s has nothing but blanks", t.name(key))
	}
}
