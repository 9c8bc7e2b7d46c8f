package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// peers are the IKE SAs of a connection, oldest first. One that a rekeying has replaced is not among them unless it still carries something.
func (b *Backend) peers(c gateway.ConnInfo) (list []vici.PeerStatus) {
	for i, s := range c.SAs {
		if s.State == sa.StateRekeyed && len(s.Children) == 0 {
			continue
		}
		line := c.Lines[i]
		p := vici.PeerStatus{
			ID: s.ID, State: strings.ToLower(s.State.String()), Since: s.Established, Initiator: s.Initiator, UpSince: line.First,
			Local: s.Path.Local.String(), Remote: s.Path.Remote.String(), LocalID: s.LocalID.String(), RemoteID: s.RemoteID.String(),
			SPIi: fmt.Sprintf("%016x", uint64(s.SPIi)), SPIr: fmt.Sprintf("%016x", uint64(s.SPIr)), NAT: s.NAT.Word(), NATText: s.NAT.String(),
			Resumed: s.Resumed, Certificate: s.Certificate, CertificateUntil: s.CertificateUntil, PPK: s.PPK, DowngradePrevention: s.Transcribed, MOBIKE: s.MOBIKE, LocalAddrs: texts(s.LocalAddrs), RemoteAddrs: texts(s.PeerAddrs), RemoteVIPs: texts(s.RemoteVIPs),
			User: s.User, UserMethod: s.UserMethod, UserGroups: s.UserGroups, Client: s.Client,
			NextRekey: s.RekeyAt, NextReauth: s.ReauthAt, Requests: texts(s.Tasks), Heard: s.Heard, Silence: silenceStatus(s.Silence),
		}
		if s.State == sa.StateConnecting {
			p.Since = s.Created
		} else {
			p.Proposal = s.Chosen.String()
		}
		sums := line.Past // a copy
		for _, x := range s.Children {
			n, _ := b.Counters(x.ID)
			p.Children = append(p.Children, childSA(x, n))
			if sums != nil {
				sums[x.Name] = sums[x.Name].Plus(n)
			}
		}
		for _, child := range slices.Sorted(maps.Keys(sums)) {
			p.Traffic = append(p.Traffic, traffic(child, sums[child]))
		}
		list = append(list, p)
	}
	return list
}

func traffic(child string, n gateway.Counters) vici.Traffic {
	return vici.Traffic{Child: child, BytesIn: n.InBytes, PacketsIn: n.InPackets, BytesOut: n.OutBytes, PacketsOut: n.OutPackets}
}

func childSA(x sa.ChildSnapshot, n gateway.Counters) vici.SAStatus {
	transport := "esp"
	if x.UDP {
		transport = "udp"
	}
	return vici.SAStatus{
		ID: x.ID, State: strings.ToLower(x.State.String()), Since: x.Created,
		SPIIn: fmt.Sprintf("%08x", x.LocalSPI), SPIOut: fmt.Sprintf("%08x", x.RemoteSPI), Transport: transport, Proposal: x.Chosen.String(),
		LocalTS: texts(x.TS.Local), RemoteTS: texts(x.TS.Remote),
		Traffic: traffic(x.Name, n), LastIn: n.LastIn, LastOut: n.LastOut,
		NextRekey: x.RekeyAt, Expires: x.ExpireAt,
	}
}
