// Package pkitest makes CAs and certificates for tests and benchmarks. Keys are random, and everything else is what the caller says.
package pkitest
