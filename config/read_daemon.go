package config

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// maxSocketPath is what fits a sockaddr_un everywhere, without its final NUL (Linux would have 107).
const maxSocketPath = 103

func readControl(t *table) (c Control) {
	var at Position
	c.Socket, at = t.str("socket", DefaultSocket)
	switch {
	case strings.Contains(c.Socket, "://"):
		t.errorf(at, "write the path of a unix socket alone", "control.socket is %s", quote(c.Socket))
	case c.Socket == "" || strings.ContainsRune(c.Socket, 0):
		t.errorf(at, "write the path of a unix socket", "control.socket is %s", quote(c.Socket))
	case len(c.Socket) > maxSocketPath:
		t.errorf(at, fmt.Sprintf("choose a path of at most %d octets", maxSocketPath),
			"control.socket has %d octets, more than a unix socket's path can have", len(c.Socket))
	}
	c.Source = t.done()
	return c
}

func readMetrics(t *table) (m Metrics) {
	var at Position
	const advice = `write an address and a port, such as "127.0.0.1:9700"`
	m.Listen, at = t.strAs("listen", "", advice)
	if m.Listen != "" {
		host, port, err := net.SplitHostPort(m.Listen)
		n, errPort := strconv.ParseUint(port, 10, 16)
		a, errHost := netip.ParseAddr(host)
		if err != nil || errPort != nil || host != "" && errHost != nil && !isHostname(host) {
			t.errorf(at, advice, "metrics.listen is %s", quote(m.Listen))
		} else if reason, want := badListen(a); errHost == nil && reason != "" {
			t.errorf(at, want, "metrics.listen is %s: %s", quote(m.Listen), reason)
		} else if n == 0 {
			t.warnf(at, "write a port that Prometheus can be told", "metrics.listen has port 0: the system chooses one")
		}
	}
	m.Source = t.done()
	return m
}

func logLevels() []enum[slog.Level] {
	return []enum[slog.Level]{{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn},
		{"error", slog.LevelError}}
}

func readLog(t *table) (l Log) {
	l.Level, _ = choice(t, "level", slog.LevelInfo, logLevels())
	l.Format, _ = choice(t, "format", LogText, logFormats())
	l.Source = t.done()
	return l
}

// maxDeviceName is the longest name of a network device (IFNAMSIZ less the final NUL).
const maxDeviceName = 15

// Bounds of the MTU: below the first, IPv4 hosts need not cope; IPv6 needs the second (RFC 8200, section 5).
const (
	minMTU     = 576
	minIPv6MTU = 1280
	maxMTU     = 65535
)

func readTUN(t *table) (u TUN) {
	var at Position
	u.Name, at = t.str("name", "ipsec0")
	if u.Name == "" || len(u.Name) > maxDeviceName || u.Name == "." || u.Name == ".." ||
		strings.ContainsFunc(u.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == ':' || r == '%' }) {
		t.errorf(at, fmt.Sprintf("write at most %d letters, digits and the like, such as \"ipsec0\"", maxDeviceName),
			"tun.name is %s, which can't be a network device", quote(u.Name))
	}
	u.Device, _ = choice(t, "device", DeviceTUN, deviceKinds())
	mtu, at := t.integer("mtu", 0, 0, maxMTU)
	if u.MTU = int(mtu); mtu == 0 {
		u.MTU = DefaultMTU
	} else if mtu < minMTU {
		t.errorf(at, fmt.Sprintf("write a number from %d to %d, or 0 for the default, %d", minMTU, maxMTU, DefaultMTU),
			"tun.mtu is %d", mtu)
	}
	items, _ := t.list("addresses")
	for _, it := range items {
		p, ok := readDeviceAddress(t, it)
		if !ok {
			continue
		}
		for _, q := range u.Addresses {
			if q.Addr() == p.Addr() {
				t.errorf(it.at, "write every address once", "tun.addresses has %s twice", p.Addr())
			}
		}
		u.Addresses = append(u.Addresses, p)
	}
	u.BlockWhenStopped = t.boolean("block_when_stopped", false)
	u.Source = t.done()
	if u.Device == DeviceNetstack && u.BlockWhenStopped {
		t.errorf(u.At("block_when_stopped"), "leave it out: the host's packets do not go into a netstack device",
			"tun.block_when_stopped needs a device of the operating system")
	}
	if u.Device == DeviceNetstack && len(u.Addresses) == 0 {
		t.errorf(u.At("device"), "write addresses = [\"10.10.0.1/24\"] with the gateway's own inner address",
			"the netstack device has no addresses")
	}
	return u
}

