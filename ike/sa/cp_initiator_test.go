package sa

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// attr is an attribute of a Configuration payload with its octets.
func attr(t wire.CfgAttrType, value ...byte) wire.CfgAttr { return wire.CfgAttr{Type: t, Value: value} }

// addrAttr is one that has an address, and what follows it.
func addrAttr(t wire.CfgAttrType, a string, more ...byte) wire.CfgAttr {
	return attr(t, append(netip.MustParseAddr(a).AsSlice(), more...)...)
}

func domainAttr(name string) wire.CfgAttr { return attr(wire.CfgInternalDNSDomain, []byte(name)...) }

// clientRig has a as the client of b, which is a gateway without a pool: what it gives is what a test puts into its answer. The selectors of b
// are wide, so that TSi is what the answer says.
func clientRig(t *testing.T, vips []string, attrs []wire.CfgAttr, edit func(a, b *Config)) *rig {
	r := newRig(t, 1, func(a, b *Config) {
		for _, v := range vips {
			a.VIPs = append(a.VIPs, netip.MustParseAddr(v))
		}
		a.VIPsLine = "a.toml:3"
		a.Children[0].LocalTS = nil
		a.Children[0].RemoteTS = mustTS(t, "0.0.0.0/0", "::/0")
		b.Children[0].LocalTS = mustTS(t, "0.0.0.0/0", "::/0")
		b.Children[0].RemoteTS = mustTS(t, "0.0.0.0/0", "::/0")
		if edit != nil {
			edit(a, b)
		}
	})
	if attrs != nil {
		r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
			return append(slices.Clone(ps), &wire.CP{CfgType: wire.CfgReply, Attributes: attrs})
		})
	}
	return r
}

// request is the CFG_REQUEST of the first IKE_AUTH request of a.
func (r *rig) request() (cp **wire.CP) {
	cp = new(*wire.CP)
	r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
		*cp, _ = find[*wire.CP](ps)
		return ps
	})
	return cp
}

// A client asks for an address of each family that is configured, for what goes with them, and offers every source; what it is given is what
// it sends from.
func TestClientIsGivenAddresses(t *testing.T) {
	r := clientRig(t, []string{"0.0.0.0", "2001:db8:3::9"}, []wire.CfgAttr{
		addrAttr(wire.CfgInternalIP4Address, "10.3.0.7"), addrAttr(wire.CfgInternalIP6Address, "2001:db8:3::7", 64),
		addrAttr(wire.CfgInternalIP4DNS, "10.0.0.53"), addrAttr(wire.CfgInternalIP6DNS, "2001:db8::53"), domainAttr("Corp.Example."),
		attr(wire.CfgInternalIP4Subnet, 10, 0, 0, 0, 255, 0, 0, 0), addrAttr(wire.CfgInternalIP6Subnet, "2001:db8::", 32),
		attr(wire.CfgApplicationVersion, 'x'), attr(9999, 1, 2), attr(wire.CfgInternalIP4NBNS),
	}, nil)
	cp := r.request()
	m := r.a.connect()
	r.run(time.Second)
	if m.State() != StateEstablished || len(m.Children()) != 1 {
		t.Fatalf("%s, %d children, %v", m.State(), len(m.Children()), r.a.failures)
	}
	want := []wire.CfgAttr{
		attr(wire.CfgInternalIP4Address), addrAttr(wire.CfgInternalIP6Address, "2001:db8:3::9", 128), attr(wire.CfgInternalIP4DNS), attr(wire.CfgInternalIP4Subnet),
		attr(wire.CfgInternalIP6DNS), attr(wire.CfgInternalIP6Subnet), attr(wire.CfgInternalDNSDomain),
	}
	if !slices.EqualFunc((*cp).Attributes, want, func(a, b wire.CfgAttr) bool { return a.Type == b.Type && slices.Equal(a.Value, b.Value) }) {
		t.Errorf("the request has %v", (*cp).Attributes)
	}
	a := m.Assignment()
	if got := addrTexts(a.Addresses) + "|" + addrTexts(a.DNS) + "|" + strings.Join(a.Domains, " "); got != "10.3.0.7, 2001:db8:3::7|10.0.0.53, 2001:db8::53|corp.example" {
		t.Error(got)
	}
	if len(a.Subnets) != 2 || a.Subnets[0].String() != "10.0.0.0/8" || a.Subnets[1].String() != "2001:db8::/32" || len(a.Ignored) > 0 {
		t.Errorf("%v, ignored %q", a.Subnets, a.Ignored)
	}
	ts := m.Children()[0].TS
	if got := ts.String(); got != "10.3.0.7/32 2001:db8:3::7/128 === 0.0.0.0/0 ::/0" {
		t.Error(got)
	}
	if n := countEvents[Assigned](r.a); n != 1 {
		t.Errorf("%d times assigned", n)
	}
	if ev := slices.IndexFunc(r.a.events, func(o Output) bool { _, ok := o.(Assigned); return ok }); ev > slices.IndexFunc(r.a.events, func(o Output) bool { _, ok := o.(InstallOutbound); return ok }) {
		t.Error("it is told of its addresses after the CHILD SA that needs them")
	}

	// The IKE SA that replaces this one has the same, and further CHILD SAs have the addresses.
	m.RekeyIKE(r.now)
	r.a.drain(m)
	r.run(time.Second)
	s := r.a.live()[0]
	if s == m || s.Assignment() != a || s.Snapshot().Assignment != a {
		t.Fatalf("the rekeyed IKE SA has %v", s.Assignment())
	}
	s.RekeyChild(r.now, s.Children()[0].ID)
	r.a.drain(s)
	r.run(time.Second)
	if got := s.Children()[len(s.Children())-1].TS.String(); got != ts.String() || len(r.a.failures) > 0 {
		t.Errorf("after a rekeying %s, %v", got, r.a.failures)
	}
}

