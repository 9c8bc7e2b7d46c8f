package peertest

import (
	"net/netip"

	"esplanade/ike/wire"
)

// Names of [Known] that are clients.
const (
	Windows      = "Windows 10 and 11"
	WindowsDH    = "Windows 10 and 11 with NegotiateDH2048_AES256 = 1"
	WindowsFixed = "Windows 10 and 11 as Set-VpnConnectionIPsecConfiguration sets them"
	IOS          = "iOS 16"
	MacOS        = "macOS 13"
	Apple        = "iOS 17 to 26, macOS 14 to 26"
	Android11    = "Android 11"
	Android      = "Android 12 to 16"
	AndroidApp   = "strongSwan for Android"
	NetManager   = "NetworkManager-strongswan"
)

// windowsIDs are the Vendor IDs of the client of Windows: "MS NT5 ISAKMPOAKLEY v9", "MS-Negotiation Discovery Capable",
// "Vid-Initial-Contact", and one that is not known by a name.
// https://docs.strongswan.org/docs/6.0/interop/windowsMachineServerStatus.html
func windowsIDs() []wire.Payload {
	return []wire.Payload{
		&wire.VendorID{Data: []byte("\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\x00\x00\x00\x09")},
		&wire.VendorID{Data: []byte("\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20")},
		&wire.VendorID{Data: []byte("\x26\x24\x4d\x38\xed\xdb\x61\xb3\x17\x2a\x36\xe3\xd0\xcf\xb8\x19")},
		&wire.VendorID{Data: []byte("\x01\x52\x8b\xbb\xc0\x06\x96\x12\x18\x49\xab\x9a\x1c\x5b\x2a\x51\x00\x00\x00\x02")},
	}
}

// attributes is a CFG_REQUEST for attributes.
func attributes(types ...wire.CfgAttrType) *wire.CP {
	p := &wire.CP{CfgType: wire.CfgRequest}
	for _, t := range types {
		p.Attributes = append(p.Attributes, wire.CfgAttr{Type: t})
	}
	return p
}

