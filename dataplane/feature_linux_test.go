package dataplane

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"esplanade/tun"
)

// TestFeaturesAreTold: each feature is named once (IP protocol 50: once for each address family), and is used or not as
// its switch, the device and the kernel's version say.
func TestFeaturesAreTold(t *testing.T) {
	newer := takesRun(newSegments)
	for name, c := range map[string]struct {
		features Features
		release  string
		workers  int
		device   func(*queueFake)
		off, on  string // of the features that have their name in either list
		limit    gsoLimits
	}{
		"all":         {on: "raw_io multi_queue vnet_hdr tun_csum tun_tso tun_tso_ecn tun_uso tun_gso_write gso gro reuse_port spi_steering"},
		"one worker":  {workers: 1, off: "reuse_port spi_steering multi_queue"},
		"no gso":      {features: Features{NoUDPGSO: true}, off: "gso", limit: gsoLimits{segments: 1}},
		"no gro":      {features: Features{NoUDPGRO: true}, off: "gro"},
		"no merging":  {features: Features{NoTUNMerge: true}, off: "tun_gso_write"},
		"no sharing":  {features: Features{NoReusePort: true}, off: "reuse_port spi_steering"},
		"no steering": {features: Features{NoSteering: true}, off: "spi_steering", on: "reuse_port"},
		"no esp":      {features: Features{NoRawESP: true}, off: "raw_esp"},
		"Linux 5.11":  {release: "5.11.22", off: "gro", on: "gso"},
		"Linux 5.12":  {release: "5.12.0-generic", on: "gso gro"},
		"Linux 7.1.4": {release: "7.1.4", on: "gso gso_sentinel", limit: gsoLimits{segments: newSegments, sentinel: true}},
		"Linux 7.1.4, patched": {release: "7.1.4-distro", features: Features{NoSentinel: true}, on: "gso", off: "gso_sentinel",
			limit: gsoLimits{segments: newSegments}},
		"Linux 7.1.5": {release: "7.1.5", on: "gso", limit: gsoLimits{segments: newSegments}},
		"no vnet_hdr": {device: func(q *queueFake) { q.vnet = false }, off: "vnet_hdr tun_csum tun_tso tun_tso_ecn tun_uso tun_gso_write"},
		"no uso": {device: func(q *queueFake) { q.feat.USO, q.feat.Notes = false, []string{"uso: turned off"} }, off: "tun_uso",
			on: "tun_gso_write tun_tso"},
		"no tso_ecn": {device: func(q *queueFake) { q.feat.TSOECN, q.feat.Notes = false, []string{"tso_ecn: turned off"} },
			off: "tun_tso_ecn", on: "tun_tso"},
		"refusing kernel": {device: func(q *queueFake) {
			q.feat.GSOWrite, q.feat.Notes = false, []string{"gso_write: this kernel refuses super-packets"}
		}, off: "tun_gso_write"},
	} {
		t.Run(name, func(t *testing.T) {
			workers := 2
			if c.workers > 0 {
				workers = c.workers
			}
			q := newQueueFake(t, workers, true)
			if c.device != nil {
				c.device(q)
			}
			e, err := New(Config{Device: q, Handler: newRecorder(), Workers: workers, Features: c.features,
				Sockets: SocketConfig{NATT: &Listen{}}, release: c.release})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			all := e.Features()
			seen := map[string]int{}
			for _, f := range all {
				seen[f.Name]++
				if !f.Used && f.Detail == "" {
					t.Errorf("%s is not used, and nobody says why", f.Name)
				}
				if contains(c.off, f.Name) && f.Used || contains(c.on, f.Name) && !f.Used {
					t.Errorf("%+v", f)
				}
			}
			for _, n := range strings.Fields(c.off + " " + c.on) {
				if seen[n] == 0 || seen[n] > 1 && n != featureRawESP {
					t.Errorf("%s is told %d times of: %v", n, seen[n], all)
				}
			}
			want := c.limit
			if want.segments > 1 && !newer {
				want.segments = oldSegments
			}
			if got := e.sockets.gso(); c.limit.segments > 0 && got != want {
				t.Errorf("limits of runs: %+v, want %+v", got, want)
			}
		})
	}
}

func contains(list, name string) bool {
	for _, n := range strings.Fields(list) {
		if n == name {
			return true
		}
	}
	return false
}

// TestProbeOfRuns: the probe finds out what the kernel takes, on both sides of its limit.
func TestProbeOfRuns(t *testing.T) {
	if !takesRun(oldSegments) {
		t.Errorf("%d segments are refused", oldSegments)
	}
	// 131 segments of 500 octets are just short of the largest datagram, and more than any kernel takes.
	if takesRun(131) {
		t.Error("131 segments are taken")
	}
	if v := readKernelVersion(); v.atLeast(6, 9, 0) && !takesRun(newSegments) {
		t.Errorf("%d segments are refused by Linux %v", newSegments, v)
	}
}

// TestRefusalIsTold: super-packets that the kernel turns out to refuse are no longer told to be written.
func TestRefusalIsTold(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{prepare: func(e *Engine) {
		for _, l := range e.inLoops {
			l.merge.device.(*queueWriter).sys = refuseSuperPackets
		}
	}})
	r.connect(1, 1, ts4Local, ts4Remote)
	wantPath(t, r.b, "tun_gso_write: merges", true)
	for i := range mergeStrikes {
		p := tcpSpec{sport: 1, dport: 2, seq: uint32(i), flags: tcpACK}.build(v4, fill(20000, 1))
		v := vnetFor(p, 1300)
		want := referenceSegments(p, v)
		wire := r.out([]superPacket{super(p, v)}, len(want))
		r.in([]sent{{data: join(wire), seg: len(wire[0]), n: len(wire)}}, len(want))
	}
	wantPath(t, r.b, "tun_gso_write is not used: the kernel has refused", true)
}

// refuseSuperPackets is a kernel that takes packets only.
func refuseSuperPackets(fd uintptr, frame []byte) unix.Errno {
	var v tun.VNetHdr
	if v.Decode(frame) == nil && v.GSOType != tun.GSONone {
		return unix.EINVAL
	}
	return writeFD(fd, frame)
}
