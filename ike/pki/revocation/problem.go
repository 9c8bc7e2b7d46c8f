package revocation

import "fmt"

// Fault is a kind of reason for which a source of revocations is of no use.
type Fault uint8

// The faults.
const (
	// FaultFetch: there was no answer, or none that HTTP calls a success.
	FaultFetch Fault = iota
	// FaultSyntax: it is not DER of the right kind.
	FaultSyntax
	// FaultSize: it is larger than what is kept.
	FaultSize
	// FaultSignature: the signature is wrong, or of an algorithm that is not accepted.
	FaultSignature
	// FaultSigner: whoever has signed it may not.
	FaultSigner
	// FaultOther: it is about another certificate, or another CA.
	FaultOther
	// FaultScope: it does not cover certificates like this one.
	FaultScope
	// FaultCritical: it has a critical extension that is not understood.
	FaultCritical
	// FaultStale: it has ended.
	FaultStale
	// FaultFuture: it is not valid yet.
	FaultFuture
	// FaultOlder: a newer one is known.
	FaultOlder
	// FaultStatus: the responder has refused to answer.
	FaultStatus
	// FaultUnknown: the responder does not know the certificate.
	FaultUnknown
)

var faults = [...]string{"fetch", "syntax", "size", "signature", "signer", "other", "scope", "critical", "stale", "future", "older", "status", "unknown"}

// String is the fault in one word, as metrics have it.
func (f Fault) String() string { return faults[f] }

// Problem is why a source of revocations is of no use for a certificate.
type Problem struct {
	// Kind and From say which source: CRL or OCSP, and its address, its file, or the peer.
	Kind Kind
	From string
	// Fault is the kind of reason. Text has it in words with all particulars.
	Fault Fault
	Text  string
	// Err is the error underneath, if any.
	Err error
}

// Error is the problem in words.
func (p *Problem) Error() string {
	if p.Kind == OCSP && p.From == fromPeer {
		return "OCSP of the peer: " + p.Text
	}
	return p.Kind.String() + " " + p.From + ": " + p.Text
}

// Unwrap returns the error underneath.
func (p *Problem) Unwrap() error { return p.Err }

// fromPeer is the From of a staple.
const fromPeer = "peer"

// problem makes one without a source, which whoever knows it adds.
func problem(f Fault, format string, args ...any) *Problem {
	return &Problem{Fault: f, Text: fmt.Sprintf(format, args...)}
}

// of names the source.
func (p *Problem) of(k Kind, from string) *Problem {
	p.Kind, p.From = k, from
	return p
}
