package config

import (
	"fmt"
	"strings"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// maxName bounds the names of connections, children and secrets, in octets.
const maxName = 128

// checkName reports names that can't be told from each other, or from words of a command, in a log line.
func (t *table) checkName(what string) string {
	name := t.lastName()
	bad := name == "" || len(name) > maxName || strings.HasPrefix(name, "-")
	for _, r := range name {
		bad = bad || r <= ' ' || r == '"' || r == '\'' || r == '\\' || r == '/' || r == 0x7f || r == '\ufffd' || r >= 0x80 && r < 0xa0
	}
	if bad {
		t.errorf(t.src.table, fmt.Sprintf("write letters, digits, \".\", \"_\" and \"-\", at most %d", maxName),
			"%s can't be the name of a %s", quote(name), what)
	}
	return name
}

func readConnection(t *table, c *Config) *Connection {
	n := &Connection{Name: t.checkName("connection")}
	if v, at, ok := t.get("version"); ok && v != int64(2) {
		const want = "write version = 2 or leave it out"
		if n, isInt := v.(int64); isInt {
			t.errorf(at.value, want, "%s is %d: only IKEv2 is supported", t.name("version"), n)
		} else {
			t.errorf(at.value, want, "%s is %s, not a whole number", t.name("version"), kind(v))
		}
	}
	n.LocalAddrs = readEndpoints(t, "local_addrs")
	n.RemoteAddrs = readEndpoints(t, "remote_addrs")
	n.LocalPort = t.port("local_port", c.IKE.Port)
	if n.LocalPort != c.IKE.Port && n.LocalPort != c.IKE.PortNATT {
		_, at, _ := t.get("local_port")
		t.errorf(at.value, fmt.Sprintf("write %d (ike.port) or %d (ike.port_nat_t)", c.IKE.Port, c.IKE.PortNATT),
			"%s is %d, where the daemon has no socket", t.name("local_port"), n.LocalPort)
	}
	n.RemotePort = t.port("remote_port", DefaultRemotePort)
	n.Proposals = readProposals(t, "proposals", wire.ProtocolIKE)
	n.Encap = t.boolean("encap", true)
	n.MOBIKE = t.boolean("mobike", true)
	n.MOBIKECheck, _ = choice(t, "mobike_check", MOBIKECheckBefore, mobikeChecks())
	n.Fragmentation = readFragmentation(t)
	n.Resumption = t.boolean("resumption", false)
	n.DPDDelay, _ = t.duration("dpd_delay", DefaultDPDDelay, time.Second, forever, true)
	if d, at := t.duration("dpd_timeout", 0, time.Second, forever, true); d != 0 {
		t.warnf(at, "remove it, or see retransmit_timeout and retransmit_tries in [ike]",
			"%s has no effect: IKEv2 takes a peer for dead when it does not answer the repetitions of a request", t.name("dpd_timeout"))
	}
	tries, _ := t.integer("keyingtries", 0, 0, 1<<20)
	n.KeyingTries = int(tries)
	n.Unique, _ = choice(t, "unique", UniqueNo, uniquePolicies())
	readIKELifetimes(t, n)
	n.Childless, _ = choice(t, "childless", ChildlessAllow, childlessPolicies())
	n.RedirectTo = readRedirectTo(t)
	readPPKKeys(t, n)
	n.Local = readAuth(t.sub("local"), "local")
	n.Remote = readAuth(t.sub("remote"), "remote")
	children := t.sub("children")
	for _, h := range children.each() {
		n.Children = append(n.Children, readChild(h, n, c))
	}
	n.Source = t.done()
	if len(n.Children) == 0 && !t.quiet && !children.broken {
		t.errorf(n.At("children"), fmt.Sprintf("write a table [%s.NAME] with the networks", t.name("children")),
			"%s has no children, so it has nothing to carry", t.name("children"))
	}
	return n
}

// valueNotSupported reports a value that is right in strongSwan and that this version can't honour.
func (t *table) valueNotSupported(key, want string) {
	v, at, _ := t.get(key)
	s := fmt.Sprint(v)
	if x, ok := v.(string); ok {
		s = quote(x)
	}
	t.errorf(at.value, want, "%s = %s is not supported by this version", t.name(key), s)
}

func readEndpoints(t *table, key string) (out []Endpoint) {
	items, ok := t.list(key)
	if !ok {
		return []Endpoint{{Text: "%any", Any: true}}
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out for any address")
	}
	for _, it := range items {
		if strings.Contains(it.text, ",") {
			t.errorf(it.at, "write each address in quotes of its own", "an element of %s is %s", t.name(key), quote(it.text))
			continue
		}
		e, reason, want := parseEndpoint(it.text)
		if reason != "" {
			t.errorf(it.at, want, "%s: %s", t.name(key), reason)
			continue
		}
		out = append(out, e)
	}
	return out
}

// readRedirectTo reads the gateway that peers are sent to.
func readRedirectTo(t *table) Endpoint {
	const want = "write the address or the DNS name of a gateway"
	text, at := t.strAs("redirect_to", "", want)
	if !t.src.Has("redirect_to") || !t.isString("redirect_to") {
		return Endpoint{}
	}
	e, reason, _ := parseEndpoint(text)
	if a := e.First; a.Is6() && a.IsLinkLocalUnicast() {
		reason = quote(text) + " is link-local, which leads other hosts nowhere"
	} else if reason == "" && !e.Elsewhere() {
		reason = quote(text) + " is not one gateway"
	}
	if reason != "" {
		t.errorf(at, want, "%s: %s", t.name("redirect_to"), reason)
		return Endpoint{}
	}
	return e
}

// emptyList reports a list that is there and empty, unless what was in it has been reported.
func (t *table) emptyList(key, want string) {
	v, at, _ := t.get(key)
	if list, ok := v.([]any); ok && len(list) == 0 {
		t.errorf(at.value, want, "%s is empty", t.name(key))
	}
}

// readProposals parses element by element, so that each bad one is reported in its place.
func readProposals(t *table, key string, protocol wire.ProtocolID) (out []proposal.Proposal) {
	items, ok := t.list(key)
	if !ok {
		return proposal.Default(protocol)
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out for the defaults")
	}
	for _, it := range items {
		ps, err := proposal.ParseList(protocol, []string{it.text})
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				t.errorf(it.at, "", "%s: %s", t.name(key), line)
			}
			continue
		}
		warnWeak(t, it, ps)
		out = append(out, ps...)
	}
	// The number of a proposal is one octet. https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
	if len(out) > 255 {
		_, at, _ := t.get(key)
		t.errorf(at.value, "write at most 255", "%s has %d proposals", t.name(key), len(out))
	}
	return out
}

