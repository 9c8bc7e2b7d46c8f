package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// Status implements vici.Backend.
func (b *Backend) Status(ctx context.Context, name string, yield func(vici.ConnStatus) error) (vici.GatewayStatus, error) {
	known, children := name == "", 0
	info, err := b.Commands.EachConn(ctx, name, func(c gateway.ConnInfo) error {
		known = true
		cs := b.connStatus(c)
		for _, h := range cs.Children {
			children += h.SAs
		}
		return yield(cs)
	})
	if err != nil {
		return vici.GatewayStatus{}, err
	}
	if !known {
		conf, _, err := b.inForce(ctx)
		if err != nil {
			return vici.GatewayStatus{}, err
		}
		var names []string
		for _, c := range conf.Connections {
			names = append(names, c.Name)
		}
		return vici.GatewayStatus{}, diag.UnknownName(diag.Where{ConfigLine: info.File}, "connection, child, or peer that is up,", name, names)
	}
	st := vici.GatewayStatus{
		Version: b.About.Version, Since: info.Since, Config: info.File, LoadedAt: info.Loaded,
		ReloadError: info.ReloadError,
		DataPath:    b.DataPath(), IKESAs: info.IKESAs, HalfOpen: info.HalfOpen, ChildSAs: children, Drops: b.Drops(),
	}
	for _, r := range info.Strangers[:min(len(info.Strangers), maxStrangers)] {
		st.Strangers = append(st.Strangers, *failureStatus(&r))
	}
	if b.NoPolicy != nil {
		st.NoPolicy, st.NoPolicyAt = b.NoPolicy()
	}
	if b.HostWarnings != nil {
		st.HostWarnings = b.HostWarnings()
	}
	if b.RADIUS != nil {
		st.RADIUS, st.RecordsWaiting = b.RADIUS()
	}
	if b.Guesses != nil {
		st.Guesses = b.Guesses()
	}
	if b.EventsDropped != nil {
		st.DroppedEvents = b.EventsDropped()
	}
	return st, nil
}

// maxStrangers is how many failures of unknown peers the status shows.
const maxStrangers = 5

func (b *Backend) connStatus(c gateway.ConnInfo) vici.ConnStatus {
	cs := vici.ConnStatus{
		Name: c.Conf.Name, Origin: c.Conf.Origin(), Local: joined(c.Conf.LocalAddrs), Remote: joined(c.Conf.RemoteAddrs),
		LocalID: c.Conf.Local.ID.String(), RemoteID: c.Conf.Remote.ID.String(), Peers: b.peers(c),
		HalfOpen: c.HalfOpen, Refused: c.Refused, Client: clientStatus(c.Client),
	}
	for _, s := range c.SAs {
		if s.State == sa.StateEstablished || s.State == sa.StateRekeying {
			cs.Local, cs.Remote = s.Path.Local.String(), s.Path.Remote.String()
			cs.LocalID, cs.RemoteID = s.LocalID.String(), s.RemoteID.String()
			cs.State.NextRekey, cs.Proposal, cs.PPK = s.RekeyAt, s.Chosen.String(), s.PPK
			cs.MOBIKE, cs.LocalAddrs, cs.RemoteAddrs = s.MOBIKE, texts(s.LocalAddrs), texts(s.PeerAddrs)
			cs.DowngradePrevention = s.Transcribed
			cs.Resumed, cs.NAT, cs.NATText = s.Resumed, s.NAT.Word(), s.NAT.String()
		}
	}
	// A connection is as good as the worst of what is desired of its children.
	for i, h := range c.Children {
		n := h.SinceUp()
		hs := vici.ChildStatus{
			Name: h.Conf.Name, LocalTS: texts(h.Conf.LocalTS), RemoteTS: texts(h.Conf.RemoteTS), SAs: len(h.SAs),
			BytesIn: n.InBytes, PacketsIn: n.InPackets, BytesOut: n.OutBytes, PacketsOut: n.OutPackets,
			State: vici.State{
				Desired: h.Desired, Current: h.Phase, Since: h.Since, WaitsFor: h.WaitsFor, NextTry: h.NextTry,
				Heard: h.Heard, Silence: silenceStatus(h.Silence), Remarks: remarks(h.Remarks),
			},
		}
		hs.Path = pathStatus(h.Path)
		hs.State.LastFailure, hs.State.Aside = lastFailure(h.Last, h.Up())
		for _, s := range h.SAs {
			hs.State.NextRekey, hs.Proposal = s.RekeyAt, s.Chosen.String()
			hs.LocalTS, hs.RemoteTS = texts(s.TS.Local), texts(s.TS.Remote)
		}
		if i == 0 || rank(h) < rank(c.Children[worst(c.Children[:i])]) {
			cs.State.Desired, cs.State.Current, cs.State.Since = h.Desired, h.Phase, h.Since
			cs.State.WaitsFor, cs.State.NextTry = h.WaitsFor, h.NextTry
			cs.State.Heard, cs.State.Silence, cs.State.Remarks = hs.State.Heard, hs.State.Silence, hs.State.Remarks
		}
		cs.Children = append(cs.Children, hs)
	}
	up := slices.ContainsFunc(c.Children, gateway.ChildInfo.Up)
	if len(c.Children) == 0 {
		cs.State.Desired, cs.State.Current = "on command", "down"
		if c.Shut {
			cs.State.WaitsFor = "`esplanade initiate`: terminated by command, and peers are refused"
		}
		for i, s := range c.SAs {
			switch {
			case s.State == sa.StateEstablished || s.State == sa.StateRekeying:
				up, cs.State.Current, cs.State.Since = true, "up", c.Lines[i].First
			case !up && s.Initiator: // others are strangers, who do not change it
				cs.State.Current = "connecting"
			}
		}
	}
	cs.State.LastFailure, cs.State.Aside = lastFailure(c.Last, up)
	return cs
}

