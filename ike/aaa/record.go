package aaa

import (
	"net/netip"
	"time"
)

// Status is what an accounting record is about.
type Status uint8

// The kinds of records (RFC 2866 section 5.1).
const (
	Start Status = iota + 1
	Interim
	Stop
	// On and Off are about the gateway, and no session: it has begun, and none of the sessions goes on that it had before; and it ends, with all of them.
	On
	Off
)

// OfGateway reports whether a record is about no session.
func (s Status) OfGateway() bool { return s == On || s == Off }

func (s Status) String() string {
	switch s {
	case Start:
		return "start"
	case Interim:
		return "interim"
	case Stop:
		return "stop"
	case On:
		return "on"
	case Off:
		return "off"
	}
	return "unknown"
}

// Session is what does not change while a user is connected. It outlives the IKE SA that it began with: a rekeyed one goes on with it. One that
// takes the place of another by authenticating again has its own.
type Session struct {
	// ID is unique: no other session of this gateway has or had it (Acct-Session-Id).
	ID string
	// User is whom the session is for.
	User *User
	// Connection is the name in the configuration.
	Connection string
	// Began is when it did.
	Began time.Time
}

// Volume is what a session has moved, in the octets and packets of the user: inner packets. In is from the user, Out to it.
type Volume struct{ InOctets, OutOctets, InPackets, OutPackets uint64 }

// Add adds another volume.
func (v *Volume) Add(o Volume) {
	v.InOctets += o.InOctets
	v.OutOctets += o.OutOctets
	v.InPackets += o.InPackets
	v.OutPackets += o.OutPackets
}

// Record is what accounting is told at one moment.
type Record struct {
	Status  Status
	Session Session
	// At is the moment; the volume is that of then.
	At time.Time
	// Local and Remote are the ends of the IKE SA.
	Local, Remote netip.AddrPort
	// Addresses are those that the user has.
	Addresses []netip.Addr
	Volume    Volume
	// Why it has ended, of a [Stop].
	Why Cause
}

// Cause is why a session has ended: the number of Acct-Terminate-Cause (RFC 2866 section 5.10).
type Cause uint32

// The causes that there are of an IKE SA.
const (
	UserRequest        Cause = 1
	LostCarrier        Cause = 2
	IdleTimeout        Cause = 4
	SessionTimeout     Cause = 5
	AdminReset         Cause = 6
	AdminReboot        Cause = 7
	NASError           Cause = 9
	NASRequest         Cause = 10
	ServiceUnavailable Cause = 15
	UserError          Cause = 17
)

func (c Cause) String() string {
	switch c {
	case UserRequest:
		return "User-Request"
	case LostCarrier:
		return "Lost-Carrier"
	case IdleTimeout:
		return "Idle-Timeout"
	case SessionTimeout:
		return "Session-Timeout"
	case AdminReset:
		return "Admin-Reset"
	case AdminReboot:
		return "Admin-Reboot"
	case NASError:
		return "NAS-Error"
	case NASRequest:
		return "NAS-Request"
	case ServiceUnavailable:
		return "Service-Unavailable"
	case UserError:
		return "User-Error"
	}
	return "unknown"
}