// readFragmentation reads a boolean, and knows swanctl's words.
func readFragmentation(t *table) bool {
	if s, ok := t.vals["fragmentation"].(string); ok && (s == "accept" || s == "force") {
		t.valueNotSupported("fragmentation", "write true or false; fragments of the peer are accepted in any case")
		return true
	}
	return t.boolean("fragmentation", true)
}

func readIKELifetimes(t *table, n *Connection) {
	var at Position
	n.ReauthTime, _ = t.duration("reauth_time", 0, time.Minute, forever, true)
	// As with swanctl: what authenticates anew has new keys by that.
	rekey := DefaultIKERekeyTime
	if n.ReauthTime != 0 {
		rekey = 0
	}
	n.RekeyTime, at = t.duration("rekey_time", rekey, time.Minute, forever, true)
	n.OverTime, _ = t.duration("over_time", max(n.RekeyTime, n.ReauthTime)/10, time.Second, forever, true)
	shorter, key := n.RekeyTime, "rekey_time"
	if shorter == 0 || n.ReauthTime != 0 && n.ReauthTime < shorter {
		shorter, key = n.ReauthTime, "reauth_time"
	}
	var randAt Position
	n.RandTime, randAt = t.duration("rand_time", min(n.OverTime, shorter/2), time.Second, forever, true)
	if shorter != 0 && n.RandTime >= shorter {
		t.errorf(randAt, fmt.Sprintf("write less than %s, %s", key, short(shorter)),
			"%s is %s, so that the SA could be renewed as soon as it is up", t.name("rand_time"), short(n.RandTime))
	}
	if shorter == 0 {
		t.warnf(at, "write a time such as \"4h\"", "%s is 0: the IKE SA keeps its keys for ever", t.name("rekey_time"))
	}
}

func readAuth(t *table, side string) (a Auth) {
	word, at := t.strAs("auth", "", `write auth = "psk"`)
	switch {
	case t.broken:
	case !t.src.Has("auth"):
		t.errorf(at, fmt.Sprintf("write auth = \"psk\" into [%s]", strings.TrimSuffix(t.name("auth"), ".auth")),
			"%s is missing", t.name("auth"))
	case word == "psk":
		a.Method = AuthPSK
	case isLaterAuth(word):
		t.valueNotSupported("auth", "write auth = \"psk\"")
	case word != "" || t.isString("auth"):
		want := "write auth = \"psk\""
		t.errorf(at, want, "%s is %s", t.name("auth"), quote(word))
	}
	text, at := t.str("id", "%any")
	if id, err := identity.Parse(text); err != nil {
		t.identityError(at, "id", err)
	} else {
		a.ID = id
		if side == "local" && !id.Any() && !id.Concrete() {
			t.errorf(at, "write the one identity that this gateway has", "%s is %s, a pattern", t.name("id"), quote(text))
		}
	}
	a.Source = t.done()
	return a
}

// isLaterAuth recognises swanctl's methods that this version does not have.
func isLaterAuth(word string) bool {
	for _, p := range []string{"pubkey", "rsa", "ecdsa", "bliss", "ed25519", "ed448", "eap", "xauth", "ike:", "null", "any"} {
		if strings.HasPrefix(word, p) {
			return true
		}
	}
	return false
}

func (t *table) isString(key string) bool { _, ok := t.vals[key].(string); return ok }

// identityError reports an error of identity.Parse in the form of this package.
func (t *table) identityError(at Position, key string, err error) {
	if pe, ok := err.(*identity.ParseError); ok {
		t.errorf(at, pe.Want, "%s is %s: %s", t.name(key), quote(pe.Text), pe.Reason)
		return
	}
	t.errorf(at, "", "%s: %v", t.name(key), err)
}
