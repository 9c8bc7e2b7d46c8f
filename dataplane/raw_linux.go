package dataplane

func newRawDevice(Config, *memory) (deviceEnd, bool, error) { return nil, false, nil }

func newRawWire(Config, *memory, wireEvents) (wireEnd, bool, error) { return nil, false, nil }
