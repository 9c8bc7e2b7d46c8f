//go:build linux

package integration

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
)

// publicCase is a configuration that somebody has published, in a folder of testdata/public: "here" is what is imported, "peer.conf" the swanctl.conf
// of the strongSwan at the other end, and "lab" says which addresses of the source are which ones of the lab.
type publicCase struct {
	dir, about string
	// brings says who brings the tunnel up: "start", "trap", "command" or "peer"; "" if there is none to bring up, and why says why.
	brings, why string
	// child is brought up by a command or by the peer. Each ping is of a child: from here to the peer, by their inner addresses; the zero ping is
	// between those of the lab.
	child string
	pings []publicPing
	certs []publicCert
	// after is what is added to the imported configuration, as the import has asked for; @ stands for the folder of the files.
	after string
}

// publicPing is a ping between two addresses; "" is the inner one of the site, "outer" the other one.
type publicPing struct{ here, there string }

// publicCert is a certificate with its key, of one of the two ends.
type publicCert struct {
	peer            bool
	cert, key, kind string
	subject         []string // the parts of a distinguished name: C, O, OU, CN
	names           maker
}

func dnsName(n string) maker { return func(c *x509.Certificate) { c.DNSNames = []string{n} } }
func emailName(n string) maker {
	return func(c *x509.Certificate) { c.DNSNames, c.EmailAddresses = nil, []string{n} }
}
func address(a string) maker {
	return func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.ParseIP(a)} }
}

// name is the distinguished name of a certificate.
func (c publicCert) name() (n pkix.Name) {
	for i, v := range c.subject {
		if v == "" {
			continue
		}
		switch i {
		case 0:
			n.Country = []string{v}
		case 1:
			n.Organization = []string{v}
		case 2:
			n.OrganizationalUnit = []string{v}
		case 3:
			n.CommonName = v
		}
	}
	return n
}

// The certificates of strongSwan's examples.
var (
	moonCert  = publicCert{false, "moonCert.pem", "moonKey.pem", "rsa", []string{"CH", "strongSwan", "", "moon.strongswan.org"}, dnsName("moon.strongswan.org")}
	sunCert   = publicCert{true, "sunCert.pem", "sunKey.pem", "rsa", []string{"CH", "strongSwan", "", "sun.strongswan.org"}, dnsName("sun.strongswan.org")}
	carolCert = publicCert{true, "carolCert.pem", "carolKey.pem", "rsa", []string{"CH", "strongSwan", "", "carol@strongswan.org"}, emailName("carol@strongswan.org")}
	carolDN   = publicCert{true, "carolCert.pem", "carolKey.pem", "rsa", []string{"CH", "strongSwan Project", "Research", "carol@strongswan.org"}, emailName("carol@strongswan.org")}
)

