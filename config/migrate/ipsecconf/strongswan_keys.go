package ipsecconf

import "sync"

// strongSwanKey is the keyword that an alias stands for.
func strongSwanKey(key string) string {
	switch key {
	case "keylife":
		return "lifetime"
	case "margintime":
		return "rekeymargin"
	case "leftrsasigkey":
		return "leftsigkey"
	case "rightrsasigkey":
		return "rightsigkey"
	case "leftsubnetwithin":
		return "leftsubnet"
	case "rightsubnetwithin":
		return "rightsubnet"
	case "crluri1":
		return "crluri"
	case "ocspuri1":
		return "ocspuri"
	}
	return key
}

// strongSwanRead are the keywords of a conn that something is made of.
func strongSwanRead() []string {
	return []string{"aaa_identity", "ah", "authby", "auto", "closeaction", "dpdaction", "dpddelay", "eap_identity", "esp", "forceencaps", "fragmentation",
		"ike", "ikelifetime", "installpolicy", "keyexchange", "keyingtries", "lifebytes", "lifepackets", "lifetime", "marginbytes", "marginpackets", "mark", "mark_in", "mark_out",
		"mobike", "reauth", "rekey", "rekeyfuzz", "rekeymargin", "replay_window", "reqid", "type", "also"}
}

// strongSwanEnds are those of a side.
func strongSwanEnds() []string {
	return []string{"", "allowany", "auth", "auth2", "ca", "ca2", "cert", "cert2", "certpolicy", "dns", "groups", "groups2", "hostaccess", "id", "id2", "ikeport", "protoport",
		"sendcert", "sigkey", "sourceip", "subnet", "updown"}
}

// strongSwanOdd are the keywords of a conn that have no place here.
func strongSwanOdd() map[string]oddity {
	m := map[string]oddity{
		"compress":       {noIPComp, isNo},
		"inactivity":     {noStates, isZero},
		"ikedscp":        {"packets of IKE have no DSCP of their own", []string{"0", "000000"}},
		"mediation":      {noMediation, isNo},
		"mediated_by":    {noMediation, nil},
		"me_peerid":      {noMediation, nil},
		"sha256_96":      {"there is no truncated HMAC-SHA-256", isNo},
		"tfc":            {noPadding, isZero},
		"aggressive":     {}, // of IKEv1, as the next ones
		"modeconfig":     {},
		"xauth":          {},
		"xauth_identity": {},
		"dpdtimeout":     {},
		"pfs":            {}, // without effect since strongSwan 5, as the next ones
		"pfsgroup":       {},
		"eap":            {},
	}
	endKeys(m, oddity{noFirewall, isNo}, "firewall")
	endKeys(m, oddity{}, "nexthop")
	return m
}

// strongSwanSetup are the keywords of config setup.
func strongSwanSetup() map[string]oddity {
	m := map[string]oddity{
		"uniqueids": {}, "strictcrlpolicy": {}, // in each connection
		"cachecrls":   {"say where in cache_dir of [credentials]", isNo},
		"charondebug": {}, // what is logged is a matter of the program's own
	}
	// Without effect since strongSwan 5.
	for _, k := range []string{"interfaces", "dumpdir", "charonstart", "plutostart", "klipsdebug", "plutodebug", "prepluto", "postpluto", "plutostderrlog", "fragicmp",
		"packetdefault", "hidetos", "overridemtu", "crlcheckinterval", "nocrsend", "nat_traversal", "keep_alive", "force_keepalive", "virtual_private",
		"pkcs11module", "pkcs11initargs", "pkcs11keepstate", "pkcs11proxy"} {
		m[k] = oddity{}
	}
	return m
}

// strongSwanCA are the keywords of a section ca.
func strongSwanCA() []string {
	return []string{"auto", "cacert", "crluri", "crluri2", "ocspuri", "ocspuri2", "certuribase", "ldaphost", "ldapbase"}
}

// strongSwanKeywords are all keywords of strongSwan's starter, of any section, and those that have no place here, by their canonical names.
var strongSwanKeywords = sync.OnceValue(func() keywords {
	k := keywords{conn: strongSwanOdd(), setup: strongSwanSetup(), read: map[string]bool{}}
	for _, name := range strongSwanRead() {
		k.read[name] = true
	}
	for _, name := range strongSwanEnds() {
		k.read["left"+name], k.read["right"+name] = true, true
	}
	k.other = strongSwanCA()
	return k
})
