package tun

import (
	"fmt"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	wgtun "golang.zx2c4.com/wireguard/tun"
)

// queueDevice is the QueueDevice of Linux. Its descriptors and features are fixed once it is open; the mutex guards
// what Close and the first Read or Write change.
type queueDevice struct {
	fds     []int
	handle  *netlink.Handle // of the network namespace the device was created in
	index   int
	mask    int // the device-wide TUNSETOFFLOAD mask
	feat    Features
	opt     QueueOptions
	monitor *monitor

	mu      sync.Mutex
	closed  bool
	generic Device // serves Read and Write; nil until the first
}

var (
	_ QueueDevice = (*queueDevice)(nil)
	_ DropCounter = (*queueDevice)(nil)
)

func openQueues(o QueueOptions) (QueueDevice, error) {
	const op = "open"
	d := &queueDevice{opt: o}
	opened := false
	defer func() {
		if !opened {
			d.Close()
		}
	}()

	var err error
	if d.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, &DeviceError{Op: op, Name: o.Name, Reason: ErrSystem, Fix: useNetstack, Err: err}
	}
	for range o.Queues {
		fd, err := openClone(op, o.Name)
		if err != nil {
			return nil, err
		}
		d.fds = append(d.fds, fd)
	}
	var flags uint16 = unix.IFF_TUN | unix.IFF_NO_PI
	if o.VNetHdr {
		flags |= unix.IFF_VNET_HDR
	}
	if o.Queues > 1 {
		flags |= unix.IFF_MULTI_QUEUE
	}
	n, err := attach(d.handle, op, o.Name, d.fds, flags)
	if err != nil {
		return nil, err
	}
	if n < len(d.fds) {
		d.note("multi_queue: the device that is there was made with one queue")
		for _, fd := range d.fds[n:] {
			unix.Close(fd)
		}
		d.fds = d.fds[:n]
	}
	d.feat.Queues = n

	link, err := d.handle.LinkByName(o.Name)
	if err != nil {
		return nil, &DeviceError{Op: op, Name: o.Name, Reason: ErrSystem, Detail: "it vanished", Fix: "try again", Err: err}
	}
	d.index = link.Attrs().Index
	if err := d.negotiate(); err != nil {
		return nil, &DeviceError{Op: op, Name: o.Name, Reason: ErrSystem, Fix: "turn vnet_hdr off", Err: err}
	}
	if link.Attrs().MTU != o.MTU {
		if err := d.handle.LinkSetMTU(link, o.MTU); err != nil {
			return nil, &DeviceError{Op: op, Name: o.Name, Reason: reasonOf(err), Detail: fmt.Sprintf("cannot set mtu %d", o.MTU),
				Fix: fmt.Sprintf("run with CAP_NET_ADMIN, or have the device made with that mtu: ip link set %s mtu %d", o.Name, o.MTU), Err: err}
		}
	}
	if d.monitor, err = startMonitor(d.index); err != nil {
		return nil, &DeviceError{Op: op, Name: o.Name, Reason: ErrSystem, Fix: useNetstack, Err: err}
	}
	// Inconclusive is fine: the caller repeats it when the device is up. Until then super-packets are not written.
	if err := d.ProbeGSOWrite(); err != nil && err != ErrProbeInconclusive {
		return nil, &DeviceError{Op: op, Name: o.Name, Reason: ErrSystem, Detail: "cannot write to it", Fix: "turn gso_write off", Err: err}
	}
	opened = true
	return d, nil
}

func (d *queueDevice) note(format string, args ...any) {
	d.feat.Notes = append(d.feat.Notes, fmt.Sprintf(format, args...))
}

