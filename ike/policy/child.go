package policy

// StartAction says which state of a child is the desired one.
type StartAction uint8

// The actions.
const (
	// StartNone: down until a command or the peer brings it up.
	StartNone StartAction = iota
	// StartTrap: up when a packet is to go through it.
	StartTrap
	// StartStart: always up. Whatever takes it down, it is brought up again.
	StartStart
)

// Words implements [Word].
func (StartAction) Words() []string { return []string{"none", "trap", "start"} }

// String is the word of the configuration.
func (s StartAction) String() string { return Name(s) }

// Mode is how a CHILD SA carries packets.
type Mode uint8

// The modes.
const (
	// ModeTunnel: whole packets within packets between the gateways.
	ModeTunnel Mode = iota
)

// Words implements [Word].
func (Mode) Words() []string { return []string{"tunnel"} }

// String is the word of the configuration.
func (m Mode) String() string { return Name(m) }
