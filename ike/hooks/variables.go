package hooks

import (
	"fmt"
	"net/netip"
	"strconv"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// path is where scripts look for commands: what _updown of strongSwan has as its least.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// noInterface is strongSwan's word for an interface that it does not know.
const noInterface = "unknown"

// call is one call of a script: for a pair of selectors of a CHILD SA.
type call struct {
	sa         *sa.Snapshot
	child      *sa.ChildSnapshot
	local      selector.Selector
	remote     selector.Selector
	hostAccess bool
	// device is the interface of the tunnels, "" for one that the host does not have.
	device string
}

// maxPairs bounds the calls for one CHILD SA: a peer has a say in how many selectors it has.
const maxPairs = 256

// pairsOf are the pairs of selectors of a CHILD SA that packets can belong to, each local one with each remote one in their order, and how
// many were left out.
func pairsOf(ts selector.Pair) (out []selector.Pair, left int) {
	for _, l := range ts.Local {
		for _, r := range ts.Remote {
			switch {
			case l.Is4() != r.Is4(), l.Protocol != r.Protocol && l.Protocol != selector.ProtocolAny && r.Protocol != selector.ProtocolAny:
			case len(out) < maxPairs:
				out = append(out, selector.Pair{Local: []selector.Selector{l}, Remote: []selector.Selector{r}})
			default:
				left++
			}
		}
	}
	return out, left
}

// verb is strongSwan's name of what happens: "up-client", "down-host-v6". It is a host if this side's selector is the gateway itself.
func (c *call) verb(up bool) string {
	v := "down"
	if up {
		v = "up"
	}
	me := c.sa.Path.Local.Addr().Unmap()
	if c.local.IsHost() && c.local.Start == me {
		v += "-host"
	} else {
		v += "-client"
	}
	if c.local.Is6() {
		v += "-v6"
	}
	return v
}

// environment are the variables of a call, all that the script has: strongSwan's names and meanings (its plugin updown), PATH, and one of our own.
func (c *call) environment(up bool) []string {
	var env []string
	set := func(name, value string) { env = append(env, name+"="+value) }
	iface := c.device
	if iface == "" {
		iface = noInterface
	}
	s := c.sa
	set("PATH", path)
	set("PLUTO_VERSION", "1.1")
	set("PLUTO_VERB", c.verb(up))
	set("PLUTO_CONNECTION", c.child.Name)
	set("ESPLANADE_CONNECTION", s.Connection)
	set("PLUTO_INTERFACE", iface)
	set("PLUTO_REQID", strconv.FormatUint(uint64(c.child.ReqID), 10))
	set("PLUTO_PROTO", "esp")
	set("PLUTO_UNIQUEID", strconv.FormatUint(s.ID, 10))
	set("PLUTO_ME", s.Path.Local.Addr().Unmap().String())
	set("PLUTO_MY_ID", Safe(s.LocalID.String()))
	set("PLUTO_MY_CLIENT", subnet(c.local))
	set("PLUTO_MY_PORT", c.port(true))
	set("PLUTO_MY_PROTOCOL", strconv.Itoa(int(c.local.Protocol)))
	set("PLUTO_PEER", s.Path.Remote.Addr().Unmap().String())
	set("PLUTO_PEER_ID", Safe(s.RemoteID.String()))
	set("PLUTO_PEER_CLIENT", subnet(c.remote))
	set("PLUTO_PEER_PORT", c.port(false))
	set("PLUTO_PEER_PROTOCOL", strconv.Itoa(int(c.remote.Protocol)))
	if s.User != "" && !s.Client {
		set("PLUTO_XAUTH_ID", Safe(s.User))
	}
	set1 := func(side string, list []netip.Addr) {
		if len(list) > 0 {
			set("PLUTO_"+side+"_SOURCEIP", list[0].String())
		}
		numbered(set, "PLUTO_"+side+"_SOURCEIP", list)
	}
	set1("MY", s.LocalVIPs)
	set1("PEER", s.RemoteVIPs)
	if c.child.UDP {
		set("PLUTO_UDP_ENC", strconv.Itoa(int(s.Path.Remote.Port())))
	}
	if s.Assignment != nil {
		numbered(set, "PLUTO_DNS", s.Assignment.DNS)
	}
	if c.hostAccess {
		set("PLUTO_HOST_ACCESS", "1")
	}
	return env
}

// numbered sets a variable for each address, counted from 1 for each family: NAME4_1, NAME6_1, NAME4_2.
func numbered(set func(name, value string), name string, list []netip.Addr) {
	n4, n6 := 0, 0
	for _, a := range list {
		if a.Is4() {
			n4++
			set(fmt.Sprintf("%s4_%d", name, n4), a.String())
		} else {
			n6++
			set(fmt.Sprintf("%s6_%d", name, n6), a.String())
		}
	}
}

// subnet is the smallest prefix that has all addresses of a selector.
func subnet(s selector.Selector) string {
	bits := s.Start.BitLen()
	p := netip.PrefixFrom(s.Start, bits)
	for ; bits > 0 && !p.Contains(s.End); p, _ = s.Start.Prefix(bits) {
		bits--
	}
	return p.Masked().String()
}

// port is strongSwan's text for the ports of one side: one number, 0 for all, or "1000:2000". Of ICMP this side's is the type and the peer's
// the code, as RFC 4301 section 4.4.1.1 has it, wherever of the two it is written.
func (c *call) port(local bool) string {
	switch max(c.local.Protocol, c.remote.Protocol) {
	case selector.ProtocolICMP, selector.ProtocolICMPv6:
		n := max(c.local.StartPort, c.remote.StartPort)
		if local {
			return strconv.Itoa(int(n >> 8))
		}
		return strconv.Itoa(int(n & 0xff))
	}
	s := c.remote
	if local {
		s = c.local
	}
	switch {
	case s.AnyPorts():
		return "0"
	case s.StartPort == s.EndPort:
		return strconv.Itoa(int(s.StartPort))
	}
	return fmt.Sprintf("%d:%d", s.StartPort, s.EndPort)
}
