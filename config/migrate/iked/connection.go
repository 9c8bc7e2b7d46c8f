package iked

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// unfit is why a policy is left out as a whole.
type unfit struct {
	at        tree.Position
	what, why string
}

// policy converts an ikev2 statement to a connection.
func (c *converter) policy(p *policy) *migrate.Error {
	conns := c.Root().AddSection("connections")
	conns.Note(p.comment.Above...)
	name := unused(conns, migrate.TableName(p.name))
	mark := c.Mark()
	if name != p.name {
		c.Note("the policy %q is called %q here", p.name, name)
	}
	t := tree.New(p.at.File)
	u, err := c.connection(t, p, name)
	if err != nil {
		return err
	}
	if u != nil {
		c.Undo(mark)
		c.Leave(conns, u.at, fmt.Sprintf("ikev2 %s … %s", quote(printed(p.name)), u.what), u.why)
		conns.Note("")
		return nil
	}
	conns.Add(name, p.at, t)
	if p.comment.Beside != "" {
		conns.Beside(name, p.comment.Beside)
	}
	return nil
}

// printed is a text for a message.
func printed(s string) string {
	if !printable(s) {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return '?'
			}
			return r
		}, strings.ToValidUTF8(s, "?"))
	}
	return s
}

// connection fills the table of a connection.
func (c *converter) connection(t *tree.Table, p *policy, name string) (*unfit, *migrate.Error) {
	for _, w := range []struct{ word, why string }{
		{"transport", "there is only the mode tunnel in this version"}, {"ah", "there is no AH here"},
		{"skip", "what it lets out in the clear goes into another connection that has it: leave it out of that one's remote_ts"},
	} {
		if at, ok := p.words[w.word]; ok {
			return &unfit{at.at, w.word, w.why}, nil
		}
	}
	active := p.words["active"].kind != 0 && !c.set.passive
	if u := addresses(c, t, p); u != nil {
		return u, nil
	}
	if active && len(p.peer) == 0 {
		return &unfit{p.at, "active", "there is no peer to call"}, nil
	}
	var bad *unfit
	if p.ike != nil {
		bad = c.proposals(t, "proposals", p.ike, wire.ProtocolIKE)
	}
	if bad != nil {
		return bad, nil
	}
	t.Add("encap", p.at, false)
	if !c.set.mobike {
		t.Add("mobike", p.at, false)
	}
	if !c.set.fragmentation {
		t.Add("fragmentation", p.at, false)
	}
	t.Add("dpd_delay", p.at, migrate.Seconds(c.set.dpd))
	if c.set.single {
		t.Add("unique", p.at, "replace")
	}
	life := token{at: p.at, text: "0"}
	if v, ok := p.values["ikelifetime"]; ok {
		life = v
	}
	n, err := seconds(life)
	if err != nil {
		return nil, err
	}
	t.Add("rekey_time", life.at, migrate.Seconds(n))
	if n == 0 {
		t.Beside("rekey_time", "as with iked, which never renews it by itself")
	}
	for _, k := range []struct{ key, why string }{
		{"iface", "addresses are put on the tunnel's own device"}, {"tag", "packets are not marked for pf"}, {"tap", "there is no enc device"},
		{"rdomain", "there are no routing domains here"},
	} {
		if v, ok := p.values[k.key]; ok {
			c.Leave(t, v.at, k.key+" "+printed(v.text), k.why)
		}
	}
	if w, ok := p.words["ipcomp"]; ok {
		c.Leave(t, w.at, "ipcomp", "there is no IPComp")
	}
	if u := c.sides(t, p, name); u != nil {
		return u, nil
	}
	if u, err := c.children(t, p, name, active); u != nil || err != nil {
		return u, err
	}
	return c.clients(t, p, name), nil // the last, as it adds pools
}

