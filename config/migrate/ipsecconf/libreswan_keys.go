package ipsecconf

import (
	"strings"
	"sync"
)

// libreswanKey is the keyword that an alias, or a name of an older version, stands for.
func libreswanKey(key string) string {
	key = strings.ReplaceAll(strings.ToLower(key), "_", "-")
	switch key {
	case "keylife", "lifetime", "salifetime":
		return "ipsec-lifetime"
	case "phase2alg":
		return "esp"
	case "modecfgdns1", "modecfgdns2": // of libreswan 3.22 and before, in two
		return "modecfgdns"
	case "aggrmode":
		return "aggressive"
	case "forceencaps":
		return "encapsulation"
	case "ikev1-dpdtimeout":
		return "dpdtimeout"
	case "leftxauthusername", "leftusername":
		return "leftusername"
	case "rightxauthusername", "rightusername":
		return "rightusername"
	case "leftsourceips", "rightsourceips":
		return strings.TrimSuffix(key, "s")
	}
	return key
}

// libreswanRead are the keywords of a conn that something is made of.
func libreswanRead() []string {
	return []string{"ah", "also", "authby", "auto", "dpdaction", "dpddelay", "encapsulation", "esn", "esp", "fragmentation", "ike", "ikelifetime", "ikev2",
		"ipsec-interface", "ipsec-lifetime", "ipsec-max-bytes", "ipsec-max-packets", "keyexchange", "keyingtries", "mark", "mark-in", "mark-out", "mobike",
		"modecfgdns", "modecfgdomains", "pfs", "phase2", "ppk", "ppk-ids", "reauth", "rekey", "rekeyfuzz", "rekeymargin", "replay-window", "reqid", "sec-label",
		"session-resumption", "type", "vti-interface"}
}

// libreswanEnds are those of a side.
func libreswanEnds() []string {
	return []string{"", "addresspool", "auth", "autheap", "ca", "cert", "ckaid", "ecdsakey", "eddsakey", "id", "ikeport", "modecfgclient", "protoport", "pubkey",
		"rsasigkey", "sendcert", "sourceip", "subnet", "subnets", "updown"}
}

// libreswanOdd are the keywords of a conn that have no place here.
func libreswanOdd() map[string]oddity {
	m := map[string]oddity{
		"compress":           {noIPComp, isNo},
		"tfc":                {noPadding, isZero},
		"decap-dscp":         {"the DSCP of the outer header is not copied to the inner one", isNo},
		"encap-dscp":         {"see copy_dscp in [dataplane]", isYes},
		"nopmtudisc":         {"see path_mtu in [dataplane]", isNo},
		"mtu":                {"the tunnel's device has one MTU for all: see mtu in [tun]", nil},
		"metric":             {"see routing_table in [ike]", isZero},
		"priority":           {"of several children for a packet, the one with the most specific remote_ts is taken", isZero},
		"nic-offload":        {"ESP is not offloaded to the network card", append([]string{"auto"}, isNo...)},
		"sha2-truncbug":      {"there is no truncated HMAC-SHA-256", isNo},
		"enable-tcp":         {"IKE and ESP go over UDP only", isNo},
		"tcp-remoteport":     {"IKE and ESP go over UDP only", isZero},
		"nflog-group":        {kernelOnly, isZero},
		"iptfs":              {"there is no IP-TFS", isNo},
		"redirect-to":        {"write redirect_to, and see there when it may be", nil},
		"send-redirect":      {"write redirect_to, and see there when it may be", isNo},
		"accept-redirect":    {"see follow_redirects in [ike]", isNo},
		"accept-redirect-to": {"see follow_redirects in [ike]", nil},
		"retransmit-timeout": {"see retransmit_tries in [ike]", nil},
		"negotiationshunt":   {"packets wait, or are dropped, until the tunnel is up", []string{"hold", "drop"}},
		"failureshunt":       {"packets are dropped while the tunnel is down", []string{"drop", "reject", "none"}},
		"clones":             {"the packet loops share the load of each child already", isZero},
		"pam-authorize":      {"PAM is not asked", isNo},
		"vti-routing":        {kernelOnly, append([]string{"yes"}, isNo...)},
		"vti-shared":         {kernelOnly, isNo},
		"share-lease":        {"a client gets the address that it had in any case", isYes},
	}
	endKeys(m, oddity{"the address of a device of its own", nil}, "vti", "interface-ip")
	endKeys(m, oddity{"there is no NAT of clients by the gateway", isNo}, "cat")
	// Of IKEv1, without effect, or matters of libreswan's own.
	for _, k := range []string{"aggressive", "cisco-split", "cisco-unity", "clientaddrfamily", "connaddrfamily", "connalias", "dns-match-id", "dpdtimeout", "fake-strongswan",
		"hostaddrfamily", "ignore-peer-dns", "ikepad", "initial-contact", "intermediate", "iptfs-drop-time", "iptfs-fragmentation", "iptfs-init-delay", "iptfs-max-queue-size",
		"iptfs-packet-size", "iptfs-reorder-window", "modecfgbanner", "modecfgpull", "ms-dh-downgrade", "narrowing", "nat-ikev1-method", "nat-keepalive", "nm-configured",
		"overlapip", "pfs-rekey-workaround", "reject-simultaneous-ike-auth", "remote-peer-type", "require-id-on-certificate", "retransmit-interval", "send-esp-tfc-padding-not-supported",
		"send-no-esp-tfc", "send-supported-auth-methods", "send-vendorid", "sendca", "xauthby", "xauthfail", "ikev1-natt", "debug"} {
		m[k] = oddity{}
	}
	endKeys(m, oddity{}, "nexthop", "xauthserver", "xauthclient", "modecfgserver", "username", "groundhog", "updown-config", "firewall")
	return m
}

