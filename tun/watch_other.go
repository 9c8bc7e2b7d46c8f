//go:build !linux

package tun

import "context"

// watch looks at the addresses now and then.
func watch(ctx context.Context, o WatchOptions, news func()) error { return poll(ctx, o, news) }
