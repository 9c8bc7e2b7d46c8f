package peertest

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// Product is a gateway or a client as its messages show it. Nothing here is recorded: it is what the vendors' documentation says of the
// algorithms, and what others have published of the payloads; Source says where.
type Product struct {
	Name, Source string
	// Preset is the word of the configuration for it; "" for clients.
	Preset string
	// IKE and ESP are its own lists, in its order: what it offers, and what it chooses from when it answers. They are in the notation of
	// proposals, with words that this gateway has no algorithm for.
	IKE, ESP []string
	// Init and Auth are what its first messages have in addition to the payloads of RFC 7296 section 1.2.
	Init, Auth []wire.Payload
	// Rekey is what its CREATE_CHILD_SA requests have in addition, and Delete what its Delete comes with.
	Rekey, Delete []wire.Payload
}

// Names of [Known].
const (
	AWS          = "AWS Site-to-Site VPN"
	AzureCustom  = "Azure VPN Gateway with a custom policy"
	AzureDefault = "Azure VPN Gateway with its default policy"
	GCP          = "Google Cloud VPN"
	FortiGate    = "FortiOS 7.4"
	CiscoIOS     = "Cisco IOS-XE with its smart defaults"
	CiscoASA     = "Cisco ASA"
	MikroTik     = "RouterOS 7 with SHA-256, AES-256 and MODP_2048"
	MikroTikOld  = "RouterOS with its default profile"
	PfSense      = "pfSense 2.7"
	Windows      = "Windows 10"
	IOS          = "iOS 16"
	MacOS        = "macOS 13"
)

