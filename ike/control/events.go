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

	// ended is the IKE SA that was last said to have ended before its children were.
	ended uint64
}

func (e *Events) child(c sa.ChildSnapshot) vici.ChildSA {
	counters, _ := e.Counters(c.ID)
	return ChildSA(c, counters)
}

// Observe implements gateway.Observer. It puts nothing together while nobody listens: most events are of every handshake.
func (e *Events) Observe(ev gateway.Event) {
	s := e.Server
	switch ev := ev.(type) {
	case gateway.IKEUpdown:
		said := !ev.Up && e.ended == ev.SA.ID
		e.ended = 0
		if !said && s.Listening(vici.EventIKEUpdown) {
			s.IKEUpdown(ev.Up, IKESA(ev.SA))
		}
	case gateway.ChildUpdown:
		if !ev.Up && ev.SA.State == sa.StateClosed {
			e.end(ev.SA)
		}
		if s.Listening(vici.EventChildUpdown) {
			s.ChildUpdown(ev.Up, IKESA(ev.SA), e.changed(ev))
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

// end says that an IKE SA has ended, once, where its children go with it: as with strongSwan, the IKE SA comes first.
func (e *Events) end(s sa.Snapshot) {
	if e.ended == s.ID {
		return
	}
	e.ended = s.ID
	if e.Server.Listening(vici.EventIKEUpdown) {
		e.Server.IKEUpdown(false, IKESA(s))
	}
}

// changed is a CHILD SA that has come or gone, in strongSwan's state: one that was deleted by itself is DELETED, and one that has gone with its IKE SA still
// INSTALLED.
func (e *Events) changed(ev gateway.ChildUpdown) vici.ChildSA {
	c := e.child(ev.Child)
	switch {
	case ev.Up:
	case ev.SA.State == sa.StateClosed:
		c.State = vici.ChildInstalled
	default:
		c.State = vici.ChildDeleted
	}
	return c
}

// failed raises the alerts for a failure, with the IKE SA that it concerns.
func (e *Events) failed(ev gateway.Failed) {
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
