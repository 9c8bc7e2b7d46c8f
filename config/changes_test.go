package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"esplanade/ike/identity"
)

// everyTable is each struct that stands for a table, by the name of its table in documents.
func everyTable() map[string]reflect.Type {
	return map[string]reflect.Type{
		"": reflect.TypeFor[Config](), "ike": reflect.TypeFor[IKE](), "connections.NAME": reflect.TypeFor[Connection](),
		"connections.NAME.local": reflect.TypeFor[Auth](), "connections.NAME.remote": reflect.TypeFor[Auth](),
		"connections.NAME.children.NAME": reflect.TypeFor[Child](), "secrets": reflect.TypeFor[Secrets](),
		"secrets.ike.NAME": reflect.TypeFor[IKESecret](), "secrets.ppk.NAME": reflect.TypeFor[PPKSecret](),
		"secrets.private.NAME": reflect.TypeFor[FileSecret](), "credentials": reflect.TypeFor[Credentials](), "credentials.acme": reflect.TypeFor[ACME](),
		"authorities.NAME": reflect.TypeFor[Authority](), "pools.NAME": reflect.TypeFor[Pool](), "users": reflect.TypeFor[Users](),
		"secrets.eap.NAME": reflect.TypeFor[EAPSecret](), "secrets.ntlm.NAME": reflect.TypeFor[EAPSecret](),
		"radius": reflect.TypeFor[RADIUS](), "radius.servers.NAME": reflect.TypeFor[RADIUSServer](), "radius.dae": reflect.TypeFor[DAE](),
	}
}

// wholeTables are those of which no key can change while the daemon runs: Config says so of the table.
func wholeTables() map[string]reflect.Type {
	return map[string]reflect.Type{
		"control": reflect.TypeFor[Control](), "metrics": reflect.TypeFor[Metrics](), "log": reflect.TypeFor[Log](), "hooks": reflect.TypeFor[Hooks](), "events": reflect.TypeFor[EventsFeed](), "tun": reflect.TypeFor[TUN](),
		"dataplane": reflect.TypeFor[Dataplane](), "debug": reflect.TypeFor[Debug](),
	}
}

// TestEveryFieldIsTagged: a field without its tags would not be compared, or could not be named to the operator. The other way round
// every table has its struct in the lists above.
func TestEveryFieldIsTagged(t *testing.T) {
	asked, _ := known()
	for pattern, table := range everyTable() {
		for i := range table.NumField() {
			tags(table.Field(i)) // which panics where there are none
		}
		checkKeys(t, pattern, table, asked[pattern])
		delete(asked, pattern)
	}
	for pattern, table := range wholeTables() {
		f := reflect.TypeFor[Config]()
		for i := range f.NumField() {
			if f.Field(i).Type == table && f.Field(i).Tag.Get("reload") != "restart" {
				t.Errorf("[%s] can change while the daemon runs: its fields have to say how", pattern)
			}
		}
		checkKeys(t, pattern, table, asked[pattern])
		delete(asked, pattern)
	}
	for pattern, keys := range asked {
		if len(keys) > 1 || !keys["NAME"] { // not just tables with names
			t.Errorf("[%s] is in neither list", pattern)
		}
	}
}

// checkKeys holds the keys of a struct to those that the parser asks for.
func checkKeys(t *testing.T, pattern string, table reflect.Type, asked map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for i := range table.NumField() {
		f := table.Field(i)
		key := f.Tag.Get("key")
		if f.Type == reflect.TypeFor[Source]() || key == "-" || f.Tag.Get("reload") == "rounds" || elsewhere(pattern, f) {
			continue
		}
		if !asked[key] || seen[key] {
			t.Errorf("%s.%s: the parser knows no key %q in [%s], or two fields have it", table.Name(), f.Name, key, pattern)
		}
		seen[key] = true
	}
}

// elsewhere reports whether a field is for another table of the same struct.
func elsewhere(pattern string, f reflect.StructField) bool {
	only := f.Tag.Get("only")
	return only != "" && !strings.HasSuffix(pattern, "."+only)
}

