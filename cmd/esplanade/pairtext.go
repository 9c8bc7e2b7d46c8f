package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"esplanade/config"
	"esplanade/ike/selector"
)

// tunnelPair is the two ends of a tunnel.
type tunnelPair struct {
	name        string
	here, there pairEnd
	strongswan  bool // the other end
}

// pairEnd is one of the ends.
type pairEnd struct {
	gateway  config.Endpoint
	networks []selector.Selector
	inner    []netip.Addr // the gateway's own addresses in its networks, as far as they were written
}

// newTunnelPair reads what the flags of pair say. An error says which flag is wrong and what would be right.
func newTunnelPair(name, here, there, peer string) (p tunnelPair, err error) {
	if peer != "esplanade" && peer != "strongswan" {
		return p, fmt.Errorf("--peer is %q; write esplanade or strongswan", peer)
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" || name[0] == '-' {
		return p, fmt.Errorf("--name is %q; write letters, digits, \"_\" and \"-\"", name)
	}
	p.name, p.strongswan = name, peer == "strongswan"
	if p.here, err = parsePairEnd("--here", here); err != nil {
		return p, err
	}
	if p.there, err = parsePairEnd("--there", there); err != nil {
		return p, err
	}
	if p.here.gateway == p.there.gateway {
		return p, fmt.Errorf("--here and --there are both %s; write the outer addresses of two gateways", p.here.gateway)
	}
	if a, b := p.here.gateway.Addr(), p.there.gateway.Addr(); a.IsValid() && b.IsValid() && a.Is4() != b.Is4() {
		return p, fmt.Errorf("--here is %s and --there %s: write addresses of one IP version", a, b)
	}
	for _, a := range p.here.networks {
		for _, b := range p.there.networks {
			if _, ok := a.Intersect(b); ok {
				return p, fmt.Errorf("--here has %s and --there %s, which have addresses in common: the two ends need different networks", a, b)
			}
		}
	}
	for _, x := range []struct {
		flag        string
		self, other pairEnd
	}{{"--here", p.here, p.there}, {"--there", p.there, p.here}} {
		for _, s := range x.self.networks {
			if !hasFamily(x.other.networks, s.Is4()) {
				return p, fmt.Errorf("%s has %s, and the other end no network of the same IP version for it to talk to; write one, or leave it out", x.flag, s)
			}
		}
	}
	return p, nil
}

func hasFamily(list []selector.Selector, is4 bool) bool {
	for _, s := range list {
		if s.Is4() == is4 {
			return true
		}
	}
	return false
}

// parsePairEnd reads ADDRESS=NETWORKS.
func parsePairEnd(flag, text string) (e pairEnd, err error) {
	const want = "write ADDRESS=NETWORKS, such as 203.0.113.10=10.10.0.0/24"
	address, networks, ok := strings.Cut(text, "=")
	if !ok {
		return e, fmt.Errorf("%s is %q, without networks; %s", flag, text, want)
	}
	address = strings.TrimSpace(address)
	if e.gateway, err = config.ParseEndpoint(strings.Trim(address, "[]")); err != nil || !e.gateway.Specific() {
		return e, fmt.Errorf("%s has the gateway %q, which is neither an address nor a DNS name; %s", flag, address, want)
	}
	for text := range strings.SplitSeq(networks, ",") {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if a, errA := netip.ParseAddr(text); errA == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return e, fmt.Errorf("%s has the network %q, which is not a prefix; %s", flag, text, want)
		}
		s := selector.FromPrefix(p.Masked())
		for _, o := range e.networks {
			if _, ok := o.Intersect(s); ok {
				return e, fmt.Errorf("%s has %s and %s, which have addresses in common; write each network once", flag, o, s)
			}
		}
		e.networks = append(e.networks, s)
		if p != p.Masked() {
			e.inner = append(e.inner, p.Addr())
		}
	}
	return e, nil
}

// files are those of both ends. What is made is read as the daemon would read it.
func (p tunnelPair) files(key string) ([]pairFile, error) {
	psk := p.name + ".psk"
	var out []pairFile
	for _, x := range []struct {
		end         string
		self, other pairEnd
	}{{"here", p.here, p.there}, {"there", p.there, p.here}} {
		if x.end == "there" && p.strongswan {
			out = append(out, pairFile{"there", p.name + ".conf", "/etc/swanctl/conf.d/" + p.name + ".conf", p.swanctl(key)})
			continue
		}
		text := p.toml(x.self, x.other, secretLine("secret_file", psk))
		if _, err := config.Parse(x.end, []byte(p.toml(x.self, x.other, secretLine("secret", key)))); err != nil {
			var list config.Errors
			if errors.As(err, &list) {
				return nil, fmt.Errorf("that makes no configuration: %s; %s", list[0].What, list[0].Want)
			}
			return nil, err
		}
		out = append(out, pairFile{x.end, "esplanade.toml", "/etc/esplanade/esplanade.toml", text},
			pairFile{x.end, psk, "/etc/esplanade/" + psk, key + "\n"})
	}
	return out, nil
}

