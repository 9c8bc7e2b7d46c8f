package config

import (
	"strings"
	"time"
)

// Hooks is how commands of the operator are run: the table [hooks]. That is `updown` of a child.
type Hooks struct {
	Source
	// User is whose name they run under. Default none, the daemon's own.
	User string `key:"user" default:""`
	// Timeout is how long a call of `updown` may take before it is killed, with all that it has started.
	Timeout time.Duration `key:"timeout" default:"30s" range:"100ms..10m"`
	// Parallel is how many calls of `updown` run at a time.
	Parallel int `key:"parallel" default:"8" range:"1..256"`
}

// maxCommand bounds a command of the operator, in bytes. It is no line of a shell script, but calls one.
const maxCommand = 4096

func readHooks(t *table) (h Hooks) {
	t.fill(&h)
	h.Source = t.done()
	return h
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
