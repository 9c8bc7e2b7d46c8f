package vici

// ClientStatus is what a connection has been given as the client of a gateway. strongSwan has no such message.
type ClientStatus struct {
	// Addresses are those in force; none while it is down.
	Addresses []string `json:"addresses,omitempty"`
	// DNS are the servers that this host asks because of it, Domains what for (none: all names), and DNSBy what of this host asks them:
	// "systemd-resolved".
	DNS     []string `json:"dns,omitempty"`
	Domains []string `json:"domains,omitempty"`
	DNSBy   string   `json:"dns_by,omitempty"`
	// GivenDNS, GivenDomains and Subnets are what the gateway has given last, whatever is made of it.
	GivenDNS     []string `json:"given_dns,omitempty"`
	GivenDomains []string `json:"given_domains,omitempty"`
	Subnets      []string `json:"subnets,omitempty"`
	// Problem says what could not be put in place.
	Problem string `json:"problem,omitempty"`
}

func (c *ClientStatus) fill(m *Message) {
	m.SetListNonEmpty("addresses", c.Addresses...)
	m.SetListNonEmpty("dns", c.DNS...)
	m.SetListNonEmpty("domains", c.Domains...)
	m.SetNonEmpty("dns-by", c.DNSBy)
	m.SetListNonEmpty("given-dns", c.GivenDNS...)
	m.SetListNonEmpty("given-domains", c.GivenDomains...)
	m.SetListNonEmpty("subnets", c.Subnets...)
	m.SetNonEmpty("problem", cut(c.Problem, maxText))
}

func parseClientStatus(m *Message) *ClientStatus {
	if m == nil {
		return nil
	}
	return &ClientStatus{
		Addresses: m.List("addresses"), DNS: m.List("dns"), Domains: m.List("domains"), DNSBy: m.Get("dns-by"), GivenDNS: m.List("given-dns"),
		GivenDomains: m.List("given-domains"), Subnets: m.List("subnets"), Problem: m.Get("problem"),
	}
}
