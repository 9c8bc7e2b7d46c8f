package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// loading is the backend of a gateway to which things can be loaded.
func loading(t *testing.T, text string) (*Backend, *still) {
	t.Helper()
	b, s := backend(t, text)
	conf, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b.DataPath, b.Drops = func() vici.DataPath { return vici.DataPath{} }, func() []vici.Drop { return nil }
	b.Configuration = NewConfiguration(b.Commands, conf, slog.New(slog.DiscardHandler))
	return b, s
}

// tunnel is a connection as swanctl sends it.
func tunnel(i int) *vici.Message {
	m := new(vici.Message).Set("version", "2").SetList("remote_addrs", fmt.Sprintf("198.51.%d.%d", 100+i/200, 1+i%200))
	m.Sub("local").Set("auth", "psk").Set("id", "gw.example")
	m.Sub("remote").Set("auth", "psk").Set("id", fmt.Sprintf("peer%d.example", i))
	m.Sub("children").Sub("net").SetList("local_ts", "10.1.0.0/16").SetList("remote_ts", fmt.Sprintf("10.%d.%d.0/24", 100+i/200, i%200)).Set("start_action", "trap")
	return m
}

// listed are the names that list-conns shows.
func listed(t *testing.T, b *Backend) (names []string) {
	t.Helper()
	if err := b.ListConns(t.Context(), "", func(v vici.Conn) error { names = append(names, v.Name); return nil }); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestLoadConn: what is loaded is there beside the file, is told apart from it, and goes when it is unloaded.
func TestLoadConn(t *testing.T) {
	b, _ := loading(t, office)
	ctx := t.Context()
	if err := b.LoadConn(ctx, "home", tunnel(1)); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, b); !slices.Equal(got, []string{"office", "home"}) {
		t.Errorf("there are %v", got)
	}
	if names, err := b.GetConns(ctx, false); err != nil || !slices.Equal(names, []string{"home"}) {
		t.Errorf("get-conns: %v, %v", names, err)
	}
	var origins []string
	if _, err := b.Status(ctx, "", func(c vici.ConnStatus) error { origins = append(origins, c.Origin); return nil }); err != nil || !slices.Equal(origins, []string{"test.toml:2", "VICI"}) {
		t.Errorf("the status says %v, %v", origins, err)
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{b.LoadConn(ctx, "office", tunnel(2)), `the configuration file has the connection "office" already (test.toml:2); choose another name`},
		{b.UnloadConn(ctx, "office"), `connection 'office' is in the configuration file test.toml: `},
		{b.UnloadConn(ctx, "nobody"), `connection 'nobody' not found for unloading`},
		{b.LoadConn(ctx, "bad", tunnel(3).Set("mobike", "perhaps").Set("dpd_delay", "soon")),
			`connections.bad.mobike is "perhaps", not a boolean; write yes or no; also: connections.bad.dpd_delay is "soon": that is not a time; `},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || strings.ContainsAny(tt.err.Error(), "\n") {
			t.Errorf("%v, want %s", tt.err, tt.want)
		}
	}
	if got := listed(t, b); !slices.Equal(got, []string{"office", "home"}) {
		t.Errorf("what was refused has left %v", got)
	}
	if err := b.UnloadConn(ctx, "home"); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, b); !slices.Equal(got, []string{"office"}) || b.Configuration.InForce().OfFile() != b.Configuration.InForce() {
		t.Errorf("after unloading there are %v", got)
	}
}