// TestReloadIsDocumented holds the tags to the table under "Reloading", which is written by hand: what a reload does with a key does not
// change by renaming a field or by moving it, and not without an edit that an operator can read.
func TestReloadIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{} // what a reload does with a key of a table, by "table key"
	for pattern, table := range everyTable() {
		for i := range table.NumField() {
			if key, reload := tags(table.Field(i)); reload != "" && reload != "keys" && reload != "tables" && reload != "rounds" && !elsewhere(pattern, table.Field(i)) {
				got[pattern+" "+key] = reload
			}
		}
	}
	_, section, _ := strings.Cut(string(data), "\n## Reloading\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		columns := strings.Split(line, "|")
		if len(columns) != 6 {
			continue
		}
		for _, table := range codeOf(columns[1]) {
			pattern := strings.Trim(table, "[]")
			if whole := wholeTables()[pattern] != nil; whole {
				if columns[4] != " every key " || got[" "+pattern] != "restart" {
					t.Errorf("[%s] is %q", pattern, got[" "+pattern])
				}
				delete(got, " "+pattern)
			}
			for i, effect := range []Effect{Live, Reestablish, Restart} {
				for _, key := range codeOf(columns[2+i]) {
					if full := pattern + " " + key; got[full] != effect.String() {
						t.Errorf("[%s] %s is %q, the document says %q", pattern, key, got[full], effect)
					} else {
						delete(got, full)
					}
				}
			}
		}
	}
	for key, how := range got {
		t.Errorf("%s, which is %q, is not in the document", key, how)
	}
}

// codeOf are the parts of a text that stand between backticks.
func codeOf(text string) (out []string) {
	for i, s := range strings.Split(text, "`") {
		if i%2 == 1 {
			out = append(out, s)
		}
	}
	return out
}

