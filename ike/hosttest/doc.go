// Package hosttest is the host of a gateway under test: what the gateway changes on it, and what it writes to its log.
//
// The tests of the packages ike and ike/gateway have it in common. It knows neither of them: [Network] has the methods that their
// interfaces ask for, and counts instead of changing anything. All of it may be used from several goroutines.
package hosttest
