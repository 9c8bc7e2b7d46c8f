package config

import (
	"slices"

	"esplanade/ike/credential"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// part is what a loaded connection has come to. It is not changed any more.
type part struct {
	section *Section
	// read is the connection as it was read, and conn with what keys and certificates have to say about it: mostly the same.
	read, conn *Connection
	cred       credential.Connection
	issued     []revocation.Own
	eap        eapPart
	uses       []certUse
}

func (p *part) id() string        { return p.section.Name }
func (p *part) same(o *part) bool { return p == o }

// connections adds the connections.
func (m *merge) connections() {
	out, now, was := m.out, m.now().connections, m.was().connections
	old := m.old.parts
	if m.old.file != m.file {
		was, old = roll[*Section]{}, roll[*part]{}
	} else if m.again {
		was, old = uncertified(was, old)
	} else if sameList(now, was) {
		out.parts, out.Connections = m.old.parts, m.old.Connections
		return
	}
	clash := false
	out.parts = carry(now, was, old, func(s *Section) *part {
		if o := m.file.Connection(s.Name); o != nil {
			m.clash("connection", s, o.Source)
			clash = true
			return nil
		}
		p := m.connection(s)
		m.fresh = append(m.fresh, p)
		return p
	})
	if clash {
		out.parts, m.fresh = roll[*part]{}, nil
	}
	out.Connections = make([]*Connection, 0, len(m.file.Connections)+len(out.parts.order))
	out.Connections = append(out.Connections, m.file.Connections...)
	for _, p := range out.parts.order {
		out.Connections = append(out.Connections, p.conn)
	}
}

// uncertified are those of the connections that have nothing to do with certificates: they stay what they are whichever there are.
func uncertified(was roll[*Section], made roll[*part]) (sections roll[*Section], parts roll[*part]) {
	for _, p := range made.order {
		if !p.conn.certified() {
			sections.order, parts.order = append(sections.order, p.section), append(parts.order, p)
		}
	}
	for _, p := range made.sorted {
		if !p.conn.certified() {
			sections.sorted, parts.sorted = append(sections.sorted, p.section), append(parts.sorted, p)
		}
	}
	return sections, parts
}

// certified reports whether certificates or keys without one prove anything in a connection, on either side.
func (c *Connection) certified() bool {
	local, remote := c.Rounds()
	return slices.ContainsFunc(local, func(a Auth) bool { return a.Method == policy.AuthPubkey || c.showsCertificate(&a) }) ||
		slices.ContainsFunc(remote, func(a Auth) bool { return a.Method == policy.AuthPubkey || judgesCertificate(&a) })
}

// connection makes one. What its section says is read once only, while the file is the same.
func (m *merge) connection(s *Section) *part {
	p := &part{section: s}
	if o, ok := m.old.parts.find(s.Name); ok && o.section == s && m.old.file == m.file {
		p.read = o.read
	} else {
		p.read = readConnection(m.section("connections", s, FromSwanctl(s.Table, s.At)), m.out)
		p.read.loaded = true
	}
	shelf := m.out.shelf.clone(m.reader)
	p.conn, p.cred = shelf.credentials(p.read, m.out.common)
	p.uses = shelf.inView(shelf.uses)
	p.issued = shelf.issued([]*Connection{p.conn}, map[string]credential.Connection{s.Name: p.cred}, m.out.common)
	return p
}

// sets makes what proofs are looked up in, and looks at what is new.
func (m *merge) sets() {
	out := m.out
	base, added := m.file.Set, out.parts.order
	if m.old.file == m.file && !m.again {
		base, added = m.old.Set, m.fresh
	}
	var creds []credential.Connection
	var issued []revocation.Own
	for _, p := range added {
		creds, issued = append(creds, p.cred), append(issued, p.issued...)
	}
	parts := out.parts
	out.Set = base.With(func(name string) (credential.Connection, bool) {
		p, ok := parts.find(name)
		if !ok {
			return credential.Connection{}, false
		}
		return p.cred, true
	}, creds, issued...)
	m.eapSets()
	for _, p := range m.fresh {
		m.checkLoaded(p.conn)
	}
}

// eapSets makes what users are checked with. Where the users are others, all connections with EAP have others to check.
func (m *merge) eapSets() {
	out := m.out
	if m.old.file != m.file || out.Users.Directory != m.old.Users.Directory || m.again {
		out.EAP = out.makeEAPOf(m.file.Connections)
		out.parts = renewed(out.parts, func(p *part) *part {
			if !p.conn.usesEAP() {
				return p
			}
			fresh := *p // others use the one that there was
			fresh.eap = out.makeEAPPart(p.conn)
			return &fresh
		})
	} else {
		set := *m.old.EAP
		out.EAP = &set
		for _, p := range m.fresh {
			p.eap = out.makeEAPPart(p.conn)
		}
	}
	parts := out.parts
	out.EAP.more = func(name string) eapPart {
		if p, ok := parts.find(name); ok {
			return p.eap
		}
		return eapPart{}
	}
}

// checkLoaded looks at what concerns a loaded connection and others than itself, as far as that can be said without going through all of these.
func (m *merge) checkLoaded(n *Connection) {
	one := *m.out
	one.Connections = []*Connection{n}
	one.Pools = slices.DeleteFunc(slices.Clone(one.Pools), func(p *Pool) bool { return !slices.Contains(n.Pools, p.Name) })
	r := m.reader
	if n.usesPSK() && !n.HasOwnKey() && n.Remote.ID.Concrete() && !one.hasPSK(n) {
		r.warnf(n.At("auth"), "load one", "there is no secret for %s, and none names %s", n.Source.name, quote(n.Remote.ID.String()))
	}
	one.checkRADIUS(r)
	one.checkEAP(r)
	one.checkRounds(r)
	one.checkPPK(r, n)
	one.checkLinks(r)
	one.checkMTU(r)
	one.checkPartners(r)
	one.checkClients(r)
	one.checkSpecial(r)
	one.checkHeld(r)
	one.checkPools(r)
	one.checkPresets(r)
	one.checkRequestIDs(r)
	if len(n.Children) <= maxCompared {
		one.checkOverlaps(r)
	}
}

// maxCompared is how many children a loaded connection may have for each to be compared with each.
const maxCompared = 64
