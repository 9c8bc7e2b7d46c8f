package gateway

import (
	"net/netip"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Observer is told what happens, for events of the control protocol, for a demonstration, for a packet analyser. It is
// called on the goroutine of the [Manager]: it returns at once and keeps nothing but copies.
type Observer interface{ Observe(Event) }

// Event is something that has happened. Only [IKEUpdown] and [IKERekeyed] have the CHILD SAs of an IKE SA with it.
type Event interface{ event() }

// IKEUpdown: an IKE SA was established, or has ended after it was. Reason says why it has ended.
type IKEUpdown struct {
	Up     bool
	SA     sa.Snapshot
	Reason string
}

// ChildUpdown: a CHILD SA was installed that replaces none, or has gone without a successor. Reason says why it has gone. Conf is what it is
// configured as; nil if it is not any more.
type ChildUpdown struct {
	Up     bool
	SA     sa.Snapshot
	Child  sa.ChildSnapshot
	Conf   *config.Child
	Reason string
}

// IKERekeyed: an IKE SA has replaced another.
type IKERekeyed struct{ Old, New sa.Snapshot }

// ChildRekeyed: a CHILD SA has replaced another.
type ChildRekeyed struct {
	SA       sa.Snapshot
	Old, New sa.ChildSnapshot
}

// IKEMoved: an IKE SA has other addresses than before. SA has the new ones, From is where it was.
type IKEMoved struct {
	SA   sa.Snapshot
	From sa.Path
}

// AddressLeased: the peer of an IKE SA was given addresses. Owner is its name: the user's, or its identity.
type AddressLeased struct {
	Connection, Owner string
	IKE               uint64
	Remote            netip.AddrPort
	Addresses         []netip.Addr
}

// AddressReleased: these addresses are nobody's at present. They stay reserved for whoever had them as long as others are free.
type AddressReleased struct {
	Connection, Owner string
	IKE               uint64
	Addresses         []netip.Addr
}

// Exchange: an exchange is complete.
type Exchange struct {
	SA sa.Snapshot
	sa.ExchangeDone
}

// Failed: something went wrong. Repeat says whether the same was reported before.
type Failed struct {
	Failure *diag.Failure
	Repeat  bool
	// SA copies the IKE SA that it concerns; nil for none. It is for the observer's call only.
	SA func() sa.Snapshot
}

// Displaced: an IKE SA is closed since its peer has another one: by the policy "keep" the one that was there stays, and by "replace" it is the older
// one that is closed.
type Displaced struct {
	SA   sa.Snapshot
	Keep bool
}

// IKEKeys hands the keys of an IKE SA out; see Options.ExportKeys. They are secrets.
type IKEKeys struct {
	SA         sa.Snapshot
	SPIi, SPIr wire.SPI
	Keys       suite.Keys
}

// ChildKeys does the same for a CHILD SA.
type ChildKeys struct{ Child *sa.Child }

func (IKEUpdown) event()       {}
func (ChildUpdown) event()     {}
func (IKERekeyed) event()      {}
func (ChildRekeyed) event()    {}
func (IKEMoved) event()        {}
func (AddressLeased) event()   {}
func (AddressReleased) event() {}
func (Exchange) event()        {}
func (Failed) event()          {}
func (Displaced) event()       {}
func (IKEKeys) event()         {}
func (ChildKeys) event()       {}

// Observers passes everything on to several observers, in order. Without any, nobody is told.
type Observers []Observer

// Observe implements Observer.
func (os Observers) Observe(e Event) {
	for _, o := range os {
		o.Observe(e)
	}
}