// TestLoadedSurvivesReload: a reload of the file keeps what was loaded; a file with the same names is refused, and changes nothing.
func TestLoadedSurvivesReload(t *testing.T) {
	b, s := loading(t, office)
	ctx := t.Context()
	if err := errors.Join(b.LoadConn(ctx, "home", tunnel(1)),
		b.LoadShared(ctx, vici.Shared{ID: "ike-1", Type: vici.SharedIKE, Data: []byte("Bx7kQ2mZp9"), Owners: []string{"peer1.example"}})); err != nil {
		t.Fatal(err)
	}
	reload := func(text string) error {
		_, _, err := b.Configuration.Reload(ctx, func(l *config.Loaded) (Reading, error) {
			c, err := config.Parse("test.toml", []byte(text))
			return Reading{c, l}, err
		})
		return err
	}
	if err := reload(strings.ReplaceAll(office, "connections.office", "connections.branch")); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, b); !slices.Equal(got, []string{"branch", "home"}) {
		t.Errorf("there are %v", got)
	}
	if ids, _ := b.SharedIDs(ctx); !slices.Equal(ids, []string{"ike-1"}) {
		t.Errorf("secrets: %v", ids)
	}
	err := reload(strings.ReplaceAll(office, "connections.office", "connections.home"))
	if err == nil || !strings.Contains(err.Error(), `the configuration file has the connection "home" already (test.toml:2)`) {
		t.Errorf("a clash: %v", err)
	}
	if got := listed(t, b); !slices.Equal(got, []string{"branch", "home"}) || s.g.Info().ReloadError == "" {
		t.Errorf("there are %v, and the status says %q", got, s.g.Info().ReloadError)
	}
	if reload("[") == nil || !slices.Equal(listed(t, b), []string{"branch", "home"}) {
		t.Errorf("a file that can't be read has left %v", listed(t, b))
	}
	if reload("") != nil || !slices.Equal(listed(t, b), []string{"home"}) {
		t.Errorf("an empty file has left %v", listed(t, b))
	}
}

// TestLoadingAtOnce: clients that load at the same time do not lose each other's changes.
func TestLoadingAtOnce(t *testing.T) {
	b, s := loading(t, office)
	var mu sync.Mutex // the loop
	b.Commands.Loop = locked{s, &mu}
	b.Configuration.commands = b.Commands
	const clients, each = 4, 25
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for k := range each {
				n := i*each + k
				name := fmt.Sprint("c", n)
				if err := errors.Join(b.LoadConn(t.Context(), name, tunnel(n)), b.LoadShared(t.Context(), vici.Shared{ID: name, Type: vici.SharedIKE, Data: []byte("Bx7kQ2mZp9")})); err != nil {
					t.Error(err)
				}
				if k%5 == 0 {
					if err := b.UnloadConn(t.Context(), name); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	ids, _ := b.SharedIDs(t.Context())
	if got := listed(t, b); len(got) != 1+clients*each*4/5 || len(ids) != clients*each {
		t.Errorf("%d connections and %d secrets", len(got), len(ids))
	}
}

// locked is a loop that several goroutines call.
type locked struct {
	*still
	mu *sync.Mutex
}

func (l locked) Call(ctx context.Context, f func(time.Time, *gateway.Manager)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.still.Call(ctx, f)
}

// TestLoadCostsWhatIsLoaded: to load one connection more, or one again, makes as many things when thousands are there as when a few are, and
// asks as much of the data plane and of the host. What grows are copies of lists, which are one thing each.
func TestLoadCostsWhatIsLoaded(t *testing.T) {
	b, s := loading(t, office)
	ctx := t.Context()
	n := 0
	load := func(more int) {
		for ; more > 0; more-- {
			if err := b.LoadConn(ctx, fmt.Sprint("c", n), tunnel(n)); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	cost := func() (allocs, turn float64) {
		allocs = testing.AllocsPerRun(20, func() { load(1) })
		conf := b.Configuration.InForce()
		names := []string{"c0"}
		turn = testing.AllocsPerRun(20, func() { s.g.Change(time.Now(), conf, names) })
		return allocs, turn
	}
	load(100)
	allocs, turn := cost()
	load(1500)
	if again, later := cost(); again > allocs*1.2 || later > turn*1.2 {
		t.Errorf("with %d connections, one more makes %.0f things, %.0f of them on the event loop for one that is the same; with 100 it was %.0f, and %.0f", n, again, later, allocs, turn)
	}
	before := b.Configuration.InForce()
	load(1)
	after := b.Configuration.InForce()
	for i, c := range before.Connections {
		if after.Connections[i] != c {
			t.Fatalf("connection %s was read again", c.Name)
		}
	}
	if names, all := after.Differences(before); all || len(names) != 1 {
		t.Errorf("what is different: %v, %v", names, all)
	}
}
