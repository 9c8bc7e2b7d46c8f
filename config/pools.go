package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"esplanade/ike/pool"
)

// Pool is one table [pools.NAME]: addresses for clients, and what else they learn. The names of the keys are swanctl's.
type Pool struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// Addrs are the addresses, as they are written, and Spans what they stand for, without Exclude. A pool may have none: then its
	// attributes count, for clients that get their addresses from elsewhere.
	Addrs   []string    `key:"addrs" reload:"live"`
	Exclude []pool.Span `key:"exclude" reload:"live"`
	Spans   []pool.Span `key:"-"`
	// DNS, NBNS, DHCP and Server are addresses of servers. Those in Server are told to Windows clients that ask for them.
	DNS    []netip.Addr `key:"dns" reload:"live"`
	NBNS   []netip.Addr `key:"nbns" reload:"live"`
	DHCP   []netip.Addr `key:"dhcp" reload:"live"`
	Server []netip.Addr `key:"server" reload:"live"`
	// Netmask goes with the addresses of the pool; the zero Addr is none.
	Netmask netip.Addr `key:"netmask" reload:"live"`
	// Subnet and SplitInclude are networks that clients should reach through the gateway, SplitExclude those that they should not.
	Subnet       []netip.Prefix `key:"subnet" reload:"live"`
	SplitInclude []netip.Prefix `key:"split_include" reload:"live"`
	SplitExclude []netip.Prefix `key:"split_exclude" reload:"live"`
	// Domains are those whose names the DNS servers are asked for; none: all names.
	Domains []string `key:"domains" reload:"live"`
	// Groups are those of which a user must be in one to get an address of the pool. Default none, any.
	Groups []string `key:"groups" reload:"live"`
}

// maxPoolItems is how many elements a list of a pool may have: all of them are in one message.
const maxPoolItems = 64

func readPool(t *table) *Pool {
	p := &Pool{Name: t.checkName("pool")}
	for _, it := range readPoolList(t, "addrs") {
		if s, ok := readSpan(t, "addrs", it); ok {
			p.Addrs, p.Spans = append(p.Addrs, it.text), append(p.Spans, s)
		}
	}
	for _, it := range readPoolList(t, "exclude") {
		if s, ok := readExcluded(t, it); ok {
			p.Exclude = append(p.Exclude, s)
		}
	}
	p.DNS, p.NBNS = readPoolAddrs(t, "dns"), readPoolAddrs(t, "nbns")
	p.DHCP, p.Server = readPoolAddrs(t, "dhcp"), readPoolAddrs(t, "server")
	p.Netmask = readNetmask(t)
	p.Subnet, p.SplitInclude, p.SplitExclude = readPrefixes(t, "subnet"), readPrefixes(t, "split_include"), readPrefixes(t, "split_exclude")
	p.Domains = readDomains(t)
	p.Groups = readGroups(t)
	p.Source = t.done()
	if !t.quiet {
		p.check(t)
	}
	return p
}

// readPoolList reads a list with at most maxPoolItems elements.
func readPoolList(t *table, key string) []item {
	items, ok := t.texts(key)
	if ok && len(items) == 0 {
		t.emptyList(key, "leave it out")
	}
	if len(items) > maxPoolItems {
		t.errorf(t.at(key), fmt.Sprintf("write at most %d", maxPoolItems), "%s has %d elements", t.name(key), len(items))
		items = items[:maxPoolItems]
	}
	return items
}

func readSpan(t *table, key string, it item) (pool.Span, bool) {
	s, err := pool.ParseSpan(it.text)
	if e, ok := err.(*pool.SyntaxError); ok {
		t.errorf(it.at, "write "+e.Want, "%s: %s %s", t.name(key), quote(it.text), e.Reason)
	}
	return s, err == nil
}

// readExcluded reads a network of exclude, all of whose addresses are meant, or another span.
func readExcluded(t *table, it item) (pool.Span, bool) {
	if n, err := netip.ParsePrefix(strings.TrimSpace(it.text)); err == nil && !n.Addr().Is4In6() {
		return pool.PrefixSpan(n), true
	}
	return readSpan(t, "exclude", it)
}

func readPoolAddrs(t *table, key string) (out []netip.Addr) {
	for _, it := range readPoolList(t, key) {
		a, err := netip.ParseAddr(strings.TrimSpace(it.text))
		switch {
		case err != nil || a.Zone() != "" || a.Is4In6():
			t.errorf(it.at, `write an address like "10.0.0.53"`, "%s: %s is not an address", t.name(key), quote(it.text))
		case key == "nbns" && a.Is6():
			t.errorf(it.at, "write an IPv4 address", "%s: %s is IPv6, for which there is no NBNS", t.name(key), quote(it.text))
		case !slices.Contains(out, a):
			out = append(out, a)
		}
	}
	return out
}

// readNetmask reads netmask, which swanctl has as an address: "255.255.255.0", or "ffff:ffff:ffff:ffff::" for a pool of IPv6 addresses.
func readNetmask(t *table) netip.Addr {
	text, at := t.str("netmask", "")
	if text == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || maskLen(a) < 0 {
		t.errorf(at, `write one like "255.255.255.0"`, "%s: %s is not a netmask", t.name("netmask"), quote(text))
		return netip.Addr{}
	}
	return a
}

// maskLen is how many bits of a netmask are set, -1 if it is none.
func maskLen(a netip.Addr) int {
	n, ended := 0, false
	for _, b := range a.AsSlice() {
		for i := range 8 {
			set := b&(0x80>>i) != 0
			if set && ended {
				return -1
			}
			if ended = !set; set {
				n++
			}
		}
	}
	return n
}

