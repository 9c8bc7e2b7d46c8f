package tun

// DefaultName is the device's name when none is given: wireguard/tun renames tunN to it.
const DefaultName = "ipsec0"
