package config

import (
	"crypto/x509"
	"fmt"
	"slices"

	"esplanade/config/tree"
	"esplanade/ike/aaa"
	"esplanade/ike/eap"
	"esplanade/ike/pki/files"
	"esplanade/ike/pki/revocation"
)

// pools adds the pools.
func (m *merge) pools() {
	if m.old.file == m.file && sameList(m.now().pools, m.was().pools) {
		m.out.Pools = m.old.Pools
		return
	}
	m.out.Pools = slices.Clip(slices.Clone(m.file.Pools))
	for _, s := range m.now().pools.order {
		if o := m.file.Pool(s.Name); o != nil {
			m.clash("pool", s, o.Source)
			continue
		}
		p := readPool(m.section("pools", s, withoutEmpty(s.Table)))
		for _, o := range m.out.Pools {
			if a, both := p.Pool().Overlaps(o.Pool()); both {
				m.errorf(p.At("addrs"), "give each pool addresses of its own", "%s and %s%s both have %s", p.Source.name, o.Source.name, inLine(o.At("addrs")), a)
			}
		}
		m.out.checkPoolTUN(m.reader, p)
		m.out.checkPoolConns(m.reader, p)
		m.out.Pools = append(m.out.Pools, p)
	}
}

// withoutEmpty is a section without the keys that have nothing.
func withoutEmpty(t *tree.Table) *tree.Table {
	out := &tree.Table{}
	for e := range t.All() {
		if list, is := e.Value.Data.(tree.List); is && len(list) == 0 || e.Value.Data == tree.Text("") {
			continue
		}
		out.AddEntry(e)
	}
	return out
}

// source is that of a thing that is no section.
func (m *merge) source(name string, at Position) Source {
	return Source{name: name, table: at, keys: map[string]Position{}}
}

// secrets adds the shared secrets.
func (m *merge) secrets() {
	out, old := m.out, m.old
	now, was := m.now().shared, m.was().shared
	if old.file != m.file {
		was = roll[*Shared]{}
		old = m.file
	} else if sameList(now, was) {
		out.Secrets, out.morePSKs, out.loadedPSKs, out.made = old.Secrets, old.morePSKs, old.loadedPSKs, old.made
		return
	}
	// Each keeps what was made of it as long as it is the same.
	out.made = carry(now, was, old.made, func(s *Shared) *madeSecret { return m.makeSecret(s) })
	if old != m.file && len(out.made.order) == len(old.made.order)+1 && slices.Equal(out.made.order[:len(old.made.order)], old.made.order) {
		m.oneSecret(out.made.order[len(old.made.order)])
		return
	}
	out.Secrets = m.file.Secrets
	out.Secrets.IKE, out.Secrets.PPK, out.Secrets.EAP = slices.Clip(out.Secrets.IKE), slices.Clip(out.Secrets.PPK), slices.Clip(out.Secrets.EAP)
	var keys []*IKESecret
	for _, x := range out.made.order {
		switch {
		case x.ike != nil:
			// Others read the one that was made before: it is not numbered again.
			copied := *x.ike
			keys = append(keys, &copied)
		case x.ppk != nil:
			out.Secrets.PPK = append(out.Secrets.PPK, x.ppk)
		case x.eap != nil:
			out.Secrets.EAP = append(out.Secrets.EAP, x.eap)
		}
	}
	out.Secrets.IKE = append(out.Secrets.IKE, keys...)
	out.loadedPSKs, out.morePSKs = len(keys), newPSKIndex(keys)
}

// oneSecret adds one to those of the configuration before.
func (m *merge) oneSecret(x *madeSecret) {
	out, old := m.out, m.old
	out.Secrets, out.loadedPSKs, out.morePSKs = old.Secrets, old.loadedPSKs, old.morePSKs
	switch {
	case x.ike != nil:
		if n := len(old.Secrets.IKE); old.loadedPSKs > 0 {
			x.ike.order = old.Secrets.IKE[n-1].order + 1
		}
		out.Secrets.IKE = append(slices.Clip(old.Secrets.IKE), x.ike)
		out.loadedPSKs, out.morePSKs = old.loadedPSKs+1, old.morePSKs.with(x.ike)
	case x.ppk != nil:
		out.Secrets.PPK = append(slices.Clip(old.Secrets.PPK), x.ppk)
	case x.eap != nil:
		out.Secrets.EAP = append(slices.Clip(old.Secrets.EAP), x.eap)
	}
}