// clients are the VPN clients that systems come with, and the two of strongSwan.
func clients() []Product {
	status := func(t wire.NotifyType) wire.Payload { return &wire.Notify{NotifyType: t} }
	fqdn := func(s string) *wire.ID { return &wire.ID{IDType: wire.IDFQDN, Data: []byte(s)} }
	address := func(s string) *wire.ID {
		return &wire.ID{IDType: wire.IDIPv4Addr, Data: netip.MustParseAddr(s).AsSlice()}
	}
	fragments, mobike := status(wire.NotifyIKEv2FragmentationSupported), status(wire.NotifyMOBIKESupported)
	hashes := &wire.Notify{NotifyType: wire.NotifySignatureHashAlgorithms, Data: []byte{0, 2, 0, 3, 0, 4}}

	// "parsed IKE_AUTH request 1 [ IDi CERTREQ N(MOBIKE_SUP) CPRQ(ADDR DNS NBNS SRV ADDR6 DNS6 SRV6) SA TSi TSr ]": no IDr, the
	// address of its interface for an identity, and a hash for each of the CAs of its system.
	cas := make([]byte, 60*20)
	for i := range cas {
		cas[i] = byte(i / 20)
	}
	windows := Product{
		Source: "https://docs.strongswan.org/docs/6.0/interop/windowsClients.html", ID: address("192.168.0.17"),
		ESP:  []string{"aes256-sha1", "aes128-sha1", "3des-sha1", "des-sha1", "null-sha1"},
		Init: append([]wire.Payload{fragments}, windowsIDs()...),
		Auth: []wire.Payload{&wire.CertReq{Encoding: wire.CertX509Signature, Authorities: cas}, mobike, attributes(wire.CfgInternalIP4Address, wire.CfgInternalIP4DNS, wire.CfgInternalIP4NBNS, wire.CfgInternalIP4Server,
			wire.CfgInternalIP6Address, wire.CfgInternalIP6DNS, wire.CfgInternalIP6Server)},
	}
	defaults, dh, fixed := windows, windows, windows
	// https://github.com/trailofbits/algo/issues/9 has the list.
	defaults.Name, defaults.IKE = Windows, []string{"3des-sha1-modp1024", "3des-sha256-modp1024", "3des-sha384-modp1024", "aes128-sha1-modp1024", "aes128-sha256-modp1024",
		"aes128-sha384-modp1024", "aes192-sha1-modp1024", "aes192-sha256-modp1024", "aes192-sha384-modp1024", "aes256-sha1-modp1024", "aes256-sha256-modp1024",
		"aes256-sha384-modp1024", "aes128gcm16-prfsha1-modp1024", "aes128gcm16-prfsha256-modp1024", "aes128gcm16-prfsha384-modp1024",
		"aes256gcm16-prfsha1-modp1024", "aes256gcm16-prfsha256-modp1024", "aes256gcm16-prfsha384-modp1024"}
	dh.Name, dh.IKE = WindowsDH, []string{"aes256-sha1-modp2048", "aes256-sha256-modp2048", "aes256-sha384-modp2048"}
	fixed.Name, fixed.IKE, fixed.ESP = WindowsFixed, []string{"aes256gcm16-prfsha384-ecp384"}, []string{"aes256gcm16-ecp384"}

	// Of "parsed IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr CPRQ(ADDR MASK DHCP DNS ADDR6 DHCP6 DNS6 DOMAIN) N(ESP_TFC_PAD_N)
	// N(NON_FIRST_FRAG) SA TSi TSr N(MOBIKE_SUP) N(EAP_ONLY) ]".
	apple := Product{
		Source: "https://github.com/strongswan/strongswan/issues/2861", ID: fqdn("phone.example"), Asked: fqdn("vpn.example"),
		IKE: []string{"aes256gcm16-prfsha256-ecp256", "aes256gcm16-prfsha256-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp2048"},
		// https://github.com/libreswan/libreswan/issues/1450: the first exchange has each algorithm twice, since the groups are left out. A renewal has
		// what was chosen, with a group and without ("Opportunistic PFS").
		ESP:   []string{"aes256gcm16-ecp256", "aes256gcm16-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp2048"},
		Again: []string{"aes256gcm16-ecp256", "aes256gcm16"},
		Init:  []wire.Payload{status(wire.NotifyRedirectSupported), fragments},
		Auth: []wire.Payload{status(wire.NotifyInitialContact), attributes(wire.CfgInternalIP4Address, wire.CfgInternalIP4Netmask, wire.CfgInternalIP4DHCP,
			wire.CfgInternalIP4DNS, wire.CfgInternalIP6Address, wire.CfgInternalIP6DHCP, wire.CfgInternalIP6DNS, wire.CfgInternalDNSDomain),
			status(wire.NotifyESPTFCPaddingNotSupported), status(wire.NotifyNonFirstFragmentsAlso), mobike},
	}
	apple.Name = Apple
	ios, macos := apple, apple
	ios.Name, macos.Name = IOS, MacOS
	ios.Source, macos.Source = "https://docs.strongswan.org/docs/latest/interop/ios.html", "https://docs.strongswan.org/docs/latest/interop/ios.html"
	ios.IKE = []string{"aes256-sha256-modp2048", "aes256-sha256-ecp256", "aes256-sha256-modp1536", "aes128-sha1-modp1024", "3des-sha1-modp1024"}
	ios.ESP, ios.Again = ios.IKE, nil
	// Its CHILD SAs are renewed without a key exchange of their own.
	macos.IKE, macos.ESP, macos.Again = ios.IKE, []string{"aes256-sha256", "aes128-sha1", "3des-sha1"}, nil

	// https://github.com/strongswan/strongswan/issues/2189: "parsed IKE_AUTH request 1 [ IDi IDr SA TSi TSr CPRQ(ADDR ADDR6 DNS DNS6 MASK VER) ]".
	// The KE payload is of its first group, MODP_4096: https://github.com/strongswan/strongswan/issues/2833.
	const (
		androidPRF    = "-prfsha512-prfsha384-prfsha256-prfaesxcbc-prfaescmac-prfsha1"
		androidGroups = "-modp4096-x25519-modp3072-modp2048"
		androidGCM    = "aes256gcm16-aes256gcm12-aes256gcm8-aes192gcm16-aes192gcm12-aes192gcm8-aes128gcm16-aes128gcm12-aes128gcm8"
	)
	android := Product{
		Name: Android, ID: fqdn("phone.example"), Asked: fqdn("vpn.example"),
		Source: "https://github.com/aosp-mirror/platform_frameworks_base/blob/13629c130c63414e1f3cae1bc0171acbbbecfc41/services/core/java/com/android/server/connectivity/VpnIkev2Utils.java",
		IKE: []string{"aes256ctr-aes256-aes192ctr-aes192-aes128ctr-aes128-sha512-sha384-sha256-aesxcbc-aescmac" + androidPRF + androidGroups,
			"chacha20poly1305-" + androidGCM + androidPRF + androidGroups},
		ESP:  []string{"aes256ctr-aes256-aes192ctr-aes192-aes128ctr-aes128-sha512-sha384-sha256-aesxcbc-aescmac", "chacha20poly1305-" + androidGCM},
		Init: []wire.Payload{fragments, hashes},
		Auth: []wire.Payload{attributes(wire.CfgInternalIP4Address, wire.CfgInternalIP6Address, wire.CfgInternalIP4DNS, wire.CfgInternalIP6DNS,
			wire.CfgInternalIP4Netmask, wire.CfgApplicationVersion)},
	}
	android11 := android
	android11.Name, android11.ESP = Android11, []string{"aes256-aes192-aes128-sha512-sha384-sha256", androidGCM}

	// What libstrongswan proposes by default (proposal_create_default), with the plugins of each.
	const (
		swanPRF    = "-prfsha256-prfsha384-prfsha512-prfaesxcbc-prfsha1"
		swanGroups = "-x25519-ecp256-ecp384-ecp521-modp3072-modp4096-modp8192-modp2048"
	)
	swan := Product{
		IKE: []string{"aes128-aes192-aes256-sha256-sha384-sha512-sha1-aesxcbc" + swanPRF + swanGroups,
			"aes128gcm16-aes192gcm16-aes256gcm16-chacha20poly1305" + swanPRF + swanGroups},
		Init: []wire.Payload{fragments, hashes, status(wire.NotifyRedirectSupported)},
		Auth: []wire.Payload{status(wire.NotifyInitialContact), attributes(wire.CfgInternalIP4Address, wire.CfgInternalIP6Address, wire.CfgInternalIP4DNS, wire.CfgInternalIP6DNS),
			mobike, status(wire.NotifyNoAdditionalAddresses), status(wire.NotifyEAPOnlyAuthentication), status(wire.NotifyIKEv2MessageIDSyncSupported)},
	}
	app, nm := swan, swan
	app.Name, app.ID = AndroidApp, fqdn("carol")
	app.Source = "https://github.com/strongswan/strongswan/blob/02caec004c79772de2307bf162c2424b89cd10b2/src/frontends/android/app/src/main/jni/libandroidbridge/backend/android_service.c"
	app.ESP = []string{"aes256gcm16-aes128gcm16-chacha20poly1305-x25519-ecp384-ecp521-modp3072-modp4096-ecp256-modp8192",
		"aes256-aes192-aes128-sha384-sha256-sha512-sha1-x25519-ecp384-ecp521-modp3072-modp4096-ecp256-modp2048-modp8192",
		"aes256gcm16-aes128gcm16-chacha20poly1305", "aes256-aes192-aes128-sha384-sha256-sha512-sha1"}
	nm.Name, nm.ID = NetManager, fqdn("carol")
	nm.Source = "https://github.com/strongswan/strongswan/blob/04db34a3a748e74dc9199834cadad78e3c307fa3/src/charon-nm/nm/nm_service.c"
	nm.ESP = []string{"aes128-aes192-aes256-sha256-sha384-sha512-sha1-aesxcbc", "aes128gcm16-aes192gcm16-aes256gcm16"}

	return []Product{defaults, dh, fixed, ios, macos, apple, android11, android, app, nm}
}
