package config

import (
	"slices"
	"strconv"
	"strings"

	"esplanade/config/tree"
)

// Sections of swanctl.conf, whether they come over VICI or from a folder, have our keys in a dialect of their own: strongSwan's defaults, its
// words, and keys that are of no account here as long as they have strongSwan's default. [FromSwanctl] turns one into a table as a file in TOML
// has it, which is then read like any other.

// Default is a key that stands for something else in a section of swanctl.conf that does not have it than in a file in TOML.
type Default struct {
	// Table is the pattern of the table, "connections.NAME", and Key the key.
	Table, Key string
	// Swanctl is strongSwan's default, and TOML ours.
	Swanctl, TOML string
	// Kept says why such a section has ours all the same; "" for those that have strongSwan's.
	Kept string
}

const (
	connectionPattern = "connections.NAME"
	localPattern      = "connections.NAME.local"
	remotePattern     = "connections.NAME.remote"
	childPattern      = "connections.NAME.children.NAME"
)

// SwanctlDefaults are all of them. Those with Kept differ in how robust this side is, and show neither on the wire nor in what an operator
// has configured.
func SwanctlDefaults() []Default {
	return []Default{
		{Table: connectionPattern, Key: "encap", Swanctl: "no", TOML: "yes"},
		{Table: connectionPattern, Key: "dpd_delay", Swanctl: "0s", TOML: "30s"},
		{Table: connectionPattern, Key: "keyingtries", Swanctl: "1", TOML: "0", Kept: "what is to be up is tried until it is; a command is told of the first failure in any case"},
		{Table: localPattern, Key: "auth", Swanctl: "pubkey", TOML: "by what is written"},
		{Table: remotePattern, Key: "auth", Swanctl: "pubkey", TOML: "by what is written"},
		{Table: childPattern, Key: "start_action", Swanctl: "none", TOML: "start"},
		{Table: childPattern, Key: "replay_window", Swanctl: "32", TOML: "4096", Kept: "packets that overtake each other are not lost; the peer sees nothing of it"},
		{Table: childPattern, Key: "copy_dscp", Swanctl: "out", TOML: "as dataplane.copy_dscp", Kept: "it is one setting for all children"},
	}
}

// defaultsOf are strongSwan's defaults of a table that differ from ours, and that a section has.
func defaultsOf(pattern string) (out []Default) {
	for _, d := range SwanctlDefaults() {
		if d.Table == pattern && d.Kept == "" {
			out = append(out, d)
		}
	}
	return out
}

// swanctlWords are words of strongSwan that are others here, by table and key.
func swanctlWords(pattern, key string) map[string]string {
	switch pattern + "." + key {
	case connectionPattern + ".fragmentation":
		return map[string]string{"accept": "yes", "force": "yes"}
	case connectionPattern + ".unique":
		return map[string]string{"yes": "replace"}
	case connectionPattern + ".send_cert":
		return map[string]string{"yes": "always", "no": "never"}
	case childPattern + ".start_action", childPattern + ".dpd_action", childPattern + ".close_action":
		return map[string]string{"trap|start": "start", "start|trap": "start", "route": "trap", "hold": "trap", "restart": "start", "clear": "none"}
	}
	return nil
}

// neutral reports whether a key of strongSwan has a value with which it changes nothing, so that it need not be supported to be taken.
func neutral(pattern, key, value string) bool {
	no := []string{"no", "false", "disabled", "0"}
	yes := []string{"yes", "true", "enabled", "1"}
	is := func(words ...string) bool { return slices.Contains(words, strings.ToLower(value)) }
	zero := func() bool {
		for part := range strings.SplitSeq(value, "/") {
			if n, err := strconv.ParseUint(part, 0, 64); err != nil || n != 0 {
				return false
			}
		}
		return true
	}
	if value == "" {
		return true
	}
	switch pattern + "." + key {
	case connectionPattern + ".version":
		return is("0")
	case connectionPattern + ".aggressive", connectionPattern + ".mediation":
		return is(no...)
	case connectionPattern + ".pull":
		return is(yes...)
	case connectionPattern + ".dscp":
		return strings.Trim(value, "0") == ""
	case connectionPattern + ".if_id_in", connectionPattern + ".if_id_out":
		return zero()
	case connectionPattern + ".dpd_timeout": // of IKEv1 alone
		return true
	case localPattern + ".eap_id", localPattern + ".aaa_id", remotePattern + ".eap_id":
		return is("%any")
	case childPattern + ".hostaccess", childPattern + ".sha256_96", childPattern + ".ipcomp", childPattern + ".policies_fwd_out", childPattern + ".mark_in_sa", childPattern + ".per_cpu_sas":
		return is(no...)
	case childPattern + ".policies":
		return is(yes...)
	case childPattern + ".hw_offload":
		return is("auto") || is(no...)
	case childPattern + ".dpd_action", childPattern + ".close_action":
		return is("none")
	case childPattern + ".label_mode":
		return is("system")
	case childPattern + ".copy_dscp":
		return is("out")
	case childPattern + ".inactivity":
		return is("0", "0s", "0m", "0h", "0d")
	case childPattern + ".rand_bytes", childPattern + ".rand_packets", childPattern + ".mark_in", childPattern + ".mark_out", childPattern + ".set_mark_in", childPattern + ".set_mark_out",
		childPattern + ".if_id_in", childPattern + ".if_id_out":
		return zero()
	}
	return false
}

