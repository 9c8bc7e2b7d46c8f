// Package revocation finds out whether the certificates of a chain were revoked: by CRLs, base and delta (RFC 5280 sections 5 and 6.3),
// and by OCSP (RFC 6960, RFC 5019), whose answers come over HTTP or from the peer itself (RFC 4806).
//
// It is pure: octets and the time come in, values and typed errors go out. It fetches nothing. [Store.Assess] judges a chain by what is
// known, and names what would have to be fetched to know more; whoever fetches that gives the answer to [Store.Take], which judges it
// before it is kept, or the failure to [Store.Fail], which keeps others from asking again at once:
//
//	Assess ──> Verdict: in, refused, or Needed ──> fetch ──> Take, or Fail ──> Assess
//
// # Who may be asked
//
// The addresses in a certificate are those that its issuer wrote, if there was an issuer. So a chain comes here only when it ends at an
// anchor, each signature in it was verified, and the peer has proved that it has the key: whoever has not done that names no address
// that this gateway sends anything to.
//
// # What may live here
//
// What CRLs and OCSP say, and for how long; the policies; what is kept, and its bounds. Chains are built and verified by package pki,
// sockets belong to package fetch, files and goroutines to package ike.
package revocation
