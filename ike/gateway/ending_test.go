package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// The end of a daemon does not wait for peers that are known not to answer; it waits for others, as a DELETE may have to be repeated.
func TestShutdownAndSilentPeers(t *testing.T) {
	for silent, want := range map[time.Duration]time.Duration{200 * time.Millisecond: rigShutdown, time.Minute: 0} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", right("none")))
			a := f.start(addrA, toml("", left("none")))
			settle(time.Second)
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
			b.crash()
			settle(silent) // within the time in which requests are repeated
			began := time.Now()
			a.stop()
			if took := time.Since(began); took > want+time.Second || took < want-time.Second {
				t.Errorf("after a silence of %s the end took %s", silent, took)
			}
		})
	}
}
