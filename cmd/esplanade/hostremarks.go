package main

import (
	"fmt"
	"net/netip"
	"time"

	"esplanade/config"
	"esplanade/ike/vici"
)

// hostRemark is something to say about a configuration on this host.
type hostRemark struct {
	note  bool          // no more than to know; otherwise a warning
	child *config.Child // the one that this host itself cannot use; nil for what concerns no single child
	text  string
	// certificate: it is about certificates, and not about the host.
	certificate bool
}

// String is the line that check prints.
func (r hostRemark) String() string {
	if r.note {
		return "note: " + r.text
	}
	return "warning: " + r.text
}

// hostRemarks compares a configuration with the host: check prints them, run logs them once.
func hostRemarks(conf *config.Config, v hostView) (out []hostRemark) {
	alone := map[*config.Child]bool{}
	for _, l := range lackingAddresses(conf, v) {
		alone[l.child] = l.auto.IsValid()
		out = append(out, l.text(conf, v))
	}
	out = append(out, forwardingRemarks(conf, v, alone)...)
	return append(append(out, addressRemarks(conf, v)...), hookRemarks(conf)...)
}

// forwardingRemarks are about networks behind a host that passes on no packets; one for each family is enough.
func forwardingRemarks(conf *config.Config, v hostView, alone map[*config.Child]bool) (out []hostRemark) {
	said := map[string]bool{}
	if conf.TUN.Device != config.DeviceTUN {
		return nil
	}
	for _, n := range conf.Connections {
		for _, h := range n.Children {
			for _, s := range h.LocalTS {
				if !s.Start.IsValid() || s.Start == s.End || v.forwards(s.Start) != forwardingOff || alone[h] || said[sysctlOf(s.Start)] {
					continue
				}
				said[sysctlOf(s.Start)] = true
				out = append(out, hostRemark{text: fmt.Sprintf("%s: %s is 0 on this host: it passes on no packets of other hosts of local_ts %s; sysctl -w %[2]s=1, "+
					"unless only this host uses the tunnel", h.At("local_ts"), sysctlOf(s.Start), s)})
			}
		}
	}
	return out
}

// addressRemarks are about addresses for the device whose network is that of another interface: two connected routes for one network, of
// which the one that came first wins.
func addressRemarks(conf *config.Config, v hostView) (out []hostRemark) {
	if conf.TUN.Device != config.DeviceTUN {
		return nil
	}
	for _, p := range conf.TUN.Addresses {
		for _, a := range v.addrs {
			if a.device != conf.TUN.Name && p.Bits() < p.Addr().BitLen() && a.prefix.Bits() < a.prefix.Addr().BitLen() && p.Overlaps(a.prefix) {
				host := netip.PrefixFrom(p.Addr(), p.Addr().BitLen())
				out = append(out, hostRemark{text: fmt.Sprintf("%s: the network of tun.addresses %s is on the interface %s of this host (%s) as well: packets for it may go into "+
					"the tunnel's device; write %q", conf.TUN.At("addresses"), p, a.device, a.prefix, host)})
				break
			}
		}
	}
	return out
}

// maxHostWarnings is how many the status has. A configuration may have thousands of children, with one each.
const maxHostWarnings = 20

// present is what the gateway runs with: the connections of the configuration in force, and the device of the start, which a reload leaves
// as it is.
func (g *gateway) present() *config.Config {
	c := *g.configuration.InForce()
	c.TUN = g.conf.TUN
	return &c
}

// hostWarnings are the warnings about this host as it is now, and about the certificates in use. It is called by the server of the control socket, on any goroutine.
func (g *gateway) hostWarnings() []vici.HostWarning {
	list := append(g.certs.warnings(), g.acmeWarnings(time.Now())...)
	for _, p := range g.configuration.InForce().CertificateRemarks(time.Now()) {
		list = append(list, hostRemark{text: p.String()})
	}
	for i := range list {
		list[i].certificate = true
	}
	if g.link != nil {
		list = append(list, runningRemarks(g.present())...)
	}
	return hostWarnings(list)
}

func hostWarnings(remarks []hostRemark) (list []vici.HostWarning) {
	for _, r := range remarks {
		if r.note {
			continue
		}
		if len(list) == maxHostWarnings {
			return append(list, vici.HostWarning{Text: "there are more: esplanade check lists them"})
		}
		w := vici.HostWarning{Certificate: r.certificate, Text: r.text}
		if r.child != nil {
			w.Connection, w.Child = r.child.Connection, r.child.Name
		}
		list = append(list, w)
	}
	return list
}

// runningRemarks are the remarks on a configuration while the gateway runs.
func runningRemarks(conf *config.Config) []hostRemark {
	host := readAddresses("") // those of the tunnel's device are this host's by now
	host.started = true
	return hostRemarks(conf, host)
}

// remark logs what there is to say about the configuration on this host.
func (g *gateway) remark(list []hostRemark) {
	for _, r := range list {
		if r.note {
			g.log.Info(r.text)
		} else {
			g.log.Warn(r.text)
		}
	}
}