func TestChanges(t *testing.T) {
	load := func(edit ...string) *Config {
		t.Helper()
		data, err := os.ReadFile("testdata/everything.good.toml")
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for i := 0; i < len(edit); i += 2 {
			if !strings.Contains(text, edit[i]) {
				t.Fatalf("there is no %q", edit[i])
			}
			text = strings.Replace(text, edit[i], edit[i+1], 1)
		}
		c, err := Parse("everything", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := load()
	// Positions and comments are no difference.
	if c := load("[control]", "# one line more\n[control]"); len(Changes(old, c)) > 0 || len(Changes(old.Connections[0], c.Connections[0])) > 0 ||
		len(Changes(old.Connections[0].Children[0], c.Connections[0].Children[0])) > 0 {
		t.Error("a comment is a difference")
	}
	for _, tt := range []struct {
		name      string
		got, want string
	}{
		{"connection", fmt.Sprint(Changes(old.Connections[0], load("dpd_delay = \"1m\"", "dpd_delay = \"2m\"", "id = \"*.example.org\"",
			"id = \"*.example.com\"", "unique", "keyingtries = 4\nunique", "keyingtries = 3", "").Connections[0])),
			"[{dpd_delay live} {keyingtries live} {remote.id reestablish}]"},
		{"child", fmt.Sprint(Changes(old.Connections[0].Children[0], load("replay_window = 1024", "replay_window = 64", "start_action = \"trap\"",
			"start_action = \"start\"").Connections[0].Children[0])), "[{start_action live} {replay_window reestablish}]"},
		{"daemon", fmt.Sprint(Changes(old, load("mtu = 1400", "mtu = 1300", "routing_table = 300", "routing_table = 301", "retransmit_tries = 3",
			"retransmit_tries = 4"))), "[{tun restart} {ike.retransmit_tries live} {ike.routing_table restart}]"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	list := []Change{{"a", Live}, {"b", Restart}, {"c", Live}}
	if got := fmt.Sprint(With(list, Live), With(list, Restart), With(list, Reestablish)); got != "[a c] [b] []" {
		t.Error(got)
	}
}

// TestPortsUntilRestart: while the daemon has its old ports, connections call from these.
func TestPortsUntilRestart(t *testing.T) {
	load := func(ike, conn string) *Config {
		t.Helper()
		c, err := Parse("x.toml", []byte(ike+strings.Replace(viciHead, "[connections.other]", "[connections.other]\n"+conn, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tt := range []struct {
		ike, conn string
		want      uint16
	}{
		{"[ike]\nport = 5000\n", "", 500},
		{"[ike]\nport = 5000\n", "local_port = 5000", 500},
		{"[ike]\nport_nat_t = 5000\n", "local_port = 5000", 4500},
		{"[ike]\nport_nat_t = 5000\n", "", 500},
		{"[ike]\nport = 4500\nport_nat_t = 500\n", "local_port = 4500", 500},
		{"", "local_port = 4500", 4500},
	} {
		old, fresh := load("", ""), load(tt.ike, tt.conn)
		before := fresh.Connections[0].LocalPort
		c := fresh.UntilRestart(old)
		if got := c.Connections[0].LocalPort; got != tt.want || c.IKE.Port != 500 || c.IKE.PortNATT != 4500 {
			t.Errorf("%q and %q: %d, want %d", tt.ike, tt.conn, got, tt.want)
		}
		if fresh.Connections[0].LocalPort != before {
			t.Errorf("%q and %q: the fresh configuration was changed", tt.ike, tt.conn)
		}
	}
}

// TestEveryChangeIsSeen sets each field in turn to another value.
func TestEveryChangeIsSeen(t *testing.T) {
	old := mustLoad(t, "everything")
	n := everyChange(t, old, func(c *Config) reflect.Value { return reflect.ValueOf(&c.IKE) }, "ike.", func(a, b *Config) []Change { return Changes(a, b) })
	n += everyChange(t, old, func(c *Config) reflect.Value { return reflect.ValueOf(c.Connections[0]) }, "",
		func(a, b *Config) []Change { return Changes(a.Connections[0], b.Connections[0]) })
	n += everyChange(t, old, func(c *Config) reflect.Value { return reflect.ValueOf(c.Connections[0].Children[0]) }, "",
		func(a, b *Config) []Change {
			return Changes(a.Connections[0].Children[0], b.Connections[0].Children[0])
		})
	if n < 55 {
		t.Errorf("only %d fields", n)
	}
}

func everyChange(t *testing.T, old *Config, of func(*Config) reflect.Value, prefix string, compare func(a, b *Config) []Change) (n int) {
	table := of(old).Elem().Type()
	for i := range table.NumField() {
		if table.Field(i).Type == reflect.TypeFor[Source]() {
			continue
		}
		key, reload := tags(table.Field(i))
		if key == "" || reload == "keys" || reload == "tables" || reload == "rounds" {
			continue
		}
		fresh := mustLoad(t, "everything")
		other(t, of(fresh).Elem().Field(i))
		got := compare(old, fresh)
		if len(got) != 1 || got[0].Key != prefix+key || got[0].Effect.String() != reload {
			t.Errorf("%s.%s: %v, want %s%s %s", table.Name(), table.Field(i).Name, got, prefix, key, reload)
		}
		// What waits for a restart stays as it was, and nothing else does.
		if stays := len(compare(old, fresh.UntilRestart(old))) == 0; prefix == "ike." && stays != (reload == "restart") {
			t.Errorf("%s is %q, and stays: %v", key, reload, stays)
		}
		n++
	}
	return n
}

// other sets a field to a value that it does not have.
func other(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *identity.Identity:
		*x = identity.Identity{}
	case *Secret:
		*x = NewSecret([]byte("another"))
	case *Endpoint:
		x.Name += "x"
	case *time.Duration:
		*x += time.Second
	default:
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.Float64:
			v.SetFloat(v.Float() + 1)
		case reflect.Slice:
			if v.Len() == 0 {
				v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			} else {
				v.Set(v.Slice(0, v.Len()-1))
			}
		default:
			t.Fatalf("no other value of a %s", v.Type())
		}
	}
}
