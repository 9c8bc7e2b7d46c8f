package wire

// Configuration, from
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml.

// CfgType is the type of a Configuration payload.
type CfgType uint8

// IKEv2 Configuration Payload CFG Types.
const (
	CfgRequest CfgType = 1
	CfgReply   CfgType = 2
	CfgSet     CfgType = 3
	CfgAck     CfgType = 4
)

// String gives the name of the registry, or "CFG type" and the number.
func (t CfgType) String() string {
	switch t {
	case CfgRequest:
		return "CFG_REQUEST"
	case CfgReply:
		return "CFG_REPLY"
	case CfgSet:
		return "CFG_SET"
	case CfgAck:
		return "CFG_ACK"
	}
	return numbered("CFG type", uint16(t))
}

// CfgAttrType is the type of a configuration attribute, 15 bits.
type CfgAttrType uint16

// IKEv2 Configuration Payload Attribute Types.
const (
	CfgInternalIP4Address            CfgAttrType = 1
	CfgInternalIP4Netmask            CfgAttrType = 2
	CfgInternalIP4DNS                CfgAttrType = 3
	CfgInternalIP4NBNS               CfgAttrType = 4
	CfgInternalIP4DHCP               CfgAttrType = 6
	CfgApplicationVersion            CfgAttrType = 7
	CfgInternalIP6Address            CfgAttrType = 8
	CfgInternalIP6DNS                CfgAttrType = 10
	CfgInternalIP6DHCP               CfgAttrType = 12
	CfgInternalIP4Subnet             CfgAttrType = 13
	CfgSupportedAttributes           CfgAttrType = 14
	CfgInternalIP6Subnet             CfgAttrType = 15
	CfgMIP6HomePrefix                CfgAttrType = 16    // RFC 5026
	CfgInternalIP6Link               CfgAttrType = 17    // RFC 5739
	CfgInternalIP6Prefix             CfgAttrType = 18    // RFC 5739
	CfgHomeAgentAddress              CfgAttrType = 19    // 3GPP TS 24.302
	CfgPCSCFIP4Address               CfgAttrType = 20    // RFC 7651
	CfgPCSCFIP6Address               CfgAttrType = 21    // RFC 7651
	CfgFTTKAT                        CfgAttrType = 22    // 3GPP TS 24.302
	CfgExternalSourceIP4NATInfo      CfgAttrType = 23    // 3GPP TS 24.302
	CfgTimeoutPeriodForLivenessCheck CfgAttrType = 24    // 3GPP TS 24.302
	CfgInternalDNSDomain             CfgAttrType = 25    // RFC 8598
	CfgInternalDNSSECTA              CfgAttrType = 26    // RFC 8598
	CfgENCDNSIP4                     CfgAttrType = 27    // RFC 9464
	CfgENCDNSIP6                     CfgAttrType = 28    // RFC 9464
	CfgENCDNSDigestInfo              CfgAttrType = 29    // RFC 9464
	CfgInternalIP4Server             CfgAttrType = 23456 // private use, Microsoft
	CfgInternalIP6Server             CfgAttrType = 23457 // private use, Microsoft
	CfgUnityBanner                   CfgAttrType = 28672 // private use, Cisco Unity, as are those below
	CfgUnitySavePassword             CfgAttrType = 28673
	CfgUnityDefDomain                CfgAttrType = 28674
	CfgUnitySplitDNSName             CfgAttrType = 28675
	CfgUnitySplitInclude             CfgAttrType = 28676
	CfgUnityNATTPort                 CfgAttrType = 28677
	CfgUnityLocalLAN                 CfgAttrType = 28678
	CfgUnityPFS                      CfgAttrType = 28679
	CfgUnityFWType                   CfgAttrType = 28680
	CfgUnityBackupServers            CfgAttrType = 28681
	CfgUnityDDNSHostname             CfgAttrType = 28682
)

// String gives the name of the registry, or "attribute" and the number.
func (t CfgAttrType) String() string {
	if name, _ := t.names(); name != "" {
		return name
	}
	return numbered("attribute", uint16(t))
}

// Short gives the abbreviation used in message summaries: "ADDR", "DNS6".
func (t CfgAttrType) Short() string {
	if _, short := t.names(); short != "" {
		return short
	}
	return t.String()
}

