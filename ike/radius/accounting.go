package radius

import (
	"encoding/binary"
	"time"

	"esplanade/ike/aaa"
)

// Values of Acct-Status-Type (RFC 2866 section 5.1).
var statusTypes = map[aaa.Status]uint32{aaa.Start: 1, aaa.Stop: 2, aaa.Interim: 3, aaa.On: 7, aaa.Off: 8}

// accounting is the Accounting-Request for a record, without authenticator and identifier, as it is sent at a moment.
func accounting(r *aaa.Record, nas *NAS, now time.Time) Packet {
	p := Packet{Code: AccountingRequest}
	p.addUint32(AcctStatusType, statusTypes[r.Status])
	nas.add(&p, r.Local)
	p.addText(AcctSessionID, r.Session.ID)
	p.addUint32(EventTimestamp, uint32(r.At.Unix()))
	// "Note that changing the Acct-Delay-Time causes the Identifier to change" (RFC 2866 section 5.2): each attempt at a server is
	// a request of its own.
	p.addUint32(AcctDelayTime, whole(now.Sub(r.At)))
	if r.Status.OfGateway() {
		return p
	}
	if u := r.Session.User; u != nil {
		p.addText(UserName, u.Name)
		p.addUint32(AcctAuthentic, acctAuthenticRADIU)
		for _, c := range u.Class {
			p.add(Attribute{Class, c})
		}
	}
	p.addUint32(NASPortType, portVirtual)
	p.addText(NASPortID, r.Session.Connection)
	p.addUint32(ServiceType, serviceFramed)
	p.addText(CalledStationID, nas.station(r.Local))
	p.addText(CallingStationID, nas.station(r.Remote))
	for _, a := range r.Addresses {
		p.addAddr(FramedIPAddress, FramedIPv6Address, a)
	}
	if r.Status == aaa.Start {
		return p
	}
	p.addUint32(AcctSessionTime, whole(r.At.Sub(r.Session.Began)))
	p.addVolume(AcctInputOctets, AcctInputGigawords, r.Volume.InOctets)
	p.addVolume(AcctOutputOctets, AcctOutputGigawords, r.Volume.OutOctets)
	p.addUint32(AcctInputPackets, uint32(min(r.Volume.InPackets, 1<<32-1)))
	p.addUint32(AcctOutputPackets, uint32(min(r.Volume.OutPackets, 1<<32-1)))
	if r.Status == aaa.Stop {
		p.addUint32(AcctTerminateCause, uint32(r.Why))
	}
	return p
}

// addVolume appends a number of octets: the low 32 bits, and how often they have wrapped (RFC 2869 section 5.1).
func (p *Packet) addVolume(low, high Type, n uint64) {
	p.addUint32(low, uint32(n))
	if g := uint32(n >> 32); g > 0 {
		p.add(Attribute{high, binary.BigEndian.AppendUint32(nil, g)})
	}
}

// whole is a time in seconds, none below zero.
func whole(d time.Duration) uint32 { return uint32(max(d, 0) / time.Second) }
