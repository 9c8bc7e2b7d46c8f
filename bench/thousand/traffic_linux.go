package thousand

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"esplanade/bench/command"
)

const (
	trafficPort = 7
	// pace is the time between two packets of a round.
	pace = time.Millisecond
	// tries is how often a packet is sent through an SA that is silent in the end, and patience how long each has.
	tries    = 5
	patience = 2 * time.Second
)

// traffic sends a packet through every SA in each round, from one gateway's host to the other's.
type traffic struct {
	n      int
	out    *ipv4.PacketConn
	in     *net.UDPConn
	reader sync.WaitGroup
	sent   int

	mu      sync.Mutex
	arrived int
	latest  []uint32 // the latest round of which the packet has arrived, by SA
	current uint32
}

func newTraffic(st *stage, n int) (*traffic, error) {
	everywhere := netip.IPv4Unspecified()
	in, err := st.Lab.B.ListenUDP(netip.AddrPortFrom(everywhere, trafficPort))
	if err != nil {
		return nil, err
	}
	out, err := st.Lab.A.ListenUDP(netip.AddrPortFrom(everywhere, 0))
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	t := &traffic{n: n, out: ipv4.NewPacketConn(out), in: in, latest: make([]uint32, n)}
	t.reader.Go(t.read)
	return t, nil
}

func (t *traffic) close() {
	t.out.Close()
	t.in.Close()
	t.reader.Wait()
}

// read takes note of what arrives: the number of the SA and of the round.
func (t *traffic) read() {
	var b [8]byte
	for {
		n, err := t.in.Read(b[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if i := int(binary.BigEndian.Uint32(b[:])); err == nil && n == len(b) && i < t.n {
			t.mu.Lock()
			t.arrived++
			t.latest[i] = binary.BigEndian.Uint32(b[4:])
			t.mu.Unlock()
		}
	}
}

// send sends the packet of one SA.
func (t *traffic) send(i int) {
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	binary.BigEndian.PutUint32(b[4:], t.current)
	t.sent++
	from := &ipv4.ControlMessage{Src: net.IP(address(netsA, i).AsSlice())}
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(address(netsB, i), trafficPort))
	_, _ = t.out.WriteTo(b[:], from, to) // what is not sent does not arrive
}

// round sends one packet through each SA.
func (t *traffic) round(ctx context.Context) error {
	t.current++
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range t.n {
		select {
		case <-tick.C:
			t.send(i)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// silent counts the SAs that carry nothing.
func (t *traffic) silent(ctx context.Context) (int, error) {
	t.current++
	var quiet []int
	for range tries {
		quiet = quiet[:0]
		t.mu.Lock()
		for i, r := range t.latest {
			if r != t.current {
				quiet = append(quiet, i)
			}
		}
		t.mu.Unlock()
		if len(quiet) == 0 {
			break
		}
		for _, i := range quiet {
			t.send(i)
			time.Sleep(pace)
		}
		if err := command.Wait(ctx, patience); err != nil {
			return 0, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, r := range t.latest {
		if r != t.current {
			n++
		}
	}
	return n, nil
}

// counts are all packets so far.
func (t *traffic) counts() (sent, arrived int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent, t.arrived
}
