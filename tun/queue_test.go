package tun

import "testing"

func TestFeaturesString(t *testing.T) {
	for _, c := range []struct {
		f    Features
		want string
	}{
		{Features{Queues: 1}, "1 queue"},
		{Features{Queues: 4, VNetHdr: true, Csum: true, TSO: true, TSOECN: true, USO: true, GSOWrite: true},
			"4 queues, vnet_hdr, csum, tso, tso_ecn, uso, gso_write"},
		{Features{Queues: 2, VNetHdr: true, USO: true}, "2 queues, vnet_hdr, uso"},
	} {
		if got := c.f.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}

// allFeatures gives options with every feature tried.
func allFeatures(name string, mtu, queues int) QueueOptions {
	return QueueOptions{
		Name: name, MTU: mtu, Queues: queues,
		VNetHdr: true, TSO: true, TSOECN: true, USO: true, GSOWrite: true,
	}
}
