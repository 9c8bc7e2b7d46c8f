package export

import (
	"crypto/sha1"
	"fmt"
	"strings"

	"esplanade/ike/policy"
)

// The configuration of EAP on Windows, in the schemas of [MS-GPWL] section 6.
const (
	eapHostNS = "http://www.microsoft.com/provisioning/EapHostConfig"
	eapNS     = "http://www.microsoft.com/provisioning/EapCommon"
	eapBaseNS = "http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1"
	eapConfig = "http://www.microsoft.com/provisioning/"
)

// eapXML is the EapHostConfig of the method that the user has. "eap" and what a RADIUS server chooses are MSCHAPv2, which Windows takes by
// default.
func (w *writer) eapXML() string {
	switch w.Method {
	case policy.AuthEAPTLS:
		return eapHost(13, w.eapTLS())
	case policy.AuthEAPPEAP:
		return eapHost(25, `<EapType xmlns="`+eapConfig+`MsPeapConnectionPropertiesV1">`+w.serverValidation()+
			`<FastReconnect>true</FastReconnect><InnerEapOptional>false</InnerEapOptional>`+eapMethod(26, eapMSCHAPv2())+
			`<EnableQuarantineChecks>false</EnableQuarantineChecks><RequireCryptoBinding>false</RequireCryptoBinding>`+
			`<PeapExtensions><PerformServerValidation xmlns="`+eapConfig+`MsPeapConnectionPropertiesV2">true</PerformServerValidation>`+
			`<AcceptServerName xmlns="`+eapConfig+`MsPeapConnectionPropertiesV2">true</AcceptServerName></PeapExtensions></EapType>`)
	default:
		return eapHost(26, eapMSCHAPv2())
	}
}

// eapHost is the outermost element, for a method by its number.
func eapHost(method int, inner string) string {
	return fmt.Sprintf(`<EapHostConfig xmlns="%s"><EapMethod><Type xmlns="%[2]s">%[3]d</Type><VendorId xmlns="%[2]s">0</VendorId>`+
		`<VendorType xmlns="%[2]s">0</VendorType><AuthorId xmlns="%[2]s">0</AuthorId></EapMethod><Config xmlns="%[1]s">%[4]s</Config></EapHostConfig>`,
		eapHostNS, eapNS, method, eapMethod(method, inner))
}

// eapMethod is a method with its properties.
func eapMethod(method int, inner string) string {
	return fmt.Sprintf(`<Eap xmlns="%s"><Type>%d</Type>%s</Eap>`, eapBaseNS, method, inner)
}

func eapMSCHAPv2() string {
	return `<EapType xmlns="` + eapConfig + `MsChapV2ConnectionPropertiesV1"><UseWinLogonCredentials>false</UseWinLogonCredentials></EapType>`
}

func (w *writer) eapTLS() string {
	return `<EapType xmlns="` + eapConfig + `EapTlsConnectionPropertiesV1"><CredentialsSource><CertificateStore><SimpleCertSelection>true</SimpleCertSelection>` +
		`</CertificateStore></CredentialsSource>` + w.serverValidation() + `<DifferentUsername>false</DifferentUsername>` +
		`<PerformServerValidation xmlns="` + eapConfig + `EapTlsConnectionPropertiesV2">true</PerformServerValidation>` +
		`<AcceptServerName xmlns="` + eapConfig + `EapTlsConnectionPropertiesV2">true</AcceptServerName></EapType>`
}

// serverValidation says which names and CAs the certificate of the EAP server may have: those of the gateway.
func (w *writer) serverValidation() string {
	var b strings.Builder
	b.WriteString(`<ServerValidation><DisableUserPromptForServerValidation>true</DisableUserPromptForServerValidation><ServerNames>` + xmlText(w.Gateway) + `</ServerNames>`)
	for _, c := range w.CAs {
		var hash []string
		for _, x := range sha1.Sum(c.Raw) {
			hash = append(hash, fmt.Sprintf("%02x", x))
		}
		b.WriteString(`<TrustedRootCA>` + strings.Join(hash, " ") + `</TrustedRootCA>`)
	}
	b.WriteString(`</ServerValidation>`)
	return b.String()
}
