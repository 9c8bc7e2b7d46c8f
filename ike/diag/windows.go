package diag

import "strings"

// windowsOffers is the least number of proposals, all of them with the 1024-bit MODP group and nothing else, from which
// an offer is taken for that of a Windows client with its default settings (which has 18).
const windowsOffers = 6

// windowsFix recognises the default offer of the VPN client in Windows, which has only the 1024-bit group, and returns
// the command that makes the client offer one of ours. It reports false if the offer is something else, or if none of
// ours can be configured there.
func windowsFix(m Mismatch) (string, bool) {
	if len(m.Theirs) < windowsOffers {
		return "", false
	}
	for _, p := range m.Theirs {
		if !strings.Contains(strings.ToLower(p), "modp1024") {
			return "", false
		}
	}
	// The words that Set-VpnConnectionIPsecConfiguration takes, by the keywords of our proposals. GCM is written
	// GCMAES256 for the IKE_SA; the client takes the same word for ESP.
	// https://learn.microsoft.com/en-us/powershell/module/vpnclient/set-vpnconnectionipsecconfiguration
	var (
		windowsGroups  = [][2]string{{"ecp384", "ECP384"}, {"ecp256", "ECP256"}, {"modp2048", "Group14"}}
		windowsPFS     = [][2]string{{"ecp384", "ECP384"}, {"ecp256", "ECP256"}, {"modp2048", "PFS2048"}}
		windowsCiphers = [][2]string{
			{"aes256gcm16", "GCMAES256"}, {"aes128gcm16", "GCMAES128"}, {"aes256", "AES256"}, {"aes128", "AES128"},
		}
		windowsHashes = [][2]string{
			{"prfsha384", "SHA384"}, {"sha384", "SHA384"}, {"prfsha256", "SHA256"}, {"sha256", "SHA256"},
		}
	)
	for _, ours := range m.Ours {
		group, pfs := pick(ours, windowsGroups), pick(ours, windowsPFS)
		cipher, hash := pick(ours, windowsCiphers), pick(ours, windowsHashes)
		if group == "" || cipher == "" || hash == "" {
			continue
		}
		return "on the client, in PowerShell: Set-VpnConnectionIPsecConfiguration -ConnectionName NAME -DHGroup " + group +
			" -EncryptionMethod " + cipher + " -IntegrityCheckMethod " + hash + " -CipherTransformConstants " + cipher +
			" -AuthenticationTransformConstants " + windowsAuth(cipher) + " -PfsGroup " + pfs + " -Force", true
	}
	return "", false
}

// pick returns the Windows name of the first keyword of table that is a part of proposal; keywords are tried in order.
func pick(proposal string, table [][2]string) string {
	parts := strings.Split(strings.ToLower(proposal), "-")
	for _, row := range table {
		for _, p := range parts {
			if p == row[0] {
				return row[1]
			}
		}
	}
	return ""
}

// windowsAuth is the ESP integrity constant that goes with a cipher: with GCM it must be the same word.
func windowsAuth(cipher string) string {
	if strings.HasPrefix(cipher, "GCM") {
		return cipher
	}
	return "SHA256128"
}
