package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// checkPresets warns of what the gateways that connections have a preset for are known to refuse. Only what is written can be: what a
// preset sets fits.
func (c *Config) checkPresets(r *reader) {
	for _, n := range c.Connections {
		p, ok := findPreset(n.Preset)
		if !ok {
			continue
		}
		k := presetCheck{r: r, p: p, n: n}
		k.proposals(n.At("proposals"), n.Source.name+".proposals", n.Proposals, wire.ProtocolIKE, p.ike)
		if p.fragments != "" && !n.Fragmentation {
			k.warn(n.At("fragmentation"), "write fragmentation = true or leave it out", "%s.fragmentation is false: %s", n.Source.name, p.fragments)
		}
		if most := limit(p.lifetime); most > 0 && n.RekeyTime > most {
			k.warn(n.At("rekey_time"), "write "+p.lifetime+" at most", "%s.rekey_time is %s, and it closes an IKE SA after %s at the latest", n.Source.name,
				short(n.RekeyTime), p.lifetime)
		}
		for _, h := range n.Children {
			k.child(h)
		}
		if p.oneChild != "" && len(n.Children) > 1 {
			k.warn(n.Children[1].Position(), "write one child whose local_ts and remote_ts hold all of them", "%s has %d children: %s", n.Source.name,
				len(n.Children), p.oneChild)
		}
		k.outer(c)
		k.certificates()
		k.keys(c)
	}
}

// limit is a time of a preset.
func limit(s string) time.Duration {
	if s == "" {
		return 0
	}
	return parsed(s, parseDuration)
}

// presetCheck holds one connection to its preset.
type presetCheck struct {
	r *reader
	p preset
	n *Connection
}

func (k presetCheck) warn(at Position, want, format string, args ...any) {
	k.r.warnf(at, want, "%s: %s", k.p.title, fmt.Sprintf(format, args...))
}

// proposals warns of algorithms that the other end can not be set to, and of a choice where it needs to have none.
func (k presetCheck) proposals(at Position, name string, ours []proposal.Proposal, protocol wire.ProtocolID, takes []string) {
	combinations := 0
	for _, o := range ours {
		if len(takes) > 0 {
			if bad := untaken(o, algorithms(protocol, takes)); bad != "" {
				k.warn(at, "see docs/known-gateways.md for what it takes", "%s has %s, and it takes none of %s", name, quote(o.String()), bad)
			}
		}
		n := 1
		for _, choices := range byType(o.Transforms) {
			n *= len(choices)
		}
		combinations += n
	}
	if k.p.one != "" && combinations > 1 {
		k.warn(at, "write one proposal with one algorithm of each kind, the one that the other end is set to", "%s leaves a choice between %d combinations: %s",
			name, combinations, k.p.one)
	}
}

// untaken lists the algorithms of a kind of which the other end takes none; "" if it can take the proposal.
func untaken(o proposal.Proposal, takes []wire.Transform) string {
	for _, choices := range byType(o.Transforms) {
		if choices[0].Type == wire.TransformESN || slices.ContainsFunc(choices, func(x wire.Transform) bool { return slices.Contains(takes, x) }) {
			continue
		}
		var names []string
		for _, x := range choices {
			names = append(names, wire.TransformName(x.Type, x.ID))
		}
		return strings.Join(names, ", ")
	}
	return ""
}

// byType parts transforms, which are sorted, by their type.
func byType(ts []wire.Transform) (out [][]wire.Transform) {
	for i, x := range ts {
		if i == 0 || x.Type != ts[i-1].Type {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], x)
	}
	return out
}

