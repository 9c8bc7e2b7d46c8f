package swanctl

import (
	"strconv"
	"strings"

	"esplanade/config/tree"
)

// The levels of strongSwan's loggers: 1 is what a running daemon says, and from 2 on there is more of it. Ours is as much as the most talkative
// logger wants.
const detailedLevel = 2

// logger takes one of the sections filelog, syslog and journal. Where the log goes is the service manager's business here.
func (r *daemonReader) logger(at tree.Entry, s *tree.Table) {
	for e := range s.All() {
		below, ok := e.Value.Data.(*tree.Table)
		switch text, _ := e.Value.Data.(tree.Text); {
		case ok:
			r.logger(e, below)
			if path, named := textOf(below, "path"); at.Name == "filelog" && (named && path != "stderr" && path != "stdout" || !named && strings.HasPrefix(e.Name, "/")) {
				r.warnf(e.At, "read it there: journalctl -u esplanade; or have the service manager write it to a file (StandardError=append:FILE)",
					"the log does not go to the file of this logger, but to standard error")
			}
		case isLoggerOption(e.Name):
		default:
			if level, err := strconv.Atoi(string(text)); err == nil && level >= detailedLevel {
				r.set(e, "debug", "log", "level")
			}
		}
	}
}

// isLoggerOption reports whether a key of a logger is no level.
func isLoggerOption(name string) bool {
	switch name {
	case "append", "flush_line", "ike_name", "log_level", "path", "time_add_ms", "time_format", "identifier", "map_level", "json":
		return true
	}
	return false
}
