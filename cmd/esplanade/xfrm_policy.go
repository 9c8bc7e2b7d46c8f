package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"esplanade/ike/selector"
	"esplanade/ike/vici"
)

// heldPolicy is what becomes of the packets of a child that has no SA.
type heldPolicy struct {
	connection, child, mode string
	local, remote           []string
}

// print writes it; packets are refused, or bring the child up.
func (p heldPolicy) print(w io.Writer, o xfrmOptions) {
	action := "allow"
	if p.mode == vici.ModeDrop {
		action = "block"
	}
	for _, t := range xfrmSelectors(p.local, p.remote) {
		printPolicy(w, t.src, t.dst, "out", action, xfrmPriority(t.src, t.dst, true), o)
		if action == "allow" {
			any := netip.IPv4Unspecified()
			if t.src.Is6() {
				any = netip.IPv6Unspecified()
			}
			fmt.Fprintf(w, "\ttmpl src %s dst %s\n\t\tproto esp reqid 0 mode %s\n", any, any, strings.ToLower(p.mode))
		}
	}
}

// printPolicies writes the policies of a CHILD SA: out, and for what comes in, to be forwarded and for this host.
func printPolicies(w io.Writer, s vici.ESPSA, o xfrmOptions) {
	me, peer := s.Local.Addr().Unmap(), s.Remote.Addr().Unmap()
	template := func(src, dst netip.Addr, spi string) {
		reqid := fmt.Sprint(s.ReqID)
		if o.statistics {
			reqid += fmt.Sprintf("(0x%08x)", s.ReqID)
		}
		fmt.Fprintf(w, "\ttmpl src %s dst %s\n\t\tproto esp %sreqid %s mode %s\n", src, dst, spi, reqid, s.Mode)
		if o.statistics {
			fmt.Fprint(w, "\t\tlevel required share any \n\t\tenc-mask ffffffff auth-mask ffffffff comp-mask ffffffff\n")
		}
	}
	spi := func(n uint32) string {
		switch {
		case o.statistics:
			return fmt.Sprintf("spi 0x%08x(%d) ", n, n)
		case n == 0:
			return ""
		}
		return fmt.Sprintf("spi 0x%08x ", n)
	}
	for _, t := range xfrmSelectors(s.LocalTS, s.RemoteTS) {
		if s.Out.Installed {
			printPolicy(w, t.src, t.dst, "out", "allow", xfrmPriority(t.src, t.dst, false), o)
			template(me, peer, spi(s.Out.SPI))
		}
		for _, dir := range []string{"fwd", "in"} {
			if s.In.Installed {
				printPolicy(w, t.dst, t.src, dir, "allow", xfrmPriority(t.src, t.dst, false), o)
				template(peer, me, spi(0))
			}
		}
	}
}

// printPolicy writes what a policy begins with.
func printPolicy(w io.Writer, src, dst xfrmSelector, dir, action string, priority uint32, o xfrmOptions) {
	fmt.Fprintf(w, "src %s dst %s ", src.prefix, dst.prefix)
	if p := max(src.Protocol, dst.Protocol); p != selector.ProtocolAny {
		fmt.Fprintf(w, "proto %s ", xfrmProtocol(p))
		switch p {
		case selector.ProtocolICMP, selector.ProtocolICMPv6:
			if n := max(src.StartPort, dst.StartPort); !src.AnyPorts() || !dst.AnyPorts() {
				fmt.Fprintf(w, "type %d code %d ", n>>8, n&0xff)
			}
		default:
			if !src.AnyPorts() {
				fmt.Fprintf(w, "sport %d ", src.StartPort)
			}
			if !dst.AnyPorts() {
				fmt.Fprintf(w, "dport %d ", dst.StartPort)
			}
		}
	}
	if o.statistics {
		fmt.Fprintf(w, "uid 0\n\tdir %s action %s priority %d ptype main share any flag  (0x00000000)\n", dir, action, priority)
		return
	}
	if action == "allow" { // which iproute2 does not say
		action = ""
	} else {
		action = "action " + action + " "
	}
	fmt.Fprintf(w, "\n\tdir %s %spriority %d ptype main \n", dir, action, priority)
}

// xfrmSelector is a selector with one of its prefixes: a kernel has no ranges of addresses.
type xfrmSelector struct {
	selector.Selector
	prefix netip.Prefix
}

type xfrmPair struct{ src, dst xfrmSelector }

// xfrmSelectors are all pairs of prefixes of two lists of selectors. What cannot be read, as "dynamic", has no policy.
func xfrmSelectors(local, remote []string) (out []xfrmPair) {
	parse := func(list []string) (out []xfrmSelector) {
		for _, text := range list {
			s, err := selector.Parse(text)
			if err != nil || s.Dynamic() {
				continue
			}
			for _, p := range s.Prefixes() {
				out = append(out, xfrmSelector{s, p})
			}
		}
		return out
	}
	remotes := parse(remote)
	for _, l := range parse(local) {
		for _, r := range remotes {
			if l.Is4() == r.Is4() {
				out = append(out, xfrmPair{l, r})
			}
		}
	}
	return out
}

// xfrmPriority is the priority that strongSwan gives a policy: the more it says, the lower, and so the earlier.
func xfrmPriority(src, dst xfrmSelector, trap bool) uint32 {
	const base = 2 * 200000
	n := base - 512*uint32(src.prefix.Bits()+dst.prefix.Bits())
	if src.Protocol != 0 || dst.Protocol != 0 {
		n -= 256
	}
	for _, s := range []xfrmSelector{src, dst} {
		if s.StartPort == s.EndPort {
			n -= 16 * 4
		}
	}
	if !trap {
		n--
	}
	return n
}

// xfrmProtocol is the name of a protocol, as /etc/protocols has it, or its number.
func xfrmProtocol(p uint8) string {
	switch p {
	case selector.ProtocolICMP:
		return "icmp"
	case selector.ProtocolTCP:
		return "tcp"
	case selector.ProtocolUDP:
		return "udp"
	case selector.ProtocolDCCP:
		return "dccp"
	case 47:
		return "gre"
	case selector.ProtocolICMPv6:
		return "ipv6-icmp"
	case selector.ProtocolSCTP:
		return "sctp"
	}
	return fmt.Sprint(p)
}
