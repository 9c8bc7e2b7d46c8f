package strongswan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// Exported is a configuration of ours as a folder of swanctl.
type Exported struct {
	// Conf is swanctl.conf, which has secrets if Secret is set.
	Conf   string
	Secret bool
	// Files go beside it, in the folders of swanctl. A strongswan.conf is among them if there are keys for one.
	Files []migrate.File
	// Left is what swanctl.conf has no words for.
	Left []migrate.Left
}

// Export makes a folder of swanctl of a configuration: the way back from Import. text is what the file says, and conf what it means. Without
// secrets, none are in it.
func Export(text string, conf *config.Config, files migrate.Files, secrets bool) (*Exported, error) {
	root, err := tree.ParseTOML(conf.File, text)
	if err != nil {
		return nil, err
	}
	x := &exporter{Draft: migrate.NewDraft(conf.File, migrate.Options{Files: files}), conf: conf, secrets: secrets, daemon: tree.New("")}
	for e := range root.All() {
		t, ok := e.Value.Data.(*tree.Table)
		if !ok {
			continue
		}
		switch e.Name {
		case "connections":
			x.each(t, "connections", x.connection)
		case "pools":
			x.each(t, "pools", func(into, from *tree.Table, name string) { x.keys(into, from, poolKeys(), "pools."+name) })
		case "authorities":
			x.each(t, "authorities", x.authority)
		case "credentials":
			x.credentials(t)
		case "secrets":
			x.secretsOf(t)
		case "ike":
			x.ike(t)
		case "control":
			if s, ok := t.Get("socket"); ok {
				x.daemon.AddSection("plugins").AddSection("vici").Add("socket", s.At, tree.Text("unix://"+texts(s.Value.Data)[0]))
			}
		case "tun":
			x.leave(e, e.Name, "there is no device of the tunnels: an interface of the host has to have the addresses")
		default:
			x.leave(e, e.Name, "strongSwan has other words for it, or none")
		}
	}
	x.ownKeys(root)
	if x.daemon.Len() > 0 {
		top := tree.New("")
		top.Add("charon", tree.Position{}, x.daemon)
		x.File("strongswan.conf", []byte(Format(top)), false)
	}
	if x.err != nil {
		return nil, x.err
	}
	r := x.Result()
	return &Exported{Conf: Format(r.Config), Secret: x.secret, Files: r.Files, Left: r.Left}, nil
}

// exporter makes sections of our tables.
type exporter struct {
	*migrate.Draft
	conf            *config.Config
	secrets, secret bool
	daemon          *tree.Table
	err             error // the first of a file that can't be read
}

// leave notes what is left out, with the place in our file.
func (x *exporter) leave(e tree.Entry, what, why string) { x.Leave(x.Root(), e.At, what, why) }

// each converts the tables of a kind.
func (x *exporter) each(from *tree.Table, kind string, one func(into, from *tree.Table, name string)) {
	into := x.Root().AddSection(kind)
	for e := range from.All() {
		if t, ok := e.Value.Data.(*tree.Table); ok {
			s := tree.New("")
			one(s, t, e.Name)
			into.Add(sectionName(e.Name), e.At, s)
		}
	}
}

// texts are the elements of a value, as swanctl has each.
func texts(data any) (out []string) {
	switch v := data.(type) {
	case tree.List:
		for _, e := range v {
			out = append(out, texts(e.Data)...)
		}
	case bool:
		out = []string{map[bool]string{true: "yes", false: "no"}[v]}
	case string:
		out = []string{v}
	case tree.Text:
		out = []string{string(v)}
	default:
		out = []string{fmt.Sprint(v)}
	}
	return out
}

// text is a value of a key as swanctl has it. Times are numbers of seconds, and sizes numbers of bytes.
func text(k key, data any) string {
	parts := texts(data)
	if len(parts) != 1 {
		return joined(parts)
	}
	s := parts[0]
	switch {
	case strings.HasSuffix(k.name, "_time"), k.name == "dpd_delay":
		if d, ok := config.ParseDuration(s); ok && d%time.Second == 0 {
			return fmt.Sprintf("%ds", d/time.Second)
		}
	case strings.HasSuffix(k.name, "_bytes"):
		if n, ok := config.ParseSize(s); ok {
			return strconv.FormatUint(n, 10)
		}
	}
	return s
}

// keys converts those keys of a table that swanctl.conf has, and lists the others.
func (x *exporter) keys(into, from *tree.Table, keys []key, table string, handled ...string) {
	for e := range from.All() {
		if _, is := e.Value.Data.(*tree.Table); is || slices.Contains(handled, e.Name) {
			continue
		}
		k, ok := find(keys, e.Name)
		if !ok || k.read == nil {
			x.leave(e, table+"."+e.Name, "swanctl.conf has no such key")
			continue
		}
		into.Add(e.Name, e.At, tree.Text(text(k, e.Value.Data)))
	}
}

// proposalKey is one that is only in the way of a list.
func proposalKey(name string) key { return key{name: name, read: listOf(anyText)} }

