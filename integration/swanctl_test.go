//go:build linux

package integration

import (
	"sync"
	"testing"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestSwanctlIsStrongSwans: in the same situations, Debian's swanctl prints the same of Esplanade as of strongSwan, verb by verb and option
// by option, but for what docs/swanctl.md has.
func TestSwanctlIsStrongSwans(t *testing.T) {
	t.Parallel()
	lab.NeedRoot(t, peer.Programs(peer.KindEsplanade, peer.KindStrongSwan)...)
	files := swanFiles(t)
	theirs, ours := newSwanWorld(t, peer.KindStrongSwan, files), newSwanWorld(t, peer.KindEsplanade, files)
	both := func(steps []swanStep) {
		var wg sync.WaitGroup
		for _, w := range []*swanWorld{theirs, ours} {
			wg.Go(func() { w.play(steps) })
		}
		wg.Wait()
	}
	both(swanSteps())
	t.Run("monitors", func(t *testing.T) { testMonitors(t, theirs, ours) })
	t.Run("clients", func(t *testing.T) { testVICIClients(t, theirs, ours) })
	t.Run("govici", func(t *testing.T) { testGovici(t, theirs, ours) })
	both(swanGone())
	if t.Failed() {
		return
	}
	seen := map[int]bool{}
	compareWorlds(t, theirs, ours, seen)
	for i, d := range disparities() {
		if !seen[i] {
			t.Errorf("a difference that is none any more: %+v", d)
		}
	}
}