// publicCases are all of them.
func publicCases() []publicCase {
	return []publicCase{
		{dir: "01-site-to-site", about: "two sites with certificates, brought up by traffic", brings: "trap", certs: []publicCert{moonCert, sunCert}},
		{dir: "02-host-to-host", about: "two hosts with certificates, without networks", brings: "trap", pings: []publicPing{{"outer", "outer"}}, certs: []publicCert{moonCert, sunCert}},
		{dir: "03-virtual-ip", about: "road warriors with certificates, who are given addresses", brings: "peer", child: "home", pings: []publicPing{{"", "10.30.0.1"}},
			certs: []publicCert{moonCert, carolCert}},
		{dir: "04-wildcards", about: "road warriors by a pattern of their certificates' subjects", brings: "peer", child: "alice", pings: []publicPing{{"", "outer"}},
			certs: []publicCert{moonCert, carolDN}},
		{dir: "05-eap-gateway", about: "users with passwords (EAP-MSCHAPv2), with addresses and servers of names", brings: "peer", child: "home", pings: []publicPing{{"", "10.30.0.1"}},
			certs: []publicCert{{false, "cert.pem", "key.pem", "rsa", []string{"", "", "", "vpn.example.org"}, dnsName("vpn.example.org")}}},
		{dir: "06-psk", about: "two sites with a pre-shared key, one of five", brings: "command", child: "net-net"},
		{dir: "07-psk-roadwarriors", about: "hosts behind a NAT, each with a pre-shared key of its own", brings: "peer", child: "nat-t"},
		{dir: "08-xfrm-interface", about: "two sites with XFRM interfaces (route based)", why: "its one child is everything that is routed to the interface"},
		{dir: "09-ipv6", about: "two sites of IPv6 with certificates", brings: "command", child: "net-net", pings: []publicPing{{"fd10::1", "fd20::1"}}, certs: []publicCert{moonCert, sunCert}},
		{dir: "10-transport", about: "two hosts in transport mode", why: "transport mode"},
		{dir: "11-yandex-cloud", about: "a site of two networks and a cloud with a pre-shared key", brings: "start", pings: []publicPing{{}, {"10.11.0.1", ""}}},
		{dir: "12-azure", about: "a site and Azure, with two networks there", brings: "trap", pings: []publicPing{{}, {"", "10.21.0.1"}}},
		{dir: "13-google-cloud", about: "a site and Google Cloud", brings: "start"},
		{dir: "14-aws-vti", about: "two tunnels to AWS with IKEv1 and VTIs", why: "IKEv1"},
		{dir: "15-xauth", about: "phones with IKEv1 and XAuth", why: "IKEv1"},
		{dir: "16-names-behind-nat", about: "two sites that know each other by names, with UDP encapsulation forced", brings: "peer", child: "quicknet"},
		{dir: "17-several-children", about: "a firewall with a conn for each pair of networks", brings: "trap", pings: []publicPing{{}, {"10.11.0.1", ""}}},
		{dir: "18-ipv4-in-ipv6", about: "networks of IPv4 between gateways of IPv6, with `also=`", brings: "trap", pings: []publicPing{{}, {"10.11.0.1", ""}}},
		{dir: "19-protocols", about: "two hosts, ICMP and GRE only", brings: "start", pings: []publicPing{{"outer", "outer"}}},
		{dir: "20-eap-defaults", about: "users with passwords, all in `conn %default`", brings: "peer", child: "home", pings: []publicPing{{"", "10.30.0.1"}},
			certs: []publicCert{{false, "fullchain.pem", "privkey.pem", "rsa", []string{"", "", "", "vpn.example.org"}, dnsName("vpn.example.org")}}},
		{dir: "21-libreswan-subnets", about: "two sites of two networks each", brings: "start",
			pings: []publicPing{{}, {"10.11.0.1", ""}, {"", "10.21.0.1"}, {"10.11.0.1", "10.21.0.1"}}},
		{dir: "22-libreswan-cloud", about: "an instance in a cloud that calls itself by its public address", brings: "start", pings: []publicPing{{}, {"10.11.0.1", ""}}},
		{dir: "23-libreswan-addresspool", about: "phones and laptops with certificates, which are given addresses", brings: "peer", child: "home", pings: []publicPing{{"", "10.30.0.1"}},
			certs: []publicCert{{false, "exported.pem", "exported.key", "rsa", []string{"", "IKEv2 VPN", "", "198.18.0.1"}, address("198.18.0.1")},
				{true, "clientCert.pem", "clientKey.pem", "rsa", []string{"", "IKEv2 VPN", "", "vpnclient"}, dnsName("vpnclient")}},
			after: "[credentials]\nx509 = \"@/ipsec.d/certs/exported.pem\"\nprivate = \"@/ipsec.d/private/exported.key\"\nx509ca = \"@/ipsec.d/cacerts/strongswanCert.pem\"\n"},
		{dir: "24-libreswan-rsa-keys", about: "two hosts that know each other's RSA keys", why: "this side's key cannot be exported"},
	}
}
