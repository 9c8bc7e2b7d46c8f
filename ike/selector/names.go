package selector

import (
	"slices"
	"strconv"
)

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
		{4, []string{"ipencap"}},
		{ProtocolTCP, []string{"tcp"}},
		{8, []string{"egp"}},
		{9, []string{"igp"}},
		{ProtocolUDP, []string{"udp"}},
		{ProtocolDCCP, []string{"dccp"}},
		{41, []string{"ipv6"}},
		{43, []string{"ipv6-route"}},
		{44, []string{"ipv6-frag"}},
		{46, []string{"rsvp"}},
		{47, []string{"gre"}},
		{50, []string{"esp"}},
		{51, []string{"ah"}},
		{ProtocolICMPv6, []string{"ipv6-icmp", "icmpv6", "icmp6"}},
		{59, []string{"ipv6-nonxt"}},
		{60, []string{"ipv6-opts"}},
		{88, []string{"eigrp"}},
		{89, []string{"ospf", "ospfigp"}},
		{94, []string{"ipip"}},
		{97, []string{"etherip"}},
		{103, []string{"pim"}},
		{108, []string{"ipcomp"}},
		{112, []string{"vrrp"}},
		{115, []string{"l2tp"}},
		{124, []string{"isis"}},
		{ProtocolSCTP, []string{"sctp"}},
		{ProtocolMobilityHeader, []string{"mobility-header", "mh"}},
		{ProtocolUDPLite, []string{"udplite"}},
		{137, []string{"mpls-in-ip"}},
		{139, []string{"hip"}},
	}
}

// service is a service with its port and its names, the first of which is printed with the protocols that are in over.
type service struct {
	port  uint16
	over  transports
	names []string
}

// transports are the protocols that a service has its name with. Its port may be written by that name with any.
type transports uint8

const (
	overTCP transports = 1 << iota
	overUDP
	overSCTP
)

func transportOf(protocol uint8) transports {
	switch protocol {
	case ProtocolTCP:
		return overTCP
	case ProtocolUDP:
		return overUDP
	case ProtocolSCTP:
		return overSCTP
	}
	return 0
}

