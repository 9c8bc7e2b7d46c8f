package config

import (
	"fmt"
	"slices"
)

// LoneKeys are the keys of a child that may stand in the connection, for the one child that most connections have. Those that mean
// something else there (rekey_time, rand_time), and those that only make sense together with them, are not among them. The list is the
// caller's.
func LoneKeys() []string {
	return []string{"local_ts", "remote_ts", "esp_proposals", "mode", "start_action", "dpd_action", "close_action", "replay_window", "reqid", "updown", "hostaccess"}
}

// readLoneChild reads the child that stands in the connection's own table and is called like it; nil if there is none. A connection for clients
// needs no key for it. below gives it the keys of a preset.
func readLoneChild(t, children *table, below func(*table), n *Connection, c *Config) *Child {
	first := ""
	for _, key := range LoneKeys() {
		if _, ok := t.get(key); ok && (first == "" || t.at(key).Before(t.at(first))) {
			first = key
		}
	}
	if first == "" && (t.swanctl || !t.has("pools") || n.Has("childless") || children.present() || children.broken) {
		return nil
	}
	if written := children.vals.Len(); written > 0 && first != "" {
		t.errorf(t.at(first), fmt.Sprintf("move it into [%s.NAME], or remove that table", children.title()),
			"%s stands for a lone child, and there is %s%s as well", t.name(first), children.title(), inLine(children.src.table))
		return nil
	}
	lone := &table{
		reader: t.reader, path: slices.Clone(t.path), pattern: t.pattern + ".children.NAME", vals: t.vals.Only(LoneKeys()...),
		src: Source{name: t.title(), table: t.src.table, keys: map[string]Position{}},
	}
	below(lone)
	return readChild(lone, n.Name, n, c)
}

// Lone reports whether the only child of the connection stands in the connection's own table.
func (c *Connection) Lone() bool {
	return len(c.Children) == 1 && c.Children[0].Source.name == c.Source.name
}

// readOwnKey reads the pre-shared key of a connection.
func readOwnKey(t *table, dir string) (key Secret, file string) {
	text, at := t.str("secret", "")
	name, fileAt := t.strAs("secret_file", "", "write the name of a file")
	switch {
	case t.quiet:
	case t.has("secret") && t.has("secret_file"):
		t.errorf(t.at("secret_file"), "write one of them", "%s has both secret and secret_file", t.title())
	case t.has("secret_file") && fileAt.File == OriginVICI:
		// The file would be read with the rights of the daemon, which whoever has sent the command need not have.
		t.errorf(fileAt, "write secret = \"…\"", "%s names a file: a command brings the key itself", t.name("secret_file"))
	case t.has("secret_file"):
		return readKeyFile(t, name, fileAt, dir, warnGuessable)
	case t.isString("secret"):
		key = decodeKey(t, []byte(text), at, "secret", warnGuessable)
	}
	return key, file
}

// HasOwnKey reports whether the connection has a pre-shared key that is its own, and no other connection's.
func (c *Connection) HasOwnKey() bool { return c.Key.Len() > 0 }

// ownKeyAt is where the connection's own key is written.
func (c *Connection) ownKeyAt() Position {
	if c.Has("secret_file") {
		return c.At("secret_file")
	}
	return c.At("secret")
}

// ownKey is the pre-shared key of the connection as one of [Secrets.IKE] would be.
func (c *Connection) ownKey() *IKESecret {
	return &IKESecret{Source: c.Source, Name: c.Name, Connection: c.Name, Key: c.Key, File: c.KeyFile}
}
