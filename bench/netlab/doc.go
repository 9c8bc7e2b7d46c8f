// Package netlab makes the two hosts of a side-by-side run, starts programs on them and says what CPU time they take.
//
// The namespaces have no names: each is held by a thread of this process, so that none is left over however the process
// ends, and several runs do not get into each other's way. Every program that is started gets a SIGKILL when this process
// dies; before that, it is ended by its process id and nothing else.
package netlab
