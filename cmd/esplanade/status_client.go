package main

import (
	"strings"

	"esplanade/ike/vici"
)

// printClient writes what a connection has been given as the client of a gateway.
func printClient(c *vici.ClientStatus, say func(inset, format string, args ...any)) {
	if c == nil {
		return
	}
	if len(c.Addresses) == 0 {
		say("  ", "virtual addresses: none at present")
	} else {
		say("  ", "virtual addresses: %s", strings.Join(c.Addresses, " "))
	}
	switch names := strings.Join(c.Domains, " "); {
	case len(c.DNS) > 0 && c.DNSBy == "":
		say("  ", "DNS: %s, which this host does not ask yet", strings.Join(c.DNS, " "))
	case len(c.DNS) > 0 && names == "":
		say("  ", "DNS: %s for all names, asked by %s", strings.Join(c.DNS, " "), c.DNSBy)
	case len(c.DNS) > 0:
		say("  ", "DNS: %s for %s, asked by %s", strings.Join(c.DNS, " "), names, c.DNSBy)
	case len(c.GivenDNS) > 0 && len(c.Addresses) > 0:
		say("  ", "DNS: %s, which this host does not ask (install_dns = \"no\")", strings.Join(c.GivenDNS, " "))
	}
	if len(c.Subnets) > 0 {
		say("  ", "networks that the gateway announces: %s", strings.Join(c.Subnets, " "))
	}
	if c.Problem != "" {
		say("  ", "not in place, and tried again: %s", c.Problem)
	}
}
