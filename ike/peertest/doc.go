// Package peertest is an IKE peer for tests that shares as little as possible with what it tests.
//
// Two machines of package sa agree with each other even where both have misread an RFC. This peer has keys, message ids and
// AUTH values of its own, computed from the RFC's formulas on packages wire and suite, whose results are held to the test
// vectors of the RFCs. It knows no state machine: a test says what it sends.
//
//   - [SA] is an IKE SA as somebody who has its secrets sees it: it opens and seals messages, derives the successor of a
//     rekeying and computes AUTH.
//   - [Peer] is one end of an IKE SA in the hands of a test: it makes requests and answers with the right SPIs, message ids
//     and flags, or with wrong ones.
//   - [Recording] is a file with the messages of a real exchange between two strongSwans and the secrets of their key
//     exchanges. [Recording.Open] decrypts it from beginning to end and checks the AUTH values of both sides.
//   - [Known] are the gateways and clients that are met most: what each offers and takes in its default settings or as its
//     documentation says to set it, and what else its messages have.
//
// The package is for tests. It holds secrets in the clear and panics where a test has a mistake.
package peertest
