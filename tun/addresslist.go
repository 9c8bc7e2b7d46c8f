package tun

import (
	"net/netip"
	"sync"
)

// AddressList keeps what LocalAddresses gives for as long as it is true: each CHILD SA's routes want it, and to list the
// addresses of a host takes longer than to set a route. Safe for concurrent use.
type AddressList struct {
	mu    sync.Mutex
	news  *addressNews // nil where the system does not tell: each question is asked of the system
	addrs []netip.Addr
	known bool
}

// NewAddressList makes a list for the network namespace of the calling thread. Close it.
func NewAddressList() *AddressList { return &AddressList{news: openAddressNews()} }

// List is LocalAddresses. What it returns belongs to everybody: nobody changes it.
func (l *AddressList) List() ([]netip.Addr, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The news are taken before the addresses: what changes between the two is news again.
	if l.news != nil && !l.news.changed() && l.known {
		return l.addrs, nil
	}
	addrs, err := LocalAddresses()
	l.addrs, l.known = addrs, err == nil
	return addrs, err
}

// Close ends the subscription; List works on.
func (l *AddressList) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.news == nil {
		return nil
	}
	err := l.news.close()
	l.news = nil
	return err
}
