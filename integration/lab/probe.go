//go:build linux

package lab

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// Probe sends numbered UDP datagrams at a steady rate to an echo at the far end, and so counts single lost
// packets, which TCP would hide. Its rate is far below what the tunnel carries: a loss is not congestion.
type Probe struct {
	name       string
	near, echo *net.UDPConn
	stop       chan struct{}
	sending    sync.WaitGroup // what sends
	receiving  sync.WaitGroup // what echoes and collects

	mu      sync.Mutex
	sent    []time.Time // by number
	far     map[uint64]bool
	back    map[uint64]bool
	sendErr error
}

const (
	probeInterval = 2 * time.Millisecond
	probeSize     = 300 // octets; more than one cipher block, less than any MTU
	probeBuffer   = 4 << 20
)

// StartProbe starts to send from x to y and back, a datagram each interval; 0 is 500 a second.
func StartProbe(x, y Endpoint, interval time.Duration) (*Probe, error) {
	p := &Probe{name: fmt.Sprintf("probe %v <-> %v", x.Addr, y.Addr), stop: make(chan struct{}), far: map[uint64]bool{}, back: map[uint64]bool{}}
	var err error
	listen := func(e Endpoint) (c *net.UDPConn, err error) {
		err = e.Host.Do(func() error {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: e.Addr.AsSlice()})
			return err
		})
		if err == nil {
			err = c.SetReadBuffer(probeBuffer) // a busy machine must not drop here and blame the tunnel
		}
		return c, err
	}
	if p.echo, err = listen(y); err != nil {
		return nil, err
	}
	if p.near, err = listen(x); err != nil {
		p.echo.Close()
		return nil, err
	}
	to := p.echo.LocalAddr().(*net.UDPAddr).AddrPort()
	p.receiving.Go(p.echoAll)
	p.receiving.Go(p.collect)
	p.sending.Go(func() {
		tick := time.NewTicker(cmp.Or(interval, probeInterval))
		defer tick.Stop()
		buf := make([]byte, probeSize)
		for n := uint64(0); ; n++ {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			binary.BigEndian.PutUint64(buf, n)
			p.mu.Lock()
			p.sent = append(p.sent, time.Now())
			p.mu.Unlock()
			if _, err := p.near.WriteToUDPAddrPort(buf, to); err != nil {
				p.mu.Lock()
				p.sendErr = fmt.Errorf("%s: datagram %d: %w", p.name, n, err)
				p.mu.Unlock()
				return
			}
		}
	})
	return p, nil
}

func (p *Probe) echoAll() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.echo.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 8 {
			continue
		}
		p.mu.Lock()
		p.far[binary.BigEndian.Uint64(buf)] = true
		p.mu.Unlock()
		_, _ = p.echo.WriteToUDPAddrPort(buf[:n], from) // a failure shows as a lost answer
	}
}

func (p *Probe) collect() {
	buf := make([]byte, 2048)
	for {
		n, _, err := p.near.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil || n < 8 {
			continue
		}
		p.mu.Lock()
		p.back[binary.BigEndian.Uint64(buf)] = true
		p.mu.Unlock()
	}
}

// ProbeResult is the outcome of a probe: how many were sent, and how many didn't arrive or come back.
type ProbeResult struct {
	Sent, LostForth, LostBack int
	detail                    string
}

func (r ProbeResult) String() string {
	return fmt.Sprintf("%d datagrams, %d lost on the way there, %d on the way back%s", r.Sent, r.LostForth, r.LostBack, r.detail)
}

// Lost is the number of datagrams lost in either direction.
func (r ProbeResult) Lost() int { return r.LostForth + r.LostBack }

// Finish stops sending, gives the last datagrams up to two seconds to come back, and counts.
func (p *Probe) Finish() (ProbeResult, error) {
	close(p.stop)
	p.sending.Wait() // one datagram more may be on its way out: its socket must not be closed under it
	poll(2*time.Second, func() (bool, string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.back) == len(p.sent), ""
	})
	p.near.Close()
	p.echo.Close()
	p.receiving.Wait()
	r := ProbeResult{Sent: len(p.sent)}
	var lost []string
	for n, at := range p.sent {
		switch {
		case !p.far[uint64(n)]:
			r.LostForth++
			lost = append(lost, fmt.Sprintf("%s #%d forth", at.Format("15:04:05.000"), n))
		case !p.back[uint64(n)]:
			r.LostBack++
			lost = append(lost, fmt.Sprintf("%s #%d back", at.Format("15:04:05.000"), n))
		}
	}
	if len(lost) > 0 {
		sort.Strings(lost)
		r.detail = "\n  " + strings.Join(lost[:min(len(lost), 20)], "\n  ")
	}
	return r, p.sendErr
}
