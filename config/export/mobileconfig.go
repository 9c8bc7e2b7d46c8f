package export

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
)

// A configuration profile for Apple's systems: a payload of the kind com.apple.vpn.managed, and one for each certificate that it needs.
// https://github.com/apple/device-management/blob/release/mdm/profiles/com.apple.vpn.managed.yaml

// mobileconfig writes a profile for iOS, iPadOS and macOS.
func mobileconfig(w *writer) ([]byte, error) {
	ike, err := w.appleIKEv2()
	if err != nil {
		return nil, err
	}
	name := fileName(w.Name, "")
	vpn := dict{{"VPNType", "IKEv2"}, {"UserDefinedName", w.title()}, {"IKEv2", ike}}
	content := []any{w.payload("com.apple.vpn.managed", "vpn", w.title(), vpn)}
	if w.Bundle != nil && w.certificate() {
		p := dict{{"PayloadContent", w.Bundle}, {"PayloadCertificateFileName", fileName(w.who(), ".p12")}}
		if s, ok, err := w.takeText("remote.auth", w.BundlePassword); err != nil {
			return nil, err
		} else if ok {
			p.set("Password", s)
		}
		content = append(content, w.payload("com.apple.security.pkcs12", "certificate", w.who(), p))
	}
	for i, c := range w.CAs {
		kind, part := "com.apple.security.pkcs1", "ca"
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			kind = "com.apple.security.root"
		}
		if i > 0 {
			part = fmt.Sprintf("ca%d", i+1)
		}
		content = append(content, w.payload(kind, part, c.Subject.CommonName, dict{{"PayloadContent", c.Raw}, {"PayloadCertificateFileName", fileName(w.Name, "-"+part+".cer")}}))
	}
	return plist(dict{
		{"PayloadType", "Configuration"}, {"PayloadVersion", 1}, {"PayloadIdentifier", w.identifier("profile")}, {"PayloadUUID", w.uuid("profile")},
		{"PayloadDisplayName", w.title()}, {"PayloadDescription", "The VPN " + name + " at " + w.Gateway}, {"PayloadContent", content},
	}), nil
}

// identifier is the name of a payload, in the reverse order of domain names.
func (w *writer) identifier(part string) string { return "esplanade." + w.uuid("profile") + "." + part }

// payload is one payload of a profile.
func (w *writer) payload(kind, part, title string, more dict) dict {
	return append(dict{
		{"PayloadType", kind}, {"PayloadVersion", 1}, {"PayloadIdentifier", w.identifier(part)}, {"PayloadUUID", w.uuid(part)}, {"PayloadDisplayName", title},
	}, more...)
}

// appleIKEv2 is the dictionary IKEv2.
func (w *writer) appleIKEv2() (dict, error) {
	if err := w.onlyPort500(); err != nil {
		return nil, err
	}
	if err := w.oneRound(); err != nil {
		return nil, err
	}
	local, err := w.appleID("remote.id", w.ClientID)
	if err != nil {
		return nil, err
	}
	remote, err := w.appleID("local.id", w.GatewayID)
	if err != nil {
		return nil, err
	}
	d := dict{{"RemoteAddress", w.Gateway}, {"RemoteIdentifier", remote}, {"LocalIdentifier", local}}
	if err := w.appleAuth(&d); err != nil {
		return nil, err
	}
	if err := w.appleAlgorithms(&d); err != nil {
		return nil, err
	}
	d.set("DeadPeerDetectionRate", appleDPD(w.conn.DPDDelay))
	d.set("DisableMOBIKE", bit(!w.conn.MOBIKE))
	if !w.conn.RedirectTo.Specific() {
		d.set("DisableRedirect", 1)
	}
	if w.Addresses && !w.full() {
		d.set("UseConfigurationAttributeInternalIPSubnet", 1)
	}
	if err := w.applePPK(&d); err != nil {
		return nil, err
	}
	if w.OnDemand {
		d.set("OnDemandEnabled", 1)
		d.set("OnDemandRules", []any{dict{{"Action", "Connect"}}})
	}
	if !w.Addresses {
		w.warnf("pools", "the client asks for an address, and the connection has none to give")
	}
	w.oneChild()
	w.anyNetworks()
	return d, nil
}

// appleID is an identity as Apple's systems take it: as text of which they find out the kind.
func (w *writer) appleID(key string, id identity.Identity) (string, error) {
	switch id.Type {
	case identity.FQDN, identity.RFC822Addr:
		return string(id.Data), nil
	case identity.IPv4Addr, identity.IPv6Addr:
		return id.String(), nil
	case identity.Any:
		return "", nil
	case identity.KeyID:
		if key == "remote.id" && w.eap() {
			w.warnf(key, "the client sends %q as a name: the user is who EAP says", id.Data)
			return string(id.Data), nil
		}
	}
	return "", w.cannot(key, "use a DNS name, an e-mail address or an address", "it is %q, and the client has names and addresses only", id.String())
}

