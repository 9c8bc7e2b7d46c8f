package ipsecconf

import (
	"net/netip"
	"strings"
)

// libreswanMethod is how a side proves itself, in our words; why says why that can't be had.
func libreswanMethod(words []string) (auth, why string) {
	for _, w := range words {
		base, _, _ := strings.Cut(strings.ToLower(w), "-")
		var one string
		switch base {
		case "secret", "psk":
			one = "psk"
		case "rsasig", "rsa", "ecdsa", "eddsa", "rsasigkey":
			one = "pubkey"
		case "null":
			return "", "nobody is let in without a proof of who it is (NULL authentication)"
		case "never":
			return "", "nothing is negotiated for it"
		case "eaponly":
			one = "eap"
		default:
			return "", "there is no such method"
		}
		if auth != "" && auth != one {
			return "", "a side has one method here"
		}
		auth = one
	}
	return auth, ""
}

// libreswanSides makes the tables local and remote.
func (r *libreswanReader) libreswanSides(m *made, s sides) *failure {
	c := m.conn
	by, why := libreswanMethod(words(c.text("authby")))
	if why != "" {
		return m.fail("authby", why)
	}
	if by == "" {
		by = "pubkey"
	}
	for _, e := range []struct{ side, table string }{{s.here, "local"}, {s.there, "remote"}} {
		key, auth := "authby", by
		if v := c.text(e.side + "auth"); v != "" {
			key = e.side + "auth"
			if auth, why = libreswanMethod(words(v)); why != "" {
				return m.fail(key, why)
			}
		}
		if v := c.text(e.side + "autheap"); v != "" && v != "none" {
			key = e.side + "autheap"
			if auth = "eap-" + strings.ToLower(v); auth != "eap-tls" && auth != "eap-mschapv2" {
				return m.fail(key, "there is no such method")
			}
		} else if auth == "eap" {
			return m.fail(key, "it does not say which method of EAP")
		}
		t := m.side(e.table)
		m.put(t, "auth", key, auth)
		m.psk = m.psk || auth == "psk"
		if f := r.libreswanID(m, e.side, e.table); f != nil {
			return f
		}
		if auth == "psk" {
			for _, k := range []string{"cert", "ca", "rsasigkey", "ecdsakey", "eddsakey", "pubkey", "ckaid"} {
				c.get(e.side + k)
			}
			continue
		}
		if f := r.libreswanKeys(m, e.side, e.table); f != nil {
			return f
		}
	}
	return nil
}

// libreswanID makes the identity of a side. Where none is written it is the address.
func (r *libreswanReader) libreswanID(m *made, side, table string) *failure {
	c, t := m.conn, m.table(table)
	key := side + "id"
	id, none := libreswanIdentity(c.text(key))
	if none {
		if c.text(key) == "" {
			for _, h := range hosts(c, side) {
				if _, err := netip.ParseAddr(h); err == nil && !isAnybody(h) {
					id, key = h, side
				}
			}
		}
		if id == "" {
			return nil
		}
	} else if why := checkIdentity(id); why != "" {
		return m.fail(key, why)
	} else if text := c.text(key); text == id && !strings.ContainsAny(id, "@=/:%") && !isAddress(id) {
		m.leave(key, "without @ in front, libreswan looks the name up and takes its address; here it is the name")
	}
	if table == "local" && isPattern(id) {
		m.leave(key, "it stands for several, and this side is one of them")
		return nil
	}
	if table == "local" {
		m.hereID = id
	} else {
		m.thereID = id
	}
	m.put(t, "id", key, id)
	return nil
}

// libreswanKeys makes the keys of a side that are about certificates and public keys. Certificates are in NSS, and so are private keys.
func (r *libreswanReader) libreswanKeys(m *made, side, table string) *failure {
	c, t := m.conn, m.table(table)
	if s := c.get(side + "cert"); s != nil {
		if table == "local" {
			m.leave(side+"cert", nssCertificate(s.value))
		} else {
			m.leave(side+"cert", "the certificate is in NSS: export it (certutil -L -d sql:/var/lib/ipsec/nss -n NICKNAME -a > NAME.pem), and name the file in certs of remote")
		}
		r.Note("CAs are in NSS there: export those that peers' certificates are of (certutil -L -d sql:/var/lib/ipsec/nss -n NICKNAME -a), and name the files in x509ca of [credentials]")
	}
	if table == "local" {
		m.leave(side+"ckaid", nssKey)
	} else {
		c.get(side + "ckaid")
	}
	if v := c.text(side + "ca"); v != "" && v != "%same" && v != "%any" && table == "remote" {
		if why := checkIdentity(v); why != "" {
			return m.fail(side+"ca", why)
		}
		m.put(t, "ca_id", side+"ca", v)
	}
	if r.revocation != "" && table == "remote" {
		t.Add("revocation", c.at, r.revocation)
	}
	for _, k := range []string{"rsasigkey", "ecdsakey", "eddsakey", "pubkey"} {
		key := side + k
		v := c.text(key)
		switch {
		case v == "" || v == "%cert" || v == "%none":
		case strings.HasPrefix(v, "%"):
			return m.fail(key, "the key is looked for in the DNS there, which is not done here")
		case table == "local":
			m.leave(key, "the key is in NSS, without a certificate that it could be exported with: make a new one (esplanade pki), and give its public part to the peer")
		default:
			name, why := r.publicKey(v, c.name+"-"+side)
			if why != "" {
				return m.fail(key, why)
			}
			m.put(t, "pubkeys", key, name)
		}
	}
	return nil
}
