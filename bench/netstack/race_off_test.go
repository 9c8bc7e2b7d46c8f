//go:build !race

package netstack

// raceEnabled: the race detector finds what races in other programs.
const raceEnabled = false
