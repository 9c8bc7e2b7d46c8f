package config

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// TestEverything has every key with a value other than its default, and sees each in its field.
func TestEverything(t *testing.T) {
	c := mustLoad(t, "everything")
	n := c.Connections[0]
	h := n.Children[0]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"control.socket", c.Control.Socket, "/tmp/charon.vici"}, {"control.group", c.Control.Group, "vpnadmin"},
		{"metrics.listen", c.Metrics.Listen, "[::1]:9700"},
		{"log.level", c.Log.Level, slog.LevelDebug},
		{"log.format", c.Log.Format, LogJSON},
		{"tun.name", c.TUN.Name, "tun7"},
		{"tun.device", c.TUN.Device, DeviceNetstack},
		{"tun.mtu", c.TUN.MTU, 1400},
		{"tun.addresses", fmt.Sprint(c.TUN.Addresses), "[10.1.0.1/24 fd01::1/64 10.1.0.7/32]"},
		{"dataplane.workers", c.Dataplane.Workers, 2},
		{"dataplane.mss_clamp", c.Dataplane.MSSClamp, false},
		{"dataplane.receive_buffer", c.Dataplane.ReceiveBuffer, 4 << 20},
		{"dataplane.send_buffer", c.Dataplane.SendBuffer, 2 << 20},
		{"dataplane.wait_packets", c.Dataplane.WaitPackets, 0},
		{"dataplane.path_mtu", c.Dataplane.PathMTU, 1500},
		{"dataplane.black_hole_detection", c.Dataplane.BlackHoleDetection, false},
		{"dataplane.copy_dscp", c.Dataplane.CopyDSCP, false},
		{"dataplane.gso", c.Dataplane.GSO, false},
		{"dataplane.gro", c.Dataplane.GRO, false},
		{"dataplane.tun_offload", c.Dataplane.TunOffload, false},
		{"dataplane.gso_sentinel", c.Dataplane.GSOSentinel, false},
		{"dataplane.vnet_hdr", c.Dataplane.VNetHdr, false},
		{"dataplane.tun_tso", c.Dataplane.TunTSO, false},
		{"dataplane.tun_tso_ecn", c.Dataplane.TunTSOECN, false},
		{"dataplane.tun_uso", c.Dataplane.TunUSO, false},
		{"dataplane.tun_gso_write", c.Dataplane.TunGSOWrite, false},
		{"dataplane.multi_queue", c.Dataplane.MultiQueue, false},
		{"dataplane.reuse_port", c.Dataplane.ReusePort, false},
		{"dataplane.spi_steering", c.Dataplane.SPISteering, false},
		{"dataplane.raw_io", c.Dataplane.RawIO, false},
		{"dataplane.raw_esp", c.Dataplane.RawESP, false},
		{"ike.port", c.IKE.Port, uint16(1500)},
		{"ike.port_nat_t", c.IKE.PortNATT, uint16(14500)},
		{"ike.retransmit_timeout", c.IKE.RetransmitTimeout, 1500 * time.Millisecond},
		{"ike.retransmit_tries", c.IKE.RetransmitTries, 3},
		{"ike.retransmit_base", c.IKE.RetransmitBase, 2.0},
		{"ike.retransmit_jitter", c.IKE.RetransmitJitter, 0.15},
		{"ike.retransmit_limit", c.IKE.RetransmitLimit, 10 * time.Second},
		{"ike.half_open_timeout", c.IKE.HalfOpenTimeout, 20 * time.Second},
		{"ike.cookie_threshold", c.IKE.CookieThreshold, 0},
		{"ike.cookie_threshold_ip", c.IKE.CookieThresholdIP, 1},
		{"ike.half_open_limit", c.IKE.HalfOpenLimit, 100},
		{"ike.block_threshold", c.IKE.BlockThreshold, 50},
		{"ike.ike_sa_limit", c.IKE.IKESALimit, 500},
		{"ike.ike_sa_limit_id", c.IKE.IKESALimitID, 20},
		{"ike.child_sa_limit", c.IKE.ChildSALimit, 600},
		{"ike.child_sa_limit_id", c.IKE.ChildSALimitID, 30},
		{"ike.make_before_break", c.IKE.MakeBeforeBreak, false},
		{"ike.follow_redirects", c.IKE.FollowRedirects, false},
		{"ike.fragment_size", c.IKE.FragmentSize, 1400},
		{"ike.keep_alive", c.IKE.KeepAlive, time.Duration(0)},
		{"ike.install_routes", c.IKE.InstallRoutes, false},
		{"ike.local_routes", c.IKE.LocalRoutes, LocalRoutesConnected},
		{"ike.routing_table", c.IKE.RoutingTable, 300},
		{"ike.qcd_secret_file", c.IKE.QCDSecretFile, "/var/lib/esplanade/qcd.secret"},
		{"ike.fwmark", c.IKE.FWMark, uint32(0x42)},
		{"name", n.Name, "all"}, {"preset", n.Preset, "pfsense"},
		{"local_addrs", fmt.Sprint(n.LocalAddrs), "[203.0.113.10 2001:db8::10 gw.example.org]"},
		{"remote_addrs", fmt.Sprint(n.RemoteAddrs), "[198.51.100.20 198.51.100.0/24 198.51.100.1-198.51.100.9 peer.example.org. %any]"},
		{"local_port", n.LocalPort, uint16(14500)},
		{"remote_port", n.RemotePort, uint16(4500)},
		{"proposals", len(n.Proposals), 2 + len(proposal.Default(wire.ProtocolIKE))},
		{"proposals.0", n.Proposals[0].String(), "aes256gcm16-prfsha384-ecp384"},
		{"encap", n.Encap, false},
		{"mobike", n.MOBIKE, false}, {"mobike_check", n.MOBIKECheck, policy.RouteCheckAfter}, {"mobike_addrs", n.MOBIKEAddrs, policy.MoveToListed},
		{"fragmentation", n.Fragmentation, false},
		{"dpd_delay", n.DPDDelay, time.Minute},
		{"keyingtries", n.KeyingTries, 3},
		{"unique", n.Unique, policy.UniqueReplace},
		{"rekey_time", n.RekeyTime, 24 * time.Hour},
		{"reauth_time", n.ReauthTime, 10 * time.Hour},
		{"childless", n.Childless, policy.ChildlessNever},
		{"redirect_to", n.RedirectTo.Name, "other.example.org"},
		{"over_time", n.OverTime, time.Hour},
		{"rand_time", n.RandTime, 30 * time.Minute},
		{"HardTime", n.HardTime(), 25 * time.Hour},
		{"local.auth", n.Local.Method, policy.AuthPSK},
		{"local.id", n.Local.ID.String(), "gw.example.org"},
		{"remote.auth", n.Remote.Method, policy.AuthPSK},
		{"remote.id", n.Remote.ID.String(), "*.example.org"},
		{"child.name", h.Name + "/" + h.Connection, "one/all"},
		{"local_ts", fmt.Sprint(h.LocalTS), "[dynamic[tcp/22] 10.1.0.0/24[udp/1000-2000] fd01::/64]"},
		{"remote_ts", fmt.Sprint(h.RemoteTS), "[10.2.0.0/24 fd02::/64[tcp] 10.3.0.1-10.3.0.9]"},
		{"esp_proposals", len(h.Proposals), 2},
		{"mode", h.Mode, policy.ModeTunnel},
		{"rekey_time", h.RekeyTime, 30 * time.Minute},
		{"life_time", h.LifeTime, 40 * time.Minute},
		{"rand_time", h.RandTime, 5 * time.Minute},
		{"rekey_bytes", h.RekeyBytes, uint64(10e9)},
		{"life_bytes", h.LifeBytes, uint64(11e9)},
		{"rekey_packets", h.RekeyPackets, uint64(1e6)},
		{"life_packets", h.LifePackets, uint64(1.1e6)},
		{"start_action", h.StartAction, policy.StartTrap}, {"dpd_action", h.DPDAction, policy.StartStart}, {"close_action", h.CloseAction, policy.StartStart},
		{"replay_window", h.ReplayWindow, 1024},
		{"reqid", h.ReqID, uint32(7)},
		{"dynamic", [2]bool{h.DynamicLocal(), h.DynamicRemote()}, [2]bool{true, false}},
		{"secrets", len(c.Secrets.IKE), 2},
		{"secret.id", fmt.Sprint(c.Secrets.IKE[0].IDs), "[gw.example.org 192.0.2.0/24]"},
		{"secret.id string", fmt.Sprint(c.Secrets.IKE[1].IDs), "[peer.example.org]"},
		{"secret base64", string(c.Secrets.IKE[1].Key.Bytes()), "hello world, this is a long secret!"},
		{"secret hex", c.Secrets.IKE[0].Key.Len(), 32},
		{"file", c.File, "everything"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestDefaults has the shortest configuration.
func TestDefaults(t *testing.T) {
	c := mustLoad(t, "minimal")
	n := c.Connections[0]
	h := n.Children[0]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"control.socket", c.Control.Socket, "/run/esplanade/charon.vici"}, {"DefaultSocket", c.Control.Socket, DefaultSocket},
		{"metrics.listen", c.Metrics.Listen, ""},
		{"log", [2]any{c.Log.Level, c.Log.Format}, [2]any{slog.LevelInfo, LogText}},
		{"tun.name", c.TUN.Name, "ipsec0"},
		{"tun.device", c.TUN.Device, DeviceTUN},
		{"tun.mtu", c.TUN.MTU, 1406},
		{"tun.addresses", len(c.TUN.Addresses), 0},
		{"dataplane", [4]int{c.Dataplane.Workers, c.Dataplane.ReceiveBuffer, c.Dataplane.SendBuffer, c.Dataplane.PathMTU}, [4]int{}},
		{"dataplane.wait_packets", c.Dataplane.WaitPackets, 64},
		{"switches", [8]bool{c.Dataplane.MSSClamp, c.Dataplane.CopyDSCP, c.Dataplane.GSO, c.Dataplane.GRO, c.Dataplane.TunOffload,
			c.Dataplane.ReusePort, c.Dataplane.RawIO, c.Dataplane.RawESP}, [8]bool{true, true, true, true, true, true, true, true}},
		{"ports", [2]uint16{c.IKE.Port, c.IKE.PortNATT}, [2]uint16{500, 4500}}, {"DefaultPort", c.IKE.Port, uint16(DefaultPort)},
		{"DefaultPortNATT", c.IKE.PortNATT, uint16(DefaultPortNATT)}, {"DefaultMTU", c.TUN.MTU, DefaultMTU},
		{"retransmit_timeout", c.IKE.RetransmitTimeout, 2 * time.Second},
		{"retransmit_tries", c.IKE.RetransmitTries, 5},
		{"retransmit_base", c.IKE.RetransmitBase, 1.8},
		{"retransmit_jitter", c.IKE.RetransmitJitter, 0.0},
		{"retransmit_limit", c.IKE.RetransmitLimit, time.Duration(0)},
		{"half_open_timeout", c.IKE.HalfOpenTimeout, 30 * time.Second},
		{"cookies", [3]int{c.IKE.CookieThreshold, c.IKE.CookieThresholdIP, c.IKE.HalfOpenLimit}, [3]int{30, 3, 1024}},
		{"block_threshold", c.IKE.BlockThreshold, 256},
		{"ike_sa_limit", c.IKE.IKESALimit, 16384},
		{"ike_sa_limit_id", c.IKE.IKESALimitID, 1024},
		{"child_sa_limit", c.IKE.ChildSALimit, 32768},
		{"child_sa_limit_id", c.IKE.ChildSALimitID, 2048},
		{"make_before_break", c.IKE.MakeBeforeBreak, true},
		{"redirection", [2]any{c.IKE.FollowRedirects, n.RedirectTo}, [2]any{true, Endpoint{}}},
		{"fragment_size", c.IKE.FragmentSize, 1280},
		{"keep_alive", c.IKE.KeepAlive, 20 * time.Second},
		{"routes", [3]any{c.IKE.InstallRoutes, c.IKE.RoutingTable, c.IKE.FWMark}, [3]any{true, 220, uint32(220)}},
		{"local_addrs", fmt.Sprint(n.LocalAddrs, n.LocalAddrs[0].Any), "[%any] true"},
		{"connection ports", [2]uint16{n.LocalPort, n.RemotePort}, [2]uint16{500, 500}},
		{"proposals", len(n.Proposals), len(proposal.Default(wire.ProtocolIKE))},
		{"mobike_check", n.MOBIKECheck, policy.RouteCheckBefore}, {"mobike_addrs", n.MOBIKEAddrs, policy.MoveToAny},
		{"encap, mobike, fragmentation", [3]bool{n.Encap, n.MOBIKE, n.Fragmentation}, [3]bool{true, true, true}},
		{"dpd_delay", n.DPDDelay, 30 * time.Second},
		{"keyingtries", n.KeyingTries, 0},
		{"unique", n.Unique, policy.UniqueNo},
		{"IKE times", [4]time.Duration{n.RekeyTime, n.ReauthTime, n.OverTime, n.RandTime}, [4]time.Duration{4 * time.Hour, 0, 24 * time.Minute, 24 * time.Minute}},
		{"child times", [3]time.Duration{h.RekeyTime, h.LifeTime, h.RandTime}, [3]time.Duration{time.Hour, 66 * time.Minute, 6 * time.Minute}},
		{"volumes", [4]uint64{h.RekeyBytes, h.LifeBytes, h.RekeyPackets, h.LifePackets}, [4]uint64{}},
		{"start_action", [3]policy.StartAction{h.StartAction, h.AfterDPD(), h.AfterClose()}, [3]policy.StartAction{2, 2, 2}},
		{"replay_window", h.ReplayWindow, 4096},
		{"esp_proposals", len(h.Proposals), len(proposal.Default(wire.ProtocolESP))},
		{"reqid", h.ReqID, uint32(0)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestDefaultsThatDepend(t *testing.T) {
	c := mustLoad(t, "lifetimes")
	n := c.Connection("a")
	if n.OverTime != 12*time.Minute || n.RandTime != 12*time.Minute || n.HardTime() != 132*time.Minute {
		t.Errorf("%v %v %v", n.OverTime, n.RandTime, n.HardTime())
	}
	for name, want := range map[string]string{
		"one":   "1h30m0s 1h40m0s 10m0s 9663676416 10737418240 900 1000",
		"two":   "0s 0s 0s 0 0 0 0",
		"three": "1h0m0s 0s 0s 1073741824 1181116006 100 110",
	} {
		h := n.Child(name)
		if got := fmt.Sprint(h.RekeyTime, h.LifeTime, h.RandTime, h.RekeyBytes, h.LifeBytes, h.RekeyPackets, h.LifePackets); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
	if n.Child("four") != nil || c.Connection("b") != nil {
		t.Error("something was found that is not there")
	}
	if h := mustLoad(t, "roadwarrior").Connections[0].Children[0]; h.StartAction != policy.StartNone || !h.DynamicRemote() {
		t.Errorf("%v", h.StartAction)
	}
	if h := mustLoad(t, "warnings").Connections[0].Children[0]; h.ReplayWindow != -1 {
		t.Errorf("a window of %d", h.ReplayWindow)
	}
}

// TestWaysOfWriting: dotted keys, inline tables and headers give the same.
func TestWaysOfWriting(t *testing.T) {
	c := mustLoad(t, "dotted")
	if c.TUN.MTU != 1400 || len(c.Connections) != 2 || len(c.Secrets.IKE) != 2 {
		t.Fatalf("%+v", c)
	}
	a, b := c.Connections[0], c.Connections[1]
	if a.Name != "a" || a.Remote.ID.String() != "b.example" || a.Child("net") == nil {
		t.Errorf("%+v", a)
	}
	if b.Name != "büro-2" || b.Local.ID.String() != "c.example" || b.Remote.ID.String() != "d.example" || b.Child("net") == nil {
		t.Errorf("%+v", b)
	}
}

func TestPositions(t *testing.T) {
	c := mustLoad(t, "design")
	n := c.Connection("office")
	h := n.Child("net")
	for _, tt := range []struct{ got, want string }{
		{n.Position().String(), "design:10:1"},
		{n.At("proposals").FileLine(), "design:13"},
		{n.At("proposals").String(), "design:13:1"},
		{n.At("rekey_time").String(), "design:10:1"}, // not written
		{n.Local.Position().FileLine(), "design:16"},
		{n.Remote.At("id").FileLine(), "design:21"},
		{h.Position().FileLine(), "design:22"},
		{h.At("remote_ts").FileLine(), "design:24"},
		{c.TUN.At("mtu").FileLine(), "design:8"},
		{c.Log.Position().String(), "design:1:1"}, // no such table
		{c.Secrets.IKE[0].At("secret").FileLine(), "design:29"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	if !h.Has("esp_proposals") || h.Has("reqid") {
		t.Error("Has is wrong")
	}
	// The file's order, not that of the names.
	if d := mustLoad(t, "overlap_nested"); d.Connections[0].Name != "hub" || d.Connections[1].Name != "branch" {
		t.Error("the connections are not in the order of the file")
	}
}

func TestEnumsHaveNames(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		LogJSON: "json", LogText: "text", DeviceTUN: "tun", DeviceNetstack: "netstack", policy.AuthPSK: "psk", policy.Auth(0): "unknown",
		policy.UniqueNo: "no", policy.UniqueNever: "never", policy.UniqueKeep: "keep", policy.UniqueReplace: "replace", policy.StartNone: "none", policy.StartTrap: "trap",
		policy.StartStart: "start", policy.ModeTunnel: "tunnel", policy.StartAction(99): "unknown",
	} {
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	var id identity.Identity
	if !id.Any() {
		t.Error("the zero identity is not %any")
	}
}

// TestAllowed: what is taken with a warning has the meaning that strongSwan gives it.
func TestAllowed(t *testing.T) {
	c := mustLoad(t, "allowed")
	n := c.Connection("short")
	if len(c.Connection("ike").Children) != 0 || len(c.Connection("asked").Children) != 0 {
		t.Error("there are children")
	}
	net, late := n.Child("net"), n.Child("late")
	for got, want := range map[string]string{
		fmt.Sprint(net.LocalTS):  "[10.10.0.0/24 fd10::/64[tcp/443]]",
		fmt.Sprint(net.RemoteTS): "[10.20.0.0/24[udp] fd20::/64]",
		fmt.Sprint(n.LocalAddrs[0].First, n.LocalAddrs[0].Last, n.RemoteAddrs[2].First): "203.0.113.0 203.0.113.255 2001:db8::",
		fmt.Sprint(n.RekeyTime, n.OverTime, n.HardTime()):                               "5s 500ms 5.5s",
		fmt.Sprint(net.RekeyTime, net.LifeTime, late.RekeyTime, late.LifeTime):          "7s 7.7s 53.1s 59s",
		fmt.Sprint(net.AfterDPD(), net.AfterClose()):                                    "trap trap",
		fmt.Sprint(late.StartAction, late.AfterDPD(), late.AfterClose()):                "none start trap",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
