// Package gateways runs two Esplanades between the hosts of a lab, has them renew their keys on command, and reads what they
// say of themselves while they work: drops by reason, rekeyings, memory, CPU time. The commands that look at one pair of
// gateways for a while are made with it.
package gateways
