package gateway

import (
	"log/slog"
	"time"
)

// talk bounds the lines of the log that authenticated peers cause: a peer that makes and deletes CHILD SAs as fast as this side
// answers would have thousands of them a second. Each identity has a number of lines, which come back with time, and so has each
// connection: where that has a pattern of identities, a peer may have any number of them. What has had no line is counted, and the
// next line of the connection says how many. Failures have bounds of their own, see [diag.Collapser], and so do strangers, whose
// exchanges have no lines.
type talk struct {
	now   time.Time        // when an IKE SA has put out something last
	peers map[string]*said // by identity
	conns map[string]*said // by connection
	rest  said             // of all identities for whom there is no room in peers
}

// said is what a peer has said: lines are those that it has used up.
type said struct {
	lines  float64
	at     time.Time
	unsaid int // of a connection
}

const (
	// linesAtOnce is how many lines a peer may cause at once, linesPerSecond how many in the long run. A peer that sets up 300 IKE
	// SAs at once stays below, and so does one that renews 256 CHILD SAs each minute.
	linesAtOnce    = 2000
	linesPerSecond = 10
	// connLinesAtOnce and connLinesPerSecond are the same for all peers of a connection.
	connLinesAtOnce    = 20000
	connLinesPerSecond = 50
	// maxTalkers is how many peers, and how many connections, are told apart. One that has been quiet for long enough is forgotten.
	maxTalkers = 4096
)

// allow takes a line for a peer, and gives how many of its connection have not been written before.
func (t *talk) allow(connection, identity string) (unsaid int, ok bool) {
	s, c := t.of(&t.peers, identity), t.of(&t.conns, connection)
	s.left(t.now, linesPerSecond)
	c.left(t.now, connLinesPerSecond)
	if s.lines >= linesAtOnce || c.lines >= connLinesAtOnce {
		c.unsaid++
		return 0, false
	}
	s.lines++
	c.lines++
	unsaid, c.unsaid = c.unsaid, 0
	return unsaid, true
}

// left pays lines off.
func (s *said) left(now time.Time, perSecond float64) {
	s.lines = max(s.lines-now.Sub(s.at).Seconds()*perSecond, 0)
	s.at = now
}

func (t *talk) of(list *map[string]*said, name string) *said {
	s := (*list)[name]
	if s != nil {
		return s
	}
	if len(*list) >= maxTalkers {
		for k, s := range *list {
			if s.lines <= t.now.Sub(s.at).Seconds()*linesPerSecond {
				delete(*list, k)
			}
		}
	}
	if len(*list) >= maxTalkers {
		return &t.rest
	}
	if *list == nil {
		*list = map[string]*said{}
	}
	s = &said{at: t.now}
	(*list)[name] = s
	return s
}

// logger names the IKE SA in each line. It writes none for a peer that has caused too many.
func (g *Manager) logger(e *entry) *slog.Logger {
	l := g.log
	if e.peer != (peerKey{}) && !g.logs(slog.LevelDebug) {
		connection := ""
		if e.conn != nil {
			connection = e.conn.conf.Name
		}
		unsaid, ok := g.talk.allow(connection, e.peer.remote)
		if !ok {
			return slog.New(slog.DiscardHandler)
		}
		if unsaid > 0 {
			l = l.With("not_logged", unsaid)
		}
	}
	if e.conn != nil {
		l = l.With("connection", e.conn.conf.Name)
	}
	return l.With("ike_uniqueid", e.m.ID())
}

// progress is logger for the steps of an attempt, which are worth no line at level info when it follows others that have failed.
func (g *Manager) progress(e *entry) *slog.Logger {
	if e.again && e.first.IsZero() && !g.logs(slog.LevelDebug) {
		return slog.New(slog.DiscardHandler)
	}
	return g.logger(e)
}
