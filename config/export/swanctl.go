package export

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// swanctl writes swanctl.conf for the other end.
// https://docs.strongswan.org/docs/latest/swanctl/swanctlConf.html
func swanctl(w *writer) ([]byte, error) {
	var b sections
	name := swanName(w.Name)
	b.comment("The other end of the connection %s of %s. Load it with: swanctl --load-all", w.Name, w.Gateway)
	b.open("connections")
	b.open(name)
	b.set("version", "2")
	b.set("remote_addrs", swanValue(w.Gateway))
	if w.port() != 500 {
		b.set("remote_port", fmt.Sprint(w.port()))
	}
	if w.Addresses {
		b.set("vips", strings.Join(w.families(), ", "))
	}
	w.swanAdditional()
	b.set("proposals", strings.Join(swanProposals(w.conn.Proposals), ", "))
	b.set("encap", yes(w.conn.Encap))
	b.set("mobike", yes(w.conn.MOBIKE))
	b.set("fragmentation", yes(w.conn.Fragmentation))
	b.set("dpd_delay", seconds(w.dpdDelay()))
	b.set("keyingtries", "0")
	b.set("rekey_time", seconds(w.ikeLife()))
	if w.conn.ReauthTime != 0 {
		b.set("reauth_time", seconds(w.conn.ReauthTime))
	}
	if w.PPKID != "" {
		b.set("ppk_id", swanValue(w.PPKID))
		b.set("ppk_required", yes(w.conn.PPKRequired))
	}
	w.swanLocal(&b, "local-1", w.Method)
	if w.Second != 0 {
		w.swanLocal(&b, "local-2", w.Second)
	}
	b.open("remote")
	b.set("auth", w.GatewayMethod.String())
	b.set("id", swanValue(swanID(w.GatewayID)))
	if w.GatewayMethod == policy.AuthPubkey {
		w.swanCAs(&b)
	}
	b.close()
	b.open("children")
	for _, c := range w.Children {
		w.swanChild(&b, c)
	}
	b.close()
	b.close()
	b.close()
	w.swanSecrets(&b, name)
	return []byte(b.String()), nil
}

// swanLocal writes how the client proves itself in a round.
func (w *writer) swanLocal(b *sections, section string, m policy.Auth) {
	b.open(section)
	switch {
	case m.EAP() && !m.Chosen() && m != policy.AuthEAPRADIUS:
		b.set("auth", m.String())
	case m.EAP():
		b.set("auth", "eap")
	default:
		b.set("auth", m.String())
	}
	if !w.ClientID.Any() {
		b.set("id", swanValue(swanID(w.ClientID)))
	}
	if m.EAP() && m != policy.AuthEAPTLS {
		b.set("eap_id", swanValue(w.User))
	}
	if m == policy.AuthPubkey || m == policy.AuthEAPTLS {
		b.set("certs", swanValue(w.certFile()))
		w.warnf("remote.auth", "the user's certificate and key are to be put into /etc/swanctl/x509/%s and /etc/swanctl/private/%s", w.certFile(), w.keyFile())
	}
	if m.TLS() {
		b.set("aaa_id", swanValue(swanID(w.GatewayID)))
	}
	b.close()
}

// swanCAs names the CAs of the gateway's certificate.
func (w *writer) swanCAs(b *sections) {
	if len(w.CAs) == 0 {
		w.warnf("local.certs", "no CA is given: strongSwan trusts none but those in /etc/swanctl/x509ca")
		return
	}
	b.set("cacerts", swanValue(w.caFile()))
	w.warnf("local.certs", "the CA of the gateway's certificate is to be put into /etc/swanctl/x509ca/%s", w.caFile())
}

// swanChild writes a child.
func (w *writer) swanChild(b *sections, c Child) {
	b.open(swanName(c.Name))
	if !w.assigned(c) {
		b.set("local_ts", swanSelectors(c.Own))
	}
	b.set("remote_ts", swanSelectors(w.reached(c)))
	b.set("esp_proposals", strings.Join(swanProposals(c.ESP), ", "))
	b.set("rekey_time", seconds(w.childLife(c)))
	b.set("start_action", w.start(c).String())
	b.close()
}

