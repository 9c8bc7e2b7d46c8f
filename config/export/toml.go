package export

import (
	"fmt"
	"strings"
	"time"

	"esplanade/config/tree"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// toml writes the configuration of another Esplanade. What is the default there is left out.
func toml(w *writer) ([]byte, error) {
	root := tree.New("")
	root.Note(fmt.Sprintf("The other end of the connection %s of %s", w.Name, w.Gateway))
	t := root.AddSection("connections").AddSection(w.Name)
	line := func(key string, value any) { t.Add(key, tree.Position{}, value) }
	line("remote_addrs", w.Gateway)
	if w.port() != 500 {
		line("remote_port", int64(w.port()))
	}
	n := w.conn
	if n.Has("proposals") || n.Preset != "" {
		line("proposals", tree.Strings(texts(n.Proposals)))
	}
	for _, x := range []struct {
		key string
		on  bool
	}{{"encap", n.Encap}, {"mobike", n.MOBIKE}, {"fragmentation", n.Fragmentation}} {
		if !x.on {
			line(x.key, false)
		}
	}
	if n.Resumption {
		line("resumption", true)
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
		line("childless", n.Childless.String())
	}
	if w.PPKID != "" {
		line("ppk_id", w.PPKID)
		if n.PPKRequired {
			line("ppk_required", true)
		}
	}
	if w.Addresses {
		line("vips", tree.Strings(w.families()))
		if len(w.split()) > 0 {
			line("split_include", true)
		}
	}
	if s, ok := w.take(w.PSK); ok {
		line("secret", swanTOML(s))
	} else if w.PSK.Len() > 0 {
		line("secret_file", fileName(w.Name, ".psk"))
		w.warnf("secret", "the pre-shared key is left out: it belongs into %s beside the configuration", fileName(w.Name, ".psk"))
	}
	w.tomlSides(t)
	for _, c := range w.Children {
		w.tomlChild(t.AddSection("children").AddSection(c.Name), c)
	}
	w.tomlSecrets(root)
	return []byte(tree.FormatTOML(root)), nil
}

// tomlChild writes a child.
func (w *writer) tomlChild(t *tree.Table, c Child) {
	line := func(key string, value any) { t.Add(key, tree.Position{}, value) }
	if !w.assigned(c) {
		line("local_ts", tomlSelectors(c.Own))
	}
	line("remote_ts", tomlSelectors(c.Reached))
	if c.conf.Has("esp_proposals") || w.conn.Preset != "" {
		line("esp_proposals", tree.Strings(texts(c.ESP)))
	}
	if c.conf.Has("rekey_time") && !w.Addresses {
		line("rekey_time", tomlTime(c.conf.RekeyTime))
	}
	line("start_action", w.start(c).String())
}

// tomlSides writes how both sides prove themselves.
func (w *writer) tomlSides(t *tree.Table) {
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
		side := t.AddSection(name)
		side.Add("auth", tree.Position{}, m.String())
		if !w.ClientID.Any() {
			side.Add("id", tree.Position{}, w.ClientID.String())
		}
		if m.EAP() && w.User != "" && w.User != w.ClientID.String() {
			side.Add("eap_id", tree.Position{}, w.User)
		}
		if m == policy.AuthPubkey || m == policy.AuthEAPTLS {
			side.Add("certs", tree.Position{}, w.certFile())
			w.warnf("remote.auth", "the user's certificate and key are to be put into %s and %s beside the configuration", w.certFile(), w.keyFile())
		}
	}
	side := t.AddSection("remote")
	side.Add("auth", tree.Position{}, w.GatewayMethod.String())
	side.Add("id", tree.Position{}, w.GatewayID.String())
	if w.GatewayMethod == policy.AuthPubkey && len(w.CAs) > 0 {
		side.Add("cacerts", tree.Position{}, w.caFile())
		w.warnf("local.certs", "the CA of the gateway's certificate is to be put into %s beside the configuration", w.caFile())
	}
	w.certReqNote()
}

// tomlSecrets writes the tables of secrets, and the key of the user's certificate.
func (w *writer) tomlSecrets(root *tree.Table) {
	add := func(kind, name, id string, octets []byte) {
		t := root.AddSection("secrets").AddSection(kind).AddSection(name)
		t.Add("id", tree.Position{}, id)
		t.Add("secret", tree.Position{}, swanTOML(octets))
	}
	if w.eap() && w.eapMethod() != policy.AuthEAPTLS {
		if s, ok := w.take(w.Password); ok {
			add("eap", "user", w.User, s)
		} else {
			w.warnf("remote.auth", "the password is left out: it belongs into [secrets.eap.NAME], with id = %q", w.User)
		}
	}
	if s, ok := w.take(w.PPK); ok && w.PPKID != "" {
		add("ppk", "shared", w.PPKID, s)
	} else if w.PPKID != "" {
		w.warnf("ppk_id", "the post-quantum preshared key is left out: it belongs into [secrets.ppk.NAME], with id = %q", w.PPKID)
	}
	if w.certificate() {
		root.AddSection("credentials").Add("private", tree.Position{}, w.keyFile())
	}
}

// swanTOML is a secret in the forms that swanctl.conf has too.
func swanTOML(s []byte) string {
	text := swanSecret(s)
	if strings.HasPrefix(text, `"`) {
		return strings.Trim(text, `"`)
	}
	return text
}

func tomlSelectors(list []selector.Selector) any {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return tree.Strings(out)
}

// tomlTime is a time, without the zeros that Go puts at its end.
func tomlTime(d time.Duration) string {
	s := d.String()
	for _, zero := range []struct{ end, cut string }{{"m0s", "0s"}, {"h0m", "0m"}} {
		if strings.HasSuffix(s, zero.end) {
			s = strings.TrimSuffix(s, zero.cut)
		}
	}
	return s
}
