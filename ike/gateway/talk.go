package gateway

import (
	"log/slog"
	"time"
)

// talk bounds the lines of the log that authenticated peers cause: a peer that makes and deletes CHILD SAs as fast as this side
// answers would have thousands of them a second. Each identity has a number of lines, which come back with time. What has had no
// line is counted, and the next line says how many. Failures have bounds of their own, see [diag.Collapser], and so do strangers,
// whose exchanges have no lines.
type talk struct {
	now   time.Time        // when an IKE SA has put out something last
	peers map[string]*said // by identity
	rest  said             // of all for whom there is no room in peers
}

// said is what a peer has said: lines are those that it has used up.
type said struct {
	lines  float64
	at     time.Time
	unsaid int
}

const (
	// linesAtOnce is how many lines a peer may cause at once, linesPerSecond how many in the long run. A peer that sets up 300 IKE
	// SAs at once stays below, and so does one that renews 256 CHILD SAs each minute.
	linesAtOnce    = 2000
	linesPerSecond = 10
	// maxTalkers is how many peers are told apart. One that has been quiet for long enough is forgotten.
	maxTalkers = 4096
)

// allow takes a line for a peer, and gives how many of it have not been written before.
func (t *talk) allow(identity string) (unsaid int, ok bool) {
	s := t.of(identity)
	if s.left(t.now); s.lines >= linesAtOnce {
		s.unsaid++
		return 0, false
	}
	s.lines++
	unsaid, s.unsaid = s.unsaid, 0
	return unsaid, true
}

// left pays lines off.
func (s *said) left(now time.Time) {
	s.lines = max(s.lines-now.Sub(s.at).Seconds()*linesPerSecond, 0)
	s.at = now
}

func (t *talk) of(identity string) *said {
	s := t.peers[identity]
	if s != nil {
		return s
	}
	if len(t.peers) >= maxTalkers {
		for k, s := range t.peers {
			if s.left(t.now); s.lines == 0 {
				delete(t.peers, k)
			}
		}
	}
	if len(t.peers) >= maxTalkers {
		return &t.rest
	}
	if t.peers == nil {
		t.peers = map[string]*said{}
	}
	s = &said{at: t.now}
	t.peers[identity] = s
	return s
}

// logger names the IKE SA in each line. It writes none for a peer that has caused too many.
func (d *Manager) logger(e *entry) *slog.Logger {
	l := d.log
	if e.peer != (peerKey{}) && !d.logs(slog.LevelDebug) {
		unsaid, ok := d.talk.allow(e.peer.remote)
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
