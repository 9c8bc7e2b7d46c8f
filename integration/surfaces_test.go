//go:build linux

package integration

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestSwanctlSeesTheSame: scripts written for strongSwan find the same keys in the same order in what Esplanade tells
// swanctl. Each kind of gateway is looked at in the same role: as the initiator of a tunnel to the other kind.
func TestSwanctlSeesTheSame(t *testing.T) {
	t.Parallel()
	listings := map[string]map[string]string{}
	for _, k := range []kinds{toStrong, fromStrong} {
		p := newPair(t, k, tunnel{})
		p.start(t)
		p.initiate(t)
		p.rekeyChild(t, "ECP_384", p.a) // the CHILD SA has a group of its own after that
		listings[k.a] = map[string]string{}
		for name, args := range map[string][]string{
			"list-sas": {"--list-sas", "--child", childName}, "list-conns": {"--list-conns"}, "stats": {"--stats"}, "version": {"--version", "--daemon"},
		} {
			// strongSwan lists the CHILD SA that was replaced for some seconds more.
			lab.Eventually(t, 15*time.Second, "one CHILD SA in the list", func() (bool, string) {
				out, err := peer.Swanctl(p.a, append(args, "--pretty")...)
				if err != nil {
					return false, err.Error()
				}
				listings[k.a][name] = out
				return !strings.Contains(out, "DELETED") && !strings.Contains(out, "DELETING"), out
			})
		}
	}
	for _, name := range []string{"list-sas", "list-conns", "stats", "version"} {
		t.Run(name, func(t *testing.T) {
			want, got := shape(t, listings[peer.KindStrongSwan][name]), shape(t, listings[peer.KindEsplanade][name])
			missing, extra := compare(want, got)
			for _, line := range missing {
				t.Errorf("missing, or not in strongSwan's place: %q", line)
			}
			for _, line := range extra {
				if key := strings.TrimSpace(strings.TrimRight(line, " {}[]")); !conditional[key] {
					t.Errorf("%q isn't a key that strongSwan knows", line)
				}
			}
			if t.Failed() {
				t.Logf("strongSwan's keys:\n%s\nEsplanade's keys:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}

// conditional are keys that strongSwan lists under conditions that hold for Esplanade here and not for it, or that
// versions after Debian's have.
var conditional = map[string]bool{
	"nat-fake":   true, // it forgets its own pretence when the peer pretends too
	"local_port": true, "remote_port": true, "dpd_delay": true,
}

// opaque are sections of numbers about the process itself. One of them is named after the C library's allocator.
var opaque = map[string]string{"mallinfo": "memory", "mem": "memory", "workers": "workers", "queues": "queues"}

// shape is a message as a list of its keys, indented, in order, without values; numbers in section names are left out.
func shape(t *testing.T, pretty string) []string {
	t.Helper()
	messages, err := peer.ParsePretty(pretty)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var walk func(s *peer.Section, indent string)
	walk = func(s *peer.Section, indent string) {
		for _, key := range s.Keys {
			if _, isValue := s.Values[key]; isValue {
				lines = append(lines, indent+key)
			} else if _, isList := s.Lists[key]; isList {
				lines = append(lines, indent+key+" [ ]")
			} else if name := opaque[key]; name != "" {
				lines = append(lines, indent+name+" {}")
			} else {
				lines = append(lines, indent+strings.TrimRight(key, "0123456789")+" {")
				walk(s.Section(key), indent+"  ")
				lines = append(lines, indent+"}")
			}
		}
	}
	for _, m := range messages {
		lines = append(lines, m.Name+" {")
		walk(m, "  ")
		lines = append(lines, "}")
	}
	return lines
}

// compare finds what of want isn't in got in the same order, and what is in got beyond it.
func compare(want, got []string) (missing, extra []string) {
	for _, line := range want {
		i := slices.Index(got, line)
		if i < 0 {
			missing = append(missing, line)
			continue
		}
		extra = append(extra, got[:i]...)
		got = got[i+1:]
	}
	return missing, append(extra, got...)
}

// TestMonitor: swanctl --monitor-sa and --log tell a listener what happens to a tunnel.
func TestMonitor(t *testing.T) {
	for _, k := range pairsOf(t, ours) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true})
			p.start(t)
			monitor := peer.Watch(t, p.a, "--monitor-sa", "--raw")
			log := peer.Watch(t, p.a, "--log")
			p.initiate(t)
			p.rekeyChild(t, "ECP_384", p.a)
			p.rekeyIKE(t, p.b)
			p.terminate(t)
			for _, event := range []string{"ike-updown event {up=yes", "child-updown event {up=yes", "child-updown event {" + connName, "ike-updown event {" + connName} {
				lab.Eventually(t, 5*time.Second, "--monitor-sa shows "+event, func() (bool, string) {
					return strings.Contains(monitor.Log(), event), monitor.Log()
				})
			}
			for _, exchange := range []string{"IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA"} {
				lab.Eventually(t, 5*time.Second, "--log shows "+exchange, func() (bool, string) {
					return strings.Contains(log.Log(), exchange), log.Log()
				})
			}
		})
	}
}

// TestOwnCommands drives a tunnel with Esplanade's own commands, and reads status and metrics along the way.
func TestOwnCommands(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Encap: true})
	p.start(t)
	e := p.a.(*peer.Esplanade)
	run := func(args ...string) {
		t.Helper()
		if _, err := e.Command(args...); err != nil {
			t.Fatal(err)
		}
	}
	p.wantMetric(t, e, `ipsec_connection_configured{connection="t"}`, func(v string) bool { return v == "1" })
	p.wantMetric(t, e, `ipsec_connection_up{connection="t"}`, func(v string) bool { return v == "0" })
	run("initiate", childName)
	before := p.wantUp(t, 5*time.Second)
	p.wantStatusUp(t, e)
	p.wantPing(t)
	p.wantMetric(t, e, `ipsec_connection_up{connection="t"}`, func(v string) bool { return v == "1" })
	for _, direction := range []string{"in", "out"} {
		p.wantMetric(t, e, `direction="`+direction+`"`, func(v string) bool { return v != "0" })
	}

	run("rekey", childName)
	lab.Eventually(t, 10*time.Second, "a new CHILD SA", func() (bool, string) {
		after, problem := p.look()
		return problem == "" && after.childA.SPIIn != before.childA.SPIIn, problem
	})
	run("rekey", connName)
	lab.Eventually(t, 10*time.Second, "a new IKE SA", func() (bool, string) {
		after, problem := p.look()
		return problem == "" && after.ikeA.SPIi != before.ikeA.SPIi, problem
	})
	run("terminate", childName)
	lab.Eventually(t, 15*time.Second, "no CHILD SA, nor what is left of one that was rekeyed", func() (bool, string) {
		sas, err := peer.SAs(p.a)
		return err == nil && !slices.ContainsFunc(sas, func(s peer.IKESA) bool { return len(s.Children) > 0 }), peer.DescribeSAs(p.a)
	})
	run("initiate", connName)
	p.wantUp(t, 5*time.Second)
	run("terminate", connName)
	p.wantNoState(t, 5*time.Second)
	p.wantMetric(t, e, `ipsec_connection_up{connection="t"}`, func(v string) bool { return v == "0" })
	if out, err := e.Command("initiate", "no-such-name"); err == nil || !strings.Contains(out, "no-such-name") {
		t.Errorf("initiate no-such-name: %v\n%s", err, out)
	}
}

// wantMetric waits until a line of /metrics that contains series has an acceptable value.
func (p *pair) wantMetric(t *testing.T, e *peer.Esplanade, series string, ok func(value string) bool) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "the metric "+series, func() (bool, string) {
		text, err := scrape(e)
		if err != nil {
			return false, err.Error()
		}
		var seen []string
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			i := strings.LastIndexByte(line, ' ')
			if strings.HasPrefix(line, "#") || i < 0 || !strings.Contains(line[:i], series) {
				continue
			}
			seen = append(seen, line)
			if ok(line[i+1:]) {
				return true, ""
			}
		}
		return false, strings.Join(seen, "\n")
	})
}

// scrape gets /metrics over the gateway's own loopback.
func scrape(e *peer.Esplanade) (string, error) {
	var conn net.Conn
	err := e.Site().Do(func() (err error) {
		conn, err = net.DialTimeout("tcp", peer.MetricsAddr, 5*time.Second)
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	client := http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true},
	}
	resp, err := client.Get("http://" + peer.MetricsAddr + "/metrics")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET /metrics: %s", resp.Status)
	}
	return string(b), err
}