// madeSecret is what a secret has come to: one of three.
type madeSecret struct {
	name string
	ike  *IKESecret
	ppk  *PPKSecret
	eap  *EAPSecret
}

func (x *madeSecret) id() string              { return x.name }
func (x *madeSecret) same(o *madeSecret) bool { return x == o }

// makeSecret reads a secret as one of a table would be.
func (m *merge) makeSecret(s *Shared) *madeSecret {
	out := &madeSecret{name: s.id()}
	name := s.ID
	if name == "" {
		name = "(without an id)"
	}
	src := m.source(tree.KeyName("secrets", s.Kind, name), s.At)
	switch s.Kind {
	case ikeKind:
		out.ike = &IKESecret{Source: src, Name: name, IDs: s.ids, Key: s.Data, swanctl: true}
	case ppkKind:
		out.ppk = &PPKSecret{Source: src, Name: name, IDs: s.Owners, Key: s.Data}
	case eapKind, ntlmKind:
		e := &EAPSecret{Source: src, Kind: s.Kind, Name: name, IDs: s.Owners, Key: s.Data}
		if s.Kind == ntlmKind {
			e.secret = eap.NTHash([ntHashLen]byte(s.Data.Bytes()))
		} else {
			e.secret = password(m.reader, s.At, src.name, string(s.Data.Bytes()))
		}
		out.eap = e
	}
	return out
}

// users makes the directory of the users of the file and of the loaded secrets.
func (m *merge) users() {
	out := m.out
	loaded := out.Secrets.EAP[len(m.file.Secrets.EAP):]
	if len(loaded) == 0 {
		return
	}
	if m.old.file == m.file && slices.Equal(out.Secrets.EAP, m.old.Secrets.EAP) && m.sameClients() {
		out.Users.Directory = m.old.Users.Directory
		return
	}
	d := &Directory{}
	own := out.ownNames()
	for e := range m.file.Users.Directory.All() {
		if !own[e.User.Name] || m.file.Users.File != "" {
			d.add(e)
		}
	}
	for _, s := range loaded {
		for _, name := range s.IDs {
			if own[name] {
				continue
			}
			if reason := userName(name); reason != "" {
				m.warnf(s.table, "write the name that the user types", "%s is for %s, which %s", s.name, quote(name), reason)
				continue
			}
			e := &UserEntry{User: aaa.User{Name: name}, At: s.table, PlainText: s.Kind == eapKind, secret: s.secret}
			if o := d.add(e); o != nil && o.At.File != s.table.File {
				m.errorf(e.At, "remove one of them", "%s has the user %s, who is there already%s", s.Source.name, quote(name), inLine(o.At))
			}
		}
	}
	out.Users.Directory = d
}

// sameClients reports whether no connection has come or gone by which this side is the user of another gateway.
func (m *merge) sameClients() bool {
	is := func(p *part) bool { return p.conn.provesByEAP() }
	fresh, gone := m.out.parts.since(m.old.parts)
	return !slices.ContainsFunc(fresh, is) && !slices.ContainsFunc(gone, is)
}

