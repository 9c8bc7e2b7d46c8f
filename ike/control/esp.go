package control

import (
	"context"
	"time"

	"esplanade/esp"
	"esplanade/ike/gateway"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// ESP implements vici.Backend. Keys are copied from the CHILD SAs that there are, and nowhere kept for it.
func (b *Backend) ESP(ctx context.Context, keys bool, yield func(vici.ESPSA) error) error {
	var l *gateway.ESPList
	for more := true; more; {
		err := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) {
			if l == nil {
				l = g.ESPList(keys)
			}
			more = l.Continue()
		})
		if err != nil {
			return err
		}
	}
	for _, i := range l.List() {
		if err := yield(b.espSA(i)); err != nil {
			return err
		}
	}
	return nil
}

// espSA is what is installed of a CHILD SA as VICI shows it.
func (b *Backend) espSA(i gateway.ESPInfo) vici.ESPSA {
	c := i.Child
	n, _ := b.Counters(c.ID)
	inSeq, outSeq := b.Sequences(c.ID)
	a := algorithms(c.Chosen)
	return vici.ESPSA{
		Connection: i.Connection, Child: c.Name, ReqID: c.ReqID, Local: i.Path.Local, Remote: i.Path.Remote, UDP: i.Path.UDP, Mode: c.Mode.String(),
		Encr: a.Encr, EncrKeySize: a.EncrKeySize, Integ: a.Integ, ESN: c.Chosen.ESN == wire.ESN_ESN, ReplayWindow: replayWindow(i.In),
		LocalTS: selectors(c.TS.Local), RemoteTS: selectors(c.TS.Remote), Installed: c.Created, RekeyAt: c.RekeyAt, ExpireAt: c.ExpireAt,
		Soft: vici.ESPLimits(i.Out.Soft), Hard: vici.ESPLimits(i.Out.Hard),
		In: vici.ESPDirection{
			Installed: i.HasIn, SPI: i.In.SPI, Seq: inSeq, Bytes: n.InBytes, Packets: n.InPackets, Last: n.LastIn, EncrKey: i.In.EncrKey, IntegKey: i.In.IntegKey,
		},
		Out: vici.ESPDirection{
			Installed: i.HasOut, SPI: i.Out.SPI, Seq: outSeq, Bytes: n.OutBytes, Packets: n.OutPackets, Last: n.LastOut, EncrKey: i.Out.EncrKey, IntegKey: i.Out.IntegKey,
		},
	}
}

// replayWindow is the size of the window that an SA has, 0 for none: see [esp.InboundConfig].
func replayWindow(c esp.InboundConfig) int {
	switch {
	case c.ReplayWindow < 0:
		return 0
	case c.ReplayWindow == 0:
		return esp.DefaultReplayWindow
	}
	return max(c.ReplayWindow, esp.MinReplayWindow)
}
