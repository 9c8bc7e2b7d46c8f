package esp

import "fmt"

// Mode says what an SA protects of an IP packet.
// https://www.rfc-editor.org/rfc/rfc4301#section-3.2
type Mode uint8

// The modes. Tunnel mode, the zero value, is the only one so far.
const (
	// Tunnel protects a whole IP packet, which another one carries.
	Tunnel Mode = iota
)

// String returns the name in lower case.
func (m Mode) String() string {
	switch m {
	case Tunnel:
		return "tunnel"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// check returns an error for a mode that SAs cannot have.
func (m Mode) check() error {
	switch m {
	case Tunnel:
		return nil
	}
	return fmt.Errorf("esp: no SA can have %s", m)
}
