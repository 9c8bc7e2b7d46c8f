//go:build race

package dataplane

// raceEnabled: the race detector makes the tests that play many seeds several times slower; they play fewer with it.
const raceEnabled = true