// appleAuth writes what the two prove themselves with.
func (w *writer) appleAuth(d *dict) error {
	switch m := w.Method; {
	case m == policy.AuthPSK && w.GatewayMethod == policy.AuthPSK:
		d.set("AuthenticationMethod", "SharedSecret")
		s, ok, err := w.takeText("secret", w.PSK)
		if err != nil {
			return err
		}
		if ok {
			d.set("SharedSecret", s)
		} else {
			w.warnf("secret", "the pre-shared key is left out; the user is asked for it")
		}
		return nil
	case w.GatewayMethod != policy.AuthPubkey:
		return w.cannot("local.auth", "use \"pubkey\"", "it is %q and remote.auth is %q, which the client does not do together", w.GatewayMethod, m)
	case m == policy.AuthPubkey:
		d.set("AuthenticationMethod", "Certificate")
	case m.EAP():
		// "To enable EAP-only authentication, set this to `None` and `ExtendedAuthEnabled` to `1`."
		d.set("AuthenticationMethod", "None")
		d.set("ExtendedAuthEnabled", 1)
		d.set("AuthName", w.User)
		if m != policy.AuthEAPTLS {
			s, ok, err := w.takeText("remote.auth", w.Password)
			if err != nil {
				return err
			}
			if ok {
				d.set("AuthPassword", s)
			}
			return nil
		}
	default:
		return w.cannot("remote.auth", "use \"pubkey\" or a method of EAP", "it is %q and local.auth is %q, which the client does not do together", m, w.GatewayMethod)
	}
	if w.Bundle == nil || w.Certificate == nil {
		return w.cannot("remote.auth", "give the user's bundle, as `esplanade pki client NAME --p12` makes it", "it is %q, and there is no certificate of the user to put in", w.Method)
	}
	kind, ok := appleKey(w.Certificate.PublicKey)
	if !ok {
		return w.cannot("remote.auth", "issue one with an RSA key or one on P-256, P-384 or P-521", "the user's certificate has a key that the client can't use")
	}
	d.set("PayloadCertificateUUID", w.uuid("certificate"))
	d.set("CertificateType", kind)
	// "[T]he system requires a value for `ServerCertificateIssuerCommonName`" with CertificateType.
	switch {
	case w.GatewayCert != nil && w.GatewayCert.Issuer.CommonName != "":
		d.set("ServerCertificateIssuerCommonName", w.GatewayCert.Issuer.CommonName)
	case len(w.CAs) > 0 && w.CAs[0].Subject.CommonName != "":
		d.set("ServerCertificateIssuerCommonName", w.CAs[0].Subject.CommonName)
	default:
		return w.cannot("local.certs", "name the gateway's certificate, or give its CA", "the client has to be told who has issued the gateway's certificate, and nothing says so")
	}
	return nil
}

// appleKey is the word for a kind of key.
func appleKey(public any) (string, bool) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return "RSA", true
	case *ecdsa.PublicKey:
		switch bits := k.Curve.Params().BitSize; bits {
		case 256:
			return "ECDSA256", true
		case 384:
			return "ECDSA384", true
		case 521:
			return "ECDSA521", true
		}
	}
	return "", false
}

// What can be chosen, the best first. The groups that every version has come before Curve25519, which came with iOS 17.
func appleCiphers() []choice {
	return []choice{{"aes256gcm16", "AES-256-GCM"}, {"aes256", "AES-256"}, {"chacha20poly1305", "ChaCha20Poly1305"}, {"aes128gcm16", "AES-128-GCM"}, {"aes128", "AES-128"}}
}

func appleHashes(aead bool) []choice {
	if aead {
		return []choice{{"prfsha256", "SHA2-256"}, {"prfsha384", "SHA2-384"}, {"prfsha512", "SHA2-512"}}
	}
	return []choice{{"sha256", "SHA2-256"}, {"sha384", "SHA2-384"}, {"sha512", "SHA2-512"}}
}

// appleGroup is the number of a group that can be chosen.
func appleGroup(words []string) (int, bool) {
	list := []struct {
		word   string
		number int
	}{{"ecp256", 19}, {"ecp384", 20}, {"ecp521", 21}, {"modp2048", 14}, {"modp3072", 15}, {"modp4096", 16}, {"modp6144", 17}, {"modp8192", 18}, {"x25519", 31}}
	for _, g := range list {
		if slices.Contains(words, g.word) {
			return g.number, true
		}
	}
	return 0, false
}

