//go:build !linux && !darwin && !freebsd

package dataplane

// These systems neither give the TOS of a received IPv4 datagram nor take one with a datagram that is sent: the outer header
// carries no ECN, which is the compatibility mode of https://www.rfc-editor.org/rfc/rfc6040#section-4.3

func receiveTOS4(int) {}

func tos4([]byte) uint8 { return 0 }

func appendTOS4(oob []byte, _ uint8) []byte { return oob }
