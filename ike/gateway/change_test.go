package gateway

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/config/tree"
)

// section is a connection as a command brings it.
func section(c conn) config.Section {
	t := tree.New(config.OriginVICI)
	t.AddTexts("local_addrs", []string{c.local})
	t.AddTexts("remote_addrs", []string{c.remote})
	for side, id := range map[string]string{"local": c.localID, "remote": c.remoteID} {
		s := t.AddSection(side)
		s.AddText("auth", "psk")
		s.AddText("id", id)
	}
	for _, k := range c.children {
		h := t.AddSection("children").AddSection(k.name)
		h.AddTexts("local_ts", []string{k.local})
		h.AddTexts("remote_ts", []string{k.remote})
		h.AddText("start_action", "start")
	}
	return config.Section{Name: c.name, At: config.Position{File: config.OriginVICI}, Table: t}
}

// TestChange: what is loaded comes up; what is loaded again without a change, or with one that SAs outlive, keeps its SAs; what is unloaded goes;
// and none of it touches the others.
func TestChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		conns := three()
		for _, c := range conns {
			f.start(c.remote, toml("", peerOf(c)))
		}
		conf := parse(t, toml("", conns[0]))
		a := f.start(addrA, toml("", conns[0]))
		change := func(edit func(*config.Loaded) (*config.Loaded, error)) {
			t.Helper()
			l, err := edit(conf.Loaded())
			if err != nil {
				t.Fatal(err)
			}
			fresh, errs := conf.With(l)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			names, _ := fresh.Differences(conf)
			if err := a.d.call(t.Context(), func(now time.Time) { a.d.Manager.Change(now, fresh, names) }); err != nil {
				t.Fatal(err)
			}
			conf = fresh
			settle(2 * time.Second)
		}
		with := func(s config.Section) func(*config.Loaded) (*config.Loaded, error) {
			return func(l *config.Loaded) (*config.Loaded, error) { return l.WithConnection(s) }
		}
		sas := func(name string) (all []uint64) {
			ikes, children := saIDs(a, name)
			return slices.Concat(ikes, children)
		}
		settle(time.Second)
		first := sas("p2")
		change(with(section(conns[1])))
		change(with(section(conns[2])))
		second, third := sas("p3"), sas("p4")
		if len(first) != 3 || len(second) != 3 || len(third) != 3 {
			t.Fatalf("an IKE SA and two CHILD SAs each are wanted: %v, %v, %v\n%s", first, second, third, a.log)
		}
		same := section(conns[1])
		change(with(same))
		if !slices.Equal(sas("p3"), second) {
			t.Error("a connection that was loaded again has other SAs")
		}
		live := section(conns[1])
		live.Table.AddText("dpd_delay", "77s")
		change(with(live))
		if c := a.info().Conns[1].Conf; !slices.Equal(sas("p3"), second) || c.DPDDelay != 77*time.Second {
			t.Errorf("a change that SAs outlive: %v, %s", sas("p3"), c.DPDDelay)
		}
		other := section(conns[1])
		other.Table.AddText("encap", "yes")
		change(with(other))
		if now := sas("p3"); len(now) != 3 || slices.Equal(now, second) {
			t.Errorf("a change that SAs do not outlive: %v, before %v", now, second)
		}
		change(func(l *config.Loaded) (*config.Loaded, error) { l, _ = l.WithoutConnection("p3"); return l, nil })
		if got := a.info(); len(got.Conns) != 2 || got.IKESAs != 2 {
			t.Errorf("after unloading there are %d connections with %d IKE SAs", len(got.Conns), got.IKESAs)
		}
		if !slices.Equal(sas("p2"), first) || !slices.Equal(sas("p4"), third) {
			t.Errorf("others were touched: %v, %v", sas("p2"), sas("p4"))
		}
		// The directory that was kept up is the one that would be made.
		if err := a.d.call(t.Context(), func(time.Time) {
			g := a.d.Manager
			kept := g.dir
			g.rebuild()
			if len(kept.byName) != len(g.dir.byName) || len(kept.byCfg) != len(g.dir.byCfg) || len(kept.byAddr) != len(g.dir.byAddr) || len(kept.byIDs) != len(g.dir.byIDs) ||
				len(kept.wide) != len(g.dir.wide) || len(kept.byHost) != len(g.dir.byHost) || len(kept.reqids) != len(g.dir.reqids) {
				t.Errorf("the directory has %+v, and should have %+v", kept, g.dir)
			}
		}); err != nil {
			t.Fatal(err)
		}
	})
}
