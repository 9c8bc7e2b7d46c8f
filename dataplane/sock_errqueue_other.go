//go:build !linux

package dataplane

// pollErrors does nothing: without an error queue an unconnected socket does not learn of ICMP errors.
func (b *boundSocket) pollErrors(socketEvents) {}
