// Package ca is a small certification authority: what `esplanade pki` makes of certificates, revocation lists and bundles for phones.
// It is for people who have no PKI and want one that peers of every kind accept.
//
// A certificate follows RFC 5280 in its fields, RFC 4945 in what IKE wants of them, and what the native clients of iOS, macOS, Windows
// and Android ask of a gateway (docs/certificates.md has the rules and where they are from; [Clients] judges by them).
//
// Everything is pure: the time is a parameter, and results are bytes. Keys and serials are made with the system's randomness, which
// cannot be given. Package folder keeps the results in files.
package ca