// libreswanSetup are the keywords of config setup.
func libreswanSetup() map[string]oddity {
	m := map[string]oddity{
		"uniqueids": {}, "crl-strict": {}, // in each connection
		"listen":          {"see local_addrs of each connection", nil},
		"ikeport":         {"see port in [ike]", []string{"500"}},
		"nat-ikeport":     {"see port_nat_t in [ike]", []string{"4500"}},
		"listen-tcp":      {"IKE and ESP go over UDP only", isNo},
		"global-redirect": {"write redirect_to of the connections", isNo},
		"ocsp-strict":     {"see revocation of the connections", isNo},
		"ocsp-uri":        {"write ocsp_uris of an authority", nil},
	}
	for _, k := range []string{"audit-log", "crl-timeout", "crlcheckinterval", "curl-iface", "curl-timeout", "ddos-ike-threshold", "ddos-mode", "dns-resolver", "dnssec-anchors",
		"dnssec-enable", "dnssec-rootkey-file", "drop-oppo-null", "dumpdir", "expire-lifetime", "expire-shunt-interval", "fragicmp", "global-redirect-to", "hidetos",
		"ike-socket-bufsize", "ike-socket-errqueue", "ikev1-policy", "interfaces", "ipsec-interface-managed", "ipsecdir", "keep-alive", "klipsdebug", "listen-udp", "logappend",
		"logfile", "logip", "loglimit", "logtime", "max-halfopen-ike", "myid", "myvendorid", "nat-traversal", "nflog-all", "nhelpers", "nssdir", "ocsp-cache-max-age",
		"ocsp-cache-min-age", "ocsp-cache-size", "ocsp-enable", "ocsp-method", "ocsp-timeout", "ocsp-trustname", "oe", "overridemtu", "plutodebug", "plutorestartoncrash",
		"plutostderrlog", "plutostderrlogtime", "plutowait", "postpluto", "prepluto", "protostack", "rundir", "seccomp", "secretsfile", "seedbits", "shuntlifetime", "statsbin",
		"strictcrlpolicy", "syslog", "virtual-private", "xfrmlifetime", "force-busy"} {
		m[k] = oddity{}
	}
	return m
}

// libreswanKeywords are all keywords of libreswan, of any section, and those that have no place here, by their canonical names.
var libreswanKeywords = sync.OnceValue(func() keywords {
	k := keywords{conn: libreswanOdd(), setup: libreswanSetup(), read: map[string]bool{}}
	for _, name := range libreswanRead() {
		k.read[name] = true
	}
	for _, name := range libreswanEnds() {
		k.read["left"+name], k.read["right"+name] = true, true
	}
	return k
})
