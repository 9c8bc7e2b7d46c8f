package main

import (
	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike/vici"
	"esplanade/tun"
)

// queueOptions translates the switches of the device.
func queueOptions(c *config.TUN, d *config.Dataplane, workers int) tun.QueueOptions {
	if !d.MultiQueue {
		workers = 1
	}
	return tun.QueueOptions{
		Name: c.Name, MTU: c.MTU, Queues: workers,
		VNetHdr: d.VNetHdr, TSO: d.TunTSO, TSOECN: d.TunTSOECN, USO: d.TunUSO, GSOWrite: d.TunGSOWrite,
	}
}

// switches translates those of the packet loop. Sockets are opened once, and connections come and go: which of them have encap = false
// when the daemon begins decides nothing.
func switches(conf *config.Config) dataplane.Features {
	d := &conf.Dataplane
	return dataplane.Features{
		NoRawIO: !d.RawIO, NoUDPGSO: !d.GSO, NoSentinel: !d.GSOSentinel, NoUDPGRO: !d.GRO, NoTUNMerge: !d.TunGSOWrite,
		NoReusePort: !d.ReusePort, NoSteering: !d.SPISteering, NoRawESP: !d.RawESP,
	}
}

// dataPath describes the packet loop for status.
func (g *gateway) dataPath() vici.DataPath {
	name, err := g.device.Name()
	if err != nil {
		name = g.conf.TUN.Name
	}
	if g.net != nil {
		name = "netstack"
	}
	d := vici.DataPath{Device: name, MTU: g.conf.TUN.MTU, Workers: g.workers()}
	d.Routing = g.routes.state()
	for _, s := range g.engine.LocalAddrs() {
		d.Sockets = append(d.Sockets, s.Kind.String()+" "+s.Local.String())
	}
	for _, f := range g.engine.Features() {
		d.Features = append(d.Features, vici.Feature{Name: f.Name, Used: f.Used, Reason: f.Detail})
	}
	return d
}

// workers is the number of packet loops in each direction, and of the device's queues.
func (g *gateway) workers() int {
	if n := g.conf.Dataplane.Workers; n > 0 {
		return n
	}
	return dataplane.DefaultWorkers()
}

// engineConfig translates the configuration for the packet loop.
func (g *gateway) engineConfig(h dataplane.Handler) dataplane.Config {
	d := &g.conf.Dataplane
	c := dataplane.Config{
		Device: g.device, Handler: h, Logger: g.log, Workers: g.workers(), WaitRing: d.WaitPackets, PathMTU: d.PathMTU,
		CopyDSCP: d.CopyDSCP, BlackHoles: d.BlackHoleDetection,
		Sockets:  g.sockets(),
		Features: switches(g.conf),
	}
	if d.WaitPackets == 0 {
		c.WaitRing = -1
	}
	if !d.MSSClamp {
		c.MSSClamp = -1
	}
	return c
}

// drops are the drop counters that are not zero.
func (g *gateway) drops() []vici.Drop {
	counts := g.engine.Drops()
	var out []vici.Drop
	for _, r := range dataplane.DropReasons() {
		if n := counts[r]; n > 0 {
			out = append(out, vici.Drop{Direction: r.Direction().String(), Reason: r.String(), Packets: n})
		}
	}
	return out
}