// clientStatus is what a client has been given; nil for a connection that is none.
func clientStatus(c *gateway.ClientInfo) *vici.ClientStatus {
	if c == nil {
		return nil
	}
	s := &vici.ClientStatus{Addresses: texts(c.Addresses), DNS: texts(c.DNS), Domains: c.Domains, DNSBy: c.By, Problem: c.Problem}
	if g := c.Given; g != nil {
		s.GivenDNS, s.GivenDomains, s.Subnets = texts(g.DNS), g.Domains, texts(g.Subnets)
	}
	return s
}

// lastFailure is the latest failure of what is up, or is not. One that leaves what is up as it is stands aside.
func lastFailure(r *diag.Repeat, up bool) (last, aside *vici.FailureStatus) {
	f := failureStatus(r)
	if f != nil && up && r.Failure.Aside {
		return nil, f
	}
	return f, nil
}

// rank orders children by how far they are from what is desired of them.
func rank(h gateway.ChildInfo) int {
	switch {
	case h.Desired == "up" && !h.Up():
		return 0
	case h.Pending():
		return 1
	case h.Up() && h.Silence != nil:
		return 2
	case h.Up():
		return 3
	}
	return 4
}

func worst(list []gateway.ChildInfo) int {
	w := 0
	for i, h := range list {
		if rank(h) < rank(list[w]) {
			w = i
		}
	}
	return w
}

func silenceStatus(s *sa.Silence) *vici.Silence {
	if s == nil {
		return nil
	}
	return &vici.Silence{
		Request: s.Request, Since: s.Since, Repeated: s.Repeated, Tries: s.Tries,
		Failure: failureStatus(&diag.Repeat{Failure: s.Failure, Count: 1, First: s.Since, Last: s.Last}),
	}
}

func pathStatus(p gateway.PathState) *vici.PathStatus {
	if p.MTU == 0 {
		return nil
	}
	s := &vici.PathStatus{MTU: p.MTU, Inner: p.Inner, Since: p.Since}
	switch {
	case p.BlackHole:
		s.LoweredBy = vici.ByBlackHole
	case p.TooBig:
		s.LoweredBy = vici.ByICMP
	}
	return s
}

func remarks(list []diag.Repeat) (out []vici.FailureStatus) {
	for _, r := range list {
		out = append(out, *failureStatus(&r))
	}
	return out
}

func failureStatus(r *diag.Repeat) *vici.FailureStatus {
	if r == nil {
		return nil
	}
	return &vici.FailureStatus{
		Code: string(r.Failure.Code), Text: r.Failure.Summary(), Fix: r.Failure.Advice(), Count: r.Count, First: r.First, Last: r.Last,
	}
}

// texts are what several values look like to an operator.
func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.String()
	}
	return out
}

func joined[T fmt.Stringer](list []T) string { return strings.Join(texts(list), ", ") }
