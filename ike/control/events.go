package control

import (
	"cmp"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// Events passes what the daemon reports on to the clients of a VICI server.
type Events struct {
	Server *vici.Server
	// Counters are those of a CHILD SA.
	Counters func(child uint64) (gateway.Counters, bool)
}

func (e Events) child(c sa.ChildSnapshot) vici.ChildSA {
	counters, _ := e.Counters(c.ID)
	return ChildSA(c, counters)
}

// Observe implements gateway.Observer. It puts nothing together while nobody listens: most events are of every handshake.
func (e Events) Observe(ev gateway.Event) {
	s := e.Server
	switch ev := ev.(type) {
	case gateway.IKEUpdown:
		if s.Listening(vici.EventIKEUpdown) {
			s.IKEUpdown(ev.Up, IKESA(ev.SA))
		}
	case gateway.ChildUpdown:
		if s.Listening(vici.EventChildUpdown) {
			s.ChildUpdown(ev.Up, IKESA(ev.SA), e.child(ev.Child))
		}
	case gateway.IKERekeyed:
		if s.Listening(vici.EventIKERekey) {
			s.IKERekey(IKESA(ev.Old), IKESA(ev.New))
		}
	case gateway.ChildRekeyed:
		if s.Listening(vici.EventChildRekey) {
			s.ChildRekey(IKESA(ev.SA), e.child(ev.Old), e.child(ev.New))
		}
	case gateway.IKEMoved:
		if s.Listening(vici.EventIKEUpdate) {
			old := ev.SA
			old.Path = ev.From
			s.IKEUpdate(IKESA(old), ev.SA.Path.Local, ev.SA.Path.Remote)
		}
	case gateway.Failed:
		if s.Listening(vici.EventAlert) {
			e.failed(ev)
		}
	case gateway.Displaced:
		if s.Listening(vici.EventAlert) {
			sa := IKESA(ev.SA)
			s.Alert(map[bool]string{false: "unique-replace", true: "unique-keep"}[ev.Keep], &sa)
		}
	}
}

// failed raises the alerts for a failure, with the IKE SA that it concerns.
func (e Events) failed(ev gateway.Failed) {
	var of *vici.IKESA
	switch f := ev.Failure; {
	case ev.SA != nil:
		v := IKESA(ev.SA())
		of = &v
	case f.Connection != "":
		of = &vici.IKESA{Name: f.Connection, Version: 2, State: vici.IKECreated, Local: f.Local, Remote: f.Remote, LocalID: "%any", RemoteID: cmp.Or(f.PeerID, "%any")}
	}
	for _, a := range ev.Failure.Alerts() {
		e.Server.Alert(a, of)
	}
}