// What a gateway must not give, or not so, ends the IKE SA: the peer is told, and the operator learns what it was.
func TestClientRefusesAnAssignment(t *testing.T) {
	own := netip.MustParseAddr("198.51.100.9")
	four := func(a string) []wire.CfgAttr { return []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, a)} }
	six := func(a string) []wire.CfgAttr { return []wire.CfgAttr{addrAttr(wire.CfgInternalIP6Address, a, 64)} }
	good := four("10.3.0.7")
	for _, c := range []struct {
		name  string
		attrs []wire.CfgAttr
		code  diag.Code
		text  string
	}{
		{"no CFG_REPLY", nil, diag.CodeVIP, "an answer without CFG_REPLY"},
		{"nothing in it", []wire.CfgAttr{}, diag.CodeVIP, "without an address"},
		{"DNS only", []wire.CfgAttr{addrAttr(wire.CfgInternalIP4DNS, "10.0.0.53")}, diag.CodeVIP, "without an address"},
		{"an empty address", []wire.CfgAttr{attr(wire.CfgInternalIP4Address)}, diag.CodeVIP, "without an address"},
		{"unspecified", four("0.0.0.0"), diag.CodeVIP, "stands for no host"},
		{"loopback", four("127.0.0.1"), diag.CodeVIP, "every host's own"},
		{"multicast", four("224.0.0.5"), diag.CodeVIP, "a group of hosts"},
		{"broadcast", four("255.255.255.255"), diag.CodeVIP, "all hosts of a link"},
		{"reserved", four("250.1.2.3"), diag.CodeVIP, "no host has"},
		{"this network", four("0.1.2.3"), diag.CodeVIP, "no network"},
		{"link-local", four("169.254.1.1"), diag.CodeVIP, "a single link"},
		{"link-local, IPv6", six("fe80::1"), diag.CodeVIP, "a single link"},
		{"multicast, IPv6", six("ff02::1"), diag.CodeVIP, "a group of hosts"},
		{"IPv4 in IPv6", six("::ffff:10.3.0.7"), diag.CodeVIP, "an IPv4 address"},
		{"the gateway's own", four("192.0.2.2"), diag.CodeVIP, "the gateway's own"},
		{"this host's outer one", four("192.0.2.1"), diag.CodeVIP, "from which the gateway is reached"},
		{"one that this host has", four(own.String()), diag.CodeVIP, "this host has already"},
		{"a bad one behind a good one", append(slices.Clone(good), six("ff02::1")...), diag.CodeVIP, "a group of hosts"},
		{"three octets", []wire.CfgAttr{attr(wire.CfgInternalIP4Address, 10, 3, 0)}, diag.CodeSyntax, "has 3 octets, not 4"},
		{"an IPv6 address of four octets", []wire.CfgAttr{attr(wire.CfgInternalIP6Address, 10, 3, 0, 7)}, diag.CodeSyntax, "has 4 octets, not 17"},
		{"a prefix that is too long", []wire.CfgAttr{addrAttr(wire.CfgInternalIP6Address, "2001:db8:3::7", 129)}, diag.CodeSyntax, "129 bits"},
		{"DNS of five octets", append(slices.Clone(good), attr(wire.CfgInternalIP4DNS, 1, 2, 3, 4, 5)), diag.CodeSyntax, "INTERNAL_IP4_DNS has 5 octets"},
		{"a subnet without a mask", append(slices.Clone(good), attr(wire.CfgInternalIP4Subnet, 10, 0, 0, 0)), diag.CodeSyntax, "has 4 octets, not 8"},
		{"a mask with a hole", append(slices.Clone(good), attr(wire.CfgInternalIP4Subnet, 10, 0, 0, 0, 255, 0, 255, 0)), diag.CodeSyntax, "255.0.255.0"},
		{"a subnet of 200 bits", append(slices.Clone(good), addrAttr(wire.CfgInternalIP6Subnet, "2001:db8::", 200)), diag.CodeSyntax, "200 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := clientRig(t, []string{"0.0.0.0", "::"}, c.attrs, nil)
			r.a.env.OwnAddr = func(a netip.Addr) bool { return a == own }
			m := r.a.connect()
			r.run(time.Second)
			if m.State() != StateClosed || len(r.b.live()) > 0 || len(r.a.spis)+len(r.b.spis)+len(r.a.inbound)+len(r.a.outbound) > 0 {
				t.Errorf("%s here, %d IKE SAs there, SPIs %v", m.State(), len(r.b.live()), r.a.spis)
			}
			if countEvents[Assigned](r.a)+countEvents[ChildUp](r.a) > 0 {
				t.Error("something was put in place")
			}
			if len(r.a.failures) != 1 || r.a.failures[0].Code != c.code || !strings.Contains(r.a.failures[0].Error(), c.text) || r.a.failures[0].Child != "net" ||
				c.code == diag.CodeVIP && !strings.Contains(r.a.failures[0].Error(), "a.toml:3") {
				t.Errorf("%v", r.a.failures)
			}
		})
	}
}

