//go:build !linux

package tun

// addressNews is for systems that say at once when an address has changed.
type addressNews struct{}

func openAddressNews() *addressNews { return nil }

func (*addressNews) changed() bool { return true }
func (*addressNews) close() error  { return nil }
