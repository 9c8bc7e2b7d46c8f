package vici

import (
	"strconv"
	"time"
)

// GuessStatus is how many wrong passwords users have given, and the pauses after them. strongSwan has no such message.
type GuessStatus struct {
	// Wrong passwords were compared, Refused ones were not, within a pause.
	Wrong   uint64 `json:"wrong"`
	Refused uint64 `json:"refused"`
	// Users, Names and Sources are how many pauses there are: for a user from one source, for a user from everywhere, for a source.
	Users   int `json:"users"`
	Names   int `json:"names"`
	Sources int `json:"sources"`
	// Pauses are some of them.
	Pauses []PauseStatus `json:"pauses,omitempty"`
}

// PauseStatus is a pause in which no password is compared.
type PauseStatus struct {
	// User is the name that was given, in small letters, "" for all; Source where it comes from, "" for everywhere.
	User   string `json:"user,omitempty"`
	Source string `json:"source,omitempty"`
	// Wrong passwords have led to it.
	Wrong int       `json:"wrong"`
	Until time.Time `json:"until"`
}

func (g *GuessStatus) fill(m *Message) {
	m.Setf("wrong", "%d", g.Wrong)
	m.Setf("refused", "%d", g.Refused)
	m.Setf("users", "%d", g.Users)
	m.Setf("names", "%d", g.Names)
	m.Setf("sources", "%d", g.Sources)
	pauses := m.Sub("pauses")
	for i, x := range g.Pauses {
		s := pauses.Sub(strconv.Itoa(i + 1))
		s.SetNonEmpty("user", x.User)
		s.SetNonEmpty("source", x.Source)
		s.Setf("wrong", "%d", x.Wrong)
		setTime(s, "until", x.Until)
	}
}

func (p *parser) guesses(m *Message) *GuessStatus {
	if m == nil {
		return nil
	}
	g := &GuessStatus{Wrong: p.uint64(m, "wrong"), Refused: p.uint64(m, "refused"), Users: p.int(m, "users"), Names: p.int(m, "names"), Sources: p.int(m, "sources")}
	for _, s := range m.Section("pauses").Sections() {
		g.Pauses = append(g.Pauses, PauseStatus{User: s.Get("user"), Source: s.Get("source"), Wrong: p.int(s, "wrong"), Until: p.time(s, "until")})
	}
	return g
}
