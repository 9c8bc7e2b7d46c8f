package ipsecconf

import (
	"path"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// strongSwan reads config setup and the sections ca, and is a reader of conns.
func (r *reader) strongSwan(problem func(setting, string)) *strongSwanReader {
	out := &strongSwanReader{reader: r, unique: "replace"}
	known := strongSwanKeywords().setup
	if s := r.files.index["config setup"]; s != nil {
		c := newConn(s)
		c.assign(s, map[string]bool{})
		for _, key := range c.order {
			v := c.values[key]
			switch {
			case key == "uniqueids":
				word, ok := map[string]string{"yes": "replace", "replace": "replace", "no": "no", "keep": "keep", "never": "never"}[v.value]
				if !ok {
					problem(*v, "there is no such word")
					continue
				}
				out.unique = word
			case key == "strictcrlpolicy":
				word, ok := map[string]string{"yes": "strict", "ifuri": "ifuri", "no": ""}[v.value]
				if !ok {
					problem(*v, "there is no such word")
					continue
				}
				out.revocation = word
			default:
				o, ok := known[key]
				if !ok {
					problem(*v, "strongSwan has no such keyword here, and ignores it as well")
				} else if o.odd(v.value) {
					problem(*v, o.why)
				}
			}
		}
	}
	for _, s := range r.files.sections {
		if s.kind == "ca" && s.name != defaultName {
			r.authority(r.files.inherited(s, problem), problem)
		}
	}
	return out
}

// authority makes an authority of a section ca.
func (r *reader) authority(c *conn, problem func(setting, string)) {
	if auto := c.text("auto"); auto == "" || auto == "ignore" || c.get("cacert") == nil {
		return
	}
	t := tree.New(c.at.File)
	m := newMade(c)
	m.put(t, "cacert", "cacert", r.path("cacerts", c.text("cacert")))
	for _, uris := range []struct {
		name string
		keys []string
	}{{"crl_uris", []string{"crluri", "crluri2"}}, {"ocsp_uris", []string{"ocspuri", "ocspuri2"}}} {
		var list []string
		first := ""
		for _, key := range uris.keys {
			s := c.get(key)
			switch {
			case s == nil:
			case !strings.HasPrefix(s.value, "http://") && !strings.HasPrefix(s.value, "https://"):
				problem(*s, "only http and https are asked")
			default:
				if first == "" {
					first = key
				}
				list = append(list, s.value)
			}
		}
		if len(list) > 0 {
			m.put(t, uris.name, first, tree.Strings(list))
		}
	}
	if s := c.get("certuribase"); s != nil {
		problem(*s, "certificates are not sent as addresses")
	}
	authorities := r.Root().AddSection("authorities")
	authorities.Note(trimmed(c.comment.above)...)
	authorities.Add(unique(authorities, migrate.TableName(c.name)), c.at, t)
}

// folders adds the folders of ipsec.d whose files hold for all connections, as far as there is something in them.
func (r *reader) folders() {
	for _, f := range []struct{ key, folder string }{{"x509ca", "cacerts"}, {"x509crl", "crls"}, {"x509ocsp", "ocspcerts"}} {
		dir := path.Join(r.dir, "ipsec.d", f.folder)
		if names, err := r.Files.Glob(path.Join(dir, "*")); err == nil && len(names) > 0 {
			r.Root().AddSection("credentials").Add(f.key, tree.Position{File: dir}, dir)
		}
	}
}