func readDeviceAddress(t *table, it item) (netip.Prefix, bool) {
	s := strings.TrimSpace(it.text)
	p, err := netip.ParsePrefix(s)
	if a, errA := netip.ParseAddr(s); errA == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	a := p.Addr()
	if err != nil || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
		t.errorf(it.at, "write an address with the length of its network's prefix, such as \"10.10.0.1/24\"",
			"%s is not an address for the device", quote(it.text))
		return p, false
	}
	if p.Bits() < a.BitLen()-1 && a.Is4() && p.Masked().Addr() == a {
		t.warnf(it.at, "write the gateway's own address, not that of the network", "%s is the address of a network", p)
	}
	return p, true
}

func readDataplane(t *table) (d Dataplane) {
	const maxWorkers, maxWait, maxBuffer = 64, 1024, 1 << 30
	n, _ := t.integer("workers", 0, 0, maxWorkers)
	d.Workers = int(n)
	d.MSSClamp = t.boolean("mss_clamp", true)
	b, _ := t.size("receive_buffer", 0, 1<<12, maxBuffer)
	d.ReceiveBuffer = int(b)
	b, _ = t.size("send_buffer", 0, 1<<12, maxBuffer)
	d.SendBuffer = int(b)
	n, _ = t.integer("wait_packets", DefaultWaitPackets, 0, maxWait)
	d.WaitPackets = int(n)
	n, at := t.integer("path_mtu", 0, 0, maxMTU)
	if n != 0 && n < minMTU {
		t.errorf(at, fmt.Sprintf("write a number from %d to %d, or 0 to ask the system", minMTU, maxMTU),
			"dataplane.path_mtu is %d", n)
	}
	d.PathMTU = int(n)
	d.BlackHoleDetection = t.boolean("black_hole_detection", true)
	d.CopyDSCP = t.boolean("copy_dscp", true)
	d.GSO = t.boolean("gso", true)
	d.GRO = t.boolean("gro", true)
	d.GSOSentinel = t.boolean("gso_sentinel", true)
	d.TunOffload = t.boolean("tun_offload", true)
	d.VNetHdr = t.boolean("vnet_hdr", true) && d.TunOffload
	d.TunTSO = t.boolean("tun_tso", true) && d.TunOffload
	d.TunTSOECN = t.boolean("tun_tso_ecn", true) && d.TunOffload
	d.TunUSO = t.boolean("tun_uso", true) && d.TunOffload
	d.TunGSOWrite = t.boolean("tun_gso_write", true) && d.TunOffload
	d.MultiQueue = t.boolean("multi_queue", true)
	d.ReusePort = t.boolean("reuse_port", true)
	d.SPISteering = t.boolean("spi_steering", true)
	d.RawIO = t.boolean("raw_io", true)
	d.RawESP = t.boolean("raw_esp", true)
	d.Source = t.done()
	return d
}

func readDebug(t *table) (d Debug) {
	var at Position
	if d.SaveKeys, at = t.str("save_keys", ""); d.SaveKeys != "" {
		t.warnf(at, "remove it outside a laboratory", "debug.save_keys writes the keys of all SAs to files: whoever reads them can read all traffic")
	}
	d.Source = t.done()
	return d
}