// FromSwanctl makes of a section of connections in swanctl.conf the table [connections.NAME] that means the same. What is not written stands
// at the position at. What can't be honoured is left as it is, for the reader to say so. The section is not changed.
func FromSwanctl(section *tree.Table, at Position) *tree.Table {
	out := translate(section, connectionPattern, at)
	for _, side := range []string{"local", "remote"} {
		found := false
		for e := range section.All() {
			if sub, is := e.Value.Data.(*tree.Table); is && isRound(e.Name, side) {
				found = true
				e.Value.Data = translate(sub, "connections.NAME."+side, e.At)
				out.AddEntry(e)
			}
		}
		if !found {
			out.Add(side, at, translate(nil, "connections.NAME."+side, at))
		}
	}
	if e, ok := section.Get("children"); ok {
		if children, is := e.Value.Data.(*tree.Table); is {
			all := tree.New(at.File)
			for h := range children.All() {
				if sub, is := h.Value.Data.(*tree.Table); is {
					h.Value.Data = translate(sub, childPattern, h.At)
				}
				all.AddEntry(h)
			}
			e.Value.Data = all
			out.AddEntry(e)
		}
	}
	return out
}

// isRound reports whether a section of a connection is one of a side. strongSwan takes every name that begins so.
func isRound(name, side string) bool { return strings.HasPrefix(name, side) }

// translate makes a table of one section, without the sections in it that have a meaning of their own.
func translate(section *tree.Table, pattern string, at Position) *tree.Table {
	out := tree.New(at.File)
	for e := range section.All() {
		switch data := e.Value.Data.(type) {
		case *tree.Table:
			if pattern == connectionPattern && (isRound(e.Name, "local") || isRound(e.Name, "remote") || e.Name == "children") {
				continue
			}
		case tree.List:
			if len(data) == 0 {
				continue
			}
		case tree.Text:
			s := plainText(e.Name, string(data))
			if word, ok := swanctlWords(pattern, e.Name)[s]; ok {
				s = word
			}
			if neutral(pattern, e.Name, s) {
				continue
			}
			if pattern == childPattern && (e.Name == "rekey_packets" || e.Name == "life_packets") {
				s = packets(s)
			}
			e.Value.Data = tree.Text(s)
		}
		out.AddEntry(e)
	}
	for _, d := range defaultsOf(pattern) {
		if _, ok := out.Get(d.Key); !ok && !presetSets(section, d.Key) {
			out.Add(d.Key, at, tree.Text(d.Swanctl))
		}
	}
	return out
}

// plainText is a word or a time as strongSwan's documentation writes it: words may be in capitals, times may have a space in front of their letter, and
// 0x or a zero in front of a number makes it hexadecimal or octal.
func plainText(key, s string) string {
	switch key {
	case "start_action", "dpd_action", "close_action", "unique", "childless", "send_cert", "ocsp", "fragmentation", "mode", "revocation", "hw_offload", "copy_dscp":
		return strings.ToLower(s)
	case "reauth_time", "rekey_time", "over_time", "rand_time", "life_time", "dpd_delay", "dpd_timeout", "inactivity":
		return plainTime(s)
	}
	return s
}

// plainTime is a time of strongSwan: a decimal number with a letter, or none for seconds. What is none is left as it is.
func plainTime(s string) string {
	low := strings.ToLower(s)
	letters := "smhd"
	if strings.HasPrefix(low, "0x") { // where d is a digit
		letters = "smh"
	}
	number := low
	if i := len(low) - 1; i >= 0 && strings.IndexByte(letters, low[i]) >= 0 {
		number = low[:i]
	}
	n, err := strconv.ParseUint(strings.TrimRight(number, " "), 0, 32)
	if err != nil || strings.Contains(number, "_") {
		return s
	}
	return strconv.FormatUint(n, 10) + low[len(number):]
}

// presetSets reports whether a section has a preset, which strongSwan does not know, and which stands for a key.
func presetSets(section *tree.Table, key string) bool {
	e, _ := section.Get("preset")
	name, _ := text(e.Value.Data)
	p, _ := findPreset(name)
	return slices.ContainsFunc(p.connection, func(k presetKey) bool { return k.key == key })
}

// packets is a number of packets without strongSwan's units, which are powers of ten.
func packets(s string) string {
	for unit, zeros := range map[string]string{"k": "000", "m": "000000", "g": "000000000"} {
		if n, ok := strings.CutSuffix(strings.ToLower(s), unit); ok {
			if _, err := strconv.ParseUint(n, 10, 64); err == nil {
				return n + zeros
			}
		}
	}
	return s
}
