//go:build linux

package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// DatagramOptions say what a transfer of datagrams carries.
type DatagramOptions struct {
	Count int // of datagrams
	Size  int // octets of each, at least 8
	// Burst is how many are under way at a time, and how many the kernel is given as one super-packet. 0 is 32.
	Burst int
	// Patience is how long a burst may take before what is missing of it is sent again. 0 is one second.
	Patience time.Duration
}

// DatagramResult is what became of a transfer.
type DatagramResult struct {
	Sent, Resent int
	Duplicates   int // arrived again
	Overtaken    int // arrived after one that was sent later
}

func (r DatagramResult) String() string {
	return fmt.Sprintf("%d datagrams, %d sent again, %d duplicates, %d overtaken", r.Sent, r.Resent, r.Duplicates, r.Overtaken)
}

// datagramRounds bounds how often one datagram is sent.
const datagramRounds = 20

// Datagrams moves numbered datagrams from x to y, each with content that follows from its number, and compares every one
// that arrives. The sender gives the kernel bursts to cut (UDP_SEGMENT), so that the gateway's device gives super-packets.
func Datagrams(x, y Endpoint, o DatagramOptions) (r DatagramResult, err error) {
	if o.Burst == 0 {
		o.Burst = 32
	}
	if o.Patience == 0 {
		o.Patience = time.Second
	}
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
	src, err := listen(x)
	if err != nil {
		return r, err
	}
	defer src.Close()
	dst, err := listen(y)
	if err != nil {
		return r, err
	}
	defer dst.Close()
	to := dst.LocalAddr().(*net.UDPAddr).AddrPort()
	t := &datagrams{o: o, got: make([]bool, o.Count), last: -1, buf: make([]byte, 1<<16)}
	for from := 0; from < o.Count; from += o.Burst {
		missing := make([]int, 0, o.Burst)
		for n := from; n < min(from+o.Burst, o.Count); n++ {
			missing = append(missing, n)
		}
		for round := 0; len(missing) > 0; round++ {
			if round == datagramRounds {
				return t.r, fmt.Errorf("datagram %d of %d octets was sent %d times and did not arrive; %v", missing[0], o.Size, round, t.r)
			}
			if round > 0 {
				t.r.Resent += len(missing)
			}
			if err := t.send(src, to, missing); err != nil {
				return t.r, err
			}
			if missing, err = t.collect(dst, missing); err != nil {
				return t.r, err
			}
		}
	}
	t.r.Sent = o.Count
	return t.r, nil
}

type datagrams struct {
	o    DatagramOptions
	r    DatagramResult
	got  []bool
	last int
	buf  []byte
}

// content is datagram n.
func (t *datagrams) content(n int) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, t.o.Size), uint64(n))
	fill := make([]byte, t.o.Size-len(b))
	source := rand.NewChaCha8([32]byte(append(b, make([]byte, 24)...)))
	source.Read(fill)
	return append(b, fill...)
}

// send gives the kernel as many datagrams at a time as one super-packet may have.
func (t *datagrams) send(c *net.UDPConn, to netip.AddrPort, numbers []int) error {
	const most = 60000 // octets of a super-packet
	for len(numbers) > 0 {
		n := min(len(numbers), max(1, most/t.o.Size))
		var data, oob []byte
		for _, k := range numbers[:n] {
			data = append(data, t.content(k)...)
		}
		if n > 1 {
			oob = segmentControl(t.o.Size)
		}
		_, _, err := c.WriteMsgUDPAddrPort(data, oob, to)
		// A host that has just been told that a packet was too big says so once.
		if err != nil && !errors.Is(err, syscall.EMSGSIZE) && !errors.Is(err, syscall.EINVAL) {
			return err
		}
		if err != nil {
			for _, k := range numbers[:n] {
				if _, err := c.WriteToUDPAddrPort(t.content(k), to); err != nil && !errors.Is(err, syscall.EMSGSIZE) {
					return err
				}
			}
		}
		numbers = numbers[n:]
	}
	return nil
}

func segmentControl(size int) []byte {
	oob := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(oob, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(oob[8:], unix.IPPROTO_UDP)
	binary.NativeEndian.PutUint32(oob[12:], unix.UDP_SEGMENT)
	binary.NativeEndian.PutUint16(oob[16:], uint16(size))
	return oob
}

// collect takes in what arrives until nothing is missing, or for as long as patience lasts, and says what is.
func (t *datagrams) collect(c *net.UDPConn, want []int) (missing []int, err error) {
	if err := c.SetReadDeadline(time.Now().Add(t.o.Patience)); err != nil {
		return nil, err
	}
	left := len(want)
	for left > 0 {
		n, _, err := c.ReadFromUDPAddrPort(t.buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return nil, err
		}
		k := -1
		if n >= 8 {
			k = int(binary.BigEndian.Uint64(t.buf))
		}
		if k < 0 || k >= len(t.got) || !bytes.Equal(t.buf[:n], t.content(k)) {
			return nil, fmt.Errorf("a datagram of %d octets arrived that nobody has sent: % x…", n, t.buf[:min(n, 32)])
		}
		if t.got[k] {
			t.r.Duplicates++
			continue
		}
		t.got[k] = true
		left--
		if k < t.last {
			t.r.Overtaken++
		}
		t.last = max(t.last, k)
	}
	for _, k := range want {
		if !t.got[k] {
			missing = append(missing, k)
		}
	}
	return missing, nil
}
