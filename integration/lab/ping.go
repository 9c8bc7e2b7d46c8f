//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	pingInterval = 50 * time.Millisecond
	// pingPatience is how long, unless asked for otherwise, the last answer may take. Debian's ping waits for two round trips only, once it
	// has had one answer, and on a busy machine takes for lost what is late.
	pingPatience = 3 * time.Second
	pingSize     = 56 // octets of data in an echo request unless asked for otherwise, as ping(8) does
)

// PingResult is what came back of a series of echo requests.
type PingResult struct {
	From, To       Endpoint
	Sent, Received int
	size           int
	sendErr        error
}

// Lost is how many requests went without an answer.
func (r PingResult) Lost() int { return r.Sent - r.Received }

func (r PingResult) String() string {
	s := fmt.Sprintf("ping %v -> %v, %d octets: %d of %d answered", r.From.Addr, r.To.Addr, r.size, r.Received, r.Sent)
	if r.sendErr != nil {
		s += fmt.Sprintf(" (%v)", r.sendErr)
	}
	return s
}

// pingID makes every series recognise its own answers: a raw socket sees those of all.
var pingID atomic.Uint32

// PingOptions are what may be left at zero.
type PingOptions struct {
	Count    int           // requests; 0: 1
	Size     int           // octets of data in each; 0: 56
	Patience time.Duration // for the last answer; 0: 3 s
}

// Ping sends echo requests and counts the answers of the far kernel.
// Answers that don't come, and requests that the near kernel has no way for, are no error; only a socket that
// can't be had is.
func Ping(from, to Endpoint, o PingOptions) (PingResult, error) {
	r := PingResult{From: from, To: to}
	count, size, wait := max(o.Count, 1), o.Size, o.Patience
	if size == 0 {
		size = pingSize
	}
	if wait == 0 {
		wait = pingPatience
	}
	network, proto := "ip4:icmp", ipv4.ICMPTypeEcho.Protocol()
	var request, reply icmp.Type = ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply
	if to.Addr.Is6() {
		network, proto = "ip6:ipv6-icmp", ipv6.ICMPTypeEchoRequest.Protocol()
		request, reply = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply
	}
	r.size = size
	var conn *icmp.PacketConn
	err := from.Host.Do(func() (err error) {
		conn, err = icmp.ListenPacket(network, from.Addr.String())
		return err
	})
	if err != nil {
		return r, fmt.Errorf("ping %v -> %v: %w", from.Addr, to.Addr, err)
	}
	id := int(pingID.Add(1) & 0xffff)
	answers := make(chan int, 2*count) // sequence numbers
	go collectAnswers(conn, proto, reply, to, id, answers)
	defer conn.Close()
	missing := map[int]bool{}
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for seq := range count {
		m := icmp.Message{Type: request, Body: &icmp.Echo{ID: id, Seq: seq, Data: make([]byte, size)}}
		b, err := m.Marshal(nil) // the kernel fills in the checksum of ICMPv6
		if err != nil {
			return r, err
		}
		r.Sent++
		if _, err := conn.WriteTo(b, &net.IPAddr{IP: to.Addr.AsSlice()}); err != nil {
			r.sendErr = err // such as "network is unreachable": the request counts as unanswered
		} else {
			missing[seq] = true
		}
		if seq < count-1 {
			<-tick.C
		}
	}
	sent := len(missing)
	patience := time.NewTimer(wait)
	defer patience.Stop()
	for len(missing) > 0 {
		select {
		case seq := <-answers:
			delete(missing, seq)
			continue
		case <-patience.C:
		}
		break
	}
	r.Received = sent - len(missing)
	return r, nil
}

// collectAnswers reads until the socket is closed. Answers beyond what the channel holds can only be duplicates.
func collectAnswers(conn *icmp.PacketConn, proto int, reply icmp.Type, to Endpoint, id int, answers chan<- int) {
	buf := make([]byte, 1<<16)
	for {
		n, src, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // such as an ICMP error for an earlier request
		}
		m, err := icmp.ParseMessage(proto, buf[:n])
		if err != nil || m.Type != reply || src.(*net.IPAddr).IP.String() != to.Addr.String() {
			continue
		}
		if echo, ok := m.Body.(*icmp.Echo); ok && echo.ID == id {
			select {
			case answers <- echo.Seq:
			default:
			}
		}
	}
}
