package strongswan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
)

// credentials copies what [credentials] names into the folders of swanctl.
func (x *exporter) credentials(t *tree.Table) {
	for e := range t.All() {
		if !slices.Contains([]string{"x509", "x509ca", "x509crl", "x509ocsp", "private", "pkcs12"}, e.Name) {
			x.leave(e, "credentials."+e.Name, "strongSwan has other words for it, or none")
			continue
		}
		for _, name := range texts(e.Value.Data) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(x.conf.File), name)
			}
			found, err := x.Files.Glob(name)
			if len(found) == 0 { // a folder, or a name with signs of a pattern
				found, err = x.Files.Glob(filepath.Join(quoteGlob(name), "*"))
			}
			if err != nil || len(found) == 0 {
				found = []string{name}
			}
			for _, f := range found {
				x.copy(f, e.Name)
			}
		}
	}
}

// secretsOf converts [secrets.KIND.NAME].
func (x *exporter) secretsOf(t *tree.Table) {
	for kind := range t.All() {
		tables, ok := kind.Value.Data.(*tree.Table)
		i := slices.IndexFunc(secretKinds(), func(k secretKind) bool { return k.name == kind.Name })
		if !ok || i < 0 {
			continue
		}
		for e := range tables.All() {
			if s, ok := e.Value.Data.(*tree.Table); ok {
				x.secretOf(e, s, secretKinds()[i])
			}
		}
	}
}

// secretOf converts a secret.
func (x *exporter) secretOf(e tree.Entry, s *tree.Table, k secretKind) {
	into := tree.New("")
	name := "secrets." + k.name + "." + e.Name
	for v := range s.All() {
		switch v.Name {
		case "id":
			for i, id := range texts(v.Value.Data) {
				into.Add(fmt.Sprintf("id-%d", i+1), v.At, tree.Text(id))
			}
		case "file":
			into.Add("file", v.At, tree.Text(x.copy(texts(v.Value.Data)[0], k.folder)))
		case "secret", "secret_file":
		default:
			x.leave(v, name+"."+v.Name, "swanctl.conf has no such key")
		}
	}
	if !x.addSecret(into, s, name) && k.folder == "" {
		return // without it the section would be wrong
	}
	x.Root().AddSection("secrets").Add(k.name+"-"+sectionName(e.Name), e.At, into)
}

// addSecret adds the secret of a table, as it is written or as its file has it, if secrets are wanted. added reports whether there is one.
func (x *exporter) addSecret(into, s *tree.Table, name string) (added bool) {
	e, inline := s.Get("secret")
	text := ""
	if inline {
		text = texts(e.Value.Data)[0]
	} else if f, ok := s.Get("secret_file"); ok {
		e = f
		path := texts(f.Value.Data)[0]
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(x.conf.File), path)
		}
		data, err := x.Read(path)
		if err != nil && x.err == nil {
			x.err = err
		}
		text = strings.TrimSuffix(strings.TrimSuffix(data, "\n"), "\r")
	} else {
		return false
	}
	if !x.secrets {
		x.leave(e, name+".secret", "secrets are written with --with-secret only")
		return false
	}
	if !isUTF8(text) {
		text = fmt.Sprintf("0x%x", text)
	}
	into.Add("secret", e.At, tree.Text(text))
	x.secret = true
	return true
}

func isUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s && !strings.ContainsRune(s, 0) }

// ownKeys adds the keys that connections have for themselves: swanctl tells by identities whose a key is.
func (x *exporter) ownKeys(root *tree.Table) {
	e, _ := root.Get("connections")
	conns, _ := e.Value.Data.(*tree.Table)
	whose := map[string]int{} // how many keys there are for an identity
	for _, s := range x.conf.Secrets.IKE {
		for _, id := range s.IDs {
			whose[id.String()]++
		}
	}
	for _, n := range x.conf.Connections {
		for _, id := range ownIDs(n) {
			if n.HasOwnKey() {
				whose[id]++
			}
		}
	}
	for c := range conns.All() {
		t, ok := c.Value.Data.(*tree.Table)
		n := x.conf.Connection(c.Name)
		if !ok || n == nil || !n.HasOwnKey() {
			continue
		}
		into := tree.New("")
		for i, id := range ownIDs(n) {
			into.Add(fmt.Sprintf("id-%d", i+1), c.At, tree.Text(id))
			if whose[id] > 1 {
				x.leave(c, "connections."+c.Name+".secret", "for this connection alone: swanctl tells by identities whose a key is, and there is another one for "+id)
			}
		}
		if x.addSecret(into, t, "connections."+c.Name) {
			x.Root().AddSection("secrets").Add("ike-"+sectionName(c.Name), c.At, into)
		}
	}
}

// ownIDs are the identities that the peers of a connection with its own key may have: none for any.
func ownIDs(n *config.Connection) (out []string) {
	if !n.Remote.ID.Any() {
		return []string{n.Remote.ID.String()}
	}
	for _, e := range n.RemoteAddrs {
		if !e.Specific() {
			return nil
		}
		out = append(out, e.Text)
	}
	return out
}

// ike converts what of [ike] strongswan.conf has as well.
func (x *exporter) ike(t *tree.Table) {
	for e := range t.All() {
		value := texts(e.Value.Data)[0]
		name := ""
		switch e.Name {
		case "port", "port_nat_t", "retransmit_tries", "retransmit_base", "retransmit_jitter", "cookie_threshold", "cookie_threshold_ip", "make_before_break", "follow_redirects",
			"fragment_size", "routing_table", "block_threshold":
			name = e.Name
		case "half_open_limit":
			name = "init_limit_half_open"
		case "ike_sa_limit":
			name = "ikesa_limit"
		case "retransmit_timeout", "retransmit_limit", "half_open_timeout", "keep_alive":
			d, ok := config.ParseDuration(value)
			if !ok {
				continue
			}
			name, value = e.Name, fmt.Sprintf("%g", d.Seconds())
			if e.Name == "keep_alive" || e.Name == "half_open_timeout" {
				value += "s"
			}
		case "fwmark":
			x.daemon.AddSection("plugins").AddSection("socket-default").Add("fwmark", e.At, tree.Text(value))
			x.daemon.AddSection("plugins").AddSection("kernel-netlink").Add("fwmark", e.At, tree.Text("!"+value))
			continue
		default:
			x.leave(e, "ike."+e.Name, "strongSwan has other words for it, or none")
			continue
		}
		x.daemon.Add(name, e.At, tree.Text(value))
	}
}
