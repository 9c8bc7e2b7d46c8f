package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever takes something down is told what, a line each, but for very many.
func TestEndingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a, b := f.start(addrA, toml("", left("none"))), f.start(addrB, toml("", right("none")))
		for _, x := range []struct {
			target Target
			want   string
		}{
			{Target{Child: "net"}, "closing CHILD_SA net{1} with SPIs 0x"},
			{Target{Connection: "b"}, "deleting IKE_SA b[1] between " + addrA + "[a.example]..." + addrB + "[b.example]"},
		} {
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
			var said []string
			if err := a.d.call(t.Context(), func(now time.Time) {
				if _, err := a.d.Manager.Terminate(now, x.target, Ending{Log: func(_ int, _, msg string) { said = append(said, msg) }}, func() {}); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			if len(said) != 1 || !strings.HasPrefix(said[0], x.want) {
				t.Errorf("%+v: said is %q, want %s", x.target, said, x.want)
			}
			settle(time.Second)
		}
		stopAll(t, a, b)
	})
	var said []string
	Ending{Log: func(_ int, _, msg string) { said = append(said, msg) }}.sayAll(40, func(i int) string { return fmt.Sprint(i) })
	if len(said) != maxEndingLines+1 || said[31] != "31" || !slices.Contains(said, "and 8 others") {
		t.Errorf("of 40: %q", said)
	}
}