// secretLine is what a connection has that proves itself by a key.
func secretLine(key, value string) string { return fmt.Sprintf("%-12s = %q\n", key, value) }

// toml is the configuration of an end that runs Esplanade. The end of it is what the connection proves itself by.
func (p tunnelPair) toml(self, other pairEnd, proof string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# One end of the tunnel %s === %s; the other has the mirror image.\n", self.gateway, other.gateway)
	if len(self.inner) > 0 {
		fmt.Fprintf(&b, "[tun]\naddresses = %s\n", list(self.inner, func(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }))
	} else {
		first := firstHost(self.networks[0])
		fmt.Fprintf(&b, "# Where no interface of this host has an address in local_ts, and it is to use the tunnel itself:\n"+
			"# [tun]\n# addresses = %q\n", netip.PrefixFrom(first, first.BitLen()))
	}
	fmt.Fprintf(&b, "[connections.%s]\n", p.name)
	fmt.Fprintf(&b, "remote_addrs = %q\n", other.gateway.Text)
	if p.strongswan && !strings.HasPrefix(proof, "local ") {
		fmt.Fprintf(&b, "local.id      = %q\nremote.id     = %q\n", self.gateway.Text, other.gateway.Text)
	}
	fmt.Fprintf(&b, "local_ts     = %s\nremote_ts    = %s\n", list(self.networks, selector.Selector.String), list(other.networks, selector.Selector.String))
	b.WriteString(proof)
	return b.String()
}

// list writes a list of TOML, or one element alone.
func list[T any](items []T, text func(T) string) string {
	var quoted []string
	for _, x := range items {
		quoted = append(quoted, strconv.Quote(text(x)))
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// swanctl is the configuration of the other end for strongSwan. Both ends name themselves: strongSwan looks for the key by that.
func (p tunnelPair) swanctl(key string) string {
	return p.swanctlWith("psk", "", "", fmt.Sprintf("secrets {\n  ike-%s {\n    id-1 = %s\n    id-2 = %s\n    secret = \"%s\"\n  }\n}\n", p.name, p.there.gateway.Text, p.here.gateway.Text, key))
}

// swanctlWith is that configuration with a method, what its sides have in addition, and the secrets.
func (p tunnelPair) swanctlWith(auth, local, remote, secrets string) string {
	plain := func(list []selector.Selector) string {
		var out []string
		for _, s := range list {
			out = append(out, s.String())
		}
		return strings.Join(out, ", ")
	}
	var own strings.Builder
	for _, c := range p.addressCommands() {
		fmt.Fprintf(&own, "# An interface of this host has to have the address; if none has: %s\n", c)
	}
	return fmt.Sprintf(`# The strongSwan end of the tunnel %[2]s === %[3]s; load it with: swanctl --load-all
%[7]sconnections {
  %[1]s {
    version = 2
    remote_addrs = %[3]s
    proposals = aes256gcm16-prfsha384-ecp384, default
    encap = yes
    dpd_delay = 30s
    keyingtries = 0
    local {
      auth = %[6]s
      id = %[2]s
%[8]s    }
    remote {
      auth = %[6]s
      id = %[3]s
%[9]s    }
    children {
      %[1]s {
        local_ts = %[4]s
        remote_ts = %[5]s
        esp_proposals = aes256gcm16-ecp384, default
        start_action = trap
        dpd_action = trap
      }
    }
  }
}
%[10]s`, p.name, p.there.gateway.Text, p.here.gateway.Text, plain(p.there.networks), plain(p.here.networks), auth, own.String(), local, remote, secrets)
}

// addressCommands give the other end the addresses that were written for it, where it runs strongSwan, which has no device for them.
func (p tunnelPair) addressCommands() (out []string) {
	if !p.strongswan {
		return nil
	}
	for _, a := range p.there.inner {
		out = append(out, "ip address add "+netip.PrefixFrom(a, a.BitLen()).String()+" dev lo")
	}
	return out
}

// saySteps says what was written and what to do with it.
func (p tunnelPair) saySteps(w io.Writer, dir string, files []pairFile) error {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s -> %s: %s\n", filepath.Join(dir, f.end, f.name), f.end, f.install)
	}
	if p.strongswan {
		for _, c := range p.addressCommands() {
			fmt.Fprintf(&b, "there, if no interface has that address yet, and after each boot: %s\n", c)
		}
		b.WriteString("then, here: esplanade run; there: swanctl --load-all\n")
	} else {
		b.WriteString("then, on both hosts: esplanade run\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
