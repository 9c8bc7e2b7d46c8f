package load

import "time"

// NumberedResult is what has become of the datagrams.
type NumberedResult struct {
	Sent, Received int
	Repeated       int             // arrived more than once
	Late           int             // arrived after one that was sent later
	Lost           []time.Duration // when those were sent that did not arrive, from the beginning
}
