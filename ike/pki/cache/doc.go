// Package cache keeps what was fetched in a directory, so that it is there after a restart: CRLs and OCSP answers, as they came.
//
// It does not know what is in a file. Whoever reads one judges it as if it had come from the network: a file that is damaged, or that
// somebody has changed, is no worse than a server that lies. Files are written whole or not at all, and their number and size are bounded.
package cache