// services are those that people write in selectors, by the names of /etc/services on Debian, whose tools show them.
// https://www.iana.org/assignments/service-names-port-numbers
func services() []service {
	const t, u, tu = overTCP, overUDP, overTCP | overUDP
	return []service{
		{1, t, []string{"tcpmux"}}, {7, tu, []string{"echo"}}, {9, tu, []string{"discard"}}, {11, t, []string{"systat"}},
		{13, tu, []string{"daytime"}}, {19, tu, []string{"chargen"}}, {20, t, []string{"ftp-data"}}, {21, t, []string{"ftp"}},
		{22, t, []string{"ssh"}}, {23, t, []string{"telnet"}}, {25, t, []string{"smtp"}}, {37, tu, []string{"time"}},
		{43, t, []string{"whois"}}, {49, tu, []string{"tacacs"}}, {53, tu, []string{"domain"}}, {67, u, []string{"bootps"}},
		{68, u, []string{"bootpc"}}, {69, u, []string{"tftp"}}, {70, t, []string{"gopher"}}, {79, t, []string{"finger"}},
		{80, t, []string{"http", "www"}}, {88, tu, []string{"kerberos"}}, {102, t, []string{"iso-tsap"}}, {110, t, []string{"pop3"}},
		{111, tu, []string{"sunrpc"}}, {113, t, []string{"auth"}}, {119, t, []string{"nntp"}}, {123, u, []string{"ntp"}},
		{135, t, []string{"epmap"}}, {137, u, []string{"netbios-ns"}}, {138, u, []string{"netbios-dgm"}}, {139, t, []string{"netbios-ssn"}},
		{143, t, []string{"imap2", "imap"}}, {161, tu, []string{"snmp"}}, {162, tu, []string{"snmp-trap"}}, {177, u, []string{"xdmcp"}},
		{179, t, []string{"bgp"}}, {319, u, []string{"ptp-event"}}, {320, u, []string{"ptp-general"}}, {389, tu, []string{"ldap"}},
		{427, tu, []string{"svrloc"}}, {443, tu, []string{"https"}}, {445, t, []string{"microsoft-ds"}}, {464, tu, []string{"kpasswd"}},
		{465, t, []string{"submissions"}}, {500, u, []string{"isakmp"}}, {512, t, []string{"exec"}}, {512, u, []string{"biff"}},
		{513, t, []string{"login"}}, {513, u, []string{"who"}}, {514, t, []string{"shell"}}, {514, u, []string{"syslog"}},
		{515, t, []string{"printer"}}, {517, u, []string{"talk"}}, {520, u, []string{"route"}}, {540, t, []string{"uucp"}},
		{546, u, []string{"dhcpv6-client"}}, {547, u, []string{"dhcpv6-server"}}, {548, t, []string{"afpovertcp"}}, {554, tu, []string{"rtsp"}},
		{563, t, []string{"nntps"}}, {587, t, []string{"submission"}}, {623, u, []string{"asf-rmcp"}}, {631, t, []string{"ipp"}},
		{636, tu, []string{"ldaps"}}, {646, tu, []string{"ldp"}}, {655, tu, []string{"tinc"}}, {749, t, []string{"kerberos-adm"}},
		{853, tu, []string{"domain-s"}}, {873, t, []string{"rsync"}}, {989, t, []string{"ftps-data"}}, {990, t, []string{"ftps"}},
		{992, t, []string{"telnets"}}, {993, t, []string{"imaps"}}, {995, t, []string{"pop3s"}}, {1080, t, []string{"socks"}},
		{1099, t, []string{"rmiregistry"}}, {1194, tu, []string{"openvpn"}}, {1352, t, []string{"lotusnote"}}, {1433, t, []string{"ms-sql-s"}},
		{1434, u, []string{"ms-sql-m"}}, {1645, tu, []string{"datametrics"}}, {1646, tu, []string{"sa-msg-port"}},
		{1701, u, []string{"l2f", "l2tp"}}, {1812, tu, []string{"radius"}}, {1813, tu, []string{"radius-acct"}},
		{2000, t, []string{"cisco-sccp"}}, {2049, tu, []string{"nfs"}}, {3205, tu, []string{"isns"}}, {3260, t, []string{"iscsi-target"}},
		{3306, t, []string{"mysql"}}, {3389, t, []string{"ms-wbt-server"}}, {3493, tu, []string{"nut"}}, {3690, t, []string{"svn"}},
		{4190, t, []string{"sieve"}}, {4460, t, []string{"ntske"}}, {4500, u, []string{"ipsec-nat-t"}}, {4569, u, []string{"iax"}},
		{4789, 0, []string{"vxlan"}}, {4949, t, []string{"munin"}}, {5060, tu, []string{"sip"}}, {5061, tu, []string{"sip-tls"}},
		{5222, t, []string{"xmpp-client"}}, {5269, t, []string{"xmpp-server"}}, {5353, u, []string{"mdns"}}, {5432, t, []string{"postgresql"}},
		{5666, t, []string{"nrpe"}}, {5667, t, []string{"nsca"}}, {5671, t, []string{"amqps"}}, {5672, t | overSCTP, []string{"amqp"}},
		{6000, t, []string{"x11"}}, {6379, t, []string{"redis"}}, {6514, t, []string{"syslog-tls"}}, {6667, t, []string{"ircd"}},
		{6696, u, []string{"babel"}}, {6697, t, []string{"ircs-u"}}, {8080, t, []string{"http-alt"}}, {8140, t, []string{"puppet"}},
		{9101, t, []string{"bacula-dir"}}, {9102, t, []string{"bacula-fd"}}, {9103, t, []string{"bacula-sd"}}, {9418, t, []string{"git"}},
		{10000, t, []string{"webmin"}}, {10050, t, []string{"zabbix-agent"}}, {10051, t, []string{"zabbix-trapper"}},
	}
}

// servicePort finds the port of a service: that of the protocol, or else the only one of that name.
func servicePort(name string, protocol uint8) (port uint16, ok bool) {
	for _, s := range services() {
		if slices.Contains(s.names, name) {
			if s.over&transportOf(protocol) != 0 {
				return s.port, true
			}
			port, ok = s.port, true
		}
	}
	return port, ok
}

// serviceName is the name of a port, or its number where it has none.
func serviceName(port uint16, protocol uint8) string {
	for _, s := range services() {
		if s.port == port && s.over&transportOf(protocol) != 0 {
			return s.names[0]
		}
	}
	return strconv.Itoa(int(port))
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
