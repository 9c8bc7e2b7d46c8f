package ike

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// modelled carries key exchanges out in virtual time: each step takes what it costs, and both sides get the same secret.
func modelled(w sa.Want) sa.Result {
	k := w.(sa.KeyExchange)
	time.Sleep(k.Cost())
	own := modelKE{group: k.Group, public: make([]byte, 1024)}
	rand.Read(own.public)
	switch {
	case k.Own != nil:
		shared, _ := k.Own.Shared(k.Peer)
		return sa.Exchanged{Shared: shared}
	case k.Peer != nil:
		shared, _ := own.Shared(k.Peer)
		return sa.Exchanged{Public: own.public, Shared: shared}
	}
	return sa.Exchanged{Own: own}
}

// modelKE is a key exchange without a secret: what both sides get is a hash of both public values.
type modelKE struct {
	group  uint16
	public []byte
}

func (k modelKE) Group() uint16  { return k.group }
func (k modelKE) Public() []byte { return k.public }
func (k modelKE) Shared(peer []byte) ([]byte, error) {
	both := [][]byte{k.public, peer}
	slices.SortFunc(both, bytes.Compare)
	sum := sha256.Sum256(slices.Concat(both...))
	return sum[:], nil
}

const (
	// crowd is how many peers come at once, and watchers how many others check meanwhile whether the gateway is alive.
	crowd    = 64
	watchers = 5
	crowdIs  = "203.0.113."
)

// many is the configuration of a gateway that each of the crowd calls, and one: that of the n-th of them. PFS is by MODP-8192, so that a
// rekeying is expensive and a handshake is not.
func many(t *testing.T) *config.Config {
	var s strings.Builder
	for n := range crowd + watchers {
		fmt.Fprintf(&s, `
[connections.c%[1]d]
local_addrs = [%[2]q]
remote_addrs = ["%[3]s%[1]d"]
dpd_delay = "0s"
[connections.c%[1]d.local]
auth = "psk"
id = "gateway.example"
[connections.c%[1]d.remote]
auth = "psk"
id = "c%[1]d.example"
[connections.c%[1]d.children.net]
esp_proposals = ["aes128gcm16-modp8192"]
local_ts = ["10.2.0.0/16"]
remote_ts = ["10.10.%[1]d.0/24"]
start_action = "none"
`, n, addrB, crowdIs)
	}
	return parsed(t, s.String())
}

func one(t *testing.T, n int, dpd string) *config.Config {
	return parsed(t, fmt.Sprintf(`
[connections.c%[1]d]
local_addrs = ["%[3]s%[1]d"]
remote_addrs = [%[2]q]
dpd_delay = %[4]q
[connections.c%[1]d.local]
auth = "psk"
id = "c%[1]d.example"
[connections.c%[1]d.remote]
auth = "psk"
id = "gateway.example"
[connections.c%[1]d.children.net]
esp_proposals = ["aes128gcm16-modp8192"]
local_ts = ["10.10.%[1]d.0/24"]
remote_ts = ["10.2.0.0/16"]
start_action = "start"
`, n, addrB, crowdIs, dpd))
}

