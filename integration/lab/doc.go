// Package lab builds throw-away networks of Linux hosts, starts programs on them, and says what these take of the machine. The
// integration tests and the comparisons of bench are made with it.
//
// A [Host] is a network namespace. It has no name in /run/netns: it belongs to one OS thread that a goroutine
// holds for as long as the host lives, so nothing is left on the machine however the test ends, and tests that
// run at the same time may use the same addresses.
//
//	         direct                                routed (Options.Router)
//
//	[A]───────────────[B]               [A]──────────[R]──────────[B]
//	198.18.0.1  198.18.0.2         198.18.1.1    .254  .254   198.18.2.1
//	2001:db8::1 2001:db8::2      2001:db8:1::1   ::fe  ::fe   2001:db8:2::1
//
//	behind A: 10.10.0.1 and fd10::1, behind B: 10.20.0.1 and fd20::1, as addresses of lo
//
// Programs are started by the host's thread and so live in its namespace; they die with this process
// (PR_SET_PDEATHSIG) and are otherwise ended by process id. Sockets are made by short-lived threads that enter
// the namespace; a socket stays in the namespace it was made in, so after that any goroutine may use it.
//
// Nothing here sleeps for a fixed time and hopes: [Eventually] polls a condition against a deadline and fails
// with what it saw last.
//
// A test builds its lab with [New]: it goes when the test ends. Its directory for configurations, logs and captures is removed when
// the test passes, and kept and named when it fails. A program that is no test uses [Build] and Close. What reads /proc and
// its counters (proc.go, overflow.go) is tested on any system.
package lab