// swanSecrets writes the secrets, or where they belong.
func (w *writer) swanSecrets(b *sections, name string) {
	type secret struct{ section, id string }
	var have []secret
	b.open("secrets")
	one := func(section string, ids []string, octets []byte) {
		b.open(section)
		for i, id := range ids {
			b.set(fmt.Sprintf("id-%d", i+1), swanValue(id))
		}
		b.set("secret", swanSecret(octets))
		b.close()
		have = append(have, secret{section, ids[0]})
	}
	if s, ok := w.take(w.PSK); ok {
		one("ike-"+name, []string{swanID(w.GatewayID)}, s)
	} else if w.PSK.Len() > 0 {
		w.warnf("secret", "the pre-shared key is left out: it belongs into secrets { ike-%s { id-1 = %s; secret = … } }", name, swanID(w.GatewayID))
	}
	if w.eap() && w.eapMethod() != policy.AuthEAPTLS {
		if s, ok := w.take(w.Password); ok {
			one("eap-"+name, []string{w.User}, s)
		} else {
			w.warnf("remote.auth", "the password is left out: it belongs into secrets { eap-%s { id-1 = %s; secret = … } }", name, w.User)
		}
	}
	if s, ok := w.take(w.PPK); ok && w.PPKID != "" {
		one("ppk-"+name, []string{w.PPKID}, s)
	} else if w.PPKID != "" {
		w.warnf("ppk_id", "the post-quantum preshared key is left out: it belongs into secrets { ppk-%s { id-1 = %s; secret = … } }", name, w.PPKID)
	}
	if len(have) == 0 {
		b.cancel()
		return
	}
	b.close()
}

// families are the addresses that a client asks for: any of each IP version that it can reach something with.
func (w *writer) families() (out []string) {
	var v4, v6 bool
	for _, a := range w.Fixed {
		v4, v6 = v4 || a.Is4(), v6 || a.Is6()
	}
	for _, x := range w.Pools {
		for _, s := range x.Spans {
			v4, v6 = v4 || s.First.Is4(), v6 || s.First.Is6()
		}
	}
	for _, n := range w.routes() {
		if len(w.Pools)+len(w.Fixed) == 0 {
			v4, v6 = v4 || n.Addr().Is4(), v6 || n.Addr().Is6()
		}
	}
	if v4 || !v6 {
		out = append(out, "0.0.0.0")
	}
	if v6 {
		out = append(out, "::")
	}
	return out
}

// sections writes sections with indentation, in the form of strongSwan's configurations.
type sections struct {
	strings.Builder
	depth int
	start []int // where each open section begins
}

func (s *sections) indent() string { return strings.Repeat("  ", s.depth) }

func (s *sections) comment(format string, args ...any) {
	fmt.Fprintf(s, "%s# "+format+"\n", append([]any{s.indent()}, args...)...)
}

func (s *sections) open(name string) {
	s.start = append(s.start, s.Len())
	fmt.Fprintf(s, "%s%s {\n", s.indent(), name)
	s.depth++
}

func (s *sections) set(key, value string) { fmt.Fprintf(s, "%s%s = %s\n", s.indent(), key, value) }

func (s *sections) close() {
	s.depth--
	s.start = s.start[:len(s.start)-1]
	fmt.Fprintf(s, "%s}\n", s.indent())
}

// cancel takes back what was opened last.
func (s *sections) cancel() {
	text := s.String()[:s.start[len(s.start)-1]]
	s.depth--
	s.start = s.start[:len(s.start)-1]
	s.Reset()
	s.WriteString(text)
}

// swanName is a name of a section, in which dots, braces, commas and spaces have a meaning.
func swanName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`.,:{}=#"$ `, r) {
			return '_'
		}
		return r
	}, s)
}

// swanValue is a value, in quotes where it has what would be read otherwise.
func swanValue(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@:/%*") == "" {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// swanSecret is a secret as swanctl.conf and this configuration have it: as text, or in hexadecimal where text could be taken for
// something else.
func swanSecret(octets []byte) string {
	text := string(octets)
	if isText(octets) && !strings.HasPrefix(text, "0x") && !strings.HasPrefix(text, "0s") && !strings.ContainsAny(text, "\"\\\n") {
		return `"` + text + `"`
	}
	return "0x" + hex.EncodeToString(octets)
}

func swanSelectors(list []selector.Selector) string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return strings.Join(out, ", ")
}

// yes is a boolean of strongSwan's.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// seconds is a time of strongSwan's.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int64(d/time.Second)) }

// isName reports whether an identity is written as text, without a type in front.
func isName(id identity.Identity) bool {
	return id.Type == identity.FQDN || id.Type == identity.RFC822Addr || id.Type == identity.IPv4Addr || id.Type == identity.IPv6Addr
}
