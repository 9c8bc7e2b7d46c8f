package control

import (
	"context"
	"fmt"
	"strings"

	"esplanade/ike/gateway"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// ListSAs implements vici.Backend.
func (b *Backend) ListSAs(ctx context.Context, filter vici.SAFilter, yield func(vici.IKESA) error) error {
	_, err := b.Commands.EachConn(ctx, filter.IKE, func(c gateway.ConnInfo) error {
		for _, s := range c.SAs {
			if filter.IKEID != 0 && filter.IKEID != uint32(s.ID) {
				continue
			}
			v := IKESA(s)
			for _, ch := range s.Children {
				if filter.Child != "" && filter.Child != ch.Name || filter.ChildID != 0 && filter.ChildID != uint32(ch.ID) {
					continue
				}
				counters, _ := b.Counters(ch.ID)
				v.Children = append(v.Children, ChildSA(ch, counters))
			}
			if err := yield(v); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// IKESA is a snapshot as VICI shows it, without its children.
func IKESA(s sa.Snapshot) vici.IKESA {
	v := vici.IKESA{
		Name: s.Connection, UniqueID: uint32(s.ID), Version: 2, State: ikeState(s.State), Local: s.Path.Local, Remote: s.Path.Remote,
		LocalID: s.LocalID.String(), RemoteID: s.RemoteID.String(), Initiator: s.Initiator,
		InitiatorSPI: uint64(s.SPIi), ResponderSPI: uint64(s.SPIr), NATLocal: s.NAT.Local, NATRemote: s.NAT.Remote,
		NATFake:    s.NAT.Known && s.NAT.Forced && !s.NAT.Local && !s.NAT.Remote,
		NATAny:     s.NAT.Known && (s.NAT.Forced || s.NAT.PeerForced || s.NAT.Local || s.NAT.Remote),
		Resumed:    s.Resumed,
		Algorithms: algorithms(s.Chosen), Established: s.Established, RekeyAt: s.RekeyAt, ReauthAt: s.ReauthAt,
		LocalVIPs: s.LocalVIPs, RemoteVIPs: s.RemoteVIPs, PPK: s.PPK != "", DowngradePrevention: s.Transcribed,
	}
	if !s.Client {
		v.RemoteEAPID = s.User
	}
	for _, t := range s.Tasks {
		if t.InFlight {
			v.TasksActive = append(v.TasksActive, taskName(t.Kind))
		} else {
			v.TasksQueued = append(v.TasksQueued, taskName(t.Kind))
		}
	}
	return v
}

// ikeState is strongSwan's word for the state of an IKE SA. One that has ended is shown once, by the event that says so.
func ikeState(s sa.State) string {
	if s == sa.StateClosed {
		return sa.StateDeleting.String()
	}
	return s.String()
}

// taskName is strongSwan's word for a task.
func taskName(k sa.TaskKind) string {
	switch k {
	case sa.TaskInit:
		return "IKE_INIT"
	case sa.TaskResume:
		return "IKE_RESUME"
	case sa.TaskAuth:
		return "IKE_AUTH"
	case sa.TaskLiveness:
		return "IKE_DPD"
	case sa.TaskUpdate, sa.TaskAnnounce, sa.TaskRoute:
		return "IKE_MOBIKE"
	case sa.TaskRekeyIKE:
		return "IKE_REKEY"
	case sa.TaskDeleteIKE:
		return "IKE_DELETE"
	case sa.TaskCreateChild:
		return "CHILD_CREATE"
	case sa.TaskRekeyChild:
		return "CHILD_REKEY"
	case sa.TaskDeleteChild:
		return "CHILD_DELETE"
	default: // strongSwan has no word of its own for the others
		return "IKE_INFORMATIONAL"
	}
}

// modeName is a mode as VICI has it: in capitals.
func modeName(m fmt.Stringer) string { return strings.ToUpper(m.String()) }

// ChildSA is a snapshot with counters as VICI shows it.
func ChildSA(s sa.ChildSnapshot, c gateway.Counters) vici.ChildSA {
	return vici.ChildSA{
		Name: s.Name, UniqueID: uint32(s.ID), ReqID: s.ReqID, State: s.State.String(), Mode: modeName(s.Mode), Protocol: s.Protocol.String(), Encap: s.UDP,
		SPIIn: s.LocalSPI, SPIOut: s.RemoteSPI, Algorithms: algorithms(s.Chosen), ESN: s.Chosen.ESN == wire.ESN_ESN,
		BytesIn: c.InBytes, PacketsIn: c.InPackets, BytesOut: c.OutBytes, PacketsOut: c.OutPackets, LastIn: c.LastIn, LastOut: c.LastOut,
		RekeyAt: s.RekeyAt, ExpiresAt: s.ExpireAt, Installed: s.Created,
		LocalTS: selectors(s.TS.Local), RemoteTS: selectors(s.TS.Remote),
	}
}

func algorithms(c proposal.Chosen) vici.Algorithms {
	a := vici.Algorithms{EncrKeySize: int(c.Encr.KeyLength)}
	if c.Encr.ID != 0 {
		a.Encr = wire.TransformName(wire.TransformENCR, c.Encr.ID)
	}
	if c.Integ != 0 {
		a.Integ = wire.TransformName(wire.TransformINTEG, c.Integ)
	}
	if c.PRF != 0 {
		a.PRF = wire.TransformName(wire.TransformPRF, c.PRF)
	}
	if c.KE != 0 {
		a.KE = wire.TransformName(wire.TransformKE, c.KE)
	}
	for i, id := range c.AddKE {
		if id != wire.KE_NONE {
			a.AdditionalKE[i] = wire.TransformName(wire.TransformKE, id)
		}
	}
	return a
}