func readIKE(t *table) (k IKE) {
	k.Port = t.port("port", DefaultPort)
	k.PortNATT = t.port("port_nat_t", DefaultPortNATT)
	k.RetransmitTimeout, _ = t.duration("retransmit_timeout", DefaultRetransmitTimeout, minInterval, maxInterval, false)
	n, _ := t.integer("retransmit_tries", DefaultRetransmitTries, 1, 20)
	k.RetransmitTries = int(n)
	k.RetransmitBase = t.float("retransmit_base", DefaultRetransmitBase, 1, 10)
	n, _ = t.integer("retransmit_jitter", 0, 0, 20)
	k.RetransmitJitter = float64(n) / 100
	k.RetransmitLimit, _ = t.duration("retransmit_limit", 0, minInterval, maxInterval, true)
	k.HalfOpenTimeout, _ = t.duration("half_open_timeout", DefaultHalfOpenTimeout, minInterval, maxInterval, false)
	n, _ = t.integer("cookie_threshold", DefaultCookieThreshold, 0, math.MaxInt32)
	k.CookieThreshold = int(n)
	n, _ = t.integer("cookie_threshold_ip", DefaultCookieThresholdIP, 0, math.MaxInt32)
	k.CookieThresholdIP = int(n)
	n, _ = t.integer("half_open_limit", DefaultHalfOpenLimit, 1, 1<<20)
	k.HalfOpenLimit = int(n)
	n, _ = t.integer("block_threshold", DefaultBlockThreshold, 1, 1<<20)
	k.BlockThreshold = int(n)
	for _, l := range [...]struct {
		key   string
		def   int64
		value *int
	}{
		{"ike_sa_limit", DefaultIKESALimit, &k.IKESALimit}, {"ike_sa_limit_id", DefaultIKESALimitID, &k.IKESALimitID},
		{"child_sa_limit", DefaultChildSALimit, &k.ChildSALimit}, {"child_sa_limit_id", DefaultChildSALimitID, &k.ChildSALimitID},
	} {
		n, _ = t.integer(l.key, l.def, 1, 1<<20)
		*l.value = int(n)
	}
	k.MakeBeforeBreak = t.boolean("make_before_break", true)
	k.FollowRedirects = t.boolean("follow_redirects", true)
	n, _ = t.integer("fragment_size", DefaultFragmentSize, minMTU, maxMTU)
	k.FragmentSize = int(n)
	k.KeepAlive, _ = t.duration("keep_alive", DefaultKeepAlive, minInterval, maxInterval, true)
	var at Position
	k.QCDSecretFile, at = t.str("qcd_secret_file", "")
	if k.QCDSecretFile != "" && (!filepath.IsAbs(k.QCDSecretFile) || strings.ContainsRune(k.QCDSecretFile, 0)) {
		t.errorf(at, `write an absolute path on a disk that survives a restart, such as "/var/lib/esplanade/qcd.secret"`,
			"ike.qcd_secret_file is %s", quote(k.QCDSecretFile))
	}
	k.InstallRoutes = t.boolean("install_routes", true)
	k.LocalRoutes, _ = choice(t, "local_routes", LocalRoutesKeep, localRoutes())
	n, _ = t.integer("routing_table", DefaultRoutingTable, 1, math.MaxUint32)
	k.RoutingTable = int(n)
	n, _ = t.integer("fwmark", DefaultFWMark, 1, math.MaxUint32)
	k.FWMark = uint32(n)
	k.Source = t.done()
	if k.Port == k.PortNATT {
		t.errorf(k.At("port_nat_t"), "choose two different ports", "ike.port and ike.port_nat_t are both %d", k.Port)
	}
	if k.CookieThreshold > k.HalfOpenLimit {
		t.warnf(k.At("cookie_threshold"), "choose a threshold below half_open_limit",
			"ike.cookie_threshold is %d and ike.half_open_limit %d, so that no peer is asked for a cookie before there are as many as there may be",
			k.CookieThreshold, k.HalfOpenLimit)
	}
	return k
}

// port reads a UDP port.
func (t *table) port(key string, def uint16) uint16 {
	n, _ := t.integer(key, int64(def), 1, math.MaxUint16)
	return uint16(n)
}
