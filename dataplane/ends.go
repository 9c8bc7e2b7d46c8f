package dataplane

// newDeviceEnd chooses the device end: raw queues where the device has them and the configuration allows.
func newDeviceEnd(c Config, m *memory) (deviceEnd, error) {
	if !c.Features.NoRawIO {
		if d, ok, err := newRawDevice(c, m); ok || err != nil {
			return d, err
		}
	}
	return newPortableDevice(c.Device, m), nil
}

// newWireEnd chooses the wire end: raw system calls on sockets of the system where there are such.
func newWireEnd(c Config, m *memory, ev wireEvents) (wireEnd, error) {
	if !c.Features.NoRawIO && c.Sockets.ListenPacket == nil {
		if w, ok, err := newRawWire(c, m, ev); ok || err != nil {
			return w, err
		}
	}
	return newPortableWire(c, m, ev)
}
