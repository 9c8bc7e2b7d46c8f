package peertest

import (
	"slices"

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
	// Again is what it offers when it renews a CHILD SA, if that is not ESP.
	Again []string
	// ID is the identity of a client, nil for that of the test. Asked is the identity that it asks the gateway for (IDr), nil if it asks for none.
	ID, Asked *wire.ID
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
	return append([]Product{
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
	}, clients()...)
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