func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("test.toml", []byte(text+"[secrets.ike.all]\nsecret = \"correct-horse-battery-staple-2026\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// delays are the times that a daemon takes to answer the INFORMATIONAL requests of some IKE SAs, as the wires see them.
type delays struct {
	mu    sync.Mutex
	spis  []wire.SPI // of their initiators
	asked map[check]time.Time
	list  []time.Duration
}

type check struct {
	spi wire.SPI
	id  uint32
}

func (d *delays) see(b []byte) bool {
	h, err := wire.ParseHeader(b)
	if err != nil || h.Exchange != wire.ExchangeInformational {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := check{h.SPIi, h.MessageID}
	switch asked, ok := d.asked[c]; {
	case !slices.Contains(d.spis, h.SPIi):
	case !h.Flags.Response():
		d.asked[c] = time.Now()
	case ok:
		d.list = append(d.list, time.Since(asked)-wireDelay)
	}
	return true
}

// wireDelay is how long a datagram is under way in [wires].
const wireDelay = 5 * time.Millisecond

// livenessWhileBusy has all of the crowd rekey at once, with exchanges of 60 ms, and gives the longest time for which a gateway
// kept the liveness checks of another peer waiting, and how often it was asked.
func livenessWhileBusy(t *testing.T, change func(o *Options)) (worst time.Duration, asked int) {
	w := &wires{}
	model := func(o *Options) { o.carryOut = modelled }
	gate := w.start(t, many(t), model, change)
	d := &delays{asked: map[check]time.Time{}}
	var peers []*node
	for n := range watchers {
		w.keep = nil
		peers = append(peers, w.start(t, one(t, crowd+n, "1s"), model))
		settle(time.Second + time.Second/watchers)
		h, err := wire.ParseHeader(w.keep)
		if err != nil {
			t.Fatal(err)
		}
		d.spis = append(d.spis, h.SPIi)
	}
	for n := range crowd {
		peers = append(peers, w.start(t, one(t, n, "0s"), model))
	}
	settle(10 * time.Second)
	w.setDeliver(d.see)
	for n, p := range peers[watchers:] {
		if r, err := p.Rekey(t.Context(), gateway.Target{Child: "net"}); r != 1 || err != nil {
			t.Fatalf("peer %d: %d rekeyed, %v", n, r, err)
		}
	}
	settle(20 * time.Second)
	if n := gate.Daemon.Stats().ChildRekeys; n != crowd {
		t.Errorf("%d of %d are rekeyed", n, crowd)
	}
	if f, work := gate.Daemon.Stats().Failures, gate.Work(); len(f) > 0 || work.Full+work.Late > 0 {
		t.Errorf("failures: %v, %+v", f, work)
	}
	w.setDeliver(nil)
	for _, p := range append(peers, gate) {
		p.stop()
	}
	return slices.Max(d.list), len(d.list)
}

// A gateway that begins with many connections, or with many to one address, makes their private values one after the other. None of
// the attempts fails because the others are made first.
func TestManyConnectionsBegin(t *testing.T) {
	for n, to := range map[int]string{1000: "198.18.%d.%d", 200: "198.18.0.1"} {
		var s strings.Builder
		for i := range n {
			peer := to
			if strings.Contains(to, "%") {
				peer = fmt.Sprintf(to, i>>8, i&255)
			}
			fmt.Fprintf(&s, `
[connections.c%[1]d]
local_addrs = [%[2]q]
remote_addrs = [%[3]q]
proposals = ["aes128gcm16-prfsha256-modp3072"]
[connections.c%[1]d.local]
auth = "psk"
id = "gateway%[1]d.example"
[connections.c%[1]d.remote]
auth = "psk"
id = "c%[1]d.example"
[connections.c%[1]d.children.net]
local_ts = ["10.2.0.0/16"]
remote_ts = ["10.%[4]d.%[5]d.0/24"]
start_action = "start"
`, i, addrB, peer, 10+i>>8, i&255)
		}
		c := parsed(t, s.String())
		synctest.Test(t, func(t *testing.T) {
			w := &wires{}
			g := w.start(t, c, func(o *Options) { o.carryOut = modelled })
			settle(4500 * time.Millisecond)
			if f, work := g.Daemon.Stats().Failures, g.Work(); len(f) > 0 || work.Full+work.Late > 0 {
				t.Errorf("%d connections: %v, %+v", n, f, work)
			}
			g.stop()
		})
	}
}

// A responder that carries out MODP-8192 exchanges for 64 peers at once answers a liveness check of another one at once. When
// the event loop carries them out itself, the check waits for seconds.
func TestKeyExchangesDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if suite.Cost(wire.KE_MODP_8192) < 50*time.Millisecond {
			t.Fatal("the group is not expensive")
		}
		worst, asked := livenessWhileBusy(t, func(*Options) {})
		if worst >= 5*time.Millisecond || asked < 15*watchers {
			t.Errorf("%d liveness checks, answered after up to %s", asked, worst)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		worst, _ := livenessWhileBusy(t, func(o *Options) { o.Workers = NoWorkers })
		if worst < time.Second {
			t.Errorf("the event loop does all, and a liveness check is answered after %s at most: this test measures nothing", worst)
		}
	})
}

// errandOf is an errand of a peer with a group.
func errandOf(n int, stranger bool, group uint16) gateway.Errand {
	return gateway.Errand{
		Want: sa.KeyExchange{Group: group}, Until: time.Now().Add(10 * time.Second),
		Peer: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), Stranger: stranger,
	}
}

// order is a desk with one worker that notes for whom it works.
type order struct {
	*desk
}

func newOrder() *order {
	o := &order{}
	o.desk = newDesk(1, func(w sa.Want) sa.Result { time.Sleep(60 * time.Millisecond); return sa.Exchanged{} }, func() {})
	return o
}

func (o *order) put(t *testing.T, x gateway.Errand, want bool) {
	t.Helper()
	r, done := o.desk.put(x)
	if done == want {
		t.Errorf("taken: %v, want %v", !done, want)
	}
	if u, ok := r.(sa.Unfulfilled); done && (!ok || !sa.NotNow(u.Err)) {
		t.Errorf("refused with %v", r)
	}
}

