package ipsecconf

import (
	"path"
	"strings"

	"esplanade/config/tree"
)

// method is how a side proves itself, in our words; why says why that can't be had.
func strongSwanMethod(word string) (auth string, constraints bool, why string) {
	word, more, _ := strings.Cut(word, ":") // "eap-tls:ecdsa-384"
	switch {
	case word == "psk" || word == "secret":
		return "psk", false, ""
	case word == "pubkey" || word == "rsa" || word == "rsasig" || word == "ecdsa" || word == "ecdsasig":
		return "pubkey", false, ""
	case word == "ike" || strings.HasPrefix(word, "pubkey-") || strings.HasPrefix(word, "rsa-") || strings.HasPrefix(word, "rsa/") || strings.HasPrefix(word, "ecdsa-"):
		return "pubkey", true, ""
	case strings.HasPrefix(word, "xauth"):
		return "", false, "XAUTH is of IKEv1, which does not exist here"
	case word == "any":
		return "", false, "a peer has to prove itself by a certain method here"
	}
	switch word {
	case "eap", "eap-mschapv2", "eap-md5", "eap-gtc", "eap-tls", "eap-ttls", "eap-peap", "eap-radius", "eap-dynamic":
		return word, more != "", ""
	}
	return "", false, "there is no such method"
}

// strongSwanSides makes the tables local and remote, and those of second rounds.
func (r *strongSwanReader) strongSwanSides(m *made, s sides) *failure {
	c := m.conn
	by := ""
	if c.get(s.here+"auth") == nil && c.get(s.there+"auth") == nil {
		by = c.text("authby")
		if strings.HasPrefix(by, "xauth") {
			return m.fail("authby", "XAUTH is of IKEv1, which does not exist here")
		}
	}
	for _, e := range []struct{ side, table string }{{s.here, "local"}, {s.there, "remote"}} {
		for _, round := range []string{"", "2"} {
			if f := r.strongSwanRound(m, e.side, e.table, round, by); f != nil {
				return f
			}
		}
	}
	return nil
}

// strongSwanRound makes the table of one round of a side. round is "" for the first one.
func (r *strongSwanReader) strongSwanRound(m *made, side, table, round, by string) *failure {
	c := m.conn
	key := side + "auth" + round
	word := c.text(key)
	switch {
	case word == "" && round != "":
		m.leave(side+"cert2", "there is no second round")
		return nil
	case word == "" && by != "":
		word, key = by, "authby"
	case word == "":
		word = "pubkey"
	}
	auth, constraints, why := strongSwanMethod(word)
	if why != "" {
		return m.fail(key, why)
	}
	name := table
	if round != "" {
		name += "-2"
	}
	t := m.side(name)
	m.put(t, "auth", key, auth)
	if constraints {
		m.leave(key, "which keys and hashes are good enough for a signature is the same for all connections here")
	}
	if f := r.strongSwanID(m, t, side, round, auth); f != nil {
		return f
	}
	m.psk = m.psk || auth == "psk"
	if strings.HasPrefix(auth, "eap") {
		if f := r.eap(m, t, table, auth); f != nil {
			return f
		}
	}
	return r.strongSwanCerts(m, t, side, table, round, auth)
}

// strongSwanID makes the identity of a side. Where none is written it is the address, and anybody where that is not one; with a certificate it is
// the certificate's subject, which is our default.
func (r *strongSwanReader) strongSwanID(m *made, t *tree.Table, side, round, auth string) *failure {
	c := m.conn
	key := side + "id" + round
	id := c.text(key)
	if round != "" && id == "" && t == m.table("local-2") {
		key = side + "id" // falls back to that of the first round
		id = c.text(key)
	}
	written := id != ""
	if !written && round == "" && c.get(side+"cert") == nil {
		if list := addresses(c, side); len(list) > 0 {
			id = strings.TrimPrefix(c.text(side), "%") // "0.0.0.0/0" is a pattern for a peer's identity
			if strings.Contains(id, ",") {
				id = "fqdn:" + id // of a list strongSwan makes a name
			}
		}
	}
	if loose, ok := strings.CutPrefix(id, "%"); ok && !isAny(id) {
		if table := m.table("remote"); t == table { // for the own identity it has no effect
			m.leave(key, "the peer is told which identity is expected of it, which is not done there")
		}
		id = loose
	}
	if id == "" || isAny(id) {
		return nil
	}
	if why := checkIdentity(id); why != "" {
		if !written {
			return nil // a pattern of addresses, or the name of a host, that is no identity
		}
		return m.fail(key, why)
	}
	if t != m.table("remote") && t != m.table("remote-2") && isPattern(id) {
		m.leave(key, "it stands for several, and this side is one of them")
		return nil
	}
	if t == m.table("local") {
		m.hereID = id
	} else if t == m.table("remote") {
		m.thereID = id
	}
	if !written {
		key = side
	}
	m.put(t, "id", key, id)
	return nil
}

