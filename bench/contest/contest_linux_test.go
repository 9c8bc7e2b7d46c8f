package contest

import (
	"strings"
	"testing"
	"time"

	"esplanade/bench/load"
	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// The programs are tested by `sidebyside -quick`, which builds them; here is what all have in common.
func TestVeth(t *testing.T) {
	if missing := lab.Missing(); len(missing) > 0 {
		t.Skip("THE CONTESTANTS ARE NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
	l, err := lab.Build(lab.Options{Cable: lab.CableSuper})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	reach := func(limit time.Duration) error {
		link, err := load.NewLink(l.A.Do, l.B.Do, l.A.Inner4, l.B.Inner4)
		if err != nil {
			return err
		}
		defer link.Close()
		return link.Reachable(t.Context(), limit)
	}
	if reach(200*time.Millisecond) == nil {
		t.Fatal("the inner networks are connected although there is no tunnel")
	}
	c := Veth(l.A.Link)
	tunnel, err := c.Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Stop()
	if err := reach(10 * time.Second); err != nil {
		t.Error(err)
	}
	if err := tunnel.Check(); err != nil {
		t.Error(err)
	}
}

func TestMissing(t *testing.T) {
	c := &Contestant{Contestant: report.Contestant{Key: "x"}, Programs: map[string]string{"sh": "everywhere", "no-such-program": "nowhere"}}
	if got := c.Missing(); got != "no-such-program (nowhere)" {
		t.Error(got)
	}
}

func TestPathLines(t *testing.T) {
	const status = `esplanade 0.1.0, up 1s, gw.toml loaded 10:00

bench: up for 1s

device ipsec0 mtu 1406; nat-t 198.18.0.1:4500
  device ipsec0: raw queues
  not used: raw esp: no permission

more about a failure: esplanade explain E-TS
`
	const want = "device ipsec0 mtu 1406; nat-t 198.18.0.1:4500\ndevice ipsec0: raw queues\nnot used: raw esp: no permission"
	if got := pathLines(status); got != want {
		t.Errorf("%q", got)
	}
	if got := pathLines("something else"); got != "" {
		t.Errorf("%q", got)
	}
}
