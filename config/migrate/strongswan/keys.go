package strongswan

import (
	"slices"
	"strings"

	"esplanade/config"
)

// key is a key of swanctl.conf.
type key struct {
	name string
	// read makes our value of its value; nil for a key that does not exist here.
	read reading
	// needed: without the key, or with another value, something else would be protected, or somebody else be let in, so that the child or the
	// connection is left out if its value can't be had.
	needed bool
	// nothing are values that say what is the case without the key.
	nothing []string
	// why says why a key that does not exist here is not carried over; one without is of no account with IKEv2.
	why string
}

// none are the keys that do not exist here, with the values that mean nothing.
func none(why string, nothing []string, names ...string) (out []key) {
	for _, n := range names {
		out = append(out, key{name: n, nothing: nothing, why: why})
	}
	return out
}

// silent are keys that mean nothing with IKEv2, there and here.
func silent(names ...string) (out []key) {
	for _, n := range names {
		out = append(out, key{name: n})
	}
	return out
}

// Values that say no, yes, and that there is none.
func isNo() []string  { return []string{"no", "false", "disabled", "0"} }
func isYes() []string { return []string{"yes", "true", "enabled", "1"} }

func isZero() []string {
	return []string{"0", "0s", "0x0", "0x00000000", "0/0x00000000", "0/0", "000000", ""}
}

const (
	kernelMarks    = "marks of the kernel's IPsec do not exist here, where packets do not pass through it"
	kernelPolicies = "the policies of the kernel's IPsec do not exist here"
)

// connectionKeys are those of connections.NAME.
func connectionKeys() []key {
	return slices.Concat([]key{
		{name: "local_addrs", read: listOf(endpoint), needed: true},
		{name: "remote_addrs", read: listOf(endpoint), needed: true},
		{name: "local_port", read: number, needed: true},
		{name: "remote_port", read: number, needed: true},
		{name: "vips", read: listOf(address), needed: true},
		{name: "encap", read: yes},
		{name: "mobike", read: yes},
		{name: "dpd_delay", read: duration},
		{name: "fragmentation", read: fragmentation},
		{name: "childless", read: oneOf(words("allow", "prefer", "force", "never"))},
		{name: "send_certreq", read: yes},
		{name: "send_cert", read: oneOf(map[string]string{"ifasked": "ifasked", "always": "always", "never": "never", "yes": "always", "no": "never"})},
		{name: "ocsp", read: oneOf(words("reply", "request", "both", "never"))},
		{name: "ppk_id", read: word, needed: true},
		{name: "ppk_required", read: yes, needed: true},
		{name: "keyingtries", read: number},
		{name: "unique", read: oneOf(map[string]string{"no": "no", "never": "never", "keep": "keep", "replace": "replace", "yes": "replace"})},
		{name: "reauth_time", read: duration},
		{name: "rekey_time", read: duration},
		{name: "over_time", read: duration},
		{name: "rand_time", read: duration},
		{name: "pools", read: listOf(anyText), needed: true},
	},
		silent("dpd_timeout", "aggressive", "pull"), // IKEv1's
		none("packets of IKE have no DSCP of their own", isZero(), "dscp"),
		none(kernelMarks, isZero(), "if_id_in", "if_id_out"),
		none("there is no mediation", isNo(), "mediation"),
		none("there is no mediation", nil, "mediated_by", "mediation_peer"))
}

// sideKeys are those of connections.NAME.local… and remote… that have the same form here.
func sideKeys(side string) []key {
	out := []key{
		{name: "round", read: number, needed: true},
		{name: "id", read: identityText, needed: true},
		{name: "eap_id", read: word, needed: true, nothing: []string{"%any"}},
	}
	if side == "local" {
		out = append(out, key{name: "aaa_id", read: identityText, needed: true, nothing: []string{"%any"}})
	} else {
		out = append(out, key{name: "groups", read: listOf(anyText), needed: true}, key{name: "cert_policy", read: listOf(anyText), needed: true},
			key{name: "ca_id", read: identityText, needed: true}, key{name: "revocation", read: oneOf(words("strict", "ifuri", "relaxed")), needed: true})
	}
	return append(out, silent("xauth_id")...)
}

