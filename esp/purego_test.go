//go:build purego

package esp

// Without its assembly, golang.org/x/crypto/chacha20poly1305 allocates.
const chachaAllocates = true
