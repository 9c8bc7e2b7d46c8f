package dataplane

import (
	"testing"

	"esplanade/dataplane/socktest"
	"esplanade/esp"
)

// The two SAs of a child share a route when they go the same way, and have one each when they don't.
func TestRouteShared(t *testing.T) {
	n := socktest.New(1)
	a, _, _ := inMemory(t, n, "192.0.2.1")
	b, _, _ := inMemory(t, n, "192.0.2.2")
	ts := pair(t, ts4Local, ts4Remote)
	pa, pb := at("192.0.2.1", 4500), at("192.0.2.2", 4500)
	there, back := esp.Path{Local: pa, Remote: pb, UDP: true}, esp.Path{Local: pb, Remote: pa, UDP: true}
	elsewhere := esp.Path{Local: pb, Remote: at("192.0.2.3", 4500), UDP: true}
	for id, out := range map[uint64]esp.Path{1: back, 2: elsewhere} {
		// b has its inbound SA first, as a daemon does.
		onPaths(t, a, b, id, id, ts, gcm128(), there, back)
		onPaths(t, b, a, id, id, ts.Swap(), gcm128(), out, there)
		ch := b.children[id]
		in, o := ch.in.route.Load(), ch.out.route.Load()
		if (in == o) != (out == back) || o.path != out || in.path != back {
			t.Errorf("child %d: in by %+v, out by %+v, shared %v", id, in.path, o.path, in == o)
		}
	}
}
