package tun

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func wantReason(t *testing.T, err, reason error, texts ...string) {
	t.Helper()
	var e *DeviceError
	if !errors.As(err, &e) || !errors.Is(err, reason) || e.Fix == "" {
		t.Errorf("got %v, want a DeviceError of %v with a fix", err, reason)
		return
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v\ndoes not say %q", err, s)
		}
	}
}

// openBoth tries both ways to a device in the namespace, after change has been run on the thread.
func (s *space) openBoth(name string, queues int, change func() error) (create, open error) {
	s.t.Helper()
	s.do(func() error {
		if change != nil {
			if err := change(); err != nil {
				return err
			}
		}
		d, err := Create(name, testMTU)
		if create = err; err == nil {
			d.Close()
		}
		q, err := OpenQueues(allFeatures(name, testMTU, queues))
		if open = err; err == nil {
			q.Close()
		}
		return nil
	})
	return create, open
}

func TestNameTaken(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	veth(t, s, "wan", newSpace(t), "uplink")
	s.openQueues(allFeatures("single", testMTU, 1))
	s.openQueues(allFeatures("multi", testMTU, 2))
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "tap0"
	s.do(func() error {
		return netlink.LinkAdd(&netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_DEFAULTS | netlink.TUNTAP_NO_PI})
	})
	for _, c := range []struct{ name, text string }{
		{"wan", "type veth"}, {"tap0", "TAP"}, {"single", "another process uses"}, {"multi", "another process uses"},
	} {
		for _, queues := range []int{1, 2} { // with several, the kernel would let us join the other process's device
			create, open := s.openBoth(c.name, queues, nil)
			wantReason(t, create, ErrNameTaken, c.name, c.text)
			wantReason(t, open, ErrNameTaken, c.name, c.text)
		}
	}
}

// dropNetAdmin takes the capability from this thread only; space.do ends the thread.
func dropNetAdmin() error {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&h, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	return unix.Capset(&h, &data[0])
}

func TestNoCapability(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	create, open := s.openBoth("ipsec0", 1, dropNetAdmin)
	wantReason(t, create, ErrPermission, "CAP_NET_ADMIN", "netstack", "operation not permitted")
	wantReason(t, open, ErrPermission, "CAP_NET_ADMIN", "netstack", "operation not permitted")
}

func TestNoTUNDevice(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	hide := func() error {
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		return unix.Mount("tmpfs", "/dev/net", "tmpfs", 0, "size=4k")
	}
	create, open := s.openBoth("ipsec0", 1, hide)
	wantReason(t, create, ErrNoTUN, cloneDevice, "modprobe tun", "netstack")
	wantReason(t, open, ErrNoTUN, cloneDevice, "modprobe tun", "netstack")
}

func TestCloneErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		reason error
	}{
		{unix.ENOENT, ErrNoTUN}, {unix.ENXIO, ErrNoTUN}, {unix.ENODEV, ErrNoTUN},
		{unix.EACCES, ErrPermission}, {unix.EPERM, ErrPermission}, {unix.EMFILE, ErrSystem},
	} {
		err := cloneError("create", "ipsec0", c.err)
		wantReason(t, err, c.reason, "netstack")
		if !errors.Is(err, c.err) {
			t.Errorf("%v does not unwrap to %v", err, c.err)
		}
	}
	for _, c := range []struct{ err, reason error }{
		{unix.EPERM, ErrPermission}, {unix.EBUSY, ErrNameTaken}, {unix.EINVAL, ErrSystem}, {unix.ENOMEM, ErrSystem},
	} {
		wantReason(t, setIffError("create", "ipsec0", c.err), c.reason)
	}
}

func TestCreate(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	var d Device
	s.do(func() (err error) { d, err = Create("", testMTU); return err })
	defer d.Close()
	if name, err := d.Name(); name != DefaultName || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	if m := s.link(DefaultName).Attrs().MTU; m != testMTU {
		t.Errorf("mtu %d", m)
	}
	s.upAndRouted(d)
	s.sendSegments("10.20.0.5:7", 1000, 2)
	bufs, sizes := make([][]byte, d.BatchSize()), make([]int, d.BatchSize())
	for i := range bufs {
		bufs[i] = make([]byte, Headroom+65535)
	}
	if n, err := d.Read(bufs, sizes, Headroom); n != 2 || err != nil || sizes[1] != 1028 {
		t.Errorf("read %d packets, %v", n, err)
	}
}

// A persistent device may be one that an administrator has made for an unprivileged user.
func TestAdoptPersistent(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	for _, c := range []struct {
		name   string
		flags  netlink.TuntapFlag
		queues int
		want   int
	}{
		{"one", netlink.TUNTAP_NO_PI, 1, 1},
		{"one", netlink.TUNTAP_NO_PI, 4, 1}, // fewer than asked for, and a note
		{"many", netlink.TUNTAP_NO_PI | netlink.TUNTAP_MULTI_QUEUE, 1, 1},
		{"many", netlink.TUNTAP_NO_PI | netlink.TUNTAP_MULTI_QUEUE, 4, 4},
	} {
		if _, err := s.LinkByName(c.name); err != nil {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = c.name
			s.do(func() error {
				l := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN, Flags: c.flags}
				if c.flags&netlink.TUNTAP_MULTI_QUEUE != 0 {
					l.Queues = 1
				}
				if err := netlink.LinkAdd(l); err != nil {
					return err
				}
				for _, f := range l.Fds {
					f.Close()
				}
				return nil
			})
		}
		d := s.openQueues(allFeatures(c.name, testMTU, c.queues))
		f := d.Features()
		if d.Queues() != c.want || !f.VNetHdr || (c.want < c.queues) != strings.Contains(strings.Join(f.Notes, ""), "multi_queue") {
			t.Errorf("%s with %d queues: %s, %q; want %d queues", c.name, c.queues, f, f.Notes, c.want)
		}
		l := s.upAndRouted(d)
		s.sendSegments("10.20.0.5:7", 1000, 2)
		total := 0
		for q := range d.Queues() {
			if b, err := readRaw(d.FD(q), 50*time.Millisecond); err == nil {
				total += len(b)
			}
		}
		if total != VNetHdrLen+28+2000 {
			t.Errorf("%s with %d queues: read %d octets", c.name, c.queues, total)
		}
		kill(l)
		s.must(d.Close())
		s.must(s.LinkSetDown(s.link(c.name)))
		s.must(s.AddrDel(s.link(c.name), address(prefix("10.99.0.1/32"))))
	}
}

// Whoever may use a persistent device needs no capability, if it has the right mtu.
func TestAdoptWithoutCapability(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "given0"
	s.do(func() error {
		return netlink.LinkAdd(&netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_NO_PI})
	})
	_, open := s.openBoth("given0", 1, dropNetAdmin)
	wantReason(t, open, ErrPermission, "cannot set mtu 1406", "ip link set given0 mtu 1406")
	s.must(s.LinkSetMTU(s.link("given0"), testMTU))
	_, open = s.openBoth("given0", 1, dropNetAdmin)
	if open != nil {
		t.Errorf("with the right mtu: %v", open)
	}
}