// addresses converts local and peer.
func addresses(c *converter, t *tree.Table, p *policy) *unfit {
	for _, x := range []struct {
		key, word string
		list      []token
	}{{"local_addrs", "local", p.local}, {"remote_addrs", "peer", p.peer}} {
		var names []string
		for _, h := range x.list {
			switch _, err := netip.ParsePrefix(h.text); {
			case h.text == "any":
			case err == nil || isAddress(h.text) || strings.Contains(h.text, ".") && printable(h.text):
				names = append(names, h.text)
			case x.word == "local":
				c.Leave(t, h.at, "local "+printed(h.text), "the addresses of an interface are written themselves, or left out")
			default:
				return &unfit{h.at, x.word + " " + printed(h.text), "it is neither an address nor a DNS name"}
			}
		}
		if len(names) > 0 {
			t.Add(x.key, x.list[0].at, list(names))
		}
	}
	return nil
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// proposals converts all of ikesa, or of childsa.
func (c *converter) proposals(t *tree.Table, key string, all []transforms, protocol wire.ProtocolID) *unfit {
	word := map[string]string{"proposals": "ikesa", "esp_proposals": "childsa"}[key]
	var out []string
	var lost []option
	for _, x := range all {
		found, unknown := x.proposals(protocol == wire.ProtocolIKE)
		lost = append(lost, unknown...)
		for _, s := range found {
			if _, err := proposal.Parse(protocol, s); err == nil && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	if len(out) == 0 {
		var names []string
		for _, o := range lost {
			names = append(names, o.name+" "+printed(o.value))
		}
		u := &unfit{what: word, why: "nothing of it can be had here"}
		if len(lost) > 0 {
			u.at, u.why = lost[0].at, "nothing is left of it without "+strings.Join(names, ", ")
		}
		return u
	}
	for _, o := range lost {
		c.Leave(t, o.at, fmt.Sprintf("%s %s of %s", o.name, printed(o.value), word), "there is no such algorithm here")
	}
	at := tree.Position{}
	if len(all) > 0 && len(all[0]) > 0 {
		at = all[0][0].at
	}
	t.Add(key, at, list(out))
	return nil
}

// sides converts how both sides prove themselves.
func (c *converter) sides(t *tree.Table, p *policy, name string) *unfit {
	local, remote := tree.New(p.at.File), tree.New(p.at.File)
	method, remoteMethod := "pubkey", "pubkey"
	if v, ok := p.values["psk"]; ok {
		method, remoteMethod = "psk", "psk"
		if v.text == "" {
			return &unfit{v.at, "psk", "it is empty"}
		}
		key := migrate.SecretText([]byte(v.text))
		if strings.HasPrefix(v.text, "0x") {
			key = v.text
		}
		c.Secret(t, tree.Entry{At: v.at}, key, name, ".psk")
	} else if v, ok := p.values["eap"]; ok {
		switch strings.ToLower(v.text) {
		case "mschap-v2", "mschapv2":
			remoteMethod = "eap-mschapv2"
		default:
			return &unfit{v.at, "eap " + printed(v.text), "iked has no such method"}
		}
	}
	for _, w := range []string{"ecdsa256", "ecdsa384", "ecdsa521", "rsa"} {
		if at, ok := p.words[w]; ok {
			c.Leave(t, at.at, w, "which keys are good enough can't be limited")
		}
	}
	local.Add("auth", p.at, method)
	remote.Add("auth", p.at, remoteMethod)
	for _, x := range []struct {
		key string
		t   *tree.Table
	}{{"srcid", local}, {"dstid", remote}} {
		v, ok := p.values[x.key]
		switch {
		case ok:
			if _, err := identity.Parse(v.text); err != nil || !printable(v.text) {
				return &unfit{v.at, x.key + " " + printed(v.text), reason(err)}
			}
			x.t.Add("id", v.at, v.text)
		case x.key == "srcid":
			c.Leave(local, p.at, "the default of srcid", "iked calls itself by the name of its host; write that as id")
		}
	}
	if method == "pubkey" {
		c.byKeys = true
		if len(c.in("certs", "*")) == 0 {
			if own := c.in("", "local.pub"); len(own) > 0 {
				local.Add("pubkeys", tree.Position{}, own[0])
			}
		}
	}
	if remoteMethod == "pubkey" {
		if key := c.peerKey(p.values["dstid"].text); key != "" {
			remote.Add("pubkeys", tree.Position{}, key)
		}
	}
	t.Settle()
	t.Add("local", p.at, local)
	t.Add("remote", p.at, remote)
	return nil
}

// reason is why an identity is none.
func reason(err error) string {
	var pe *identity.ParseError
	if errors.As(err, &pe) {
		return pe.Reason + "; " + pe.Want
	}
	return "it can't be written here"
}

// peerKey is the file with the public key of a peer; "" if iked has none.
func (c *converter) peerKey(id string) string {
	if id == "" || strings.ContainsRune(id, '/') {
		return ""
	}
	for _, kind := range []string{"ipv4", "ipv6", "fqdn", "ufqdn"} {
		if found := c.in(filepath.Join("pubkeys", kind), quoteGlob(id)); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}
