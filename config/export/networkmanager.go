package export

import (
	"fmt"
	"strings"

	"esplanade/ike/policy"
)

// networkManager writes a keyfile of NetworkManager for its plugin for strongSwan.
// https://docs.strongswan.org/docs/latest/features/networkManager.html
func networkManager(w *writer) ([]byte, error) {
	method, err := w.nmMethod()
	if err != nil {
		return nil, err
	}
	if err := w.noPPK(); err != nil {
		return nil, err
	}
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s=%s\n", key, keyfile(value)) }
	b.WriteString("[connection]\n")
	line("id", w.Name)
	line("uuid", w.uuid("profile"))
	line("type", "vpn")
	line("autoconnect", map[bool]string{true: "true", false: "false"}[w.OnDemand])
	b.WriteString("\n[vpn]\n")
	line("service-type", "org.freedesktop.NetworkManager.strongswan")
	line("address", w.Gateway)
	if w.port() != 500 {
		line("server-port", fmt.Sprint(w.port()))
	}
	line("remote-identity", swanID(w.GatewayID))
	if len(w.CAs) > 0 {
		line("certificate", nmFiles+w.caFile())
		w.warnf("local.certs", "the keyfile names the CA as %s: put it there", nmFiles+w.caFile())
	}
	line("method", method)
	if method == "eap" || method == "psk" {
		line("user", w.user())
	} else {
		line("cert-source", "file")
		line("usercert", nmFiles+w.certFile())
		line("userkey", nmFiles+w.keyFile())
		w.warnf("remote.auth", "the keyfile names the user's certificate and key as %s and %s: put them there", nmFiles+w.certFile(), nmFiles+w.keyFile())
	}
	if !w.ClientID.Any() && method != "psk" {
		line("local-identity", swanID(w.ClientID))
	}
	line("virtual", map[bool]string{true: "yes", false: "no"}[w.Addresses])
	line("encap", map[bool]string{true: "yes", false: "no"}[w.conn.Encap])
	line("ipcomp", "no")
	line("proposal", "yes")
	w.swanAdditional()
	line("ike", strings.Join(swanProposals(w.conn.Proposals), ";"))
	line("esp", strings.Join(swanProposals(w.esp()), ";"))
	var nets []string
	for _, n := range w.routes() {
		nets = append(nets, n.String())
	}
	line("remote-ts", strings.Join(nets, ";"))
	s := w.Password
	if method == "psk" {
		s = w.PSK
	}
	text, ok, err := w.takeText("secret", s)
	switch {
	case err != nil:
		return nil, err
	case ok && method == "psk" && len(text) < 20:
		return nil, w.cannot("secret", "use one of 20 letters or more", "it has %d, and the plugin takes none with less than 20", len(text))
	case method == "cert" || method == "eap-tls":
	case ok:
		line("password-flags", "0")
		b.WriteString("\n[vpn-secrets]\n")
		line("password", text)
	default:
		line("password-flags", "1") // the user's own keyring has it, and the user is asked first
	}
	b.WriteString("\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n")
	if !w.conn.MOBIKE {
		w.warnf("mobike", "it is false, and the plugin offers it in any case")
	}
	w.oneChild()
	w.anyNetworks()
	return []byte(b.String()), nil
}

// nmFiles is where files of NetworkManager's VPNs are.
const nmFiles = "/etc/NetworkManager/certs/"

// nmMethod is the plugin's word for what the two prove themselves with.
func (w *writer) nmMethod() (string, error) {
	if err := w.oneRound(); err != nil {
		return "", err
	}
	switch m := w.Method; {
	case m == policy.AuthPSK && w.GatewayMethod == policy.AuthPSK:
		return "psk", nil
	case w.GatewayMethod != policy.AuthPubkey:
		return "", w.cannot("local.auth", "use \"pubkey\"", "it is %q and remote.auth is %q, which the plugin does not do together", w.GatewayMethod, m)
	case m == policy.AuthPubkey:
		return "cert", nil
	case m == policy.AuthEAPTLS:
		return "eap-tls", nil
	case m.EAP():
		return "eap", nil
	}
	return "", w.cannot("remote.auth", "use \"pubkey\" or a method of EAP", "it is %q and local.auth is %q, which the plugin does not do together", w.Method, w.GatewayMethod)
}

// user is the name that a client is asked for.
func (w *writer) user() string {
	if w.User != "" {
		return w.User
	}
	return swanID(w.ClientID)
}

// keyfile is a value of a keyfile: a space at its beginning, backslashes and tabs are escaped.
// https://docs.gtk.org/glib/struct.KeyFile.html
func keyfile(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	if strings.HasPrefix(s, " ") {
		s = `\s` + s[1:]
	}
	return s
}
