// Package store keeps the leases of package pool over a restart, in a file of go.etcd.io/bbolt.
//
// A [Store.Write] that has returned is on the disk: the file is written copy on write, and synced before what has changed counts and after
// that. A crash at any moment leaves the state of before or of after, never one between. Only one process has the file at a time.
//
// What can't be read is an error with a name, never an empty store: whoever began with an empty one would give addresses to others that
// clients have. The package does the file, and nothing else: what a lease means is for package pool, and when something is written for
// package ike.
package store