// results are the peers of what is completed, in order.
func (o *order) results() (out []gateway.Errand) {
	for {
		list, more := o.fetch()
		for _, c := range list {
			out = append(out, c.errand)
		}
		if !more {
			return out
		}
	}
}

// A peer that wants much delays another one by one turn, and strangers delay peers by one turn in four.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrder()
		for range maxWaitingOfAddress {
			o.put(t, errandOf(1, false, wire.KE_MODP_8192), true)
		}
		o.put(t, errandOf(1, false, wire.KE_MODP_8192), false) // as many as there may be of one address
		o.put(t, errandOf(2, false, wire.KE_MODP_8192), true)
		for n := range maxWaitingStrangers {
			o.put(t, errandOf(100+n, true, wire.KE_MODP_8192), true)
		}
		o.put(t, errandOf(99, true, wire.KE_MODP_8192), false) // as many as there may be of all
		o.put(t, errandOf(3, false, wire.KE_MODP_8192), true)
		if got, want := o.report(), (Work{Workers: 1, Peers: maxWaitingOfAddress + 2, Strangers: maxWaitingStrangers, Full: 2}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		o.start()
		settle(9 * 60 * time.Millisecond)
		var got []byte
		for _, x := range o.results()[:8] {
			got = append(got, x.Peer.As4()[3])
		}
		if want := []byte{1, 2, 3, 100, 1, 1, 1, 101}; !slices.Equal(got, want) {
			t.Errorf("worked for %v, want %v", got, want)
		}
		settle(time.Minute)
		// What had waited for too long was not begun, and nothing is left.
		if w := o.report(); w.Peers+w.Strangers > 0 || w.Late == 0 || w.Late+w.Worked != maxWaitingOfAddress+2+maxWaitingStrangers {
			t.Errorf("%+v", w)
		}
		o.close()
	})
}

// Peers of one connection, or one peer at many addresses, have the turns of one: another one waits for one of them. Its addresses
// have their turns in it, and it does not fill the queue.
func TestTurnsOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrder()
		as := func(connection string, n int) gateway.Errand {
			x := errandOf(n, false, wire.KE_MODP_8192)
			x.Connection = connection
			return x
		}
		for n := range maxWaitingOfPeer {
			o.put(t, as("many", n/2), true)
		}
		o.put(t, as("many", 200), false) // as many as there may be of one peer
		o.put(t, as("one", 201), true)
		o.put(t, as("two", 0), true) // the address is one that the first has, too
		o.put(t, errandOf(0, false, wire.KE_MODP_8192), true)
		o.start()
		settle(8 * 60 * time.Millisecond)
		var got []string
		for _, x := range o.results()[:7] {
			got = append(got, fmt.Sprint(x.Connection, x.Peer.As4()[3]))
		}
		if want := []string{"many0", "one201", "two0", "0", "many1", "many2", "many3"}; !slices.Equal(got, want) {
			t.Errorf("worked for %v, want %v", got, want)
		}
		settle(time.Minute)
		if w := o.report(); w.Peers > 0 || w.Late+w.Worked != maxWaitingOfPeer+3 {
			t.Errorf("%+v", w)
		}
		o.put(t, as("many", 0), true) // there is room again
		o.close()
	})
}

// What costs little is carried out at once, and so is everything when there are no workers.
func TestCheapIsCarriedOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			group  uint16
			crew   int
			atOnce bool
		}{
			{wire.KE_CURVE25519, 1, true}, {wire.KE_ECP_256, 1, true}, {wire.KE_ML_KEM_768, 1, true}, {wire.KE_ML_KEM_1024, 1, true},
			{wire.KE_ECP_384, 1, false}, {wire.KE_MODP_2048, 1, false}, {wire.KE_MODP_8192, 1, false}, {wire.KE_MODP_8192, 0, true},
		} {
			d := newDesk(c.crew, func(sa.Want) sa.Result { return sa.Exchanged{} }, func() {})
			if _, done := d.put(errandOf(1, false, c.group)); done != c.atOnce {
				t.Errorf("%s with %d workers: at once: %v", wire.TransformName(wire.TransformKE, c.group), c.crew, done)
			}
		}
	})
}

// The end of a daemon waits for what its workers are at, and for nothing else.
func TestDeskCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrder()
		o.start()
		for range maxWaitingOfAddress {
			o.put(t, errandOf(1, false, wire.KE_MODP_8192), true)
		}
		settle(time.Millisecond)
		began := time.Now()
		o.close()
		if took := time.Since(began); took > 60*time.Millisecond || o.report().Worked != 1 {
			t.Errorf("it took %s: %+v", took, o.report())
		}
	})
}
