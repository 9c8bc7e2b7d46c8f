package gateway

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"esplanade/config"
	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// TestLiveKeysArePolicy: a key that a reload changes while SAs stay is in the part of a machine's configuration that may be replaced, and
// one that does not is in the part that stays for as long as there is a machine. What is in neither has to be looked at by hand: the
// list says why it needs neither.
func TestLiveKeysArePolicy(t *testing.T) {
	neither := []string{
		"keyingtries", "unique", "install_dns", "other_ip_version", "start_action", "dpd_action", "close_action", "updown", "hostaccess", // the gateway looks at the configuration itself
		"local_addrs", "remote_addrs", "local_port", "mobike_addrs", // where an attempt goes to; an IKE SA has its path
		"preset",                // of which only the keys that it sets are known
		"secret", "secret_file", // the gateway finds it at each authentication
		"make_before_break", "cookie_threshold", "cookie_threshold_ip", "half_open_limit", "block_threshold", // the gateway's
		"ike.downgrade_prevention", // every machine asks the gateway
		"ike_sa_limit", "ike_sa_limit_id", "child_sa_limit", "child_sa_limit_id",
		"round", // decides which round comes first, before a machine knows of any
		"port", "qcd_secret_file", "lease_file", "install_routes", "local_routes", "routing_table", "fwmark",
	}
	for _, table := range []string{"ike", "connection", "child"} {
		fields := tableOf(table).Elem().Type()
		for i := range fields.NumField() {
			f := fields.Field(i)
			key, effect := f.Tag.Get("key"), f.Tag.Get("reload")
			if key == "" || key == "-" || effect == "tables" || effect == "rounds" {
				continue
			}
			old, fresh := tableOf(table), tableOf(table)
			change(t, fresh.Elem().Field(i))
			fixed, policy := halves(old, fresh)
			switch {
			case effect == "keys": // local and remote
				effect = "reestablish"
			case slices.Contains(neither, key), slices.Contains(neither, table+"."+key):
				if fixed || policy {
					t.Errorf("%s: a machine knows it", key)
				}
				continue
			}
			if policy != (effect == "live") || fixed != (effect != "live") {
				t.Errorf("%s is %q: the part that stays is another: %v, that which may be replaced: %v", key, effect, fixed, policy)
			}
		}
	}
}

// tableOf is a table of a configuration without anything in it.
func tableOf(name string) reflect.Value {
	switch name {
	case "ike":
		return reflect.ValueOf(&config.IKE{})
	case "connection":
		return reflect.ValueOf(&config.Connection{RemotePort: config.DefaultPort, Key: config.NewSecret([]byte("one"))})
	}
	return reflect.ValueOf(&config.Child{})
}

// halves reports in which half of a machine's configuration two tables make a difference.
func halves(old, fresh reflect.Value) (fixed, policy bool) {
	of := func(v reflect.Value) (sa.Config, sa.ChildConfig) {
		conf, conn, child := &config.Config{}, &config.Connection{RemotePort: config.DefaultPort}, &config.Child{}
		switch x := v.Interface().(type) {
		case *config.IKE:
			conf.IKE = *x
		case *config.Connection:
			conn = x
		case *config.Child:
			child = x
		}
		return machineConfig(conf, conn), machineChild(child, len(conn.Pools) > 0)
	}
	a, ah := of(old)
	b, bh := of(fresh)
	return !reflect.DeepEqual(a.Fixed, b.Fixed) || !reflect.DeepEqual(ah.ChildFixed, bh.ChildFixed),
		!reflect.DeepEqual(a.Policy, b.Policy) || !reflect.DeepEqual(ah.ChildPolicy, bh.ChildPolicy)
}

// change sets a field to another value.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	switch x := v.Addr().Interface().(type) {
	case *config.Auth:
		id, err := identity.Parse("x.example")
		must(err)
		x.ID = id
	case *config.Secret:
		*x = config.NewSecret([]byte("another"))
	case *config.Endpoint:
		x.First = netip.MustParseAddr("192.0.2.1")
		x.Last = x.First
	case *[]netip.Addr:
		*x = append(*x, netip.IPv4Unspecified())
	case *[]string:
		*x = append(*x, "x")
	case *[]config.Endpoint:
		*x = append(*x, config.Endpoint{Any: true})
	case *[]proposal.Proposal:
		*x = proposal.Default(wire.ProtocolIKE)
	case *[]selector.Selector:
		s, err := selector.Parse("10.0.0.0/8")
		must(err)
		*x = append(*x, s)
	default:
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString("x")
		case reflect.Int, reflect.Int64:
			v.SetInt(7)
		case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			v.SetUint(1)
		case reflect.Float64:
			v.SetFloat(7)
		default:
			t.Fatalf("no other value of a %s", v.Type())
		}
	}
}
