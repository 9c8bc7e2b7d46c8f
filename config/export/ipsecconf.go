package export

import (
	"encoding/hex"
	"fmt"
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
)

// conf writes lines of a section of ipsec.conf.
type conf struct{ strings.Builder }

func (c *conf) set(key, value string) { fmt.Fprintf(c, "    %s=%s\n", key, value) }

// strokeConf writes the ipsec.conf that strongSwan had before swanctl.conf. A child is a conn of its own; the IKE SA is shared.
// https://docs.strongswan.org/docs/latest/config/IKEv1.html
func strokeConf(w *writer) ([]byte, error) {
	if w.PPKID != "" {
		if err := w.noPPK(); err != nil {
			return nil, err
		}
	}
	var b conf
	fmt.Fprintf(&b, "# strongSwan, ipsec.conf: the other end of the connection %s of %s\n", w.Name, w.Gateway)
	for _, c := range w.Children {
		fmt.Fprintf(&b, "conn %s\n", w.connName(c))
		b.set("keyexchange", "ikev2")
		w.swanAdditional()
		b.set("ike", strings.Join(swanProposals(w.conn.Proposals), ",")+"!")
		b.set("esp", strings.Join(swanProposals(c.ESP), ",")+"!")
		b.set("forceencaps", yes(w.conn.Encap))
		b.set("mobike", yes(w.conn.MOBIKE))
		b.set("fragmentation", yes(w.conn.Fragmentation))
		b.set("dpddelay", seconds(w.dpdDelay()))
		b.set("dpdaction", "restart")
		b.set("keyingtries", "%forever")
		b.set("reauth", yes(w.conn.ReauthTime != 0))
		b.set("left", "%any")
		if !w.ClientID.Any() {
			b.set("leftid", confValue(swanID(w.ClientID)))
		}
		w.strokeAuth(&b, "leftauth", w.Method)
		if w.Second != 0 {
			w.strokeAuth(&b, "leftauth2", w.Second)
		}
		if w.certificate() {
			b.set("leftcert", confValue(w.certFile()))
		}
		if w.Addresses {
			b.set("leftsourceip", strings.NewReplacer("0.0.0.0", "%config4", "::", "%config6").Replace(strings.Join(w.families(), ",")))
		} else {
			b.set("leftsubnet", strings.ReplaceAll(strings.ReplaceAll(swanSelectors(c.Own), " ", ""), "dynamic", "%dynamic"))
		}
		b.set("right", w.Gateway)
		b.set("rightid", confValue(swanID(w.GatewayID)))
		b.set("rightauth", w.GatewayMethod.String())
		b.set("rightsubnet", strings.ReplaceAll(strings.ReplaceAll(swanSelectors(w.reached(c)), " ", ""), "dynamic", "%dynamic"))
		b.set("auto", map[policy.StartAction]string{policy.StartTrap: "route", policy.StartStart: "start", policy.StartNone: "add"}[w.start(c)])
	}
	if w.port() != 500 {
		w.warnf("local_port", "write rightikeport=%d into each conn", w.port())
	}
	if len(w.CAs) > 0 {
		w.warnf("local.certs", "the CA of the gateway's certificate is to be put into /etc/ipsec.d/cacerts/%s", w.caFile())
	}
	if w.certificate() {
		w.warnf("remote.auth", "the user's certificate and key are to be put into /etc/ipsec.d/certs/%s and /etc/ipsec.d/private/%s", w.certFile(), w.keyFile())
		fmt.Fprintf(&b, "# ipsec.secrets:\n# : PKCS8 %s\n", confValue(w.keyFile()))
	}
	w.secretsLines(&b, swanID(w.GatewayID), func(s []byte) string { return swanSecret(s) })
	w.certReqNote()
	return []byte(b.String()), nil
}

// certReqNote warns of a CA that was not given.
func (w *writer) certReqNote() {
	if w.GatewayMethod == policy.AuthPubkey && len(w.CAs) == 0 {
		w.warnf("local.certs", "no CA is given: the other end trusts none but those that it has")
	}
}

// strokeAuth writes the method of a round.
func (w *writer) strokeAuth(b *conf, key string, m policy.Auth) {
	word := m.String()
	if m.Chosen() || m == policy.AuthEAPRADIUS {
		word = "eap"
	}
	b.set(key, word)
	if m.EAP() && m != policy.AuthEAPTLS {
		b.set("eap_identity", confValue(w.User))
	}
}

