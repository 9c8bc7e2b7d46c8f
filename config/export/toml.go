package export

import (
	"fmt"
	"strings"
	"time"

	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
)

// toml writes the configuration of another Esplanade. What is the default there is left out.
func toml(w *writer) ([]byte, error) {
	var b strings.Builder
	line := func(key string, value string) { fmt.Fprintf(&b, "%-14s= %s\n", key, value) }
	fmt.Fprintf(&b, "# The other end of the connection %s of %s\n[connections.%s]\n", w.Name, w.Gateway, tomlKey(w.Name))
	line("remote_addrs", tomlString(w.Gateway))
	if w.port() != 500 {
		line("remote_port", fmt.Sprint(w.port()))
	}
	n := w.conn
	if n.Has("proposals") || n.Preset != "" {
		line("proposals", tomlProposals(n.Proposals))
	}
	for _, x := range []struct {
		key string
		on  bool
	}{{"encap", n.Encap}, {"mobike", n.MOBIKE}, {"fragmentation", n.Fragmentation}} {
		if !x.on {
			line(x.key, "false")
		}
	}
	if n.Resumption {
		line("resumption", "true")
	}
	if n.Has("dpd_delay") && !w.Addresses || n.Preset != "" {
		line("dpd_delay", tomlTime(n.DPDDelay))
	}
	if n.Has("rekey_time") && !w.Addresses {
		line("rekey_time", tomlTime(n.RekeyTime))
	}
	if n.Has("reauth_time") {
		line("reauth_time", tomlTime(n.ReauthTime))
	}
	if n.Childless == policy.ChildlessForce || n.Childless == policy.ChildlessNever {
		line("childless", tomlString(n.Childless.String()))
	}
	if w.PPKID != "" {
		line("ppk_id", tomlString(w.PPKID))
		if n.PPKRequired {
			line("ppk_required", "true")
		}
	}
	if w.Addresses {
		line("vips", tomlList(w.families()))
		if len(w.split()) > 0 {
			line("split_include", "true")
		}
	}
	w.tomlSides(line)
	if s, ok := w.take(w.PSK); ok {
		line("secret", swanTOML(s))
	} else if w.PSK.Len() > 0 {
		line("secret_file", tomlString(fileName(w.Name, ".psk")))
		w.warnf("secret", "the pre-shared key is left out: it belongs into %s beside the configuration", fileName(w.Name, ".psk"))
	}
	for _, c := range w.Children {
		fmt.Fprintf(&b, "\n[connections.%s.children.%s]\n", tomlKey(w.Name), tomlKey(c.Name))
		if !w.assigned(c) {
			line("local_ts", tomlSelectors(c.Own))
		}
		line("remote_ts", tomlSelectors(c.Reached))
		if c.conf.Has("esp_proposals") || n.Preset != "" {
			line("esp_proposals", tomlProposals(c.ESP))
		}
		if c.conf.Has("rekey_time") && !w.Addresses {
			line("rekey_time", tomlTime(c.conf.RekeyTime))
		}
		line("start_action", tomlString(w.start(c).String()))
	}
	w.tomlSecrets(&b)
	return []byte(b.String()), nil
}

// tomlSides writes how both sides prove themselves.
func (w *writer) tomlSides(line func(key, value string)) {
	for i, m := range []policy.Auth{w.Method, w.Second} {
		if m == 0 {
			continue
		}
		name := "local"
		if i > 0 {
			name = "local-2"
		}
		if m.Chosen() || m == policy.AuthEAPRADIUS {
			m = policy.AuthEAP
		}
		parts := []string{"auth = " + tomlString(m.String())}
		if !w.ClientID.Any() {
			parts = append(parts, "id = "+tomlString(w.ClientID.String()))
		}
		if m.EAP() && w.User != "" && w.User != w.ClientID.String() {
			parts = append(parts, "eap_id = "+tomlString(w.User))
		}
		if m == policy.AuthPubkey || m == policy.AuthEAPTLS {
			parts = append(parts, "certs = "+tomlString(w.certFile()))
			w.warnf("remote.auth", "the user's certificate and key are to be put into %s and %s beside the configuration", w.certFile(), w.keyFile())
		}
		line(name, "{ "+strings.Join(parts, ", ")+" }")
	}
	parts := []string{"auth = " + tomlString(w.GatewayMethod.String()), "id = " + tomlString(w.GatewayID.String())}
	if w.GatewayMethod == policy.AuthPubkey && len(w.CAs) > 0 {
		parts = append(parts, "cacerts = "+tomlString(w.caFile()))
		w.warnf("local.certs", "the CA of the gateway's certificate is to be put into %s beside the configuration", w.caFile())
	}
	line("remote", "{ "+strings.Join(parts, ", ")+" }")
	w.certReqNote()
}

// tomlSecrets writes the tables of secrets, and the key of the user's certificate.
func (w *writer) tomlSecrets(b *strings.Builder) {
	if w.eap() && w.eapMethod() != policy.AuthEAPTLS {
		if s, ok := w.take(w.Password); ok {
			fmt.Fprintf(b, "\n[secrets.eap.user]\nid            = %s\nsecret        = %s\n", tomlString(w.User), swanTOML(s))
		} else {
			w.warnf("remote.auth", "the password is left out: it belongs into [secrets.eap.NAME], with id = %q", w.User)
		}
	}
	if s, ok := w.take(w.PPK); ok && w.PPKID != "" {
		fmt.Fprintf(b, "\n[secrets.ppk.shared]\nid            = %s\nsecret        = %s\n", tomlString(w.PPKID), swanTOML(s))
	} else if w.PPKID != "" {
		w.warnf("ppk_id", "the post-quantum preshared key is left out: it belongs into [secrets.ppk.NAME], with id = %q", w.PPKID)
	}
	if w.certificate() {
		fmt.Fprintf(b, "\n[credentials]\nprivate       = %s\n", tomlString(w.keyFile()))
	}
}

// swanTOML is a secret as text of TOML, in the forms that swanctl.conf has too.
func swanTOML(s []byte) string {
	text := swanSecret(s)
	if strings.HasPrefix(text, `"`) {
		return text
	}
	return `"` + text + `"`
}

// tomlString is a basic string of TOML, which has the escapes of JSON. There are no control characters: see [Profile.plain].
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// tomlKey is a key, in quotes where it is not bare.
func tomlKey(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return s
	}
	return tomlString(s)
}

// tomlList is a list of strings, or one alone.
func tomlList(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, tomlString(s))
	}
	if len(out) == 1 {
		return out[0]
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func tomlProposals(list []proposal.Proposal) string { return tomlList(texts(list)) }

func tomlSelectors(list []selector.Selector) string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return tomlList(out)
}

// tomlTime is a time, without the zeros that Go puts at its end.
func tomlTime(d time.Duration) string {
	s := d.String()
	for _, zero := range []struct{ end, cut string }{{"m0s", "0s"}, {"h0m", "0m"}} {
		if strings.HasSuffix(s, zero.end) {
			s = strings.TrimSuffix(s, zero.cut)
		}
	}
	return tomlString(s)
}
