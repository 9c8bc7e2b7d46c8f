package netstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// What the pairs have in common.
var (
	loopback   = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	leftInner  = netip.AddrFrom4([4]byte{10, 1, 0, 1})
	rightInner = netip.AddrFrom4([4]byte{10, 2, 0, 1})
)

const (
	// mtu and wireguardMTU are what each chooses by itself for a path of 1500 bytes.
	mtu, wireguardMTU = 1406, 1420
	port              = 7
	chunk             = 64 << 10
	// patience is how long a connection may take to come about.
	patience = 20 * time.Second
)

// stack is the TCP of one side.
type stack interface {
	DialContextTCPAddrPort(ctx context.Context, to netip.AddrPort) (*gonet.TCPConn, error)
	ListenTCPAddrPort(at netip.AddrPort) (*gonet.TCPListener, error)
}

// pair is two gateways and the stacks behind them.
type pair struct {
	left, right stack
	close       func() error
}

// pattern is which directions carry data.
type pattern struct {
	name        string
	forth, back bool
}

var patterns = []pattern{{"left to right", true, false}, {"right to left", false, true}, {"both at once", true, true}}

// connect makes a TCP connection through the gateways.
func (p *pair) connect(ctx context.Context) (left, right net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l, err := p.right.ListenTCPAddrPort(netip.AddrPortFrom(rightInner, port))
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	c, err := p.left.DialContextTCPAddrPort(ctx, netip.AddrPortFrom(rightInner, port))
	if err != nil {
		return nil, nil, err
	}
	right, err = l.Accept()
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	return c, right, nil
}

// carry sends for a while, and gives what each direction has carried by its end, in Mbit/s.
func (p *pair) carry(ctx context.Context, which pattern, duration time.Duration) (forth, back float64, err error) {
	left, right, err := p.connect(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("connecting: %w", err)
	}
	var carried [2]atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for i, d := range []struct {
		from, to net.Conn
		used     bool
	}{{left, right, which.forth}, {right, left, which.back}} {
		if !d.used {
			continue
		}
		wg.Go(func() { // until the connection is closed
			b := make([]byte, chunk)
			for err := error(nil); err == nil; {
				_, err = d.from.Write(b)
			}
		})
		wg.Go(func() {
			b := make([]byte, chunk)
			for {
				n, err := d.to.Read(b)
				carried[i].Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
	select {
	case <-time.After(duration):
	case <-ctx.Done():
	}
	took := time.Since(began).Seconds()
	forth, back = float64(carried[0].Load())*8/1e6/took, float64(carried[1].Load())*8/1e6/took
	past := time.Unix(1, 0)
	err = errors.Join(ctx.Err(), left.SetDeadline(past), right.SetDeadline(past))
	wg.Wait()
	return forth, back, errors.Join(err, left.Close(), right.Close())
}