// names gives the name and the abbreviation of a type, both empty if the type is
// not in the registry.
func (t CfgAttrType) names() (name, short string) {
	switch t {
	case CfgInternalIP4Address:
		return "INTERNAL_IP4_ADDRESS", "ADDR"
	case CfgInternalIP4Netmask:
		return "INTERNAL_IP4_NETMASK", "MASK"
	case CfgInternalIP4DNS:
		return "INTERNAL_IP4_DNS", "DNS"
	case CfgInternalIP4NBNS:
		return "INTERNAL_IP4_NBNS", "NBNS"
	case CfgInternalIP4DHCP:
		return "INTERNAL_IP4_DHCP", "DHCP"
	case CfgApplicationVersion:
		return "APPLICATION_VERSION", "VER"
	case CfgInternalIP6Address:
		return "INTERNAL_IP6_ADDRESS", "ADDR6"
	case CfgInternalIP6DNS:
		return "INTERNAL_IP6_DNS", "DNS6"
	case CfgInternalIP6DHCP:
		return "INTERNAL_IP6_DHCP", "DHCP6"
	case CfgInternalIP4Subnet:
		return "INTERNAL_IP4_SUBNET", "SUBNET"
	case CfgSupportedAttributes:
		return "SUPPORTED_ATTRIBUTES", "SUP"
	case CfgInternalIP6Subnet:
		return "INTERNAL_IP6_SUBNET", "SUBNET6"
	case CfgMIP6HomePrefix:
		return "MIP6_HOME_PREFIX", "MIP6HPFX"
	case CfgInternalIP6Link:
		return "INTERNAL_IP6_LINK", "LINK6"
	case CfgInternalIP6Prefix:
		return "INTERNAL_IP6_PREFIX", "PFX6"
	case CfgHomeAgentAddress:
		return "HOME_AGENT_ADDRESS", "HOA"
	case CfgPCSCFIP4Address:
		return "P_CSCF_IP4_ADDRESS", "PCSCF4"
	case CfgPCSCFIP6Address:
		return "P_CSCF_IP6_ADDRESS", "PCSCF6"
	case CfgFTTKAT:
		return "FTT_KAT", "FTT_KAT"
	case CfgExternalSourceIP4NATInfo:
		return "EXTERNAL_SOURCE_IP4_NAT_INFO", "EXT_SRC4"
	case CfgTimeoutPeriodForLivenessCheck:
		return "TIMEOUT_PERIOD_FOR_LIVENESS_CHECK", "LIVENESS"
	case CfgInternalDNSDomain:
		return "INTERNAL_DNS_DOMAIN", "DOMAIN"
	case CfgInternalDNSSECTA:
		return "INTERNAL_DNSSEC_TA", "TA"
	case CfgENCDNSIP4:
		return "ENCDNS_IP4", "ENCDNS4"
	case CfgENCDNSIP6:
		return "ENCDNS_IP6", "ENCDNS6"
	case CfgENCDNSDigestInfo:
		return "ENCDNS_DIGEST_INFO", "ENCDNS_DIG"
	case CfgInternalIP4Server:
		return "INTERNAL_IP4_SERVER", "SRV"
	case CfgInternalIP6Server:
		return "INTERNAL_IP6_SERVER", "SRV6"
	case CfgUnityBanner:
		return "UNITY_BANNER", "U_BANNER"
	case CfgUnitySavePassword:
		return "UNITY_SAVE_PASSWD", "U_SAVEPWD"
	case CfgUnityDefDomain:
		return "UNITY_DEF_DOMAIN", "U_DEFDOM"
	case CfgUnitySplitDNSName:
		return "UNITY_SPLITDNS_NAME", "U_SPLITDNS"
	case CfgUnitySplitInclude:
		return "UNITY_SPLIT_INCLUDE", "U_SPLITINC"
	case CfgUnityNATTPort:
		return "UNITY_NATT_PORT", "U_NATTPORT"
	case CfgUnityLocalLAN:
		return "UNITY_LOCAL_LAN", "U_LOCALLAN"
	case CfgUnityPFS:
		return "UNITY_PFS", "U_PFS"
	case CfgUnityFWType:
		return "UNITY_FW_TYPE", "U_FWTYPE"
	case CfgUnityBackupServers:
		return "UNITY_BACKUP_SERVERS", "U_BKPSRV"
	case CfgUnityDDNSHostname:
		return "UNITY_DDNS_HOSTNAME", "U_DDNSHOST"
	}
	return "", ""
}
