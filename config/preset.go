package config

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// preset is what one kind of gateway at the other end needs to be different from the defaults, and what it is known to refuse.
// docs/known-gateways.md says of each key why, and where it is written down.
type preset struct {
	// name is the word in a file, title what messages call it.
	name, title string
	// connection and child are the keys that it sets, in the connection and in each of its children: a string, a bool or a []string.
	connection, child []presetKey
	// ike and esp are proposal strings with every algorithm that it may be set to take; none: nothing is known of it.
	ike, esp []string
	// one: it has to be offered exactly one combination of algorithms. onePair: a CHILD SA of it has one network on each side. oneChild: a
	// tunnel of it has one CHILD SA. Each says what happens otherwise; "" is that nothing does.
	one               string
	onePair, oneChild string
	// fragments says why it needs IKE fragmentation; "" that it does without.
	fragments string
	// outer is the largest outer packet that it takes, in bytes; 0: as large as the path has.
	outer int
	// keysOnly: it knows no certificates.
	keysOnly bool
	// key says what is wrong with a pre-shared key for it; nil takes all. It must not show any part of the key.
	key func(k []byte) (reason, want string)
	// lifetime and childLifetime are the age of an IKE SA and of a CHILD SA at which it closes them; "" is not known.
	lifetime, childLifetime string
}

// presetKey is a key that a preset sets.
type presetKey struct {
	key   string
	value any
}

// Algorithms of presets.
const (
	// ikeOne and espOne are the combination that every cloud can be set to, with 192 bits of security.
	ikeOne = "aes256-sha384-ecp384"
	espOne = "aes256gcm16-ecp384"
	// What most boxes are set to by their own defaults or by a click, those with an AEAD first. The key exchange that they have by default,
	// MODP_2048, is the first, so that the first message has the value that they want. None has AES-128: where a box has it first in its list,
	// it would be taken.
	modpIKE    = "aes256gcm16-prfsha384-prfsha256-modp2048-ecp384-ecp256"
	modpIKECBC = "aes256-sha256-sha512-sha384-modp2048-ecp384-ecp256"
	modpESP    = "aes256gcm16-modp2048-ecp384-ecp256-none"
	modpESPCBC = "aes256-sha256-modp2048-ecp384-ecp256-none"

	cloudGroups = "modp2048-modp3072-modp4096-modp6144-modp8192-modp1024-ecp256-ecp384-ecp521"
)

// presets are the gateways that are known, in the order of the documentation.
func presets() []preset {
	boxes := []presetKey{{"proposals", []string{modpIKE, modpIKECBC}}, {"mobike", false}}
	boxChild := []presetKey{{"esp_proposals", []string{modpESP, modpESPCBC}}}
	sense := func(name, title string) preset {
		return preset{name: name, title: title, connection: boxes, child: boxChild}
	}
	return []preset{
		{
			name: "aws", title: "AWS Site-to-Site VPN",
			connection: []presetKey{{"proposals", []string{ikeOne}}, {"mobike", false}, {"rekey_time", "7h"}, {"over_time", "30m"}, {"dpd_delay", "10s"}},
			child:      []presetKey{{"esp_proposals", []string{espOne}}, {"rekey_time", "40m"}, {"life_time", "50m"}},
			ike: []string{"aes256gcm16-aes128gcm16-prfsha256-prfsha384-prfsha512-prfsha1-" + cloudGroups,
				"aes256-aes128-sha256-sha384-sha512-sha1-" + cloudGroups},
			esp:      []string{"aes256gcm16-aes128gcm16-modp1536-" + cloudGroups, "aes256-aes128-sha256-sha384-sha512-sha1-modp1536-" + cloudGroups},
			one:      "it takes the lowest of its own list, whatever the order here",
			oneChild: "it has one pair of SAs a tunnel, and the last one that comes up takes the place of the others",
			onePair:  "its own selectors are 0.0.0.0/0 unless the VPN connection names one network for each side",
			key:      awsKey, lifetime: "8h", childLifetime: "1h",
		},
		{
			name: "azure", title: "Azure VPN Gateway",
			connection: []presetKey{{"proposals", []string{ikeOne}}, {"mobike", false}, {"fragmentation", true}},
			child:      []presetKey{{"esp_proposals", []string{espOne}}},
			ike: []string{"aes256gcm16-aes128gcm16-prfsha384-prfsha256-prfsha1-ecp384-ecp256-modp2048-modp1024",
				"aes256-aes192-aes128-sha384-sha256-sha1-ecp384-ecp256-modp2048-modp1024"},
			esp: []string{"aes256gcm16-aes192gcm16-aes128gcm16-ecp384-ecp256-modp2048-modp1024-none",
				"aes256-aes192-aes128-sha256-sha1-ecp384-ecp256-modp2048-modp1024-none"},
			one:       "a custom policy is exactly one combination, and the default policy has nothing better than MODP_1024",
			fragments: "it loses the fragments of IP packets that come out of order", key: azureKey,
			lifetime: "8h", childLifetime: "7h30m",
		},
		{
			name: "gcp", title: "Google Cloud VPN",
			connection: []presetKey{{"proposals", []string{"aes256gcm16-prfsha384-ecp384"}}, {"mobike", false}, {"fragmentation", true}},
			child:      []presetKey{{"esp_proposals", []string{espOne}}},
			ike: []string{"aes256gcm16-aes192gcm16-aes128gcm16-prfaesxcbc-prfaescmac-prfsha1-prfsha256-prfsha384-prfsha512-x25519-modp1536-" + cloudGroups,
				"aes256-aes192-aes128-sha256-sha384-sha512-sha1-aesxcbc-aescmac-prfsha256-prfsha384-prfsha512-prfsha1-prfaesxcbc-prfaescmac-x25519-modp1536-" + cloudGroups},
			esp: []string{"aes256gcm16-aes192gcm16-aes128gcm16-x25519-modp1536-" + cloudGroups,
				"aes256-aes192-aes128-sha256-sha384-sha512-sha1-x25519-modp1536-" + cloudGroups},
			one:       "which algorithms are taken depends on the side that asks, so that they change when keys are renewed",
			fragments: "it drops IKE messages that are larger than its MTU", outer: 1460, keysOnly: true,
			lifetime: "10h", childLifetime: "3h",
		},
		{
			name: "fortigate", title: "FortiGate",
			connection: boxes, child: boxChild,
			onePair: "a phase 2 of it has one network on each side, unless it names a group of addresses",
		},
		{
			name: "cisco-ios", title: "Cisco IOS-XE",
			connection: []presetKey{{"proposals", []string{"aes256-sha512-sha384-sha256-ecp256-modp2048-ecp521-ecp384", "aes256gcm16-prfsha512-prfsha384-prfsha256-ecp256-modp2048-ecp521-ecp384"}},
				{"mobike", false}},
			child:   []presetKey{{"esp_proposals", []string{"aes256gcm16-ecp256-modp2048-ecp384-none", "aes256-sha256-sha512-ecp256-modp2048-ecp384-none"}}},
			onePair: "a crypto map of it has one pair of networks an SA, and refuses more with TS_UNACCEPTABLE",
		},
		{
			name: "cisco-asa", title: "Cisco ASA",
			connection: []presetKey{{"proposals", []string{"aes256gcm16-prfsha512-prfsha384-prfsha256-ecp384-ecp256-modp2048", "aes256-sha256-sha512-sha384-ecp384-ecp256-modp2048"}},
				{"mobike", false}},
			child:   []presetKey{{"esp_proposals", []string{"aes256gcm16-ecp384-ecp256-modp2048-none", "aes256-sha256-sha512-ecp384-ecp256-modp2048-none"}}},
			onePair: "it has one pair of networks an SA, and narrows or refuses more",
		},
		{
			name: "mikrotik", title: "MikroTik RouterOS",
			connection: boxes, child: boxChild, onePair: "a policy of it has one network on each side",
		},
		sense("pfsense", "pfSense"),
		sense("opnsense", "OPNsense"),
	}
}

