// Package dataplane carries packets.
package dataplane
