package tun

// DefaultName is the device's name when none is given: any free utun number.
const DefaultName = "utun"
