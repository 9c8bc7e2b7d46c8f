package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/tun"
	"esplanade/tun/hostdns"
)

// deviceLink is a link that does as Linux does with a device: a route whose source is taken off the device vanishes.
type deviceLink struct {
	t      *testing.T
	addrs  map[netip.Prefix]bool
	routes map[tun.Route]int
	gone   []string
	refuse error
}

func (l *deviceLink) SetUp(int) error { return nil }
func (l *deviceLink) AddAddress(p netip.Prefix) error {
	if l.refuse != nil {
		return l.refuse
	}
	if l.addrs[p] {
		l.t.Errorf("%s is added twice", p)
	}
	l.addrs[p] = true
	return nil
}
func (l *deviceLink) RemoveAddress(p netip.Prefix) error {
	if !l.addrs[p] {
		l.t.Errorf("%s is taken off and was not there", p)
	}
	delete(l.addrs, p)
	for r, n := range l.routes {
		if r.Src == p.Addr() && n > 0 {
			l.gone = append(l.gone, fmt.Sprint(r))
		}
	}
	return nil
}
func (l *deviceLink) AddRoute(r tun.Route) error    { l.routes[r]++; return nil }
func (l *deviceLink) RemoveRoute(r tun.Route) error { l.routes[r]--; return nil }
func (l *deviceLink) Exclude(netip.Addr) error      { return nil }
func (l *deviceLink) Unexclude(netip.Addr) error    { return nil }
func (l *deviceLink) Sweep() error                  { return nil }
func (l *deviceLink) Close() error                  { return nil }
func (l *deviceLink) Abandon() error                { return nil }

// source is that of the routes to a destination; all have the same.
func (l *deviceLink) source(dst string) string {
	src := "none"
	for r, n := range l.routes {
		if n > 0 && r.Dst.String() == dst {
			src = r.Src.String()
		}
	}
	return src
}

func placement(addrs, dns, domains string) sa.Placement {
	p := sa.Placement{Connection: "x", Domains: strings.Fields(domains)}
	for _, s := range strings.Fields(addrs) {
		p.Addresses = append(p.Addresses, netip.MustParseAddr(s))
	}
	for _, s := range strings.Fields(dns) {
		p.DNS = append(p.DNS, netip.MustParseAddr(s))
	}
	return p
}

func newAssignedRig(t *testing.T) (*network, *deviceLink, string) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 192.0.2.53\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := &deviceLink{t: t, addrs: map[netip.Prefix]bool{}, routes: map[tun.Route]int{}}
	n := newNetwork(l, "ipsec0")
	t.Cleanup(func() { n.close() })
	n.dns = hostdns.New(hostdns.Options{
		ResolvConf: conf, State: filepath.Join(dir, "host.json"), System: "linux", Look: func(string) (string, error) { return "", errors.New("not there") },
	})
	return n, l, conf
}

func (l *deviceLink) list() string {
	var out []string
	for p := range l.addrs {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// The addresses of gateways are the source of what goes there, and no route is ever left with one that is taken off.
func TestAssignedAddresses(t *testing.T) {
	n, l, conf := newAssignedRig(t)
	everything := selector.Pair{Local: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("0.0.0.0/0"))}, Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("0.0.0.0/0"))}}
	given := everything
	given.Local = []selector.Selector{selector.FromAddr(netip.MustParseAddr("10.3.0.7"))}
	if err := n.AddRoutes(everything); err != nil {
		t.Fatal(err)
	}
	before := l.source("0.0.0.0/0")
	first := placement("10.3.0.7 fd03::7", "10.2.0.53", "")
	by, errs := n.Assign([]sa.Placement{first})
	if by != "resolv.conf" || errs[0] != nil || l.list() != "10.3.0.7/32 fd03::7/128" {
		t.Fatalf("by %q, %v, %s", by, errs, l.list())
	}
	if b, _ := os.ReadFile(conf); !strings.Contains(string(b), "nameserver 10.2.0.53\n") {
		t.Errorf("%q", b)
	}
	if err := errors.Join(n.AddRoutes(given), n.RemoveRoutes(everything)); err != nil || l.source("0.0.0.0/0") != "10.3.0.7" {
		t.Errorf("%v, the source is %s", err, l.source("0.0.0.0/0"))
	}
	// Another one comes, and both are there until the first is not wanted any more.
	second := placement("10.3.0.9", "10.2.0.53", "")
	if _, errs := n.Assign([]sa.Placement{second}); errs[0] != nil || l.list() != "10.3.0.7/32 10.3.0.9/32 fd03::7/128" {
		t.Errorf("%v, %s", errs, l.list())
	}
	if err := errors.Join(n.AddRoutes(everything), n.RemoveRoutes(given), n.Retract([]sa.Placement{second})); err != nil || l.list() != "10.3.0.9/32" {
		t.Errorf("%v, %s", err, l.list())
	}
	if l.source("0.0.0.0/0") != "10.3.0.9" {
		t.Errorf("the source is %s", l.source("0.0.0.0/0"))
	}
	if _, errs := n.Assign(nil); len(errs) != 0 {
		t.Error(errs)
	}
	if err := n.Retract(nil); err != nil || l.list() != "" || l.source("0.0.0.0/0") != before {
		t.Errorf("%v, %q, the source is %s, was %s", err, l.list(), l.source("0.0.0.0/0"), before)
	}
	if len(l.gone) > 0 {
		t.Errorf("taken away with their source: %q", l.gone)
	}
	if b, _ := os.ReadFile(conf); string(b) != "nameserver 192.0.2.53\n" {
		t.Errorf("%q", b)
	}
	// While the gateway ends the routes stay until the link is closed, and so does their source.
	n.Assign([]sa.Placement{first})
	n.leave()
	if err := n.Retract(nil); err != nil || l.list() == "" {
		t.Errorf("%v, %q", err, l.list())
	}
}

// What fails is said of whom it is about.
func TestAssignedFails(t *testing.T) {
	n, l, conf := newAssignedRig(t)
	split := placement("10.3.0.7", "10.2.0.53", "corp.example")
	_, errs := n.Assign([]sa.Placement{split, placement("10.4.0.7", "", "")})
	if !errors.Is(errs[0], hostdns.ErrNoSplit) || errs[1] != nil || l.list() != "10.3.0.7/32 10.4.0.7/32" {
		t.Errorf("%v, %s", errs, l.list())
	}
	// One that is for all names has all asked for all names.
	if by, errs := n.Assign([]sa.Placement{split, placement("10.4.0.7", "10.4.0.53", "")}); by != "resolv.conf" || errors.Join(errs...) != nil {
		t.Errorf("%q, %v", by, errs)
	}
	if b, _ := os.ReadFile(conf); !strings.Contains(string(b), "nameserver 10.2.0.53\nnameserver 10.4.0.53\n") {
		t.Errorf("%q", b)
	}
	l.refuse = errors.New("no room")
	_, errs = n.Assign([]sa.Placement{split, placement("10.5.0.7", "", "")})
	if errs[1] == nil || n.assigned[netip.MustParseAddr("10.5.0.7")] {
		t.Errorf("%v", errs)
	}
	l.refuse = nil
	if _, errs = n.Assign([]sa.Placement{placement("10.5.0.7", "", "")}); errs[0] != nil || !strings.Contains(l.list(), "10.5.0.7/32") {
		t.Errorf("%v, %s", errs, l.list())
	}
}
