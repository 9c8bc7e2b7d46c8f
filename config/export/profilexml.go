package export

import (
	"bytes"
	"fmt"
	"strings"
)

// profileXML writes the ProfileXML of the configuration service provider VPNv2, which device management takes.
// https://learn.microsoft.com/en-us/windows/client-management/mdm/vpnv2-profile-xsd
func profileXML(w *writer) ([]byte, error) {
	s, err := w.windows()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("<VPNProfile>")
	line("  <NativeProfile>")
	line("    <Servers>%s</Servers>", xmlText(w.Gateway))
	line("    <NativeProtocolType>IKEv2</NativeProtocolType>")
	line("    <Authentication>")
	if w.Method.EAP() {
		line("      <UserMethod>Eap</UserMethod>")
		line("      <Eap><Configuration>%s</Configuration></Eap>", w.eapXML())
	} else {
		line("      <MachineMethod>Certificate</MachineMethod>")
	}
	line("    </Authentication>")
	line("    <CryptographySuite>")
	line("      <AuthenticationTransformConstants>%s</AuthenticationTransformConstants>", s.AuthenticationTransformConstants)
	line("      <CipherTransformConstants>%s</CipherTransformConstants>", s.CipherTransformConstants)
	// For the IKE SA, AES-GCM has another name here than in the command.
	line("      <EncryptionMethod>%s</EncryptionMethod>", strings.Replace(s.EncryptionMethod, "GCMAES", "AES_GCM_", 1))
	line("      <IntegrityCheckMethod>%s</IntegrityCheckMethod>", s.IntegrityCheckMethod)
	line("      <DHGroup>%s</DHGroup>", s.DHGroup)
	if s.PfsGroup != "None" {
		line("      <PfsGroup>%s</PfsGroup>", s.PfsGroup)
	}
	line("    </CryptographySuite>")
	if w.full() {
		line("    <RoutingPolicyType>ForceTunnel</RoutingPolicyType>")
	} else {
		line("    <RoutingPolicyType>SplitTunnel</RoutingPolicyType>")
		line("    <DisableClassBasedDefaultRoute>true</DisableClassBasedDefaultRoute>")
	}
	line("  </NativeProfile>")
	if !w.full() {
		for _, n := range w.routes() {
			line("  <Route><Address>%s</Address><PrefixSize>%d</PrefixSize></Route>", n.Addr(), n.Bits())
		}
	}
	names, servers := w.domains()
	var list []string
	for _, a := range servers {
		list = append(list, a.String())
	}
	if len(names) > 0 {
		line("  <DnsSuffix>%s</DnsSuffix>", xmlText(strings.Join(names, ",")))
	}
	for _, n := range names {
		// With a dot before it, it is the domain and all below: https://learn.microsoft.com/en-us/windows/client-management/mdm/vpnv2-csp
		line("  <DomainNameInformation><DomainName>.%s</DomainName><DnsServers>%s</DnsServers></DomainNameInformation>", xmlText(n), strings.Join(list, ","))
	}
	line("  <RememberCredentials>true</RememberCredentials>")
	if w.OnDemand {
		line("  <AlwaysOn>true</AlwaysOn>")
	}
	line("</VPNProfile>")
	if len(w.CAs) > 0 {
		w.warnf("local.certs", "the CA of the gateway's certificate is not in a ProfileXML: install it as a trusted root of the machine")
	}
	if w.certificate() {
		w.warnf("remote.auth", "the user's certificate is not in a ProfileXML: install it with its key")
	}
	return b.Bytes(), nil
}