// secretsLines writes what belongs into ipsec.secrets, as a comment.
func (w *writer) secretsLines(b *conf, id string, text func([]byte) string) {
	if s, ok := w.take(w.PSK); ok {
		fmt.Fprintf(b, "# ipsec.secrets:\n# %s : PSK %s\n", id, text(s))
	} else if w.PSK.Len() > 0 {
		w.warnf("secret", "the pre-shared key is left out: it belongs into ipsec.secrets, as in: %s : PSK \"…\"", id)
	}
	if !w.eap() || w.eapMethod() == policy.AuthEAPTLS {
		return
	}
	if s, ok := w.take(w.Password); ok {
		fmt.Fprintf(b, "# ipsec.secrets:\n# %s : EAP %s\n", confValue(w.User), text(s))
	} else {
		w.warnf("remote.auth", "the password is left out: it belongs into ipsec.secrets, as in: %s : EAP \"…\"", confValue(w.User))
	}
}

// connName is the name of a conn.
func (w *writer) connName(c Child) string {
	name := fileName(w.Name, "")
	if len(w.Children) > 1 {
		name += "-" + fileName(c.Name, "")
	}
	return name
}

// confValue is a value, in quotes where it has what would be read otherwise.
func confValue(s string) string {
	if strings.ContainsAny(s, " ,=#\"") {
		return `"` + strings.ReplaceAll(s, `"`, "") + `"`
	}
	return s
}

// libreswan writes ipsec.conf for Libreswan 4 and 5.
// https://libreswan.org/man/ipsec.conf.5.html
func libreswan(w *writer) ([]byte, error) {
	switch {
	case w.eap():
		return nil, w.cannot("remote.auth", "use \"psk\" or \"pubkey\"", "it is %q, and Libreswan is no client of EAP", w.eapMethod())
	case w.Second != 0:
		return nil, w.oneRound()
	case w.Method != w.GatewayMethod && (w.Method == policy.AuthPSK || w.GatewayMethod == policy.AuthPSK):
		w.warnf("local.auth", "the two sides have different methods, which needs Libreswan 5")
	}
	ike, err := w.libreProposals("proposals", w.conn.Proposals)
	if err != nil {
		return nil, err
	}
	var b conf
	fmt.Fprintf(&b, "# Libreswan, ipsec.conf: the other end of the connection %s of %s\n", w.Name, w.Gateway)
	for _, c := range w.Children {
		esp, err := w.libreProposals("esp_proposals", c.ESP)
		if err != nil {
			return nil, err
		}
		own, err := w.libreSubnets(c.Own, "remote_ts")
		if err != nil {
			return nil, err
		}
		reached, err := w.libreSubnets(w.reached(c), "local_ts")
		if err != nil {
			return nil, err
		}
		has, _ := pfs(strings.Split(strings.Join(texts(c.ESP), "-"), "-"))
		fmt.Fprintf(&b, "conn %s\n", w.connName(c))
		b.set("ikev2", "insist")
		b.set("ike", ike)
		b.set("esp", esp)
		b.set("pfs", yes(has))
		b.set("encapsulation", map[bool]string{true: "yes", false: "auto"}[w.conn.Encap])
		b.set("mobike", yes(w.conn.MOBIKE && w.Addresses))
		b.set("fragmentation", yes(w.conn.Fragmentation))
		b.set("dpddelay", seconds(w.dpdDelay()))
		b.set("ikelifetime", seconds(w.ikeLife()))
		b.set("salifetime", seconds(w.childLife(c)))
		b.set("left", "%defaultroute")
		if !w.ClientID.Any() {
			b.set("leftid", libreID(w.ClientID))
		}
		if w.Method == policy.AuthPubkey {
			b.set("leftcert", confValue(w.who()))
		}
		if w.Addresses {
			b.set("leftmodecfgclient", "yes")
			b.set("leftsubnet", "0.0.0.0/0")
			b.set("narrowing", "yes")
		} else if own != "" {
			b.set("leftsubnets", own)
		}
		b.set("right", w.Gateway)
		b.set("rightid", libreID(w.GatewayID))
		if w.Addresses {
			b.set("rightsubnet", w.libreReached(c))
		} else if reached != "" {
			b.set("rightsubnets", reached)
		}
		b.set("authby", map[policy.Auth]string{policy.AuthPSK: "secret", policy.AuthPubkey: "rsasig,ecdsa"}[w.Method])
		if w.PPKID != "" {
			b.set("ppk", map[bool]string{true: "insist", false: "yes"}[w.conn.PPKRequired])
		}
		b.set("auto", map[policy.StartAction]string{policy.StartTrap: "ondemand", policy.StartStart: "start", policy.StartNone: "add"}[w.start(c)])
	}
	if w.port() != 500 {
		return nil, w.onlyPort500()
	}
	if w.certificate() {
		w.warnf("remote.auth", "the user's certificate and key are to be imported from the bundle: ipsec import %s (its nickname is to be %s)", fileName(w.who(), ".p12"), w.who())
	}
	w.secretsLines(&b, libreID(w.GatewayID), func(s []byte) string {
		if isText(s) && !strings.Contains(string(s), `"`) {
			return `"` + string(s) + `"`
		}
		return "0x" + hex.EncodeToString(s)
	})
	if s, ok := w.take(w.PPK); ok && w.PPKID != "" {
		fmt.Fprintf(&b, "# ipsec.secrets:\n# %s : PPKS %q 0x%s\n", libreID(w.GatewayID), w.PPKID, hex.EncodeToString(s))
	}
	return []byte(b.String()), nil
}

