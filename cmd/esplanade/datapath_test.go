package main

import (
	"strings"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike/vici"
	"esplanade/tun"
)

// TestSwitchesReachTheirFeature: each key switches off what it names and nothing else, at the device or at the sockets.
func TestSwitchesReachTheirFeature(t *testing.T) {
	read := func(text string) *config.Config {
		t.Helper()
		c, err := config.Parse("x.toml", []byte("[connections.c]\nlocal_addrs=[\"192.0.2.1\"]\nremote_addrs=[\"192.0.2.2\"]\n"+
			"[connections.c.local]\nauth=\"psk\"\n[connections.c.remote]\nauth=\"psk\"\n[connections.c.children.n]\nremote_ts=[\"10.0.0.0/8\"]\n"+
			"[secrets.ike.s]\nsecret=\""+testPSK+"\"\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	all := tun.QueueOptions{Name: "ipsec0", MTU: config.DefaultMTU, Queues: 4, VNetHdr: true, TSO: true, TSOECN: true, USO: true, GSOWrite: true}
	for key, c := range map[string]struct {
		device  func(*tun.QueueOptions)
		sockets dataplane.Features
	}{
		"vnet_hdr":      {device: func(o *tun.QueueOptions) { o.VNetHdr = false }},
		"tun_tso":       {device: func(o *tun.QueueOptions) { o.TSO = false }},
		"tun_tso_ecn":   {device: func(o *tun.QueueOptions) { o.TSOECN = false }},
		"tun_uso":       {device: func(o *tun.QueueOptions) { o.USO = false }},
		"tun_gso_write": {device: func(o *tun.QueueOptions) { o.GSOWrite = false }, sockets: dataplane.Features{NoTUNMerge: true}},
		"multi_queue":   {device: func(o *tun.QueueOptions) { o.Queues = 1 }},
		"gso":           {sockets: dataplane.Features{NoUDPGSO: true}},
		"gso_sentinel":  {sockets: dataplane.Features{NoSentinel: true}},
		"gro":           {sockets: dataplane.Features{NoUDPGRO: true}},
		"reuse_port":    {sockets: dataplane.Features{NoReusePort: true}},
		"spi_steering":  {sockets: dataplane.Features{NoSteering: true}},
		"raw_io":        {sockets: dataplane.Features{NoRawIO: true}},
		"raw_esp":       {sockets: dataplane.Features{NoRawESP: true}},
	} {
		conf := read("[dataplane]\n" + key + " = false\n")
		want := all
		if c.device != nil {
			c.device(&want)
		}
		if got := queueOptions(&conf.TUN, &conf.Dataplane, 4); got != want {
			t.Errorf("%s: device %+v, want %+v", key, got, want)
		}
		if got := switches(conf); got != c.sockets {
			t.Errorf("%s: sockets %+v, want %+v", key, got, c.sockets)
		}
	}
	if got := switches(read("")); got != (dataplane.Features{}) {
		t.Errorf("by default %+v", got)
	}
}

// TestStatusTellsFeatures: what is not used is not shown as if it were.
func TestStatusTellsFeatures(t *testing.T) {
	var b strings.Builder
	r := newStatusReport(vici.Status{Gateway: vici.GatewayStatus{DataPath: vici.DataPath{Features: []vici.Feature{
		{Name: "gro", Used: true, Reason: "UDP_GRO"}, {Name: "gso", Reason: "turned off"},
	}}}})
	r.print(&b, time.Now(), screenOf(&b), statusOptions{verbose: true})
	for _, want := range []string{"  gro: UDP_GRO\n", "  not used: gso: turned off\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