// A gateway that has no address says so, or refuses the CHILD SA for another reason.
func TestClientIsRefusedAnAddress(t *testing.T) {
	for n, code := range map[wire.NotifyType]diag.Code{
		wire.NotifyInternalAddressFailure: diag.CodeVIP, wire.NotifyTSUnacceptable: diag.CodeTS, wire.NotifyFailedCPRequired: diag.CodePeerError,
	} {
		r := clientRig(t, []string{"0.0.0.0"}, nil, nil)
		r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) (out []wire.Payload) {
			for _, p := range ps {
				switch p.(type) {
				case *wire.SA, *wire.TS:
				default:
					out = append(out, p)
				}
			}
			return append(out, &wire.Notify{NotifyType: n})
		})
		m := r.a.connect()
		r.run(time.Second)
		if m.State() != StateClosed || len(r.a.failures) != 1 || r.a.failures[0].Code != code || !r.a.failures[0].ByPeer {
			t.Errorf("%s: %s, %v", n, m.State(), r.a.failures)
		}
	}
}

// What is of no use and does no harm is left out, and said.
func TestClientIgnores(t *testing.T) {
	attrs := []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, "10.3.0.7"), addrAttr(wire.CfgInternalIP4Address, "10.3.0.8"), addrAttr(wire.CfgInternalIP6Address, "2001:db8::8", 64)}
	for i := range 20 {
		attrs = append(attrs, addrAttr(wire.CfgInternalIP4DNS, netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}).String()))
	}
	attrs = append(attrs, addrAttr(wire.CfgInternalIP4DNS, "127.0.0.1"), addrAttr(wire.CfgInternalIP4DNS, "224.0.0.1"))
	for _, d := range []string{".", "-a.example", "a..example", "a b.example", "a;rm -rf /.example", "a\n.example", "10.0.0.1", strings.Repeat("x", 64) + ".example", strings.Repeat("x.", 130) + "example", "good.example", "~."} {
		attrs = append(attrs, domainAttr(d))
	}
	for i := range 100 {
		attrs = append(attrs, domainAttr("d"+string(rune('a'+i/26))+string(rune('a'+i%26))+".example"))
	}
	for i := range 300 {
		attrs = append(attrs, attr(wire.CfgInternalIP4Subnet, 10, byte(i>>8), byte(i), 0, 255, 255, 255, 0))
	}
	r := clientRig(t, []string{"0.0.0.0"}, attrs, nil)
	m := r.a.connect()
	r.run(time.Second)
	a := m.Assignment()
	if a == nil || len(a.Addresses) != 1 || len(a.DNS) != maxServers || len(a.Domains) != maxDomains || a.Domains[0] != "good.example" || len(a.Subnets) != maxSubnets {
		t.Fatalf("%+v", a)
	}
	all := strings.Join(a.Ignored, "; ")
	for _, want := range []string{"10.3.0.8, for which", "2001:db8::8, for which", "127.0.0.1, which is every host's own", "more than 8 DNS", "no DNS name", "more than 64 domains", "more than 256 subnets"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
	if got := m.Children()[0].TS.Local; len(got) != 1 || got[0].String() != "10.3.0.7/32" {
		t.Errorf("it sends from %v", got)
	}

	// Domains without a server are of no use.
	r = clientRig(t, []string{"0.0.0.0"}, []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, "10.3.0.7"), domainAttr("corp.example")}, nil)
	m = r.a.connect()
	r.run(time.Second)
	if a := m.Assignment(); a == nil || len(a.Domains) > 0 || len(a.Ignored) != 1 {
		t.Errorf("%+v", a)
	}
}

