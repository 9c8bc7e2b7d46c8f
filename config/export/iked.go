package export

import (
	"encoding/hex"
	"fmt"
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// iked writes iked.conf of OpenIKED and OpenBSD.
// https://man.openbsd.org/iked.conf.5
func iked(w *writer) ([]byte, error) {
	switch {
	case w.eap():
		return nil, w.cannot("remote.auth", "use \"psk\" or \"pubkey\"", "it is %q, and iked is no client of EAP", w.eapMethod())
	case w.Second != 0:
		return nil, w.oneRound()
	case w.Method != w.GatewayMethod:
		return nil, w.cannot("local.auth", "use one method for both sides", "it is %q and remote.auth is %q, which iked does not do together", w.GatewayMethod, w.Method)
	}
	if err := w.noPPK(); err != nil {
		return nil, err
	}
	if err := w.onlyPort500(); err != nil {
		return nil, err
	}
	src, err := w.ikedID("remote.id", w.ClientID)
	if err != nil {
		return nil, err
	}
	dst, err := w.ikedID("local.id", w.GatewayID)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# iked.conf: the other end of the connection %s of %s\n", w.Name, w.Gateway)
	line := func(format string, args ...any) { fmt.Fprintf(&b, " \\\n    "+format, args...) }
	mode := "active"
	if len(w.Children) > 0 && w.start(w.Children[0]) == policy.StartNone {
		mode = "passive"
	}
	fmt.Fprintf(&b, "ikev2 %s %s esp", ikedString(w.Name), mode)
	for _, c := range w.Children {
		if err := w.ikedFlows(line, c); err != nil {
			return nil, err
		}
	}
	line("peer %s", w.Gateway)
	if err := w.ikedAlgorithms(line); err != nil {
		return nil, err
	}
	if src != "" {
		line("srcid %s", src)
	}
	line("dstid %s", dst)
	line("ikelifetime %d", int64(w.ikeLife().Seconds()))
	if len(w.Children) > 0 {
		line("lifetime %d", int64(w.childLife(w.Children[0]).Seconds()))
	}
	if w.Method == policy.AuthPSK {
		s, ok := w.take(w.PSK)
		switch {
		case !ok:
			line("psk \"\"")
			w.warnf("secret", "the pre-shared key is left out: write it behind psk")
		case isText(s) && !strings.ContainsAny(string(s), `"\`) && !strings.HasPrefix(string(s), "0x"):
			line("psk %s", ikedString(string(s)))
		default:
			line("psk 0x%s", hex.EncodeToString(s))
		}
	} else {
		line("rfc7427")
		w.warnf("remote.auth", "the user's certificate and key are to be put into /etc/iked/certs/%s and /etc/iked/private/local.key", w.certFile())
		w.warnf("local.certs", "the CA of the gateway's certificate is to be put into /etc/iked/ca/ca.crt")
	}
	if w.Addresses {
		line("request address any iface lo1")
	}
	b.WriteString("\n")
	if w.OnDemand {
		w.warnf("start_action", "iked can't wait for a packet: the tunnel is up always")
	}
	return []byte(b.String()), nil
}

// ikedFlows writes the flows of a child.
func (w *writer) ikedFlows(line func(string, ...any), c Child) error {
	for _, own := range c.Own {
		for _, reached := range w.reached(c) {
			if own.Protocol != 0 || reached.Protocol != 0 {
				return w.cannot("children."+c.Name, "write networks", "it has a protocol or ports, which are not exported for iked")
			}
			if !own.Dynamic() && !reached.Dynamic() && own.Is4() != reached.Is4() {
				continue
			}
			for _, a := range ikedNetworks(own, w.Addresses) {
				for _, r := range ikedNetworks(reached, false) {
					line("from %s to %s", a, r)
				}
			}
		}
	}
	return nil
}

// ikedNetworks are the networks of a selector: "dynamic" is the address that is requested.
func ikedNetworks(s selector.Selector, requested bool) (out []string) {
	if s.Dynamic() {
		if requested {
			return []string{"dynamic"}
		}
		return []string{"any"}
	}
	for _, p := range s.Prefixes() {
		out = append(out, p.String())
	}
	return out
}

// ikedAlgorithms writes ikesa and childsa: of each kind all that it has.
func (w *writer) ikedAlgorithms(line func(string, ...any)) error {
	ciphers := []choice{{"aes256gcm16", "aes-256-gcm"}, {"aes128gcm16", "aes-128-gcm"}, {"aes256", "aes-256"}, {"aes128", "aes-128"}}
	childCiphers := append([]choice{{"chacha20poly1305", "chacha20-poly1305"}}, ciphers...)
	auths := []choice{{"sha256", "hmac-sha2-256"}, {"sha384", "hmac-sha2-384"}, {"sha512", "hmac-sha2-512"}, {"sha1", "hmac-sha1"}}
	prfs := []choice{{"prfsha256", "hmac-sha2-256"}, {"prfsha384", "hmac-sha2-384"}, {"prfsha512", "hmac-sha2-512"}}
	groups := []choice{{"x25519", "curve25519"}, {"ecp256", "ecp256"}, {"ecp384", "ecp384"}, {"ecp521", "ecp521"}, {"modp2048", "modp2048"}, {"modp3072", "modp3072"}, {"modp4096", "modp4096"}}
	all := func(key string, ws []string, list []choice) (out string) {
		for _, c := range list {
			for _, x := range ws {
				if x == c.word {
					out += " " + key + " " + c.name
				}
			}
		}
		return out
	}
	some := false
	for _, p := range w.conn.Proposals {
		ws := words(p)
		enc, auth, prf, group := all("enc", ws, ciphers), all("auth", ws, auths), all("prf", ws, prfs), all("group", ws, groups)
		if prf == "" {
			prf = strings.ReplaceAll(auth, " auth ", " prf ")
		}
		if enc != "" && prf != "" && group != "" && plain(ws) {
			line("ikesa%s%s%s%s", enc, auth, prf, group)
			some = true
		}
	}
	if !some {
		return w.cannot("proposals", `add "aes256gcm16-prfsha256-ecp256"`, "iked has none of them")
	}
	some = false
	for _, p := range w.esp() {
		ws := words(p)
		enc, auth, group := all("enc", ws, childCiphers), all("auth", ws, auths), all("group", ws, groups)
		_, optional := pfs(ws)
		if optional && group != "" {
			group += " group none"
		}
		if enc == "" || group == "" && !optional || !plain(ws) {
			continue
		}
		esn := ""
		for _, x := range ws {
			if x == "esn" || x == "noesn" {
				esn += " " + x
			}
		}
		line("childsa%s%s%s%s", enc, auth, group, esn)
		some = true
	}
	if !some {
		return w.cannot("esp_proposals", `add "aes256gcm16-ecp256"`, "iked has none of them")
	}
	return nil
}

// ikedID is an identity as iked takes it.
func (w *writer) ikedID(key string, id identity.Identity) (string, error) {
	switch {
	case id.Any():
		return "", nil
	case isName(id):
		return ikedString(string(text(id))), nil
	case id.Type == identity.DERASN1DN:
		return ikedString("/" + strings.ReplaceAll(id.String(), ", ", "/")), nil
	}
	return "", w.cannot(key, "use a DNS name, an e-mail address or an address", "it is %q, which iked does not have", id.String())
}

// text is a name or an address.
func text(id identity.Identity) string {
	if a, ok := id.Addr(); ok {
		return a.String()
	}
	return string(id.Data)
}

// ikedString is text in quotes.
func ikedString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
