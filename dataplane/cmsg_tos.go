//go:build darwin || freebsd

package dataplane

import "golang.org/x/sys/unix"

// The TOS of received and sent IPv4 datagrams, for ECN: the field of the outer header counts when a packet is taken out of the
// tunnel. https://www.rfc-editor.org/rfc/rfc6040#section-4.2

// layout is that of this system: the data begins at a multiple of what headers do.
func layout() cmsgLayout {
	return cmsgLayout{header: unix.CmsgLen(0), align: unix.CmsgSpace(1) - unix.CmsgLen(0)}
}

// receiveTOS4 asks for the TOS of received datagrams. A system that does not give it goes without, as before.
func receiveTOS4(fd int) { _ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVTOS, 1) }

// tos4 reads it from the control messages of a datagram.
func tos4(oob []byte) uint8 {
	v, _ := layout().octet(oob, unix.IPPROTO_IP, unix.IP_RECVTOS)
	return v
}

// appendTOS4 appends the control message that sets it.
func appendTOS4(oob []byte, tos uint8) []byte {
	return layout().append(oob, unix.IPPROTO_IP, unix.IP_TOS, tos, tosLen)
}
