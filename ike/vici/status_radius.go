package vici

import (
	"strconv"
	"time"
)

// RADIUSStatus is a service of a RADIUS server. strongSwan has no such message.
type RADIUSStatus struct {
	Server  string `json:"server"`
	Service string `json:"service"` // "authentication", "accounting"
	Address string `json:"address"`
	// Down is since when it does not answer, Heard when it did last; zero: it does, as far as is known; never.
	Down  time.Time `json:"down,omitzero"`
	Heard time.Time `json:"heard,omitzero"`
	// Outstanding requests wait for an answer. Requests, Answers and Timeouts are those so far, Wrong the datagrams that counted for nothing.
	Outstanding int    `json:"outstanding"`
	Requests    uint64 `json:"requests"`
	Answers     uint64 `json:"answers"`
	Timeouts    uint64 `json:"timeouts"`
	Wrong       uint64 `json:"wrong"`
}

func fillRADIUS(m *Message, list []RADIUSStatus) {
	for i, r := range list {
		s := m.Sub(strconv.Itoa(i + 1))
		s.Set("server", r.Server)
		s.Set("service", r.Service)
		s.Set("address", r.Address)
		setTime(s, "down", r.Down)
		setTime(s, "heard", r.Heard)
		s.Setf("outstanding", "%d", r.Outstanding)
		s.Setf("requests", "%d", r.Requests)
		s.Setf("answers", "%d", r.Answers)
		s.Setf("timeouts", "%d", r.Timeouts)
		s.Setf("wrong", "%d", r.Wrong)
	}
}

func (p *parser) radius(m *Message) (list []RADIUSStatus) {
	for _, s := range m.Sections() {
		list = append(list, RADIUSStatus{
			Server: s.Get("server"), Service: s.Get("service"), Address: s.Get("address"), Down: p.time(s, "down"), Heard: p.time(s, "heard"),
			Outstanding: p.int(s, "outstanding"), Requests: p.uint64(s, "requests"), Answers: p.uint64(s, "answers"), Timeouts: p.uint64(s, "timeouts"),
			Wrong: p.uint64(s, "wrong"),
		})
	}
	return list
}
