package vici

import (
	"strconv"
	"time"
)

// PeerStatus is an IKE_SA of a connection, with the CHILD_SAs that it carries. A connection for many peers has one for each.
type PeerStatus struct {
	// ID is its number, as in list-sas.
	ID uint64 `json:"id"`
	// State is strongSwan's word in lower case: "established", "connecting", "rekeying", "deleting". Since is when it was established,
	// or begun.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// Initiator: this side has initiated it.
	Initiator bool `json:"initiator"`
	// UpSince is when the first of the IKE_SAs was established that were rekeyed to this one; zero if none is yet.
	UpSince  time.Time `json:"up_since,omitzero"`
	Local    string    `json:"local"`
	Remote   string    `json:"remote"`
	LocalID  string    `json:"local_id,omitempty"`
	RemoteID string    `json:"remote_id,omitempty"`
	// SPIi and SPIr are the SPIs of initiator and responder, in hexadecimal.
	SPIi string `json:"spi_i"`
	SPIr string `json:"spi_r"`
	// NAT, NATText, Proposal, Resumed, PPK, MOBIKE, LocalAddrs and RemoteAddrs: see [ConnStatus].
	NAT      string `json:"nat,omitempty"`
	NATText  string `json:"nat_text,omitempty"`
	Proposal string `json:"proposal,omitempty"`
	Resumed  bool   `json:"resumed,omitempty"`
	PPK      string `json:"ppk,omitempty"`
	// Certificate is the subject of the certificate that the peer has proved itself with, and CertificateUntil when that ends.
	Certificate      string    `json:"certificate,omitempty"`
	CertificateUntil time.Time `json:"certificate_until,omitzero"`
	// User is who the peer is by EAP, or this side if Client is set, UserMethod by which method, and UserGroups the groups of the user.
	User       string   `json:"user,omitempty"`
	UserMethod string   `json:"user_method,omitempty"`
	UserGroups []string `json:"user_groups,omitempty"`
	Client     bool     `json:"client,omitempty"`
	// DowngradePrevention: see [ConnStatus].
	DowngradePrevention bool     `json:"downgrade_prevention,omitempty"`
	MOBIKE              bool     `json:"mobike,omitempty"`
	LocalAddrs          []string `json:"local_addrs,omitempty"`
	RemoteAddrs         []string `json:"remote_addrs,omitempty"`
	// RemoteVIPs are the addresses within the tunnel that the peer was given.
	RemoteVIPs []string `json:"remote_vips,omitempty"`
	// NextRekey and NextReauth are when these are due; zero if they are not.
	NextRekey  time.Time `json:"next_rekey,omitzero"`
	NextReauth time.Time `json:"next_reauth,omitzero"`
	// Requests are those of this side that are outstanding, and then those that wait for their turn.
	Requests []string `json:"requests,omitempty"`
	// Heard and Silence: see [State].
	Heard    time.Time  `json:"heard,omitzero"`
	Silence  *Silence   `json:"silence,omitempty"`
	Children []SAStatus `json:"children"`
	// Traffic is what has gone through the CHILD_SAs of each child since UpSince, those included that are gone.
	Traffic []Traffic `json:"traffic"`
}

// Traffic is what has gone through CHILD_SAs, in inner packets.
type Traffic struct {
	Child      string `json:"child"`
	BytesIn    uint64 `json:"bytes_in"`
	PacketsIn  uint64 `json:"packets_in"`
	BytesOut   uint64 `json:"bytes_out"`
	PacketsOut uint64 `json:"packets_out"`
}