func (k presetCheck) child(h *Child) {
	k.proposals(h.At("esp_proposals"), h.Source.name+".esp_proposals", h.Proposals, wire.ProtocolESP, k.p.esp)
	if most := limit(k.p.childLifetime); most > 0 && h.RekeyTime > most {
		k.warn(h.At("rekey_time"), "write "+k.p.childLifetime+" at most", "%s.rekey_time is %s, and it closes a CHILD SA after %s at the latest", h.Source.name,
			short(h.RekeyTime), k.p.childLifetime)
	}
	for _, ts := range []struct {
		key string
		n   int
	}{{"local_ts", len(h.LocalTS)}, {"remote_ts", len(h.RemoteTS)}} {
		if k.p.onePair == "" || ts.n < 2 {
			continue
		}
		want := "write a child for each pair of networks"
		if k.p.oneChild != "" {
			want = "write one network that holds all of them, such as 0.0.0.0/0"
		}
		k.warn(h.At(ts.key), want, "%s.%s has %d networks: %s", h.Source.name, ts.key, ts.n, k.p.onePair)
	}
}

// espOverhead is what the largest packet that fits grows by with AES-GCM and UDP encapsulation over IPv4: IP 20, UDP 8, ESP 8, IV 8, the
// two bytes behind the padding, of which it needs none, and ICV 16.
const espOverhead = 62

// outer warns of packets that the other end is known to drop.
func (k presetCheck) outer(c *Config) {
	most := k.p.outer - espOverhead
	if k.p.outer == 0 || c.TUN.MTU <= most || c.Dataplane.PathMTU != 0 && c.Dataplane.PathMTU <= k.p.outer {
		return
	}
	k.warn(k.n.At("preset"), fmt.Sprintf("write mtu = %d into [tun]", most), "tun.mtu is %d, and it takes no outer packets above %d bytes", c.TUN.MTU, k.p.outer)
}

// certificates warns of signatures that the other end does not know.
func (k presetCheck) certificates() {
	for _, a := range []Auth{k.n.Local, k.n.Remote} {
		if k.p.keysOnly && a.Method == policy.AuthPubkey {
			k.warn(a.At("auth"), `write auth = "psk"`, "%s.auth is \"pubkey\", and it has pre-shared keys only", a.Source.name)
		}
	}
}

// keys warns of pre-shared keys that the other end does not take.
func (k presetCheck) keys(c *Config) {
	if k.p.key == nil || k.n.Local.Method != policy.AuthPSK && k.n.Remote.Method != policy.AuthPSK {
		return
	}
	for _, s := range c.PeerKeys(k.n) {
		if s.Key.Len() == 0 {
			continue
		}
		reason, want := k.p.key(s.Key.Bytes())
		if reason == "" {
			continue
		}
		at := s.table
		for _, key := range []string{"secret", "secret_file"} {
			if s.Has(key) {
				at = s.At(key)
			}
		}
		k.warn(at, want, "it refuses the key of %s: %s", s.FullName(), reason)
	}
}

// awsKey: "Allowed characters are alphanumeric characters, periods (.), and underscores (_). Must be between 8 and 64 characters in length
// and cannot start with zero (0)." https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpnTunnelOptionsSpecification.html
func awsKey(k []byte) (reason, want string) {
	want = "generate one: `openssl rand -hex 32`, again if it begins with 0"
	switch {
	case len(k) < 8 || len(k) > 64:
		return fmt.Sprintf("it has %d characters, and not 8 to 64", len(k)), want
	case slices.ContainsFunc(k, func(b byte) bool { return !alphanumeric(b) && b != '.' && b != '_' }):
		return "it has other characters than letters, digits, \".\" and \"_\"", want
	case k[0] == '0':
		return "it begins with 0", want
	}
	return "", ""
}

// azureKey: "The key must contain only printable ASCII characters, except space, hyphen (-), or tilde (~)."
// https://learn.microsoft.com/en-us/azure/vpn-gateway/vpn-gateway-vpn-faq
func azureKey(k []byte) (reason, want string) {
	const most = 128
	want = "generate one: `openssl rand -hex 32`"
	switch {
	case len(k) > most:
		return fmt.Sprintf("it has %d characters, and not %d at most", len(k), most), want
	case slices.ContainsFunc(k, func(b byte) bool { return b <= ' ' || b == '-' || b >= '~' }):
		return "it has other characters than printable ASCII without space, \"-\" and \"~\"", want
	}
	return "", ""
}

func alphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
