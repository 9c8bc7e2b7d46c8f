//go:build !race

package dataplane

// raceEnabled reports whether the tests run with the race detector.
const raceEnabled = false
