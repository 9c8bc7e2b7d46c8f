package control

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// still is the loop of a gateway to which nothing happens: commands run at once, on the caller's goroutine.
type still struct {
	g     *gateway.Manager
	ended bool
	done  chan struct{}
}

var errEnded = errors.New("ended")

func (s *still) Call(ctx context.Context, f func(time.Time, *gateway.Manager)) error {
	if s.ended {
		return errEnded
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	f(time.Now(), s.g)
	s.g.Reconcile(time.Now())
	return nil
}

func (s *still) Done() <-chan struct{} { return s.done }
func (s *still) Queued() int           { return 3 }
func (s *still) Stats() gateway.Stats {
	return gateway.Stats{IKERekeys: 5, Exchanges: map[gateway.ExchangeKey]uint64{{Exchange: "IKE_AUTH", Initiated: true}: 2}}
}

func (s *still) end() { s.ended = true; close(s.done) }

// nowhere is a data plane and a host that do nothing.
type nowhere struct{ gateway.DataPlane }

func (nowhere) SendIKE(_, _ netip.AddrPort, _ []byte) error { return nil }
func (nowhere) SetPolicy(uint64, selector.Policy)           {}
func (nowhere) ClearPolicy(uint64)                          {}
func (nowhere) FailPending(uint64)                          {}
func (nowhere) AllocateSPI() (uint32, error)                { return 0x1000, nil }
func (nowhere) ReleaseSPI(uint32)                           {}
func (nowhere) Counters(uint64) (gateway.Counters, bool)    { return gateway.Counters{}, false }
func (nowhere) PathState(uint64) (gateway.PathState, bool)  { return gateway.PathState{}, false }
func (nowhere) SourceFor(netip.Addr) (netip.Addr, error) {
	return netip.MustParseAddr("192.0.2.1"), nil
}
func (nowhere) SetRoutes(uint64, *selector.Pair)   {}
func (nowhere) Exclude(netip.Addr)                 {}
func (nowhere) Unexclude(netip.Addr)               {}
func (nowhere) Assign(uint64, *sa.Placement)       {}
func (nowhere) LookUp(uint64, string)              {}
func (nowhere) Keep(gateway.Keeping) (error, bool) { return nil, true }
func (nowhere) CarryOut(x gateway.Errand) (sa.Result, bool) {
	return x.Want.(sa.Work).CarryOut(), true
}
func (nowhere) Add(gateway.Count)            {}
func (nowhere) Ignored(sa.IgnoreReason)      {}
func (nowhere) Failure(gateway.FailureKey)   {}
func (nowhere) Exchange(gateway.ExchangeKey) {}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

const office = `
[connections.office]
local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.2"]
ppk_id = "office"
ppk_required = false
[connections.office.local]
auth = "psk"
id = "a.example"
[connections.office.remote]
auth = "psk"
id = "b.example"
[connections.office.children.net]
local_ts = ["10.1.0.0/16"]
remote_ts = ["10.2.0.0/16"]
[secrets.ike.all]
secret = "correct-horse-battery-staple-2026"
[secrets.ppk.x]
id = ["office"]
secret = "0x7dc1f8d8a3a05cfc3fcbaee1dd1e9a93c9d4dc4a3a5a9f61e8d8e3e7b3cbb5aa"
`

func backend(t *testing.T, text string) (*Backend, *still) {
	t.Helper()
	c, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := stillOf(c)
	return &Backend{Commands: Commands{s}, Counters: nowhere{}.Counters}, s
}

// stillOf is a gateway with a configuration, which has started.
func stillOf(c *config.Config) *still {
	s := &still{done: make(chan struct{}), g: gateway.New(gateway.Options{
		Config: c, DataPlane: nowhere{}, Host: nowhere{}, Meter: nowhere{}, Observer: gateway.Observers(nil), IKEPort: 500, NATTPort: 4500,
		Log: slog.New(slog.DiscardHandler), Logs: func(slog.Level) bool { return false },
		Random: random, Jitter: func() float64 { return 0.5 },
	})}
	s.g.Start(time.Now(), nil, false)
	return s
}
