package main

import (
	"os/user"
	"strconv"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/ike/vici"
)

// The group of the control socket is found by name or number; one that is not there is an error that names the line.
func TestControlGroup(t *testing.T) {
	conf := func(group string) *config.Config {
		c, err := config.Parse("gw.toml", []byte("[control]\ngroup = "+strconv.Quote(group)+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if n, err := controlGroup(&config.Config{}); n != vici.NoGroup || err != nil {
		t.Errorf("none: %d, %v", n, err)
	}
	if n, err := controlGroup(conf("4321")); n != 4321 || err != nil {
		t.Errorf("a number: %d, %v", n, err)
	}
	if g, err := user.LookupGroupId("0"); err == nil {
		if n, err := controlGroup(conf(g.Name)); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", g.Name, n, err)
		}
	}
	if _, err := controlGroup(conf("nobody-has-this-one")); err == nil || !strings.Contains(err.Error(), "control.group (gw.toml:2)") {
		t.Errorf("none of this host: %v", err)
	}
}
