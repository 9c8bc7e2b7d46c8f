//go:build !linux

package integration

import "testing"

// TestIntegration says why there is nothing here.
func TestIntegration(t *testing.T) {
	t.Skip("INTEGRATION TESTS NOT RUN: they put real peers into Linux network namespaces")
}
