package export

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// powershell writes a script that makes the connection on Windows 10 and 11.
// https://learn.microsoft.com/en-us/powershell/module/vpnclient/add-vpnconnection
func powershell(w *writer) ([]byte, error) {
	s, err := w.windows()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("#Requires -Version 5.1")
	line("# The VPN %s. Run it in PowerShell as the user of the VPN%s.", w.Name, map[bool]string{true: ", as an administrator"}[w.certificate() || len(w.CAs) > 0])
	line("$ErrorActionPreference = 'Stop'")
	line("$name = %s", psString(w.Name))
	for _, c := range w.CAs {
		line("# The CA of the gateway's certificate.")
		line("$ca = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList @(,[System.Convert]::FromBase64String(%s))", psString(base64.StdEncoding.EncodeToString(c.Raw)))
		line("$store = New-Object System.Security.Cryptography.X509Certificates.X509Store -ArgumentList 'Root', 'LocalMachine'")
		line("$store.Open('ReadWrite')")
		line("$store.Add($ca)")
		line("$store.Close()")
	}
	method := "MachineCertificate"
	store := "Cert:\\LocalMachine\\My"
	if w.Method.EAP() {
		method, store = "Eap", "Cert:\\CurrentUser\\My"
	}
	if w.certificate() {
		file := fileName(w.who(), ".p12")
		line("# The user's certificate and key, from the bundle beside this script.")
		line("$password = Read-Host -AsSecureString -Prompt %s", psString("Password of "+file))
		line("Import-PfxCertificate -FilePath (Join-Path $PSScriptRoot %s) -CertStoreLocation %s -Password $password | Out-Null", psString(file), psString(store))
		w.warnf("remote.auth", "the script reads the user's bundle as %s, which belongs beside it", file)
	}
	line("if (Get-VpnConnection -Name $name -ErrorAction SilentlyContinue) { Remove-VpnConnection -Name $name -Force }")
	add := "Add-VpnConnection -Name $name -ServerAddress %s -TunnelType Ikev2 -AuthenticationMethod %s -EncryptionLevel Required"
	if w.Method.EAP() {
		line("$eap = [xml]%s", psString(w.eapXML()))
		add += " -EapConfigXmlStream $eap -RememberCredential"
	}
	if !w.full() {
		add += " -SplitTunneling"
	}
	if names, _ := w.domains(); len(names) > 0 {
		add += " -DnsSuffix " + strings.ReplaceAll(psString(names[0]), "%", "%%")
		if len(names) > 1 {
			w.warnf("pools", "Windows takes one domain from the script: %s is written", names[0])
		}
	}
	line(add, psString(w.Gateway), method)
	line("Set-VpnConnectionIPsecConfiguration -ConnectionName $name %s -Force", s)
	if !w.full() {
		for _, n := range w.routes() {
			line("Add-VpnConnectionRoute -ConnectionName $name -DestinationPrefix %s", psString(n.String()))
		}
	}
	if w.OnDemand {
		w.warnf("start_action", "a script can't have the connection come up by itself; use the format profilexml")
	}
	return []byte(b.String()), nil
}

// psString is text as PowerShell has it in single quotes, in which nothing has a meaning but those: U+2018, U+2019, U+201A and U+201B are single
// quotes for it as well.
// https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.core/about/about_quoting_rules
func psString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// windows are the settings of the client of Windows, and what it can't have.
func (w *writer) windows() (diag.Windows, error) {
	none := diag.Windows{}
	switch m := w.Method; {
	case m == policy.AuthPSK || w.GatewayMethod != policy.AuthPubkey:
		return none, w.cannot("remote.auth", "use \"pubkey\" or a method of EAP, and a certificate for the gateway", "Windows has no pre-shared keys for IKEv2")
	case m == policy.AuthEAPGTC || m == policy.AuthEAPMD5 || m == policy.AuthEAPTTLS:
		return none, w.cannot("remote.auth", "use \"eap-mschapv2\", \"eap-peap\", \"eap-tls\" or \"eap\"", "it is %q, which can't be written for Windows", m)
	}
	if err := w.oneRound(); err != nil {
		return none, err
	}
	if err := w.onlyPort500(); err != nil {
		return none, err
	}
	if err := w.noPPK(); err != nil {
		return none, err
	}
	if id, err := identity.Parse(w.Gateway); err != nil || !id.Equal(w.GatewayID) {
		if w.GatewayCert == nil || !slices.ContainsFunc(w.GatewayCert.DNSNames, func(n string) bool { return strings.EqualFold(n, w.Gateway) }) {
			return none, w.cannot("local.id", fmt.Sprintf("write local.id = %q, or have clients call it by the name that it has", w.Gateway),
				"it is %q, and Windows looks for the address that it calls, %s, in the gateway's certificate", w.GatewayID.String(), w.Gateway)
		}
	}
	s, ok := diag.WindowsSettings(texts(w.conn.Proposals), texts(w.esp()))
	if !ok {
		return none, w.cannot("proposals", `add "aes256gcm16-prfsha384-ecp384", and "aes256gcm16-ecp384-none" to esp_proposals`, "none of them, or none of esp_proposals, can be set on Windows")
	}
	if w.Method == policy.AuthEAPRADIUS {
		w.warnf("remote.auth", "it is %q, whose server chooses the method: what is written is MSCHAPv2", w.Method)
	}
	if _, ok := w.take(w.Password); ok {
		w.secret = false
		w.warnf("remote.auth", "the password is left out: Windows asks for it, and keeps it")
	}
	if !w.Addresses {
		w.warnf("pools", "the client asks for an address, and the connection has none to give")
	}
	if w.Method == policy.AuthPubkey && !w.conn.Remote.ID.Any() {
		w.warnf("remote.id", "it is %q, and Windows calls itself by the subject of its certificate", w.conn.Remote.ID.String())
	}
	w.oneChild()
	w.anyNetworks()
	return s, nil
}
