//go:build !purego

package esp

const chachaAllocates = false