// libreProposals are proposals as Libreswan writes them: the kinds of algorithms with "-" between, several of a kind with "+".
func (w *writer) libreProposals(key string, list []proposal.Proposal) (string, error) {
	ciphers := []choice{{"aes256gcm16", "aes_gcm256"}, {"aes128gcm16", "aes_gcm128"}, {"chacha20poly1305", "chacha20_poly1305"}, {"aes256", "aes256"}, {"aes128", "aes128"}}
	hashes := []choice{{"sha256", "sha2_256"}, {"sha384", "sha2_384"}, {"sha512", "sha2_512"}, {"sha1", "sha1"}}
	prfs := []choice{{"prfsha256", "sha2_256"}, {"prfsha384", "sha2_384"}, {"prfsha512", "sha2_512"}}
	groups := []choice{{"x25519", "dh31"}, {"ecp256", "dh19"}, {"ecp384", "dh20"}, {"ecp521", "dh21"}, {"modp2048", "dh14"}, {"modp3072", "dh15"}, {"modp4096", "dh16"}}
	all := func(ws []string, list []choice) string {
		var out []string
		for _, c := range list {
			for _, x := range ws {
				if x == c.word {
					out = append(out, c.name)
				}
			}
		}
		return strings.Join(out, "+")
	}
	var out []string
	for _, p := range list {
		ws := words(p)
		cipher, hash, group := all(ws, ciphers), all(ws, hashes), all(ws, groups)
		if hash == "" && key == "proposals" {
			hash = all(ws, prfs)
		}
		if hash == "" {
			hash = "null"
		}
		_, optional := pfs(ws)
		if cipher == "" || group == "" && (key == "proposals" || !optional) || !plain(ws) {
			continue
		}
		s := cipher + "-" + hash
		if group != "" {
			s += "-" + group
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return "", w.cannot(key, `add "aes256gcm16-prfsha256-ecp256"`, "Libreswan has none of them")
	}
	return strings.Join(out, ","), nil
}

// libreReached is what a client with an address reaches: one network, and of IPv4, as its address is.
func (w *writer) libreReached(c Child) string {
	var four []string
	for _, n := range prefixes(w.reached(c)) {
		if n.Addr().Is4() {
			four = append(four, n.String())
		} else {
			w.warnf("local_ts", "Libreswan asks for an IPv4 address only, and does not reach %s", n)
		}
	}
	if len(four) == 1 {
		return four[0]
	}
	if len(four) > 1 {
		w.warnf("local_ts", "Libreswan reaches one network where it gets an address: all traffic goes into the tunnel, and not that to %s only", strings.Join(four, " and "))
	}
	return "0.0.0.0/0"
}

// libreSubnets are selectors as Libreswan takes them: prefixes in braces.
func (w *writer) libreSubnets(list []selector.Selector, key string) (string, error) {
	var out []string
	for _, s := range list {
		if s.Dynamic() {
			continue
		}
		if s.Protocol != 0 || !s.AnyPorts() {
			return "", w.cannot(key, "write networks", "%s has a protocol or ports, which is not exported for Libreswan", s)
		}
		for _, p := range s.Prefixes() {
			out = append(out, p.String())
		}
	}
	if len(out) == 0 {
		return "", nil
	}
	return "{" + strings.Join(out, ",") + "}", nil
}

// libreID is an identity as Libreswan writes it: what is not an address or a distinguished name begins with "@".
func libreID(id identity.Identity) string {
	switch id.Type {
	case identity.FQDN:
		return "@" + string(id.Data)
	case identity.KeyID:
		return "@#0x" + hex.EncodeToString(id.Data)
	}
	return confValue(swanID(id))
}
