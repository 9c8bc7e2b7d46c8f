//go:build !race

package dataplane

// raceEnabled tells whether the tests run with the race detector.
const raceEnabled = false