// maxDomain is the longest name of a domain (RFC 1035 section 2.3.4), without the dot behind it.
const maxDomain = 253

func readDomains(t *table) (out []string) {
	for _, it := range readPoolList(t, "domains") {
		d := strings.TrimSuffix(it.text, ".")
		bad := d == "" || len(d) > maxDomain
		for label := range strings.SplitSeq(d, ".") {
			bad = bad || label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
				return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
			})
		}
		if bad {
			t.errorf(it.at, `write a domain like "corp.example", with xn-- for other letters than ASCII's`, "%s: %s is not a domain", t.name("domains"), quote(it.text))
			continue
		}
		out = append(out, d)
	}
	return out
}

// check looks at what concerns several keys of a pool.
func (p *Pool) check(t *table) {
	for i, s := range p.Spans {
		if s.First.Is4() != p.Spans[0].First.Is4() {
			t.errorf(p.At("addrs"), "write two pools, and name both in `pools` of the connection", "%s has addresses of two IP versions", t.name("addrs"))
			return
		}
		for _, o := range p.Spans[:i] {
			if s.Overlaps(o) {
				t.errorf(p.At("addrs"), "write each address once", "%s: %s and %s have addresses in common", t.name("addrs"), o, s)
			}
		}
	}
	if p.Netmask.IsValid() && len(p.Spans) > 0 && p.Netmask.Is4() != p.Spans[0].First.Is4() {
		t.errorf(p.At("netmask"), "write a netmask of the same IP version", "%s is %s, and the addresses are %s", t.name("netmask"), p.Netmask, p.Addrs[0])
	}
	for _, x := range p.Exclude {
		if !slices.ContainsFunc(p.Spans, x.Overlaps) {
			t.warnf(p.At("exclude"), "remove it, or correct it", "%s has %s, of which addrs have nothing", t.name("exclude"), x)
		}
	}
	if len(p.Spans) > 0 && p.Pool().Size() == 0 {
		t.errorf(p.At("exclude"), "exclude less, or write more addresses", "%s has no address for a client: all are excluded, or servers' own", t.title())
	}
	for i, a := range p.servers() {
		if !slices.Contains(p.servers()[:i], a) {
			p.warnWithheld(t.reader, a, "a server that they are told of")
		}
	}
	if len(p.Domains) > 0 && len(p.DNS) == 0 {
		t.errorf(p.At("domains"), "write dns with the servers that know these names", "%s is there without dns", t.name("domains"))
	}
	if len(p.Spans) == 0 && !p.Has("addrs") && !p.hasAttributes() {
		t.errorf(p.table, `write addrs, such as addrs = "10.30.0.0/24"`, "%s has neither addresses nor anything else for clients", t.title())
	}
}

func (p *Pool) hasAttributes() bool {
	return len(p.DNS)+len(p.NBNS)+len(p.DHCP)+len(p.Server)+len(p.Subnet)+len(p.SplitInclude)+len(p.SplitExclude) > 0 || p.Netmask.IsValid()
}

// Pool is what clients are given from.
func (p *Pool) Pool() *pool.Pool {
	a := pool.Attributes{
		DNS: p.DNS, NBNS: p.NBNS, DHCP: p.DHCP, Servers: p.Server, Domains: p.Domains,
		Subnets: slices.Concat(p.Subnet, p.SplitInclude), Excluded: p.SplitExclude,
	}
	if p.Netmask.Is4() {
		a.Netmask = p.Netmask
	} else if p.Netmask.IsValid() {
		a.PrefixLen = maskLen(p.Netmask)
	}
	// As strongSwan shows it: the address of the network, or the first one of a range.
	base := ""
	if len(p.Addrs) > 0 {
		base = strings.TrimSpace(strings.FieldsFunc(p.Addrs[0], func(r rune) bool { return r == '/' || r == '-' })[0])
	}
	return pool.New(p.Name, base, p.Spans, p.withheld(), a)
}

// withheld are addresses that no client is given: those of exclude, and those of the servers that clients are told of, which may lie in the same network.
func (p *Pool) withheld() []pool.Span {
	out := slices.Clip(p.Exclude)
	for _, a := range p.servers() {
		out = append(out, pool.Span{First: a, Last: a})
	}
	return out
}

// servers are the addresses of the servers that clients are told of.
func (p *Pool) servers() []netip.Addr { return slices.Concat(p.DNS, p.NBNS, p.DHCP, p.Server) }

// Routes are the addresses of the pool as they are routed: of a whole network also those that are given to nobody, so that it is one route.
func (p *Pool) Routes() []pool.Span {
	spans := slices.Clone(p.Spans)
	for i, text := range p.Addrs {
		if n, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil && n == n.Masked() {
			spans[i] = pool.PrefixSpan(n)
		}
	}
	return pool.New(p.Name, "", spans, p.withheld(), pool.Attributes{}).Spans()
}

// Pool finds a pool by its name; nil if there is none.
func (c *Config) Pool(name string) *Pool {
	for _, p := range c.Pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Reserved are the addresses that no pool gives away: those that users have for themselves, those that this gateway has in the tunnel, and
// those of servers that clients of any pool are told of.
func (c *Config) Reserved() (out []netip.Addr) {
	for _, a := range c.TUN.Addresses {
		out = append(out, a.Addr())
	}
	for _, p := range c.Pools {
		out = append(out, p.servers()...)
	}
	if c.Users.Directory == nil {
		return out
	}
	for e := range c.Users.Directory.All() {
		out = append(out, e.User.Addresses...)
	}
	return out
}