// Known are the products, those with a preset first.
func Known() []Product {
	const (
		cloudGroups = "-modp1024-modp2048-modp3072-modp4096-ecp256-ecp384-ecp521"
		fortiGroups = "-modp2048-modp1536"
	)
	vid := func(s string) wire.Payload { return &wire.VendorID{Data: []byte(s)} }
	status := func(t wire.NotifyType) wire.Payload { return &wire.Notify{NotifyType: t} }
	fragments := status(wire.NotifyIKEv2FragmentationSupported)
	contact := status(wire.NotifyInitialContact)
	noTFC := status(wire.NotifyESPTFCPaddingNotSupported)
	nonFirst := status(wire.NotifyNonFirstFragmentsAlso)
	internal := &wire.CP{CfgType: wire.CfgRequest, Attributes: []wire.CfgAttr{{Type: wire.CfgInternalIP4Address}, {Type: wire.CfgInternalIP4Netmask}, {Type: wire.CfgInternalIP4DNS}}}
	// A notification for private use, as IOS sends one with its Delete: its debug output calls it DELETE_REASON.
	const deleteReason = wire.NotifyType(40961)
	return []Product{
		{
			Name: AWS, Preset: "aws", Source: "https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html",
			IKE: []string{"aes128-aes256-sha1-sha256-sha384-sha512" + cloudGroups, "aes128gcm16-aes256gcm16-prfsha1-prfsha256-prfsha384-prfsha512" + cloudGroups},
			ESP: []string{"aes128-aes256-sha1-sha256-sha384-sha512-modp1536" + cloudGroups, "aes128gcm16-aes256gcm16-modp1536" + cloudGroups},
		},
		{
			Name: AzureCustom, Preset: "azure", Source: "https://learn.microsoft.com/en-us/azure/vpn-gateway/ipsec-ike-policy-howto",
			IKE: []string{"aes256-sha384-ecp384"}, ESP: []string{"aes256gcm16-ecp384"},
			// The vendor ids of Windows, which Azure's gateways are.
			Init: []wire.Payload{vid("\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\x00\x00\x00\x09"), vid("\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20"), fragments},
		},
		{
			Name: AzureDefault, Preset: "azure", Source: "https://learn.microsoft.com/en-au/azure/virtual-wan/virtual-wan-ipsec",
			IKE: []string{"aes256-sha1-modp1024", "aes256-sha256-modp1024", "aes128-sha1-modp1024", "aes128-sha256-modp1024"},
			ESP: []string{"aes256gcm16", "aes256-sha1", "aes256-sha256", "aes128-sha1"},
		},
		{
			Name: GCP, Preset: "gcp", Source: "https://cloud.google.com/network-connectivity/docs/vpn/concepts/supported-ike-ciphers",
			IKE: []string{"aes128gcm16-aes192gcm16-aes256gcm16-prfaesxcbc-prfaescmac-prfsha1-prfsha256-prfsha384-prfsha512-modp2048-modp1536-modp3072-modp4096-modp1024-ecp256-ecp384-ecp521-x25519",
				"aes128-aes192-aes256-sha256-sha384-sha512-modp2048-modp1536-modp3072-modp4096-modp1024-ecp256-ecp384-ecp521-x25519"},
			ESP: []string{"aes128gcm16-aes256gcm16-aes192gcm16-modp2048-modp1536-modp3072-modp4096-modp1024-ecp256-ecp384-ecp521-x25519",
				"aes128-aes256-sha256-sha384-modp2048-ecp256-ecp384"},
			Init: []wire.Payload{fragments},
		},
		{
			Name: FortiGate, Preset: "fortigate",
			Source: "https://community.fortinet.com/t5/FortiGate/Technical-Tip-How-FortiGate-manages-PRF-configurations-including/ta-p/315548",
			IKE: []string{"aes128-sha256" + fortiGroups, "aes256-sha256" + fortiGroups, "aes128gcm16-prfsha256" + fortiGroups, "aes256gcm16-prfsha384" + fortiGroups,
				"chacha20poly1305-prfsha256" + fortiGroups},
			ESP: []string{"aes128-sha1" + fortiGroups, "aes256-sha1" + fortiGroups, "aes128-sha256" + fortiGroups, "aes256-sha256" + fortiGroups,
				"aes128gcm16" + fortiGroups, "aes256gcm16" + fortiGroups, "chacha20poly1305" + fortiGroups},
			Init: []wire.Payload{vid("\x82\x99\x03\x17\x57\xa3\x60\x82\xc6\xa6\x21\xde\x00\x00\x00\x00"), fragments},
			Auth: []wire.Payload{contact, noTFC},
		},
		{
			Name: CiscoIOS, Preset: "cisco-ios", Source: "https://www.cisco.com/en/US/docs/ios-xml/ios/sec_conn_ike2vpn/configuration/15-s/sec-flex-vpn-15-s-book.epub",
			IKE: []string{"aes256-sha512-sha384-ecp256-modp2048-ecp521-modp1536"}, ESP: []string{"aes256gcm16-ecp256"},
			Init: []wire.Payload{vid("CISCO-DELETE-REASON"), vid("CISCO(COPYRIGHT)&Copyright (c) 2009 Cisco Systems, Inc."), vid("CISCO-GRE-MODE"),
				vid("FLEXVPN-SUPPORTED")},
			Auth: []wire.Payload{vid("CISCO-GRE-MODE"), contact, &wire.Notify{NotifyType: wire.NotifySetWindowSize, Data: []byte{0, 0, 0, 5}}, noTFC, nonFirst}, Rekey: []wire.Payload{noTFC, nonFirst},
			Delete: []wire.Payload{&wire.Notify{NotifyType: deleteReason, Data: []byte{0, 1}}},
		},
		{
			Name: CiscoASA, Preset: "cisco-asa", Source: "https://www.cisco.com/c/en/us/td/docs/security/asa/asa914/asdm714/vpn/asdm-714-vpn-config/vpn-asdm-ike.html",
			IKE: []string{"aes256gcm16-prfsha384-ecp384"}, ESP: []string{"aes256gcm16-ecp384"},
			Init: []wire.Payload{vid("CISCO-DELETE-REASON"), vid("CISCO(COPYRIGHT)&Copyright (c) 2009 Cisco Systems, Inc."), fragments},
			Auth: []wire.Payload{noTFC, nonFirst}, Rekey: []wire.Payload{noTFC, nonFirst},
			Delete: []wire.Payload{&wire.Notify{NotifyType: deleteReason, Data: []byte{0, 1}}},
		},
		{
			Name: MikroTik, Preset: "mikrotik", Source: "https://help.mikrotik.com/docs/display/ROS/IPsec",
			IKE: []string{"aes256-sha256-modp2048"}, ESP: []string{"aes256gcm16-modp2048"},
			Auth: []wire.Payload{contact, internal},
			// https://github.com/hwdsl2/setup-ipsec-vpn/issues/676
			Rekey: []wire.Payload{internal},
		},
		{
			Name: MikroTikOld, Preset: "mikrotik", Source: "https://pastebin.com/JzWYY9hG",
			IKE: []string{"aes128-3des-sha1-modp2048-modp1024"}, ESP: []string{"aes256-aes192-aes128-sha1-modp1024"},
		},
		{
			Name: PfSense, Preset: "pfsense", Source: "https://docs.netgate.com/pfsense/en/latest/vpn/ipsec/configure-p1.html",
			IKE: []string{"aes256-sha256-modp2048"}, ESP: []string{"aes256-sha256-modp2048", "aes128gcm16-modp2048"},
			Init: []wire.Payload{fragments}, Auth: []wire.Payload{contact},
		},
		{
			// https://github.com/trailofbits/algo/issues/9 has the list.
			Name: Windows, Source: "https://docs.strongswan.org/docs/6.0/interop/windowsClients.html",
			IKE: []string{"3des-sha1-modp1024", "3des-sha256-modp1024", "3des-sha384-modp1024", "aes128-sha1-modp1024", "aes128-sha256-modp1024", "aes128-sha384-modp1024",
				"aes192-sha1-modp1024", "aes192-sha256-modp1024", "aes192-sha384-modp1024", "aes256-sha1-modp1024", "aes256-sha256-modp1024", "aes256-sha384-modp1024",
				"aes128gcm16-prfsha1-modp1024", "aes128gcm16-prfsha256-modp1024", "aes128gcm16-prfsha384-modp1024",
				"aes256gcm16-prfsha1-modp1024", "aes256gcm16-prfsha256-modp1024", "aes256gcm16-prfsha384-modp1024"},
			ESP: []string{"aes256-aes128-3des-sha1"},
			Init: []wire.Payload{vid("\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\x00\x00\x00\x09"), vid("\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20"),
				vid("\x26\x24\x4d\x38\xed\xdb\x61\xb3\x17\x2a\x36\xe3\xd0\xcf\xb8\x19"), vid("\x01\x52\x8b\xbb\xc0\x06\x96\x12\x18\x49\xab\x9a\x1c\x5b\x2a\x51\x00\x00\x00\x02")},
		},
		{
			Name: IOS, Source: "https://docs.strongswan.org/docs/latest/interop/ios.html",
			IKE:  []string{"aes256-sha256-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp1536", "aes128-sha1-modp1024", "3des-sha1-modp1024"},
			ESP:  []string{"aes256-sha256-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp1536", "aes128-sha1-modp1024", "3des-sha1-modp1024"},
			Init: []wire.Payload{status(wire.NotifyRedirectSupported), fragments},
			Auth: []wire.Payload{contact, status(wire.NotifyMOBIKESupported), internal, noTFC, nonFirst},
		},
		{
			// Its CHILD SAs are renewed without a key exchange of their own.
			Name: MacOS, Source: "https://docs.strongswan.org/docs/latest/interop/ios.html",
			IKE:  []string{"aes256-sha256-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp1536", "aes128-sha1-modp1024", "3des-sha1-modp1024"},
			ESP:  []string{"aes256-sha256", "aes128-sha1", "3des-sha1"},
			Init: []wire.Payload{status(wire.NotifyRedirectSupported), fragments},
			Auth: []wire.Payload{contact, status(wire.NotifyMOBIKESupported), internal, noTFC, nonFirst},
		},
	}
}