// table is a table of a side, nil if there is none yet.
func (m *made) table(name string) *tree.Table {
	for _, s := range m.sides {
		if s.name == name {
			return s.Table
		}
	}
	return nil
}

// eap makes the keys of a side that proves itself by EAP.
func (r *strongSwanReader) eap(m *made, t *tree.Table, table, auth string) *failure {
	if id := m.conn.text("eap_identity"); id != "" && id != "%identity" && id != "%any" {
		if why := checkIdentity(id); why != "" {
			return m.fail("eap_identity", why)
		}
		m.put(t, "eap_id", "eap_identity", id)
	}
	if id := m.conn.text("aaa_identity"); id != "" && table == "local" {
		m.put(t, "aaa_id", "aaa_identity", id)
	}
	if auth == "eap-radius" {
		r.Note("connections with eap-radius need [radius], which stands in strongswan.conf there and is not read")
	}
	return nil
}

// strongSwanCerts makes the keys of a side that are about certificates and public keys.
func (r *strongSwanReader) strongSwanCerts(m *made, t *tree.Table, side, table, round, auth string) *failure {
	c := m.conn
	if auth == "psk" {
		return nil
	}
	if key := side + "cert" + round; c.get(key) != nil {
		var list []string
		for _, file := range words(c.text(key)) {
			if strings.HasPrefix(file, "%") {
				return m.fail(key, "smart cards can't be used")
			}
			list = append(list, r.path("certs", file))
		}
		if len(list) > 0 {
			m.put(t, "certs", key, tree.Strings(list))
		}
	}
	if key := side + "ca" + round; table == "remote" && c.get(key) != nil {
		ca := c.text(key)
		if ca == "%same" {
			if ca = c.text(other(side) + "ca" + round); ca == "" {
				ca = "%any"
			}
		}
		if why := checkIdentity(ca); why != "" {
			m.leave(key, "it is the subject of no CA, and strongSwan goes without what it does not find: "+why)
		} else if !isAny(ca) {
			m.put(t, "ca_id", key, ca)
		}
	}
	if table == "remote" && round == "" {
		if v := c.text(side + "certpolicy"); v != "" {
			m.put(t, "cert_policy", side+"certpolicy", tree.Strings(words(v)))
		}
		if r.revocation != "" && auth == "pubkey" {
			t.Add("revocation", c.at, r.revocation)
		}
	}
	if key := side + "groups" + round; table == "remote" && c.get(key) != nil {
		if !strings.HasPrefix(auth, "eap") {
			return m.fail(key, "the groups of attribute certificates do not exist here")
		}
		m.put(t, "groups", key, tree.Strings(words(c.text(key))))
	}
	if key := side + "sigkey"; round == "" && c.get(key) != nil {
		if v := c.text(key); v != "%cert" {
			name, why := r.publicKey(v, c.name+"-"+side)
			if why != "" {
				return m.fail(key, why)
			}
			m.put(t, "pubkeys", key, name)
		}
	}
	return nil
}

// other is the other side.
func other(side string) string {
	if side == "left" {
		return "right"
	}
	return "left"
}

// path is where a file of a folder of ipsec.d is.
func (r *reader) path(folder, file string) string {
	if path.IsAbs(file) {
		return file
	}
	return path.Join(r.dir, "ipsec.d", folder, file)
}
