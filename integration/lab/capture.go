//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// Capture writes the packets of a host's link to a pcap file, and can show them to a function as they pass. It is
// an AF_PACKET socket of our own and no dumpcap, since it must be certain that nothing sent after StartCapture
// has returned is missed.
type Capture struct {
	Path string

	fd    int
	stop  atomic.Pointer[time.Time] // when Stop was called
	watch func(frame []byte)
	done  chan struct{}
	err   error
}

const (
	captureBuffer  = 64 << 20
	captureSnapLen = 1 << 16
	capturePoll    = 100 * time.Millisecond // how soon the reader sees that it shall stop
	captureTail    = 2 * time.Second        // ends a capture of a link that never falls quiet
)

// StartCapture captures on the site's outer link until Stop. watch may be nil; it is called for every frame, from
// the capturing goroutine, and must not keep the frame.
func (s *Site) StartCapture(name string, watch func(frame []byte)) (*Capture, error) {
	// Receive offload would show packets merged by the kernel, which never passed the wire like that.
	if err := s.setOffload(s.Link, "gro", "off"); err != nil {
		return nil, err
	}
	c := &Capture{Path: filepath.Join(s.Dir, name+".pcap"), watch: watch, done: make(chan struct{})}
	err := s.Do(func() error {
		var err error
		c.fd, err = openPacketSocket(s.Link)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("capture on %s/%s: %w", s.Name, s.Link, err)
	}
	f, err := os.Create(c.Path)
	if err != nil {
		unix.Close(c.fd)
		return nil, err
	}
	go func() {
		defer close(c.done)
		c.err = errors.Join(c.run(f), f.Close())
	}()
	return c, nil
}

func openPacketSocket(link string) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	setup := func() error {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer); err != nil {
			return err
		}
		tv := unix.NsecToTimeval(int64(capturePoll))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			return err
		}
		ifindex, err := interfaceIndex(fd, link)
		if err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: ifindex})
	}
	if err := setup(); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func interfaceIndex(fd int, link string) (int, error) {
	ifr, err := unix.NewIfreq(link)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, err
	}
	return int(ifr.Uint32()), nil
}

// networkOrder gives the value whose octets in memory are v in network order.
func networkOrder(v uint16) uint16 {
	b := binary.BigEndian.AppendUint16(nil, v)
	return *(*uint16)(unsafe.Pointer(&b[0]))
}

func (c *Capture) run(f *os.File) error {
	defer unix.Close(c.fd)
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(captureSnapLen, layers.LinkTypeEthernet); err != nil {
		return err
	}
	buf := make([]byte, captureSnapLen)
	for {
		n, _, err := unix.Recvfrom(c.fd, buf, unix.MSG_TRUNC)
		quiet := errors.Is(err, unix.EAGAIN)
		if at := c.stop.Load(); at != nil && (quiet || time.Since(*at) > captureTail) {
			return c.dropped() // what was sent before Stop is in the file
		}
		switch {
		case quiet:
			continue
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENETDOWN): // the link has gone down, and may come up again
			continue
		case err != nil:
			return err
		}
		kept := buf[:min(n, len(buf))]
		if c.watch != nil {
			c.watch(kept)
		}
		ci := gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(kept), Length: n}
		if err := w.WritePacket(ci, kept); err != nil {
			return err
		}
	}
}

func (c *Capture) dropped() error {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return err
	}
	if stats.Drops != 0 {
		return fmt.Errorf("the kernel dropped %d of %d frames before they were captured", stats.Drops, stats.Packets)
	}
	return nil
}

// Stop ends the capture as soon as the link has been quiet for a moment; the file is complete then. Frames that
// were dropped on the way into the file are an error.
func (c *Capture) Stop() error {
	now := time.Now()
	c.stop.CompareAndSwap(nil, &now)
	<-c.done
	return c.err
}
