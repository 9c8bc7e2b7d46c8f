package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"esplanade/ike/vici"
)

// TestEverythingAtOnce: clients load, change, bring up, take down and unload connections with their secrets, while others list what there is and have the
// configuration file read again, which is a good one, one that is wrong, and one that has what a client has loaded. The tunnel of the file
// stays up all the time, and in the end there is nothing else.
func TestEverythingAtOnce(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)
	var ike []string
	sas := func(c *vici.Client) (ids []string) {
		if _, err := c.Stream(t.Context(), "list-sas", vici.EventListSA, nil, func(m *vici.Message) error {
			for name, x := range m.Sections() {
				ids = append(ids, name+" "+x.Get("uniqueid"))
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		return ids
	}
	client := func() *vici.Client {
		c, err := vici.DialContext(t.Context(), left.socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first := client()
	if ike = sas(first); len(ike) != 1 || !strings.HasPrefix(ike[0], "lab ") {
		t.Fatalf("IKE SAs: %v", ike)
	}
	held := new(vici.Message)
	held.Sub("held").SetList("remote_addrs", "%any").Sub("children").Sub("net").SetList("local_ts", "10.1.0.1/32").SetList("remote_ts", "10.30.0.0/24")
	if _, err := first.Call(t.Context(), "load-conn", held); err != nil {
		t.Fatal(err)
	}
	const clients, rounds = 3, 15
	var wg, readers sync.WaitGroup
	over := make(chan struct{})
	for i := range clients {
		c, name := client(), fmt.Sprint("c", i)
		call := func(command string, m *vici.Message) {
			if _, err := c.Call(t.Context(), command, m); err != nil {
				t.Errorf("%s of %s: %v", command, name, err)
			}
		}
		try := func(command string, m *vici.Message) { _, _ = c.Call(t.Context(), command, m) } // there is nothing to be done
		wg.Go(func() {
			for k := range rounds {
				m := new(vici.Message)
				conn := m.Sub(name)
				conn.Set("version", "2").SetList("local_addrs", "127.0.0.1").SetList("remote_addrs", "127.0.0.1").Setf("remote_port", "%d", right.natt())
				conn.Sub("local").Set("auth", "psk").Set("id", "left.example")
				conn.Sub("remote").Set("auth", "psk").Set("id", name+".example")
				children := conn.Sub("children")
				for n := range 1 + k%3 {
					children.Sub(fmt.Sprint("net", n)).SetList("local_ts", "10.1.0.1/32").SetList("remote_ts", fmt.Sprintf("10.%d.%d.0/24", 20+i, n+k%2)).
						Set("start_action", []string{"trap", "none", "start"}[k%3])
				}
				call("load-shared", new(vici.Message).Set("id", name).Set("type", "IKE").Setf("data", "a-key-of-the-round-%d", k).SetList("owners", name+".example"))
				call("load-conn", m)
				try("initiate", new(vici.Message).Set("ike", name).Set("timeout", "-1"))
				try("terminate", new(vici.Message).Set("ike", name).Set("force", "yes").Set("timeout", "-1"))
				if k%4 == 3 || k == rounds-1 {
					call("unload-shared", new(vici.Message).Set("id", name))
					call("unload-conn", new(vici.Message).Set("name", name))
				}
			}
		})
	}
	good := l.text(leftSide(right.natt()))
	clash := good + strings.NewReplacer("connections.lab", "connections.held", "10.2.0.1/32", "10.20.9.0/24").Replace(good[strings.Index(good, "[connections.lab]"):strings.Index(good, "[secrets.ike.lab]")])
	again := client()
	readers.Go(func() {
		for k := 0; ; k++ {
			select {
			case <-over:
				return
			default:
			}
			text := []string{good, "[connections.lab]\nremote_addrs = 7\n", clash}[k%3]
			if err := os.WriteFile(l.path("left.toml"), []byte(text), 0o600); err != nil {
				t.Error(err)
			}
			_, err := again.Call(t.Context(), "reload-settings", nil)
			if (k%3 == 0) != (err == nil) {
				t.Errorf("reload %d: %v", k, err)
			}
		}
	})
	reader := client()
	readers.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			if ids := sas(reader); !slices.Contains(ids, ike[0]) {
				t.Errorf("the tunnel of the file is gone: %v", ids)
			}
			for _, x := range []struct{ command, event string }{{"list-conns", vici.EventListConn}, {"list-policies", vici.EventListPolicy}} {
				req := new(vici.Message).Set("trap", "yes").Set("drop", "yes")
				if _, err := reader.Stream(t.Context(), x.command, x.event, req, func(*vici.Message) error { return nil }); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wg.Wait()
	close(over)
	readers.Wait()

	if _, err := first.Call(t.Context(), "unload-conn", new(vici.Message).Set("name", "held")); err != nil {
		t.Error(err)
	}
	l.write("left.toml", good)
	if _, err := first.Call(t.Context(), "reload-settings", nil); err != nil {
		t.Error(err)
	}
	var conns, policies []string
	if _, err := first.Stream(t.Context(), "list-conns", vici.EventListConn, nil, func(m *vici.Message) error {
		for name := range m.Sections() {
			conns = append(conns, name)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := first.Stream(t.Context(), "list-policies", vici.EventListPolicy, new(vici.Message).Set("trap", "yes").Set("drop", "yes"), func(m *vici.Message) error {
		for name := range m.Sections() {
			policies = append(policies, name)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	shared, err := first.Call(t.Context(), "get-shared", nil)
	if err != nil {
		t.Fatal(err)
	}
	if ids := sas(first); !slices.Contains(ids, ike[0]) || !slices.Equal(conns, []string{"lab"}) || slices.ContainsFunc(policies, func(p string) bool { return !strings.HasPrefix(p, "lab/") }) || len(shared.List("keys")) > 0 {
		t.Errorf("in the end there are IKE SAs %v, connections %v, policies %v, secrets %v", ids, conns, policies, shared.List("keys"))
	}
}
