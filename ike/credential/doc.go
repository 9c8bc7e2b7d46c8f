// Package credential is what a gateway proves itself with by signatures, and what it takes for a proof of its peers: the certificates,
// keys and rules of its connections, as they were read from files at one moment. A [Set] is immutable; when a file has changed there is
// another one.
//
// It is pure: files are read and judged by package config, signatures are made and verified in package auth.
package credential
