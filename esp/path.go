package esp

import "net/netip"

// Path is where the packets of an SA go: the outer addresses and how ESP is
// carried between them. It is plain data for the layer that does the I/O;
// nothing in this package reads it.
type Path struct {
	// Local and Remote are the outer addresses. The ports matter only with UDP.
	Local, Remote netip.AddrPort
	// UDP says that ESP is carried in UDP (RFC 3948); otherwise it is IP
	// protocol 50.
	UDP bool
}