// childKeys are those of connections.NAME.children.NAME.
func childKeys() []key {
	return slices.Concat([]key{
		{name: "local_ts", read: listOf(trafficSelector), needed: true},
		{name: "remote_ts", read: listOf(trafficSelector), needed: true},
		{name: "rekey_time", read: duration},
		{name: "life_time", read: duration},
		{name: "rand_time", read: duration},
		{name: "rekey_bytes", read: size},
		{name: "life_bytes", read: size},
		{name: "rekey_packets", read: number},
		{name: "life_packets", read: number},
		{name: "reqid", read: number},
		{name: "replay_window", read: number},
		{name: "updown", read: word},
		{name: "hostaccess", read: yes},
		{name: "start_action", read: oneOf(map[string]string{"none": "none", "trap": "trap", "start": "start", "trap|start": "start", "start|trap": "start", "route": "trap", "hold": "trap", "restart": "start", "clear": "none"})},
		{name: "dpd_action", read: oneOf(map[string]string{"clear": "none", "none": "none", "trap": "trap", "hold": "trap", "start": "start", "restart": "start"})},
		{name: "close_action", read: oneOf(map[string]string{"clear": "none", "none": "none", "trap": "trap", "hold": "trap", "start": "start", "restart": "start"})},
	},
		none("copying is the same for all children here", isYes(), "copy_df", "copy_ecn"),
		none("copying is the same for all children here: see copy_dscp in [dataplane]", []string{"out"}, "copy_dscp"),
		none("there is no padding against traffic analysis", isZero(), "tfc_padding"),
		none("of several children for a packet, the one with the most specific remote_ts is taken", isZero(), "priority"),
		none("there is no truncated HMAC-SHA-256", isNo(), "sha256_96"),
		none("a child is not closed for want of traffic", isZero(), "inactivity"),
		none("there is no IPComp", isNo(), "ipcomp"),
		none("times are varied, and volumes are not", nil, "rand_bytes", "rand_packets"),
		none("ESP is not offloaded to the network card", isNo(), "hw_offload"),
		none("the packet loops share the load of each child already", isNo(), "per_cpu_sas"),
		none("routes lead to the tunnel's own device", nil, "interface"),
		none("ICMP errors are let through if they are about packets of the tunnel", isNo(), "icmp"),
		none(kernelPolicies, isYes(), "policies"),
		none(kernelPolicies, isNo(), "policies_fwd_out"),
		none("security labels are the kernel's", nil, "label"),
		none("security labels are the kernel's", []string{"system"}, "label_mode"),
		none(kernelMarks, slices.Concat(isZero(), isNo()), "mark_in", "mark_in_sa", "mark_out", "set_mark_in", "set_mark_out", "if_id_in", "if_id_out"))
}

// poolKeys are those of pools.NAME.
func poolKeys() []key {
	lists := []string{"dns", "nbns", "dhcp", "server", "subnet", "split_include", "split_exclude"}
	out := []key{{name: "addrs", read: listOf(anyText), needed: true}, {name: "netmask", read: word}}
	for _, l := range lists {
		out = append(out, key{name: l, read: listOf(anyText)})
	}
	return out
}

// words are words that mean the same here.
func words(list ...string) map[string]string {
	out := map[string]string{}
	for _, w := range list {
		out[w] = w
	}
	return out
}

// find finds a key.
func find(keys []key, name string) (key, bool) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

// harmless reports whether a value means what is the case here.
func (k key) harmless(value string) bool {
	return k.read == nil && k.why == "" || slices.Contains(k.nothing, strings.ToLower(strings.TrimSpace(value)))
}

// absent is the value of a key of a table, by its pattern, for what strongSwan takes where it is not written: nil if that is what we take as well.
func (k key) absent(pattern string) any {
	for _, d := range config.SwanctlDefaults() {
		if d.Table == pattern && d.Key == k.name && d.Kept == "" && k.read != nil {
			if v, err := k.read(d.Swanctl); err == nil {
				return v
			}
		}
	}
	return nil
}
