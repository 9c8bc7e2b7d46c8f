package gateway

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// Whoever waits for a rekeying is told when it is done, and why if it does not come to that.
func TestRenewal(t *testing.T) {
	for _, c := range []struct {
		name   string
		target Target
		reauth bool
	}{
		{"child", Target{Child: "net"}, false}, {"IKE SA", Target{Connection: "b"}, false}, {"reauthentication", Target{Connection: "b"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				a, b := f.start(addrA, toml("", left("start"))), f.start(addrB, toml("", right("none")))
				settle(time.Second)
				wantUp(t, a, b)
				renew := func(for_ time.Duration) (n int, after time.Duration, failure error) {
					t.Helper()
					var r *Renewal
					began, ended := time.Now(), time.Time{}
					a.d.turn(func(now time.Time) {
						var matches int
						var err error
						if r, matches, err = a.d.Manager.Renew(now, c.target, c.reauth, func() { ended = time.Now() }); matches != 1 || err != nil {
							t.Fatalf("%d, %v", matches, err)
						}
					})
					settle(for_)
					a.d.turn(func(time.Time) { n, failure = r.Outcome() })
					if ended.IsZero() {
						t.Error("nobody was told")
					}
					return n, ended.Sub(began), failure
				}
				if n, after, failure := renew(20 * time.Second); n != 1 || failure != nil || after == 0 || after > 5*time.Second {
					t.Errorf("%d renewed after %s, %v", n, after, failure)
				}
				f.setDeliver(func(_, _ netip.AddrPort, _ []byte) bool { return false })
				n, after, failure := renew(10 * time.Minute)
				var fail *diag.Failure
				if n != 0 || !errors.As(failure, &fail) || after < 10*time.Second {
					t.Errorf("nobody answers: %d renewed after %s, %v", n, after, failure)
				}
				a.d.turn(func(now time.Time) {
					if _, _, err := a.d.Manager.Renew(now, Target{Child: "nte"}, c.reauth, nil); err == nil {
						t.Error("a child that there is not")
					}
				})
				stopAll(t, a, b)
			})
		})
	}
}
