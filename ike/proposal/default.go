package proposal

import "esplanade/ike/wire"

// The defaults. What they contain is at least "SHOULD" in RFC 8247 section 2 (IKE) or RFC 8221 sections 5 and 6 (ESP), or has
// been registered since with such intent (Curve25519). What is only there for old peers is left out: SHA-1 ("MUST-"),
// groups below 2048 bits, and the short ICVs. 256-bit keys come first, 192-bit keys have no use.
const (
	defaultGroups = "x25519-ecp256-ecp384-ecp521-modp3072-modp4096-modp2048"

	defaultIKEAEAD = "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-prfsha384-prfsha512-" + defaultGroups
	defaultIKE     = "aes256-aes128-sha256-sha384-sha512-" + defaultGroups

	// A key exchange of the CHILD SA's own is proposed but may be declined, since many peers do not do it. Extended
	// sequence numbers are preferred because 2^32 packets last less than an hour at the rates this gateway is made for.
	defaultESPAEAD = "aes256gcm16-aes128gcm16-chacha20poly1305-" + defaultGroups + "-none-esn-noesn"
	defaultESP     = "aes256-aes128-sha256-sha384-sha512-" + defaultGroups + "-none-esn-noesn"
)

// Default returns what the keyword "default" stands for, best first: a proposal with AEADs, then one for peers that have
// none. It returns nil for protocols other than IKE and ESP. A caller owns the result.
func Default(protocol wire.ProtocolID) []Proposal {
	switch protocol {
	case wire.ProtocolIKE:
		return []Proposal{mustParse(protocol, defaultIKEAEAD), mustParse(protocol, defaultIKE)}
	case wire.ProtocolESP:
		return []Proposal{mustParse(protocol, defaultESPAEAD), mustParse(protocol, defaultESP)}
	}
	return nil
}

func mustParse(protocol wire.ProtocolID, s string) Proposal {
	p, err := Parse(protocol, s)
	if err != nil {
		panic("BUG: proposal: " + err.Error())
	}
	return p
}
