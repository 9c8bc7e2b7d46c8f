package ike

import (
	"net/netip"
	"testing"
)

// inboxed is a daemon that does not run, so that what it is given stays in its queues.
func inboxed(t *testing.T) (d *Daemon, local, remote netip.AddrPort) {
	t.Helper()
	d = New(Options{Config: parse(t, toml("", right("none"))), DataPlane: deaf{}})
	return d, netip.MustParseAddrPort("192.0.2.2:500"), netip.MustParseAddrPort("192.0.2.1:500")
}

// ofSomebody is a datagram of n octets that claims to belong to an IKE SA.
func ofSomebody(n int) []byte {
	b := make([]byte, n)
	b[8], b[17] = 1, 0x20
	return b
}

// A datagram that is larger than any IKE message is dropped before it is copied, whoever it claims to be from.
func TestDatagramSize(t *testing.T) {
	d, local, remote := inboxed(t)
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	if len(d.loop.inbox) != 1 || d.InboxDropped() != 0 {
		t.Fatalf("the largest message: %d wait, %d dropped", len(d.loop.inbox), d.InboxDropped())
	}
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram+1))
	stranger := make([]byte, maxIKEDatagram+1)
	stranger[17], stranger[18] = 0x20, 34 // IKE_SA_INIT
	d.HandleIKE(local, remote, stranger)
	if len(d.loop.inbox) != 1 || len(d.loop.strangers) != 0 || d.InboxDropped() != 2 {
		t.Errorf("larger ones: %d and %d wait, %d dropped", len(d.loop.inbox), len(d.loop.strangers), d.InboxDropped())
	}
}

// What waits is bounded in octets as well as in number, and what was dropped or handled makes room again.
func TestQueuedOctets(t *testing.T) {
	d, local, remote := inboxed(t)
	const fits = maxQueuedOctets / maxIKEDatagram
	if fits >= inboxSize {
		t.Fatalf("%d of the largest messages fit, and %d of any", fits, inboxSize)
	}
	for range fits + 100 {
		d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	}
	if len(d.loop.inbox) != fits || d.InboxDropped() != 100 {
		t.Errorf("%d wait, want %d; %d dropped", len(d.loop.inbox), fits, d.InboxDropped())
	}
	if got := d.loop.octets.Load(); got != maxQueuedOctets {
		t.Errorf("%d octets are counted, and %d wait", got, maxQueuedOctets)
	}
	d.handle(<-d.loop.inbox)
	if got := d.loop.octets.Load(); got != maxQueuedOctets-maxIKEDatagram {
		t.Errorf("%d octets are counted after one was handled", got)
	}
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	if len(d.loop.inbox) != fits {
		t.Errorf("%d wait after one was handled and one came", len(d.loop.inbox))
	}
}

// What asks for a new IKE SA waits in a queue of its own: a flood of it takes no place of what belongs to an IKE SA.
func TestStrangersQueue(t *testing.T) {
	d, local, remote := inboxed(t)
	stranger := make([]byte, 200)
	stranger[17], stranger[18] = 0x20, 34 // IKE_SA_INIT
	for range strangersSize + 10 {
		d.HandleIKE(local, remote, stranger)
	}
	d.HandleIKE(local, remote, []byte{1, 2, 3}) // too short to belong to one
	if len(d.loop.inbox) != 0 || len(d.loop.strangers) != strangersSize || d.InboxDropped() != 0 || d.loop.overload.Load() != 11 {
		t.Errorf("%d and %d wait, %d and %d dropped", len(d.loop.inbox), len(d.loop.strangers), d.InboxDropped(), d.loop.overload.Load())
	}
	d.HandleIKE(local, remote, ofSomebody(200))
	if len(d.loop.inbox) != 1 {
		t.Error("a message of an IKE SA is not taken")
	}
}
