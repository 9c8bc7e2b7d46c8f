//go:build linux

package lab

import "errors"

// Neighbour adds a third gateway host to a lab with a router, on the side of a: a host that reaches b through the router as a does, and has no
// network behind it.
func (l *Lab) Neighbour() (*Site, error) {
	if l.R == nil {
		return nil, errors.New("only a lab with a router has room for a third gateway")
	}
	c := &Site{Link: "c0", Outer4: addr("198.18.3.1"), Outer6: addr("2001:db8:3::1"), Inner4: addr("10.30.0.1"), Inner6: addr("fd30::1"),
		Net4: prefix("10.30.0.0/24"), Net6: prefix("fd30::/64")}
	var err error
	if c.Host, err = l.host("c"); err != nil {
		return nil, err
	}
	if err := l.wire(c.Host, c.Link, l.R, "rc"); err != nil {
		return nil, err
	}
	if err := l.R.IP("addr add 198.18.3.254/24 dev rc"); err != nil {
		return nil, err
	}
	return c, c.IP("addr add 198.18.3.1/24 dev c0", "route add default via 198.18.3.254")
}

// Masquerade has the router give the packets to b its own address, with a port of its choice, as a home router does.
func (l *Lab) Masquerade() error {
	for _, rule := range []string{"add table ip nat", "add chain ip nat post { type nat hook postrouting priority 100 ; }", "add rule ip nat post oifname rb masquerade"} {
		if _, err := l.R.Run("nft", rule); err != nil {
			return err
		}
	}
	return nil
}
