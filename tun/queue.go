package tun

import (
	"fmt"
	"strings"
)

// MaxQueues is the largest number of queues a QueueDevice is opened with; Linux has the same limit (MAX_TAP_QUEUES).
const MaxQueues = 256

// QueueOptions says which device [OpenQueues] opens and which kernel features it tries. Each switch only allows a
// feature: one that the kernel refuses is left off and reported in [Features], it is never an error.
type QueueOptions struct {
	Name   string // "" is DefaultName
	MTU    int    // MinMTU..MaxMTU; not changed when the device already has it
	Queues int    // 0 and 1: a single queue, without IFF_MULTI_QUEUE

	VNetHdr bool // IFF_VNET_HDR: every read and write starts with a VNetHdr. Without it the next four do nothing
	TSO     bool // TUN_F_TSO4|TUN_F_TSO6: reads give TCP super-packets
	TSOECN  bool // TUN_F_TSO_ECN: also of connections that use ECN. Needs TSO
	USO     bool // TUN_F_USO4|TUN_F_USO6, Linux 6.2: reads give UDP super-packets

	// GSOWrite allows super-packets to be written, after a probe has shown that this kernel takes them.
	GSOWrite bool
}

// Features is what a QueueDevice really does.
type Features struct {
	Queues   int
	VNetHdr  bool     // reads and writes start with a VNetHdr
	Csum     bool     // reads may give packets whose checksum is to be finished (VNetNeedsCsum)
	TSO      bool     // reads may give GSOTCPv4 and GSOTCPv6
	TSOECN   bool     // … with GSOECN
	USO      bool     // reads may give GSOUDPL4
	GSOWrite bool     // super-packets may be written
	Notes    []string // one line for each feature that is off: which, and why
}

// Why is the reason why the feature of that name is off, "" if none is known. The names are those of String, and
// multi_queue.
func (f Features) Why(name string) string {
	for _, n := range f.Notes {
		if why, ok := strings.CutPrefix(n, name+": "); ok {
			return why
		}
	}
	return ""
}

// String gives one line for logs and for status: "2 queues, vnet_hdr, csum, tso, tso_ecn, uso, gso_write".
func (f Features) String() string {
	var b strings.Builder
	if f.Queues == 1 {
		b.WriteString("1 queue")
	} else {
		fmt.Fprintf(&b, "%d queues", f.Queues)
	}
	for _, s := range []struct {
		on   bool
		name string
	}{
		{f.VNetHdr, "vnet_hdr"}, {f.Csum, "csum"}, {f.TSO, "tso"}, {f.TSOECN, "tso_ecn"},
		{f.USO, "uso"}, {f.GSOWrite, "gso_write"},
	} {
		if s.on {
			b.WriteString(", ")
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// QueueDevice is a Device whose queues can also be driven with raw system calls. A caller uses either the queues or
// Read and Write, not both: Read and Write serve queue 0 alone, through wireguard/tun.
type QueueDevice interface {
	Device

	// Queues is the number of queues, at least 1.
	Queues() int

	// FD gives the non-blocking descriptor of one queue, for read, write, readv, writev and poll. The QueueDevice
	// keeps owning it: Close closes it, so whoever uses it has to have stopped before.
	FD(queue int) int

	// Features says what the device does. Only ProbeGSOWrite changes it.
	Features() Features

	// ProbeGSOWrite finds out whether the kernel takes super-packets and sets Features.GSOWrite. OpenQueues does it
	// too, but some kernels only tell when the device is up: then the error is ErrProbeInconclusive, and the
	// call has to be repeated once it is. It must not run at the same time as Features.
	ProbeGSOWrite() error
}

// DropCounter is a Device that can tell how many packets it has dropped because nobody read them in time.
type DropCounter interface {
	Dropped() (uint64, error)
}

// OpenQueues creates the TUN device o.Name and gives its raw queues. A persistent device of that name that nobody uses
// is attached to (an unprivileged process may own such a device). Linux only: elsewhere the error is ErrUnsupported.
// Every error is a [*DeviceError].
func OpenQueues(o QueueOptions) (QueueDevice, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Queues == 0 {
		o.Queues = 1
	}
	if err := checkRequest("open", o.Name, o.MTU); err != nil {
		return nil, err
	}
	if o.Queues < 1 || o.Queues > MaxQueues {
		return nil, &DeviceError{Op: "open", Name: o.Name, Reason: ErrBadRequest,
			Detail: fmt.Sprintf("%d queues", o.Queues), Fix: fmt.Sprintf("ask for 1 to %d queues", MaxQueues)}
	}
	return openQueues(o)
}
