package swanctl

import (
	"slices"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
	"esplanade/ike/pki/files"
)

// The keys whose values are lists, with commas between their items; and those that name files, by the folder that these are in.
var (
	connectionLists = []string{"local_addrs", "remote_addrs", "proposals", "esp_proposals", "ah_proposals", "local_ts", "remote_ts", "vips", "pools", "groups",
		"cert_policy"}
	authorityLists  = []string{"crl_uris", "ocsp_uris"}
	connectionFiles = map[string]string{"certs": "x509", "cacerts": "x509ca", "pubkeys": "pubkey"}
	authorityFiles  = map[string]string{"cacert": "x509ca"}
)

// addrsKey is the only key of a pool that is no list.
const addrsKey = "addrs"

// connections loads the connections.
func (r *folderReader) connections(all *tree.Table) {
	for s := range r.sections(all) {
		s.Table = r.asSent(s.Table, func(key string) bool { return slices.Contains(connectionLists, key) }, connectionFiles)
		r.took(s, r.to.connection(s))
	}
}

// authorities loads the certification authorities.
func (r *folderReader) authorities(all *tree.Table) {
	for s := range r.sections(all) {
		s.Table = r.asSent(s.Table, func(key string) bool { return slices.Contains(authorityLists, key) }, authorityFiles)
		r.took(s, r.to.authority(s))
	}
}

// pools loads the pools.
func (r *folderReader) pools(all *tree.Table) {
	for s := range r.sections(all) {
		s.Table = r.asSent(s.Table, func(key string) bool { return key != addrsKey }, nil)
		r.took(s, r.to.pool(s))
	}
}

// took notes what is wrong with a section.
func (r *folderReader) took(s config.Section, err error) {
	if err != nil {
		r.errorf(s.At, "", err.Error())
	}
}

// sections are the sections of a table.
func (r *folderReader) sections(all *tree.Table) func(yield func(config.Section) bool) {
	return func(yield func(config.Section) bool) {
		for e := range all.All() {
			if t, ok := e.Value.Data.(*tree.Table); ok && !yield(config.Section{Name: e.Name, At: e.At, Table: t}) {
				return
			}
		}
	}
}

// asSent is a section as swanctl sends it: values that are lists taken apart, and the content of files in the place of their names. Comments
// stay behind.
func (r *folderReader) asSent(t *tree.Table, isList func(key string) bool, inFolder map[string]string) *tree.Table {
	out := tree.New("")
	for e := range t.All() {
		switch v := e.Value.Data.(type) {
		case *tree.Table:
			out.AddAt(e.Name, e.At, e.Value.At, r.asSent(v, isList, inFolder))
		case tree.Text:
			folder, isFile := inFolder[e.Name]
			switch {
			case isFile && e.Name == "cacert":
				if data, ok := r.content(folder, string(v), e.Value.At); ok {
					out.AddAt(e.Name, e.At, e.Value.At, data)
				}
			case isFile:
				list := tree.List{}
				for _, name := range Items(string(v)) {
					if data, ok := r.content(folder, name, e.Value.At); ok {
						list = append(list, tree.Value{At: e.Value.At, Data: data})
					}
				}
				out.AddAt(e.Name, e.At, e.Value.At, list)
			case isList(e.Name):
				list := tree.List{}
				for _, item := range Items(string(v)) {
					list = append(list, tree.Value{At: e.Value.At, Data: tree.Text(item)})
				}
				out.AddAt(e.Name, e.At, e.Value.At, list)
			default:
				out.AddAt(e.Name, e.At, e.Value.At, v)
			}
		}
	}
	return out
}

// content is what is in a file with a certificate or public key.
func (r *folderReader) content(folder, name string, at tree.Position) (tree.Text, bool) {
	path := r.path(folder, name)
	data, err := Disk{}.ReadFile(path, files.MaxCertificates)
	if err == nil && len(data) > files.MaxCertificates {
		r.errorf(at, "put a certificate there", path+" is too large for one")
		return "", false
	}
	if err != nil {
		r.errorf(at, "put the file there, or name another one", cannotRead(path, err))
		return "", false
	}
	return tree.Text(data), true
}

// Items are the items of a list: what is between commas, without blanks around it. An item in quotes, single or double ones, may have
// commas in it, and is over with them. Those that are empty do not count, unless they are in quotes.
func Items(list string) (out []string) {
	const between = " ,\t\r\n"
	for {
		if list = strings.TrimLeft(list, between); list == "" {
			return out
		}
		if q := list[0]; q == '\'' || q == '"' {
			if end := strings.IndexByte(list[1:], q); end >= 0 {
				out, list = append(out, list[1:1+end]), list[end+2:]
				continue
			}
		}
		var item string
		item, list, _ = strings.Cut(list, ",")
		out = append(out, strings.TrimRight(item, between))
	}
}