// KnownAs finds one by its name.
func KnownAs(name string) Product {
	all := Known()
	i := slices.IndexFunc(all, func(p Product) bool { return p.Name == name })
	if i < 0 {
		panic("no product " + name)
	}
	return all[i]
}

// Offer makes proposals, numbered from 1, of strings. For ESP, spi goes into each, and without ke they have no groups, as in IKE_AUTH.
func Offer(protocol wire.ProtocolID, spi []byte, ke bool, list ...string) (out []wire.Proposal) {
	for i, s := range list {
		p := wire.Proposal{Number: uint8(i + 1), Protocol: protocol, SPI: spi}
		words := strings.Split(s, "-")
		prf := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "prf") })
		for _, w := range words {
			for _, x := range transforms(w) {
				switch {
				case x.Type == wire.TransformPRF && (protocol != wire.ProtocolIKE || prf && !strings.HasPrefix(w, "prf")):
				case x.Type == wire.TransformKE && protocol != wire.ProtocolIKE && !ke:
				case !slices.Contains(p.Transforms, x):
					p.Transforms = append(p.Transforms, x)
				}
			}
		}
		if protocol != wire.ProtocolIKE {
			p.Transforms = append(p.Transforms, wire.Transform{Type: wire.TransformESN, ID: wire.ESN_NONE})
		}
		slices.SortStableFunc(p.Transforms, func(a, b wire.Transform) int { return int(a.Type) - int(b.Type) })
		out = append(out, p)
	}
	return out
}