// credentials adds keys, certificates, revocation lists and authorities.
func (m *merge) credentials() {
	now, was := m.now(), m.was()
	if m.old.file == m.file && sameList(now.keys, was.keys) && sameList(now.certs, was.certs) && sameList(now.authorities, was.authorities) {
		m.out.shelf, m.out.common, m.out.Authorities, m.out.inventory = m.old.shelf, m.old.common, m.old.Authorities, m.old.inventory
		return
	}
	m.again = true
	s := m.file.shelf.clone(m.reader)
	common := m.file.common
	common.anchors, common.intermediates = slices.Clip(common.anchors), slices.Clip(common.intermediates)
	common.rules.Lists, common.rules.Responders, common.rules.Authorities = slices.Clip(common.rules.Lists), slices.Clip(common.rules.Responders), slices.Clip(common.rules.Authorities)
	for _, k := range now.keys.order {
		s.keys = append(s.keys, ownKey{named: named{key: "a private key", at: k.at}, path: k.at.String() + " " + k.keyID, signer: k.signer, public: k.public})
	}
	for _, c := range now.certs.order {
		m.certificate(s, &common, c)
	}
	m.authorities(s, &common)
	s.known = common.intermediates
	s.peers = &peersOnShelf{keys: len(s.keys), trusted: len(s.trusted), certs: s.trustedOfPeers()} // once, not for each connection
	m.out.shelf, m.out.common, m.out.inventory = s, common, s.inventory(common)
}

// certificate adds what load-cert has brought.
func (m *merge) certificate(s *shelf, common *common, c *Certificate) {
	n := named{key: "a certificate", at: c.At}
	if c.Type == TypeX509CRL {
		lists, err := files.CRLs(c.Data)
		if err != nil {
			s.wrong(n, "a revocation list", err)
			return
		}
		for _, x := range lists {
			l, err := revocation.ReadList(c.At.String(), x.Raw)
			if err != nil {
				s.wrong(n, "a revocation list", err)
				continue
			}
			common.rules.Lists = append(common.rules.Lists, l)
		}
		return
	}
	if c.Type != TypeX509 {
		return
	}
	list, err := files.Certificates(c.Data)
	if err != nil {
		s.wrong(n, "a certificate", err)
		return
	}
	switch c.Flag {
	case FlagCA:
		common.anchors = append(common.anchors, list...)
		common.intermediates = append(common.intermediates, list...)
		s.cas = append(slices.Clip(s.cas), list...)
	case FlagOCSP:
		common.rules.Responders = append(common.rules.Responders, list...)
	case FlagNone:
		s.own = append(s.own, ownCert{named: n, path: fmt.Sprintf("(%s) %s", c.At, list[0].Subject), certs: list})
		s.trusted = append(slices.Clip(s.trusted), list...)
	case FlagAA: // attribute certificates are not looked at, and so whoever issues them vouches for nothing
	}
}

// authorities adds the authorities.
func (m *merge) authorities(s *shelf, common *common) {
	m.out.Authorities = slices.Clip(m.file.Authorities)
	for _, x := range m.now().authorities.order {
		if i := slices.IndexFunc(m.file.Authorities, func(a *Authority) bool { return a.Name == x.Name }); i >= 0 {
			m.clash("authority", x, m.file.Authorities[i].Source)
			continue
		}
		a := readAuthority(m.section("authorities", x, withoutEmpty(x.Table)))
		m.out.Authorities = append(m.out.Authorities, a)
		if a.CACert == "" {
			continue
		}
		for _, f := range s.certificates(named{key: a.Source.name + ".cacert", text: a.CACert, at: a.At("cacert")}) {
			for _, ca := range f.certs {
				common.rules.Authorities = append(common.rules.Authorities, &revocation.Authority{Name: a.Name, CA: ca, CRLURIs: a.CRLURIs, OCSPURIs: a.OCSPURIs})
				common.anchors = append(common.anchors, ca)
				common.intermediates = append(common.intermediates, ca)
			}
		}
	}
}

// clone is a shelf with the same things, to which others can be added.
func (s *shelf) clone(r *reader) *shelf {
	out := *s
	out.reader = r
	out.keys, out.own, out.known = slices.Clip(s.keys), slices.Clip(s.own), slices.Clip(s.known)
	out.uses, out.listed = nil, nil
	out.certs, out.failed, out.keyLost = map[string][]*x509.Certificate{}, map[string]bool{}, false
	return &out
}
