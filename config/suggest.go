package config

import "strings"

// nearest finds the candidate that a misspelt word most likely stands for: the one with the fewest edits, if they are
// few for its length.
func nearest(word string, candidates []string) (string, bool) {
	best, at := "", len(word)/3+2
	for _, c := range candidates {
		d := distance(strings.ToLower(word), strings.ToLower(c), at+1)
		if len(word) >= 4 && strings.HasPrefix(c, strings.ToLower(word)) {
			d = min(d, 1) // the rest was forgotten
		}
		if d < at || d == at && best != "" && len(c) < len(best) {
			best, at = c, d
		}
	}
	return best, best != ""
}

// distance counts insertions, deletions, replacements and swaps of neighbours; beyond limit it may stop counting.
func distance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last = last, row
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// otherNames are what other programs call keys, for people who come from there.
func otherNames(key string) (string, bool) {
	switch strings.ToLower(key) {
	case "left", "localaddr", "local_addr", "local_address", "leftip":
		return "local_addrs", true
	case "right", "remote", "peer", "remoteaddr", "remote_addr", "remote_address", "rightip":
		return "remote_addrs", true
	case "leftsubnet", "leftsubnets", "local_subnet", "local_subnets":
		return "local_ts", true
	case "rightsubnet", "rightsubnets", "remote_subnet", "remote_subnets":
		return "remote_ts", true
	case "ike", "ike_proposals", "ikesa":
		return "proposals", true
	case "esp", "phase2alg", "childsa":
		return "esp_proposals", true
	case "auto":
		return "start_action", true
	case "keyexchange", "ikev2":
		return "version", true
	case "leftid", "rightid", "srcid", "dstid":
		return "id", true
	case "authby", "leftauth", "rightauth":
		return "auth", true
	case "psk", "password", "key":
		return "secret", true
	case "psk_file", "file", "secretfile":
		return "secret_file", true
	case "ikelifetime":
		return "rekey_time", true
	case "lifetime", "salifetime", "keylife":
		return "life_time", true
	case "forceencaps", "encapsulation":
		return "encap", true
	case "dpddelay":
		return "dpd_delay", true
	case "dpdtimeout":
		return "dpd_timeout", true
	case "dpdaction":
		return "dpd_action", true
	case "closeaction":
		return "close_action", true
	case "uniqueids":
		return "unique", true
	case "interface", "ifname", "dev":
		return "name", true
	}
	return "", false
}
