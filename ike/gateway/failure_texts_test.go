package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// TestFailureNamesTheSecret: both sides name the table of the key that does not fit.
func TestFailureNamesTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, keyed("", [][2]string{{`["a.example", "b.example"]`, keyOfB}}, left("start")))
		b := f.start(addrB, keyed("", [][2]string{{`["a.example", "b.example"]`, keyOfC}}, right("none")))
		settle(10 * time.Second)
		for n, name := range map[*node]string{a: "b", b: "a"} {
			code := map[*node]diag.Code{a: diag.CodeAuthRefused, b: diag.CodeAuthPSK}[n]
			key := n.d.conf.Secrets.IKE[0]
			last, table, line := n.last(name), "secrets.ike."+key.Name, key.At("secret").FileLine()
			if last == nil || last.Failure.Code != code || !strings.Contains(last.Failure.Ours, table+" ") || last.Failure.ConfigLine != line ||
				!strings.Contains(last.Failure.Advice(), table+" ("+line+")") {
				t.Errorf("%s: %v", name, last)
			}
		}
		a.stop()
		b.stop()
	})
}

// TestFailureNamesTheConnections: a peer that no connection is for is shown those there are, with their addresses.
func TestFailureNamesTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		other := right("none")
		other.name, other.remote = "elsewhere", "198.51.100.7"
		a := f.start(addrA, toml("", left("start")))
		b := f.start(addrB, toml("", other))
		settle(10 * time.Second)
		if l := b.log.String(); !strings.Contains(l, string(diag.CodeConnNone)) || !strings.Contains(l, "have connections for elsewhere (198.51.100.7)") {
			t.Errorf("the log does not name the connections:\n%s", l)
		}
		a.stop()
		b.stop()
	})
}