// appleAlgorithms writes the algorithms of both kinds of SAs, and whether CHILD SAs have a key exchange of their own.
func (w *writer) appleAlgorithms(d *dict) error {
	ike, ok, quantum := dict(nil), false, false
	for _, p := range w.conn.Proposals {
		ws := words(p)
		cipher, okCipher := first(ws, appleCiphers())
		hash, okHash := first(ws, appleHashes(isAEAD(cipher.word)))
		group, okGroup := appleGroup(ws)
		more, okMore := appleAdditional(ws)
		if ok = okCipher && okHash && okGroup && okMore; ok {
			ike = dict{{"EncryptionAlgorithm", cipher.name}, {"IntegrityAlgorithm", hash.name}, {"DiffieHellmanGroup", group}}
			w.appleQuantum(&ike, more)
			quantum = len(more) > 0
			break
		}
	}
	if !ok {
		return w.cannot("proposals", `add "aes256gcm16-prfsha256-ecp256"`, "none of them can be set on the client")
	}
	ike.set("LifeTimeInMinutes", appleLife(w.ikeLife()))
	for _, c := range w.Children {
		for _, p := range c.ESP {
			ws := words(p)
			cipher, okCipher := first(ws, appleCiphers())
			hash, okHash := first(ws, appleHashes(false))
			if isAEAD(cipher.word) {
				hash, okHash = choice{"", "SHA2-256"}, true // it has to be something
			}
			group, okGroup := appleGroup(ws)
			_, optional := pfs(ws)
			more, okMore := appleAdditional(ws)
			if !okCipher || !okHash || !okMore || !okGroup && !optional || slices.Contains(ws, "esn") && !slices.Contains(ws, "noesn") {
				continue
			}
			child := dict{{"EncryptionAlgorithm", cipher.name}, {"IntegrityAlgorithm", hash.name}}
			if okGroup {
				child.set("DiffieHellmanGroup", group)
				w.appleQuantum(&child, more)
				quantum = quantum || len(more) > 0
			}
			child.set("LifeTimeInMinutes", appleLife(w.childLife(c)))
			d.set("IKESecurityAssociationParameters", ike)
			d.set("ChildSecurityAssociationParameters", child)
			d.set("EnablePFS", bit(okGroup))
			if quantum {
				without := func(list []proposal.Proposal) bool {
					return slices.ContainsFunc(list, func(p proposal.Proposal) bool { return plain(words(p)) })
				}
				d.set("AllowPostQuantumKeyExchangeFallback", bit(without(w.conn.Proposals) && without(c.ESP)))
			}
			return nil
		}
	}
	return w.cannot("esp_proposals", `add "aes256gcm16-ecp256-none"`, "none of them can be set on the client")
}

// appleAdditional are the numbers of the key exchanges in addition, the strongest of each, and false if the client has not what is demanded.
func appleAdditional(ws []string) (out []int, ok bool) {
	for _, list := range additional(ws) {
		switch {
		case slices.Contains(list, "mlkem1024"):
			out = append(out, 37)
		case slices.Contains(list, "mlkem768"):
			out = append(out, 36)
		case slices.Contains(list, "none"):
			out = append(out, 0)
		default:
			return nil, false
		}
	}
	return out, true
}

// appleQuantum writes the key exchanges in addition.
func (w *writer) appleQuantum(d *dict, methods []int) {
	if len(methods) == 0 {
		return
	}
	var list []any
	for _, m := range methods {
		list = append(list, m)
	}
	d.set("PostQuantumKeyExchangeMethods", list)
	w.warnf("proposals", "key exchanges in addition need iOS 26 or macOS 26")
}

// isAEAD reports whether a cipher has no integrity algorithm beside it.
func isAEAD(word string) bool {
	return word == "chacha20poly1305" || slices.Contains([]string{"aes256gcm16", "aes128gcm16"}, word)
}

// appleLife is a lifetime in minutes within what can be set.
func appleLife(d time.Duration) int {
	if d == 0 {
		return 1440
	}
	return min(max(int(d/time.Minute), 10), 1440)
}

// appleDPD is the rate of signs of life that is nearest.
func appleDPD(d time.Duration) string {
	switch {
	case d == 0:
		return "None"
	case d <= time.Minute:
		return "High"
	case d <= 10*time.Minute:
		return "Medium"
	}
	return "Low"
}

// applePPK writes the post-quantum preshared key, which iOS 18 and macOS 15 have.
func (w *writer) applePPK(d *dict) error {
	if w.PPKID == "" {
		return nil
	}
	b, ok := w.take(w.PPK)
	if !ok {
		if w.conn.PPKRequired {
			return w.cannot("ppk_required", "write the secrets too", "it is true, and the key is to be left out")
		}
		w.warnf("ppk_id", "the post-quantum preshared key is left out")
		return nil
	}
	d.set("PPK", b)
	d.set("PPKIdentifier", w.PPKID)
	d.set("PPKMandatory", bit(w.conn.PPKRequired))
	return nil
}

// bit is a number for a boolean.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