// connection converts [connections.NAME].
func (x *exporter) connection(into, from *tree.Table, name string) {
	n := x.conf.Connection(name)
	keys := append(connectionKeys(), proposalKey("proposals"))
	into.Add("version", tree.Position{}, tree.Text("2"))
	brought := x.brought("connections." + name)
	lone := config.LoneKeys()
	x.keys(into, from.Over(brought), keys, "connections."+name, slices.Concat(lone, []string{"version", "preset", "secret", "secret_file", "dpd_timeout"})...)
	set := func(t *tree.Table, key, value string) {
		if _, ok := t.Get(key); !ok {
			t.Add(key, tree.Position{}, tree.Text(value))
		}
	}
	// What both have other defaults for.
	set(into, "encap", texts(n.Encap)[0])
	set(into, "dpd_delay", fmt.Sprintf("%ds", n.DPDDelay/time.Second))
	set(into, "keyingtries", fmt.Sprint(n.KeyingTries))
	if _, ok := into.Get("rekey_time"); !ok && n.RekeyTime == 0 && n.ReauthTime == 0 {
		set(into, "rekey_time", "0s")
	}
	for _, side := range []string{"local", "remote"} {
		found := false
		for e := range from.All() {
			if t, is := e.Value.Data.(*tree.Table); is && sideOf(e.Name) == side {
				found = true
				x.side(into.AddSection(sectionName(e.Name)), t, "connections."+name+"."+e.Name, side, methodOf(n, e.Name, side))
			}
		}
		if !found {
			x.side(into.AddSection(side), nil, "connections."+name+"."+side, side, methodOf(n, side, side))
		}
	}
	if len(n.Children) == 0 {
		return
	}
	children := into.AddSection("children")
	all := from.Only("children")
	if n.Lone() {
		c := n.Children[0]
		x.child(children.AddSection(sectionName(c.Name)), from.Only(lone...), "connections."+name, c)
		return
	}
	e, _ := all.Get("children")
	tables, _ := e.Value.Data.(*tree.Table)
	for h := range tables.All() {
		if t, ok := h.Value.Data.(*tree.Table); ok {
			x.child(children.AddSection(sectionName(h.Name)), t, "connections."+name+".children."+h.Name, n.Child(h.Name))
		}
	}
}

// methodOf is how the side of a table proves itself.
func methodOf(n *config.Connection, table, side string) string {
	local, remote := n.Rounds()
	list := local
	if side == "remote" {
		list = remote
	}
	for _, a := range list {
		if strings.HasSuffix(a.TableName(), "."+table) {
			return a.Method.String()
		}
	}
	return list[0].Method.String()
}

// brought are the values that preset and pools bring to a table.
func (x *exporter) brought(table string) *tree.Table {
	var b strings.Builder
	for _, s := range x.conf.Settings() {
		if s.Table == table && (strings.HasSuffix(s.From, "(preset)") || strings.HasSuffix(s.From, "(pools)")) && s.Value != "none" {
			fmt.Fprintf(&b, "%s = %s\n", s.Key, s.Value)
		}
	}
	t, err := tree.ParseTOML(x.conf.File, b.String())
	if err != nil && x.err == nil {
		x.err = err
	}
	return t
}

// side converts a table local… or remote….
func (x *exporter) side(into, from *tree.Table, table, side, method string) {
	into.Add("auth", tree.Position{}, tree.Text(method))
	x.keys(into, from, sideKeys(side), table, "auth", "certs", "cacerts", "pubkeys")
	for _, k := range []struct{ key, folder string }{{"certs", "x509"}, {"cacerts", "x509ca"}, {"pubkeys", "pubkey"}} {
		if e, ok := from.Get(k.key); ok {
			var names []string
			for _, f := range texts(e.Value.Data) {
				names = append(names, x.copy(f, k.folder))
			}
			into.Add(k.key, e.At, tree.Text(joined(names)))
		}
	}
}

// copy puts a file into one of swanctl's folders, and returns the name that it has there.
func (x *exporter) copy(name, folder string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(x.conf.File), name)
	}
	data, err := x.Read(name)
	if err != nil {
		if x.err == nil {
			x.err = err
		}
		return filepath.Base(name)
	}
	secret := !slices.Contains([]string{"x509", "x509ca", "x509crl", "x509ocsp", "pubkey"}, folder) || strings.Contains(data, "PRIVATE KEY")
	return filepath.Base(x.FileIn(folder, filepath.Base(name), []byte(data), secret))
}

// child converts [connections.NAME.children.NAME].
func (x *exporter) child(into, from *tree.Table, table string, c *config.Child) {
	keys := append(childKeys(), proposalKey("esp_proposals"), key{name: "mode", read: word})
	from = from.Over(x.brought("connections." + c.Connection + ".children." + c.Name))
	x.keys(into, from, keys, table, "start_action", "dpd_action", "close_action", "copy_ecn", "copy_df", "copy_dscp", "priority", "tfc_padding")
	if len(c.LocalTS) == 1 && !c.DynamicLocal() {
		if _, ok := into.Get("local_ts"); !ok {
			into.Add("local_ts", tree.Position{}, tree.Text(c.LocalTS[0].String()))
		}
	}
	into.Add("start_action", tree.Position{}, tree.Text(c.StartAction.String()))
	// start_action alone brings a tunnel up again here, whatever has ended it. strongSwan's traps stay by themselves.
	for _, k := range []struct{ key, value string }{{"dpd_action", c.AfterDPD().String()}, {"close_action", c.AfterClose().String()}} {
		if k.key == "dpd_action" && k.value == "start" {
			k.value = "restart"
		}
		if k.value != "none" && (k.value != "trap" || c.StartAction.String() != "trap") {
			into.Add(k.key, tree.Position{}, tree.Text(k.value))
		}
	}
}

// authority converts [authorities.NAME].
func (x *exporter) authority(into, from *tree.Table, name string) {
	x.keys(into, from, []key{{name: "crl_uris", read: listOf(anyText)}, {name: "ocsp_uris", read: listOf(anyText)}}, "authorities."+name, "cacert")
	if e, ok := from.Get("cacert"); ok {
		into.Add("cacert", e.At, tree.Text(x.copy(texts(e.Value.Data)[0], "x509ca")))
	}
}
