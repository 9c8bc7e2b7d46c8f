// Package contest knows how each program of the side-by-side run is built, configured and started as a pair of gateways
// between the two hosts of a lab, and how it says that it is ready.
//
// Everybody gets what its own documentation recommends or does by default: MTU, buffers, number of workers. Only the cipher
// is chosen here.
package contest