// A gateway that leaves TSi without the address that it has given has no use for this side's packets.
func TestClientOutsideItsAddress(t *testing.T) {
	r := clientRig(t, []string{"0.0.0.0"}, []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, "10.3.0.7")}, func(a, b *Config) {
		b.Children[0].RemoteTS = mustTS(t, "10.4.0.0/16")
	})
	m := r.a.connect()
	r.run(time.Second)
	if len(m.Children()) > 0 || len(r.a.failures) == 0 || r.a.failures[0].Code != diag.CodeTS {
		t.Errorf("%d children, %v", len(m.Children()), r.a.failures)
	}
	if len(r.b.live()) > 0 && len(r.b.live()[0].Children()) > 0 {
		t.Error("the gateway has a CHILD SA that nobody uses")
	}
}

// Who has not asked is given nothing.
func TestUnsolicitedReply(t *testing.T) {
	r := clientRig(t, nil, []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, "10.3.0.7")}, func(a, b *Config) { a.Children[0].LocalTS = mustTS(t, "10.1.0.0/16") })
	m := r.a.connect()
	r.run(time.Second)
	if m.Assignment() != nil || len(m.Children()) != 1 || m.Children()[0].TS.Local[0].String() != "10.1.0.0/16" {
		t.Errorf("%v, %v", m.Assignment(), r.a.failures)
	}
}