// transforms are what a word of a proposal stands for: a hash stands for an integrity algorithm and a PRF.
func transforms(w string) []wire.Transform {
	one := func(t wire.TransformType, id, bits uint16) []wire.Transform {
		return []wire.Transform{{Type: t, ID: id, KeyLength: bits}}
	}
	hash := func(integ, prf uint16) []wire.Transform {
		return []wire.Transform{{Type: wire.TransformINTEG, ID: integ}, {Type: wire.TransformPRF, ID: prf}}
	}
	switch w {
	case "3des":
		return one(wire.TransformENCR, wire.ENCR_3DES, 0)
	case "aes128":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 128)
	case "aes192":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 192)
	case "aes256":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 256)
	case "aes128gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 128)
	case "aes192gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 192)
	case "aes256gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 256)
	case "chacha20poly1305":
		return one(wire.TransformENCR, wire.ENCR_CHACHA20_POLY1305, 0)
	case "sha1":
		return hash(wire.AUTH_HMAC_SHA1_96, wire.PRF_HMAC_SHA1)
	case "sha256":
		return hash(wire.AUTH_HMAC_SHA2_256_128, wire.PRF_HMAC_SHA2_256)
	case "sha384":
		return hash(wire.AUTH_HMAC_SHA2_384_192, wire.PRF_HMAC_SHA2_384)
	case "sha512":
		return hash(wire.AUTH_HMAC_SHA2_512_256, wire.PRF_HMAC_SHA2_512)
	case "prfsha1":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA1, 0)
	case "prfsha256":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_256, 0)
	case "prfsha384":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_384, 0)
	case "prfsha512":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_512, 0)
	case "prfaesxcbc":
		return one(wire.TransformPRF, wire.PRF_AES128_XCBC, 0)
	case "prfaescmac":
		return one(wire.TransformPRF, wire.PRF_AES128_CMAC, 0)
	case "modp1024":
		return one(wire.TransformKE, wire.KE_MODP_1024, 0)
	case "modp1536":
		return one(wire.TransformKE, wire.KE_MODP_1536, 0)
	case "modp2048":
		return one(wire.TransformKE, wire.KE_MODP_2048, 0)
	case "modp3072":
		return one(wire.TransformKE, wire.KE_MODP_3072, 0)
	case "modp4096":
		return one(wire.TransformKE, wire.KE_MODP_4096, 0)
	case "ecp256":
		return one(wire.TransformKE, wire.KE_ECP_256, 0)
	case "ecp384":
		return one(wire.TransformKE, wire.KE_ECP_384, 0)
	case "ecp521":
		return one(wire.TransformKE, wire.KE_ECP_521, 0)
	case "x25519":
		return one(wire.TransformKE, wire.KE_CURVE25519, 0)
	}
	panic(fmt.Sprintf("no algorithm %q", w))
}

// Choose answers an offer as a responder does that goes by its own list and not by the order of the offer, as all of [Known] do: the first
// of takes that an offered proposal fits, and of each type the first of its own that was offered.
func Choose(takes, offered []wire.Proposal) (wire.Proposal, bool) {
	for _, own := range takes {
		for _, o := range offered {
			if x, ok := fit(own, o); ok {
				return x, true
			}
		}
	}
	return wire.Proposal{}, false
}

func fit(own, offered wire.Proposal) (wire.Proposal, bool) {
	out := wire.Proposal{Number: offered.Number, Protocol: own.Protocol, SPI: own.SPI}
	types := map[wire.TransformType]bool{}
	for _, x := range own.Transforms {
		if !types[x.Type] && slices.Contains(offered.Transforms, x) {
			types[x.Type] = true
			out.Transforms = append(out.Transforms, x)
		}
	}
	for _, list := range [][]wire.Transform{own.Transforms, offered.Transforms} {
		for _, x := range list {
			if !types[x.Type] {
				return wire.Proposal{}, false
			}
		}
	}
	return out, true
}

// GroupOf is the key exchange of a proposal: of several the first, as a sender of it takes it for its KE payload; 0 for none.
func GroupOf(p wire.Proposal) uint16 {
	for _, x := range p.Transforms {
		if x.Type == wire.TransformKE {
			return x.ID
		}
	}
	return wire.KE_NONE
}