// negotiate sets the offloads. TUNSETOFFLOAD is device-wide, whichever queue it is called on, and takes all or nothing: so
// the features are added one by one, and one that is refused is left out.
func (d *queueDevice) negotiate() error {
	if !d.opt.VNetHdr {
		d.note("vnet_hdr: turned off, and with it csum, tso, tso_ecn, uso and gso_write")
		return unix.IoctlSetInt(d.fds[0], unix.TUNSETOFFLOAD, 0)
	}
	d.feat.VNetHdr = true
	try := func(on bool, name string, bits int, feature *bool) error {
		if !on {
			d.note("%s: turned off", name)
			return nil
		}
		switch err := unix.IoctlSetInt(d.fds[0], unix.TUNSETOFFLOAD, d.mask|bits); err {
		case nil:
			d.mask |= bits
			*feature = true
		case unix.EINVAL:
			d.note("%s: this kernel does not have it", name)
		default:
			return os.NewSyscallError("TUNSETOFFLOAD", err)
		}
		return nil
	}
	// Linux has no segmentation offload without checksum offload; without any, it finishes checksums itself.
	if !d.opt.TSO && !d.opt.USO {
		d.note("tso: turned off")
		d.note("uso: turned off")
		return unix.IoctlSetInt(d.fds[0], unix.TUNSETOFFLOAD, 0)
	}
	if err := try(true, "csum", unix.TUN_F_CSUM, &d.feat.Csum); err != nil || !d.feat.Csum {
		return err
	}
	if err := try(d.opt.TSO, "tso", unix.TUN_F_TSO4|unix.TUN_F_TSO6, &d.feat.TSO); err != nil {
		return err
	}
	if d.opt.TSOECN && !d.feat.TSO {
		d.note("tso_ecn: there is no tso")
	} else if err := try(d.opt.TSOECN, "tso_ecn", unix.TUN_F_TSO_ECN, &d.feat.TSOECN); err != nil {
		return err
	}
	return try(d.opt.USO, "uso", unix.TUN_F_USO4|unix.TUN_F_USO6, &d.feat.USO)
}

func (d *queueDevice) Queues() int { return len(d.fds) }

func (d *queueDevice) FD(queue int) int { return d.fds[queue] }

func (d *queueDevice) Features() Features {
	f := d.feat
	f.Notes = append([]string(nil), d.feat.Notes...)
	return f
}

// device gives the wireguard/tun device that serves Read and Write on a duplicate of queue 0.
func (d *queueDevice) device() (Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, os.ErrClosed
	}
	if d.generic != nil {
		return d.generic, nil
	}
	fd, err := unix.FcntlInt(uintptr(d.fds[0]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// It owns fd from here on: when it fails, the os.File it has made is closed with that file's collection.
	dev, _, err := wgtun.CreateUnmonitoredTUNFromFD(fd)
	if err != nil {
		return nil, err
	}
	// It has just set a mask of its own. Ours is put back, without what it cannot read.
	if d.feat.VNetHdr {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, d.mask&^unix.TUN_F_TSO_ECN); err != nil {
			dev.Close()
			return nil, os.NewSyscallError("TUNSETOFFLOAD", err)
		}
	}
	d.generic = dev
	return dev, nil
}

func (d *queueDevice) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	dev, err := d.device()
	if err != nil {
		return 0, err
	}
	return dev.Read(bufs, sizes, offset)
}

func (d *queueDevice) Write(bufs [][]byte, offset int) (int, error) {
	dev, err := d.device()
	if err != nil {
		return 0, err
	}
	return dev.Write(bufs, offset)
}

func (d *queueDevice) BatchSize() int {
	if d.feat.VNetHdr {
		return conn.IdealBatchSize
	}
	return 1
}

// File is nil: the descriptors of the queues are those of FD.
func (d *queueDevice) File() *os.File { return nil }

func (d *queueDevice) Name() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return "", os.ErrClosed
	}
	ifr, err := unix.NewIfreq(d.opt.Name)
	if err != nil {
		return "", err
	}
	if err := unix.IoctlIfreq(d.fds[0], unix.TUNGETIFF, ifr); err != nil {
		return "", os.NewSyscallError("TUNGETIFF", err)
	}
	return ifr.Name(), nil
}

func (d *queueDevice) MTU() (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, os.ErrClosed
	}
	link, err := d.handle.LinkByIndex(d.index)
	if err != nil {
		return 0, err
	}
	return link.Attrs().MTU, nil
}

// Dropped implements DropCounter.
func (d *queueDevice) Dropped() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, os.ErrClosed
	}
	link, err := d.handle.LinkByIndex(d.index)
	if err != nil {
		return 0, err
	}
	if s := link.Attrs().Statistics; s != nil {
		return s.TxDropped, nil
	}
	return 0, nil
}

func (d *queueDevice) Events() <-chan Event { return d.monitor.events }

// Close also serves openQueues when it fails half-way, so that any part may be missing.
func (d *queueDevice) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var err error
	if d.generic != nil {
		err = d.generic.Close()
	}
	for _, fd := range d.fds {
		if e := unix.Close(fd); err == nil && e != nil {
			err = os.NewSyscallError("close", e)
		}
	}
	if d.monitor != nil {
		d.monitor.stop()
	}
	if d.handle != nil {
		d.handle.Close()
	}
	return err
}
