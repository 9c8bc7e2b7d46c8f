//go:build !race

package tun

// raceEnabled: the race detector makes pools drop what is in them.
const raceEnabled = false