// findPreset finds one by its name.
func findPreset(name string) (preset, bool) {
	all := presets()
	if i := slices.IndexFunc(all, func(p preset) bool { return p.name == name }); i >= 0 {
		return all[i], true
	}
	return preset{}, false
}

// readPreset reads the key, and puts what the preset sets below what is written in the connection: it stands where the key stands.
func readPreset(t *table) (p preset, at Position) {
	var words []enum[string]
	for _, known := range presets() {
		words = append(words, enum[string]{known.name, known.name})
	}
	name, at := choice(t, "preset", "", words)
	p, _ = findPreset(name)
	t.below(p.connection, at)
	return p, at
}

// below gives the table the keys that it does not have.
func (t *table) below(keys []presetKey, at Position) {
	if len(keys) == 0 {
		return
	}
	base := tree.New(at.File)
	if t.src.below == nil {
		t.src.below = map[string]bool{}
	}
	for _, k := range keys {
		if t.has(k.key) {
			continue
		}
		t.src.below[k.key] = true
		list, ok := k.value.([]string)
		if !ok {
			base.Add(k.key, at, k.value)
			continue
		}
		var all tree.List
		for _, s := range list {
			all = append(all, tree.Value{At: at, Data: s})
		}
		base.Add(k.key, at, all)
	}
	t.vals = t.vals.Over(base)
}

// given are the keys that the preset has set in a table, as they would be written.
func (s Source) given(keys []presetKey) (out []string) {
	for _, k := range keys {
		if s.below[k.key] {
			out = append(out, k.String())
		}
	}
	return out
}

// String is the key as it would be written.
func (k presetKey) String() string {
	switch v := k.value.(type) {
	case string:
		return k.key + " = " + quote(v)
	case []string:
		var quoted []string
		for _, s := range v {
			quoted = append(quoted, quote(s))
		}
		return k.key + " = [" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprintf("%s = %v", k.key, k.value)
}

// inferredPreset says what the preset of a connection has set; "" if it has none.
func (c *Connection) inferredPreset() string {
	p, ok := findPreset(c.Preset)
	if !ok {
		return ""
	}
	parts := c.given(p.connection)
	// All children have the same but for what is written in them.
	seen := map[string]int{}
	for _, h := range c.Children {
		for _, s := range h.given(p.child) {
			seen[s]++
		}
	}
	for _, k := range p.child {
		switch n := seen[k.String()]; {
		case n == 0:
		case n == len(c.Children):
			parts = append(parts, k.String()+" (children)")
		default:
			parts = append(parts, fmt.Sprintf("%s (%d of %d children)", k, n, len(c.Children)))
		}
	}
	if len(parts) == 0 {
		return "preset " + quote(p.name) + " sets nothing that is not written"
	}
	return "preset " + quote(p.name) + " sets " + strings.Join(parts, ", ")
}

// algorithms are the transforms that are in any of the proposal strings.
func algorithms(protocol wire.ProtocolID, list []string) (out []wire.Transform) {
	ps, err := proposal.ParseList(protocol, list)
	if err != nil {
		panic("BUG: a preset has a proposal that is none: " + err.Error())
	}
	for _, p := range ps {
		out = append(out, p.Transforms...)
	}
	return out
}
