package ipsecconf

import "testing"

func TestOrient(t *testing.T) {
	here := []string{"192.0.2.1", "gw.example.org"}
	for _, c := range []struct {
		dialect     Dialect
		left, right string
		here        []string
		want        string
		guessed     bool
	}{
		{StrongSwan, "", "198.51.100.7", nil, "left", false},
		{StrongSwan, "%any", "198.51.100.7", nil, "left", false},
		{StrongSwan, "192.0.2.1", "198.51.100.7", nil, "left", true},
		{StrongSwan, "198.51.100.7", "%any", nil, "left", false},
		{StrongSwan, "%any", "%defaultroute", nil, "left", false},
		{StrongSwan, "198.51.100.7", "192.0.2.1", here, "right", false},
		{StrongSwan, "198.51.100.7", "203.0.113.1,192.0.2.1", here, "right", false},
		{StrongSwan, "198.51.100.7", "GW.example.org", here, "right", false},
		{StrongSwan, "192.0.2.1", "192.0.2.1", here, "right", false},
		{StrongSwan, "198.51.100.7", "203.0.113.9", here, "left", false},
		{Libreswan, "%defaultroute", "198.51.100.7", nil, "left", false},
		{Libreswan, "198.51.100.7", "%defaultroute", nil, "right", false},
		{Libreswan, "%any", "198.51.100.7", nil, "right", false},
		{Libreswan, "198.51.100.7", "%any", nil, "left", false},
		{Libreswan, "192.0.2.1", "198.51.100.7", nil, "left", true},
		{Libreswan, "198.51.100.7", "192.0.2.1", here, "right", false},
		{Libreswan, "192.0.2.1", "192.0.2.1", here, "left", false},
		{Libreswan, "%any", "192.0.2.1", here, "right", false},
	} {
		s := &section{kind: "conn", name: "c"}
		for _, side := range []struct{ key, value string }{{"left", c.left}, {"right", c.right}} {
			if side.value != "" {
				s.settings = append(s.settings, setting{key: side.key, value: side.value, comment: &comment{}})
			}
		}
		conn := newConn(s)
		conn.assign(s, map[string]bool{})
		if got := orient(c.dialect, conn, c.here); got.here != c.want || got.guessed != c.guessed {
			t.Errorf("%s: %s and %s on %v: %+v, want %s", c.dialect, c.left, c.right, c.here, got, c.want)
		}
	}
}
