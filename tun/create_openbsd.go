package tun

// DefaultName is the device's name when none is given: any free tun number.
const DefaultName = "tun"
