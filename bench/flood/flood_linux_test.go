package flood

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/bench/contest"
	"esplanade/integration/lab"
)

// A gateway under a flood of forged requests keeps its memory bounded and its tunnels undisturbed, and lets new peers in. The
// rate is what the machine can do, up to 50,000 a second; nothing that is asserted depends on it, nor on how long it takes once keys
// were renewed a few times.
func TestFlood(t *testing.T) {
	if missing := lab.Missing(); len(missing) > 0 {
		t.Skip("THE FLOOD IS NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
	o := &Options{rate: 50000, duration: 10 * time.Second}
	if testing.Short() {
		o.duration = 5 * time.Second
	}
	b, err := contest.NewBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f a second, %v; memory %.1f to %.1f MiB; %d of %d packets; %d newcomers; %d rekeyings", r.PerSecond, r.Ignored,
		r.MiBBefore, r.MiBPeak, r.PacketsBack, r.PacketsSent, r.Newcomers.Established, r.Rekeys)
	if err := r.judge(); err != nil {
		t.Error(err)
	}
}

// The sender's requests come from many addresses of 127.0.0.0/8, to both ports in turn, each with an SPI of its own.
func TestSender(t *testing.T) {
	var conns [2]*net.UDPConn
	var to [2]netip.AddrPort
	for i := range conns {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns[i], to[i] = c, c.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	s, err := newSender(make([]byte, 28), to)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.send(10); err != nil || s.sent != 10 {
		t.Fatalf("%v, %d sent", err, s.sent)
	}
	sources, spis := map[netip.Addr]bool{}, map[string]bool{}
	for i, c := range conns {
		b := make([]byte, 100)
		for range 5 {
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				t.Fatal(err)
			}
			if n != 28+i*marker {
				t.Errorf("%d bytes", n)
			}
			sources[from.Addr().Unmap()] = true
			spis[string(b[i*marker:][:8])] = true
			if !from.Addr().IsLoopback() {
				t.Errorf("from %v", from)
			}
		}
	}
	if len(sources) != 10 || len(spis) != 10 {
		t.Errorf("%d sources, %d SPIs", len(sources), len(spis))
	}
}
