//go:build !linux

package tun

// Unblock is for Linux: elsewhere nothing is left behind.
func Unblock(LinkOptions, bool) (removed int, err error) {
	return 0, &LinkError{Op: "unblock", Err: ErrUnsupported, Fix: "nothing is to be done: here nothing is left behind to refuse packets"}
}

// LeftBehind is for Linux: elsewhere nothing is left behind.
func LeftBehind(LinkOptions) ([]int, error) { return nil, nil }
