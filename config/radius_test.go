package config

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"esplanade/ike/radius"
)

// TestRADIUS: what servers do not say is that of the table, and a service without a port is not asked for.
func TestRADIUS(t *testing.T) {
	data, err := os.ReadFile("testdata/radius.good.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, errs := parse("radius.good.toml", data)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := c.RADIUS.Setup()
	if s.NAS.Identifier != "gw1" || !s.NAS.StationPort || !s.Rules.ClassGroup || s.Rules.FilterID || s.Dead != time.Minute || s.Orders.Undated || len(s.Servers) != 2 {
		t.Fatalf("%+v", s)
	}
	first, second := s.Servers[0], s.Servers[1]
	if first.Name != "first" || first.Tries != 4 || first.Timeout != time.Second || first.Base != 1.4 || first.Preference != 10 || first.Sockets != 4 ||
		first.Addrs[radius.Authentication] != netip.MustParseAddrPort("10.0.0.5:1812") || first.Addrs[radius.Accounting] != netip.MustParseAddrPort("10.0.0.5:1813") {
		t.Errorf("%+v", first)
	}
	if second.Tries != 2 || second.Addrs[radius.Authentication] != netip.MustParseAddrPort("[2001:db8::5]:11812") || second.Addrs[radius.Accounting].IsValid() || second.Secret.Len() != 32 {
		t.Errorf("%+v", second)
	}
	if at := c.RADIUS.OrdersAt(); at != netip.MustParseAddrPort("10.0.0.1:3799") {
		t.Errorf("orders at %v", at)
	}
	off, _ := parse("gw.toml", []byte(strings.ReplaceAll(strings.ReplaceAll(string(data), "accounting = true", ""), "enable = true", "")))
	if off.RADIUS.OrdersAt().IsValid() || off.RADIUS.Setup().Servers[0].Addrs[radius.Accounting].IsValid() {
		t.Error("orders or accounting that nobody has asked for")
	}
}

// TestRADIUSMissing: what is asked of a server without there being one is an error.
func TestRADIUSMissing(t *testing.T) {
	for text, want := range map[string]string{
		"[connections.a.remote]\nauth = \"eap-radius\"\n": `connection "a" has its users checked by RADIUS, and there is no server with an auth_port`,
		"[radius]\naccounting = true\n":                   "radius.accounting is true, and there is no server with an acct_port",
		"[radius.dae]\nenable = true\n":                   "radius.dae takes orders of servers, and there is none",
	} {
		_, errs := parse("gw.toml", []byte(text))
		if !strings.Contains(errs.Error(), want) {
			t.Errorf("%s: %v", text, errs)
		}
	}
}