// The gateway's networks narrow what this side sends there, where it is configured so, and no others.
func TestSplitInclude(t *testing.T) {
	subnets := []wire.CfgAttr{
		addrAttr(wire.CfgInternalIP4Address, "10.3.0.7"), attr(wire.CfgInternalIP4Subnet, 10, 0, 0, 0, 255, 0, 0, 0), attr(wire.CfgInternalIP4Subnet, 192, 168, 7, 0, 255, 255, 255, 0),
	}
	for _, c := range []struct {
		name   string
		heed   bool
		remote string
		attrs  []wire.CfgAttr
		want   string
	}{
		{"heeded", true, "0.0.0.0/0", subnets, "10.0.0.0/8 192.168.7.0/24"},
		{"not heeded", false, "0.0.0.0/0", subnets, "0.0.0.0/0"},
		{"only what is configured", true, "10.5.0.0/16", subnets, "10.5.0.0/16"},
		{"nothing in common", true, "172.16.0.0/12", subnets, "172.16.0.0/12"},
		{"no subnets", true, "0.0.0.0/0", subnets[:1], "0.0.0.0/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := clientRig(t, []string{"0.0.0.0"}, c.attrs, func(a, b *Config) {
				a.SplitInclude, a.Children[0].RemoteTS = c.heed, mustTS(t, c.remote)
			})
			m := r.a.connect()
			r.run(time.Second)
			if len(m.Children()) != 1 || selector.Format(m.Children()[0].TS.Remote) != c.want {
				t.Fatalf("%v, %v", m.Children(), r.a.failures)
			}
			// Whoever rekeys it.
			for _, e := range []*end{r.b, r.a} {
				x := e.live()[0]
				x.RekeyChild(r.now, x.Children()[len(x.Children())-1].ID)
				e.drain(x)
				r.run(time.Minute)
			}
			last := m.Children()[len(m.Children())-1]
			if got := selector.Format(last.TS.Remote); got != c.want {
				t.Errorf("after rekeyings %s; %v %v", got, r.a.failures, r.b.failures)
			}
		})
	}
}

// What is asked for is what the surroundings say: the address of before.
func TestClientAsksForItsAddress(t *testing.T) {
	r := clientRig(t, []string{"0.0.0.0"}, []wire.CfgAttr{addrAttr(wire.CfgInternalIP4Address, "10.3.0.8")}, nil)
	r.a.env.VIPs = func(cfg *Config) []netip.Addr { return []netip.Addr{netip.MustParseAddr("10.3.0.7")} }
	cp := r.request()
	m := r.a.connect()
	r.run(time.Second)
	if a := (*cp).Attributes[0]; a.Type != wire.CfgInternalIP4Address || !slices.Equal(a.Value, []byte{10, 3, 0, 7}) {
		t.Errorf("it asks for %v", a)
	}
	// Which the gateway need not heed.
	if m.Assignment() == nil || addrTexts(m.Assignment().Addresses) != "10.3.0.8" || len(m.Children()) != 1 {
		t.Errorf("%v", r.a.failures)
	}
}

// FuzzReply: whatever a gateway sends, what is taken is bounded and fit to be put in place.
func FuzzReply(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 1, 0, 4, 10, 3, 0, 7, 0, 3, 0, 4, 10, 0, 0, 53, 0, 25, 0, 7, 'a', '.', 'b', 'c', 'd', 'e', '.'})
	f.Add([]byte{2, 0, 0, 0, 0, 13, 0, 8, 10, 0, 0, 0, 255, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		body := slices.Concat([]byte{0, 0}, binary.BigEndian.AppendUint16(nil, uint16(4+len(b))), b)
		if len(b) > wire.MaxBodyLen {
			return
		}
		payloads, err := wire.ParsePayloads(wire.PayloadCP, body, 0)
		if err != nil {
			return
		}
		cp, ok := find[*wire.CP](payloads)
		if !ok {
			return
		}
		r := reply{asked: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, unusable: nonsense}
		a, err := r.read(cp)
		if err != nil {
			return
		}
		if len(a.Addresses) > 2 || len(a.DNS) > maxServers || len(a.Domains) > maxDomains || len(a.Subnets) > maxSubnets || len(a.Ignored) > maxIgnored {
			t.Errorf("%+v", a)
		}
		for _, x := range slices.Concat(a.Addresses, a.DNS) {
			if nonsense(x) != "" {
				t.Errorf("%s", x)
			}
		}
		for _, d := range a.Domains {
			if strings.Trim(d, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.HasPrefix(d, "-") || strings.HasPrefix(d, ".") || len(d) > maxDomain {
				t.Errorf("%q", d)
			}
		}
	})
}
