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
	var wg sync.WaitGroup
	for _, w := range []*swanWorld{theirs, ours} {
		wg.Go(func() { w.play(swanSteps()) })
	}
	wg.Wait()
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