// SAStatus is a CHILD_SA.
type SAStatus struct {
	ID uint64 `json:"id"` // its number, as in list-sas
	// State is strongSwan's word in lower case: "installed", "rekeying", "rekeyed", "deleting", "deleted". Since is when it was installed.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// SPIIn and SPIOut are the SPIs of ESP, in hexadecimal. Transport is "udp", or "esp" for ESP as a protocol of its own.
	SPIIn     string   `json:"spi_in"`
	SPIOut    string   `json:"spi_out"`
	Transport string   `json:"transport"`
	Proposal  string   `json:"proposal,omitempty"`
	LocalTS   []string `json:"local_ts"`
	RemoteTS  []string `json:"remote_ts"`
	Traffic
	// LastIn and LastOut are when a packet came in and went out last; zero for never.
	LastIn  time.Time `json:"last_in,omitzero"`
	LastOut time.Time `json:"last_out,omitzero"`
	// NextRekey is when rekeying is due, Expires when it ends; zero for never.
	NextRekey time.Time `json:"next_rekey,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
}

// fill writes a peer and a part of its children into its section.
func (p *PeerStatus) fill(s *Message) {
	s.Set("state", p.State)
	setTime(s, "since", p.Since)
	s.SetYes("initiator", p.Initiator)
	setTime(s, "up-since", p.UpSince)
	s.Set("local", p.Local)
	s.Set("remote", p.Remote)
	s.SetNonEmpty("local-id", p.LocalID)
	s.SetNonEmpty("remote-id", p.RemoteID)
	s.Set("spi-i", p.SPIi)
	s.Set("spi-r", p.SPIr)
	s.SetNonEmpty("nat", p.NAT)
	s.SetNonEmpty("nat-text", p.NATText)
	s.SetNonEmpty("proposal", p.Proposal)
	s.SetYes("resumed", p.Resumed)
	s.SetNonEmpty("ppk", p.PPK)
	s.SetNonEmpty("certificate", p.Certificate)
	setTime(s, "certificate-until", p.CertificateUntil)
	s.SetNonEmpty("user", p.User)
	s.SetNonEmpty("user-method", p.UserMethod)
	s.SetListNonEmpty("user-groups", p.UserGroups...)
	s.SetYes("client", p.Client)
	s.SetYes("downgrade-prevention", p.DowngradePrevention)
	s.SetYes("mobike", p.MOBIKE)
	s.SetListNonEmpty("local-addrs", p.LocalAddrs...)
	s.SetListNonEmpty("remote-addrs", p.RemoteAddrs...)
	s.SetListNonEmpty("remote-vips", p.RemoteVIPs...)
	setTime(s, "next-rekey", p.NextRekey)
	setTime(s, "next-reauth", p.NextReauth)
	s.SetListNonEmpty("requests", p.Requests...)
	setTime(s, "heard", p.Heard)
	if q := p.Silence; q != nil {
		q.fill(s.Sub("silence"))
	}
	children := s.Sub("children")
	for i := range p.Children {
		c := &p.Children[i]
		c.fill(children.Sub(strconv.FormatUint(c.ID, 10)))
	}
	traffic := s.Sub("traffic")
	for i := range p.Traffic {
		p.Traffic[i].fill(traffic.Sub(strconv.Itoa(i + 1)))
	}
}

func (c *SAStatus) fill(s *Message) {
	s.Set("state", c.State)
	setTime(s, "since", c.Since)
	s.Set("spi-in", c.SPIIn)
	s.Set("spi-out", c.SPIOut)
	s.Set("transport", c.Transport)
	s.SetNonEmpty("proposal", c.Proposal)
	s.SetList("local-ts", c.LocalTS...)
	s.SetList("remote-ts", c.RemoteTS...)
	c.Traffic.fill(s)
	setTime(s, "last-in", c.LastIn)
	setTime(s, "last-out", c.LastOut)
	setTime(s, "next-rekey", c.NextRekey)
	setTime(s, "expires", c.Expires)
}

func (t *Traffic) fill(s *Message) {
	s.Set("child", t.Child)
	s.Setf("bytes-in", "%d", t.BytesIn)
	s.Setf("packets-in", "%d", t.PacketsIn)
	s.Setf("bytes-out", "%d", t.BytesOut)
	s.Setf("packets-out", "%d", t.PacketsOut)
}

func (p *parser) traffic(s *Message) Traffic {
	return Traffic{Child: s.Get("child"), BytesIn: p.uint64(s, "bytes-in"), PacketsIn: p.uint64(s, "packets-in"),
		BytesOut: p.uint64(s, "bytes-out"), PacketsOut: p.uint64(s, "packets-out")}
}

// parts are a peer with some of its children each: as many as fit an event.
func (p PeerStatus) parts() (list []PeerStatus) {
	for i, page := range pages(p.Children, (*SAStatus).fill) {
		p.Children = page
		if i > 0 {
			p.Traffic = nil // all of it was in the first
		}
		list = append(list, p)
	}
	return list
}

// messages are the events for a connection: one, or several for one with very many children or peers.
func (c *ConnStatus) messages() (list []*Message) {
	// part is a child, or a peer with some of what it carries.
	type part struct {
		child *ChildStatus
		peer  *PeerStatus
	}
	var parts []part
	for i := range c.Children {
		parts = append(parts, part{child: &c.Children[i]})
	}
	for _, p := range c.Peers {
		for _, p := range p.parts() {
			parts = append(parts, part{peer: &p})
		}
	}
	fill := func(x *part, m *Message) {
		if x.child != nil {
			x.child.fill(m)
		} else {
			x.peer.fill(m)
		}
	}
	for _, page := range pages(parts, fill) {
		x := *c
		x.Children, x.Peers = nil, nil
		for _, p := range page {
			if p.child != nil {
				x.Children = append(x.Children, *p.child)
			} else {
				x.Peers = append(x.Peers, *p.peer)
			}
		}
		list = append(list, x.message())
	}
	return list
}

// peer reads what fill has written.
func (p *parser) peer(id string, s *Message) PeerStatus {
	r := PeerStatus{
		State: s.Get("state"), Since: p.time(s, "since"), Initiator: s.Get("initiator") == "yes", UpSince: p.time(s, "up-since"), Local: s.Get("local"), Remote: s.Get("remote"),
		LocalID: s.Get("local-id"), RemoteID: s.Get("remote-id"), SPIi: s.Get("spi-i"), SPIr: s.Get("spi-r"), NAT: s.Get("nat"), NATText: s.Get("nat-text"),
		Proposal: s.Get("proposal"), DowngradePrevention: s.Get("downgrade-prevention") == "yes", Resumed: s.Get("resumed") == "yes", PPK: s.Get("ppk"), Certificate: s.Get("certificate"), CertificateUntil: p.time(s, "certificate-until"), MOBIKE: s.Get("mobike") == "yes",
		LocalAddrs: s.List("local-addrs"), RemoteAddrs: s.List("remote-addrs"), RemoteVIPs: s.List("remote-vips"), NextRekey: p.time(s, "next-rekey"), NextReauth: p.time(s, "next-reauth"),
		User: s.Get("user"), UserMethod: s.Get("user-method"), UserGroups: s.List("user-groups"), Client: s.Get("client") == "yes",
		Requests: s.List("requests"), Heard: p.time(s, "heard"), Silence: p.silence(s.Section("silence")),
	}
	r.ID = p.number(id)
	for id, s := range s.Section("children").Sections() {
		r.Children = append(r.Children, SAStatus{
			ID: p.number(id), State: s.Get("state"), Since: p.time(s, "since"), SPIIn: s.Get("spi-in"), SPIOut: s.Get("spi-out"),
			Transport: s.Get("transport"), Proposal: s.Get("proposal"), LocalTS: s.List("local-ts"), RemoteTS: s.List("remote-ts"),
			Traffic: p.traffic(s),
			LastIn:  p.time(s, "last-in"), LastOut: p.time(s, "last-out"), NextRekey: p.time(s, "next-rekey"), Expires: p.time(s, "expires"),
		})
	}
	for _, s := range s.Section("traffic").Sections() {
		r.Traffic = append(r.Traffic, p.traffic(s))
	}
	return r
}

// number reads the name of a section that is a number.
func (p *parser) number(name string) uint64 {
	n, err := strconv.ParseUint(name, 10, 64)
	p.keep("id", err)
	return n
}

// add puts a further event of a connection to what is known of it: one with very many children, or with several peers, comes in several.
func (c *ConnStatus) add(more ConnStatus) {
	c.Children = append(c.Children, more.Children...)
	for _, p := range more.Peers {
		if n := len(c.Peers); n > 0 && c.Peers[n-1].ID == p.ID {
			c.Peers[n-1].Children = append(c.Peers[n-1].Children, p.Children...)
			continue
		}
		c.Peers = append(c.Peers, p)
	}
}
