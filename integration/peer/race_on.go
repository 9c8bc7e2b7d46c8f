//go:build linux && race

package peer

// raceEnabled reports whether the tests, and so the binary they build, run with the race detector.
const raceEnabled = true
