package dataplane

// deviceEnd is where packets of the inner networks come from and go to. Its implementations: wireguard/tun's
// Read and Write (any OS, netstack, tests), and raw TUN queues (Linux).
type deviceEnd interface {
	// readers gives one reader for each queue.
	readers() []deviceReader
	// writer makes a writer for one goroutine, to queue q modulo the number of queues.
	writer(q int) deviceWriter
	// merges says which super-packets writers take.
	merges() mergeSet
	// start is called before the loops run; merges may be different afterwards.
	start()
	// lost is how many packets the device has dropped because they were not read in time.
	lost() uint64
	// mtu is the device's MTU at start; changes come from its events.
	mtu() int
	// describe says for status what is in use.
	describe() []Feature
	// close makes blocked readers return an error and releases the device.
	close() error
}

// mergeSet is a set of kinds of super-packets.
type mergeSet struct{ tcp, udp bool }

// deviceReader reads one queue. Owned by one goroutine.
type deviceReader interface {
	// read waits for at least one super-packet and gives those that are there, up to what is good for a batch. They
	// and their buffers may be changed by the caller, and are the reader's again with the next call. An error is final.
	read() ([]superPacket, error)
}

// deviceWriter writes to one queue. Owned by one goroutine.
type deviceWriter interface {
	// write writes super-packets in order and says how many of the packets they stand for were refused. An error is
	// final.
	write(s []superPacket) (refused int, err error)
	// merging reports whether super-packets are taken. It may become false when the kernel turns out to refuse them.
	merging() bool
}

// newDeviceEnd chooses the device end: raw queues where the device has them and the configuration allows.
func newDeviceEnd(c Config, m *memory) (deviceEnd, error) {
	if !c.Features.NoRawIO {
		if d, ok, err := newQueueDevice(c, m); ok || err != nil {
			return d, err
		}
	}
	return newPortableDevice(c.Device, m), nil
}
