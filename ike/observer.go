package ike

import (
	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Observer is told what happens, for events of the control protocol, for a demonstration, for a packet analyser. Its
// methods are called from the event loop: they return at once and keep nothing but copies. Only IKEUpdown and IKERekeyed get
// the CHILD SAs of an IKE SA with it.
type Observer interface {
	// IKEUpdown: an IKE SA was established, or has ended after it was.
	IKEUpdown(up bool, s sa.Snapshot)
	// ChildUpdown: a CHILD SA was installed that replaces none, or has gone without a successor.
	ChildUpdown(up bool, s sa.Snapshot, c sa.ChildSnapshot)
	// IKERekeyed and ChildRekeyed: one SA has replaced another.
	IKERekeyed(old, fresh sa.Snapshot)
	ChildRekeyed(s sa.Snapshot, old, fresh sa.ChildSnapshot)
	// Exchange: an exchange is complete.
	Exchange(s sa.Snapshot, x sa.ExchangeDone)
	// Failed: something went wrong; repeat says whether the same was reported before.
	Failed(f *diag.Failure, repeat bool)
	// IKEKeys and ChildKeys hand keys out; see Options.ExportKeys. They are secrets.
	IKEKeys(s sa.Snapshot, spii, spir wire.SPI, keys suite.Keys)
	ChildKeys(c *sa.Child)
}

// noObserver sees nothing.
type noObserver struct{}

func (noObserver) IKEUpdown(bool, sa.Snapshot)                                  {}
func (noObserver) ChildUpdown(bool, sa.Snapshot, sa.ChildSnapshot)              {}
func (noObserver) IKERekeyed(_, _ sa.Snapshot)                                  {}
func (noObserver) ChildRekeyed(sa.Snapshot, sa.ChildSnapshot, sa.ChildSnapshot) {}
func (noObserver) Exchange(sa.Snapshot, sa.ExchangeDone)                        {}
func (noObserver) Failed(*diag.Failure, bool)                                   {}
func (noObserver) IKEKeys(sa.Snapshot, wire.SPI, wire.SPI, suite.Keys)          {}
func (noObserver) ChildKeys(*sa.Child)                                          {}

// Observers passes everything on to several observers, in order.
type Observers []Observer

// IKEUpdown implements Observer.
func (os Observers) IKEUpdown(up bool, s sa.Snapshot) {
	for _, o := range os {
		o.IKEUpdown(up, s)
	}
}

// ChildUpdown implements Observer.
func (os Observers) ChildUpdown(up bool, s sa.Snapshot, c sa.ChildSnapshot) {
	for _, o := range os {
		o.ChildUpdown(up, s, c)
	}
}

// IKERekeyed implements Observer.
func (os Observers) IKERekeyed(old, fresh sa.Snapshot) {
	for _, o := range os {
		o.IKERekeyed(old, fresh)
	}
}

// ChildRekeyed implements Observer.
func (os Observers) ChildRekeyed(s sa.Snapshot, old, fresh sa.ChildSnapshot) {
	for _, o := range os {
		o.ChildRekeyed(s, old, fresh)
	}
}

// Exchange implements Observer.
func (os Observers) Exchange(s sa.Snapshot, x sa.ExchangeDone) {
	for _, o := range os {
		o.Exchange(s, x)
	}
}

// Failed implements Observer.
func (os Observers) Failed(f *diag.Failure, repeat bool) {
	for _, o := range os {
		o.Failed(f, repeat)
	}
}

// IKEKeys implements Observer.
func (os Observers) IKEKeys(s sa.Snapshot, spii, spir wire.SPI, keys suite.Keys) {
	for _, o := range os {
		o.IKEKeys(s, spii, spir, keys)
	}
}

// ChildKeys implements Observer.
func (os Observers) ChildKeys(c *sa.Child) {
	for _, o := range os {
		o.ChildKeys(c)
	}
}
