package selector

import "strconv"

// named is a number with its names, the first of which is printed.
type named struct {
	number uint16
	names  []string
}

// protocolNames are the names of /etc/protocols, so that a configuration means the same on every machine.
// https://www.iana.org/assignments/protocol-numbers
func protocolNames() []named {
	return []named{
		{ProtocolICMP, []string{"icmp"}},
		{2, []string{"igmp"}},
		{4, []string{"ipencap", "ipip"}},
		{ProtocolTCP, []string{"tcp"}},
		{8, []string{"egp"}},
		{ProtocolUDP, []string{"udp"}},
		{ProtocolDCCP, []string{"dccp"}},
		{41, []string{"ipv6"}},
		{46, []string{"rsvp"}},
		{47, []string{"gre"}},
		{50, []string{"esp"}},
		{51, []string{"ah"}},
		{ProtocolICMPv6, []string{"ipv6-icmp", "icmpv6", "icmp6"}},
		{88, []string{"eigrp"}},
		{89, []string{"ospf", "ospfigp"}},
		{103, []string{"pim"}},
		{108, []string{"ipcomp"}},
		{112, []string{"vrrp"}},
		{115, []string{"l2tp"}},
		{ProtocolSCTP, []string{"sctp"}},
		{ProtocolMobilityHeader, []string{"mobility-header", "mh"}},
		{ProtocolUDPLite, []string{"udplite"}},
	}
}

// serviceNames are the services people write in selectors, by the names of /etc/services.
func serviceNames() []named {
	return []named{
		{20, []string{"ftp-data"}}, {21, []string{"ftp"}}, {22, []string{"ssh"}}, {23, []string{"telnet"}},
		{25, []string{"smtp"}}, {49, []string{"tacacs"}}, {53, []string{"domain"}}, {67, []string{"bootps"}},
		{68, []string{"bootpc"}}, {69, []string{"tftp"}}, {80, []string{"http", "www"}}, {88, []string{"kerberos"}},
		{110, []string{"pop3"}}, {111, []string{"sunrpc"}}, {123, []string{"ntp"}}, {135, []string{"epmap"}},
		{137, []string{"netbios-ns"}}, {138, []string{"netbios-dgm"}}, {139, []string{"netbios-ssn"}},
		{143, []string{"imap2", "imap"}}, {161, []string{"snmp"}}, {162, []string{"snmp-trap"}}, {179, []string{"bgp"}},
		{389, []string{"ldap"}}, {443, []string{"https"}}, {445, []string{"microsoft-ds"}}, {500, []string{"isakmp"}},
		{514, []string{"syslog"}}, {546, []string{"dhcpv6-client"}}, {547, []string{"dhcpv6-server"}},
		{587, []string{"submission"}}, {636, []string{"ldaps"}}, {853, []string{"domain-s"}}, {873, []string{"rsync"}},
		{993, []string{"imaps"}}, {995, []string{"pop3s"}}, {1194, []string{"openvpn"}}, {1701, []string{"l2f", "l2tp"}},
		{1812, []string{"radius"}}, {1813, []string{"radius-acct"}}, {2049, []string{"nfs"}}, {3306, []string{"mysql"}},
		{4500, []string{"ipsec-nat-t"}}, {4789, []string{"vxlan"}}, {5060, []string{"sip"}}, {5061, []string{"sip-tls"}},
		{5432, []string{"postgresql"}},
	}
}

// lookup finds a name in a table. The tables are built again each time, because parsing is rare and shared tables could
// be changed.
func lookup(table []named, name string) (uint16, bool) {
	for _, e := range table {
		for _, n := range e.names {
			if n == name {
				return e.number, true
			}
		}
	}
	return 0, false
}

// protocolName is the name of an IP protocol, or its number where it has none that [Parse] knows.
func protocolName(p uint8) string {
	switch p {
	case ProtocolAny:
		return "any"
	case ProtocolTCP:
		return "tcp"
	case ProtocolUDP:
		return "udp"
	}
	for _, e := range protocolNames() {
		if e.number == uint16(p) {
			return e.names[0]
		}
	}
	return strconv.Itoa(int(p))
}
