package diag

import (
	"slices"
	"strings"
)

// windowsOffers is the least number of proposals, all of them with the 1024-bit MODP group and nothing else, from which
// an offer is taken for that of a Windows client with its default settings (which has 18).
const windowsOffers = 6

// Windows are the settings of the VPN client of Windows: the parameters of Set-VpnConnectionIPsecConfiguration, which sets all of
// them at once, and what else it knows of none.
// https://learn.microsoft.com/en-us/powershell/module/vpnclient/set-vpnconnectionipsecconfiguration
type Windows struct {
	// DHGroup, EncryptionMethod and IntegrityCheckMethod are for the IKE SA. The latter is the PRF as well.
	DHGroup, EncryptionMethod, IntegrityCheckMethod string
	// CipherTransformConstants, AuthenticationTransformConstants and PfsGroup are for CHILD SAs.
	CipherTransformConstants, AuthenticationTransformConstants, PfsGroup string
}

// WindowsSettings are the first of our IKE proposals and the first of our ESP proposals, in canonical keywords, that can be set on
// Windows, and of each the strongest that is there. It reports false if there is none of either.
func WindowsSettings(ike, esp []string) (w Windows, ok bool) {
	var (
		groups  = [][2]string{{"ecp384", "ECP384"}, {"ecp256", "ECP256"}, {"modp2048", "Group14"}}
		pfs     = [][2]string{{"ecp384", "ECP384"}, {"ecp256", "ECP256"}, {"modp2048", "PFS2048"}}
		ciphers = [][2]string{{"aes256gcm16", "GCMAES256"}, {"aes128gcm16", "GCMAES128"}, {"aes256", "AES256"}, {"aes128", "AES128"}}
		hashes  = [][2]string{{"prfsha384", "SHA384"}, {"sha384", "SHA384"}, {"prfsha256", "SHA256"}, {"sha256", "SHA256"}}
	)
	for _, ours := range ike {
		if demandsMore(ours) {
			continue
		}
		w.DHGroup, w.EncryptionMethod, w.IntegrityCheckMethod = pick(ours, groups), pick(ours, ciphers), pick(ours, hashes)
		if ok = w.DHGroup != "" && w.EncryptionMethod != "" && w.IntegrityCheckMethod != ""; ok {
			break
		}
	}
	if !ok {
		return Windows{}, false
	}
	for _, ours := range esp {
		if demandsMore(ours) {
			continue
		}
		w.CipherTransformConstants, w.PfsGroup = pick(ours, ciphers), pick(ours, pfs)
		w.AuthenticationTransformConstants = w.CipherTransformConstants
		if !strings.HasPrefix(w.CipherTransformConstants, "GCM") {
			w.AuthenticationTransformConstants = pick(ours, [][2]string{{"sha256", "SHA256128"}})
		}
		words := strings.Split(ours, "-")
		if w.PfsGroup == "" && (slices.Contains(words, "none") || !slices.ContainsFunc(words, isGroup)) {
			w.PfsGroup = "None"
		}
		// It never has extended sequence numbers.
		if w.AuthenticationTransformConstants != "" && w.CipherTransformConstants != "" && w.PfsGroup != "" &&
			(!slices.Contains(words, "esn") || slices.Contains(words, "noesn")) {
			return w, true
		}
	}
	return Windows{}, false
}

// demandsMore reports whether a proposal has a key exchange in addition (RFC 9370) that can't be left out.
func demandsMore(proposal string) bool {
	words := strings.Split(proposal, "-")
	return slices.ContainsFunc(words, func(w string) bool {
		return len(w) > 4 && strings.HasPrefix(w, "ke") && w[3] == '_' && !slices.Contains(words, w[:4]+"none")
	})
}

// String are the settings as arguments of the command.
func (w Windows) String() string {
	return "-DHGroup " + w.DHGroup + " -EncryptionMethod " + w.EncryptionMethod + " -IntegrityCheckMethod " + w.IntegrityCheckMethod +
		" -CipherTransformConstants " + w.CipherTransformConstants + " -AuthenticationTransformConstants " + w.AuthenticationTransformConstants +
		" -PfsGroup " + w.PfsGroup
}

// windowsFix is the command that makes a Windows client offer what this side accepts. It reports false if nothing of that can be
// set there.
func windowsFix(ike, esp []string) (string, bool) {
	w, ok := WindowsSettings(ike, esp)
	return "on the client, in PowerShell: Set-VpnConnectionIPsecConfiguration -ConnectionName NAME " + w.String() + " -Force", ok
}

// looksLikeWindows reports whether IKE proposals are the default ones of Windows, which have only the 1024-bit group.
func looksLikeWindows(theirs []string) bool {
	return len(theirs) >= windowsOffers && !slices.ContainsFunc(theirs, func(p string) bool { return !strings.Contains(strings.ToLower(p), "modp1024") })
}

// pick returns the Windows name of the first keyword of table that is a part of proposal; keywords are tried in order.
func pick(proposal string, table [][2]string) string {
	parts := strings.Split(strings.ToLower(proposal), "-")
	for _, row := range table {
		if slices.Contains(parts, row[0]) {
			return row[1]
		}
	}
	return ""
}
