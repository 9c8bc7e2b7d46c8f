package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// laterKey is a key of swanctl.conf, or of this project's design, that this version can't honour. It is an error of its
// own: to ignore it would be a lie, and to call it unknown would send people looking for a typing mistake.
type laterKey struct {
	name   string
	what   string // what it is about, for the message; "" says nothing
	prefix bool   // every key that begins with name
	want   string // what to do, if it is more than to remove the key
}

// laterKeys are the keys of later versions that a table may have, by the table's pattern.
func laterKeys(pattern string) []laterKey {
	const (
		certs    = "certificates"
		ikev1    = "IKEv1"
		vips     = "virtual addresses"
		xfrm     = "the marks of the kernel's IPsec"
		mediate  = "mediation"
		policies = "the policies of the kernel's IPsec"

		// Without them more packets would go into a tunnel than did, or all of the host.
		byRoutes  = "remove it, and write into remote_ts what is to go into the tunnel: here selectors decide that, and not routes to a device"
		byNothing = "remove it, if all packets between local_ts and remote_ts are to go into the tunnel"
	)
	wanting := func(want string, keys ...laterKey) []laterKey {
		for i := range keys {
			keys[i].want = want
		}
		return keys
	}
	one := func(what string, names ...string) (out []laterKey) {
		for _, n := range names {
			out = append(out, laterKey{name: n, what: what})
		}
		return out
	}
	switch pattern {
	case "authorities.NAME":
		return slices.Concat(one("tokens; a file goes into cacert", "handle", "slot", "module", "file"), one("hash and URL", "cert_uri_base"))
	case "connections.NAME":
		return slices.Concat(one(ikev1, "aggressive", "pull"), one("", "dscp"),
			wanting(byRoutes, one(xfrm, "if_id_in", "if_id_out")...), one(mediate, "mediation", "mediated_by", "mediation_peer"))
	case "connections.NAME.local", "connections.NAME.remote":
		return slices.Concat(one(ikev1, "xauth_id"),
			[]laterKey{{name: "cert", what: "tokens; a file goes into certs", prefix: true}, {name: "cacert", what: "tokens; a file goes into cacerts", prefix: true}})
	case "connections.NAME.children.NAME":
		return slices.Concat(one("AH", "ah_proposals"), one("truncated HMAC-SHA-256", "sha256_96"),
			one("IPComp", "ipcomp"), wanting(byRoutes, one("", "interface")...), one("", "inactivity",
				"rand_bytes", "rand_packets", "icmp", "hw_offload", "per_cpu_sas"), wanting(byNothing, one(policies, "policies")...), one(policies, "policies_fwd_out"),
			wanting(byNothing, one("security labels", "label")...), one("security labels", "label_mode"),
			wanting(byRoutes, laterKey{name: "mark_", what: xfrm, prefix: true}, laterKey{name: "if_id_", what: xfrm, prefix: true}),
			[]laterKey{{name: "set_mark_", what: xfrm, prefix: true}})
	case "secrets":
		return slices.Concat(one(ikev1, "xauth"), one("tokens", "token"))
	case "ike":
		return slices.Concat(one(certs, "hash_and_url", "cert_cache", "cache_crls", "rsa_pss", "signature_authentication",
			"ocsp_nonce_len"), one(vips, "install_virtual_ip",
			"install_virtual_ip_on", "dns1", "dns2", "nbns1", "nbns2"), one("", "threads", "ikesa_limit", "max_packet",
			"retry_initiate_interval", "reuse_ikesa", "close_ike_on_child_failure", "inactivity_close_ike",
			"delete_rekeyed", "delete_rekeyed_delay", "fragment_size_v4", "fragment_size_v6", "interfaces_use",
			"interfaces_ignore", "initiator_only", "keep_alive_dpd_margin", "init_limit_half_open",
			"init_limit_job_load", "prefer_configured_proposals", "routing_table_prio", "dos_protection",
			"multiple_authentication", "rdn_matching", "send_vendor_id", "accept_private_algs", "reqid_base"))
	}
	return nil
}

// notSupported finds an unknown key among those of later versions.
func notSupported(later []laterKey, key string, value any, pattern string) (what, want string, ok bool) {
	_, isTable := value.(*tree.Table)
	for _, k := range later {
		switch {
		case !k.prefix && k.name != key:
			continue
		case k.prefix && !strings.HasPrefix(key, k.name):
			continue
		case k.prefix && pattern != "connections.NAME.children.NAME" && !isTable:
			continue // local_adrs is a misspelling, [….local-2] a round of authentication
		}
		if k.what != "" {
			what = fmt.Sprintf(" (%s)", k.what)
		}
		return what, cmp.Or(k.want, "remove it"), true
	}
	return "", "", false
}

// known is every key that the parser knows, by the pattern of its table, as found out by reading a document that has
// every table. Nothing can be missing in it, because reading is what makes it.
func known() (asked, later map[string]map[string]bool) {
	r := newReader("")
	r.quiet = true
	root := tree.New("")
	conn := root.AddSection("connections").AddSection("NAME")
	conn.AddSection("children").AddSection("NAME")
	for _, kind := range secretKinds() {
		root.AddSection("secrets").AddSection(kind).AddSection("NAME")
	}
	root.AddSection("authorities").AddSection("NAME")
	root.AddSection("pools").AddSection("NAME")
	root.AddSection("radius").AddSection("servers").AddSection("NAME")
	r.document(root)
	return r.asked, r.later
}

// homesOf are the tables that have the key, in the notation of the documentation.
func homesOf(key string) (tables []string) {
	asked, _ := known()
	for _, pattern := range slices.Sorted(maps.Keys(asked)) {
		if pattern != "" && asked[pattern][key] {
			tables = append(tables, pattern)
		}
	}
	return tables
}
