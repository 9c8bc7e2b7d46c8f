package wire

// String gives the name of the registry, "error notify" and the number for
// unnamed errors, "notify" and the number for unnamed status types.
func (t NotifyType) String() string {
	if name, _ := t.names(); name != "" {
		return name
	}
	if t.IsError() {
		return numbered("error notify", uint16(t))
	}
	return numbered("notify", uint16(t))
}

// Short gives the abbreviation used in message summaries, which are those that
// operators know from strongSwan's log where it has one: "NATD_S_IP".
func (t NotifyType) Short() string {
	if _, short := t.names(); short != "" {
		return short
	}
	return t.String()
}

// names gives the name and the abbreviation of a type, both empty if the type is
// not in the registry.
func (t NotifyType) names() (name, short string) {
	switch t {
	case NotifyUnsupportedCriticalPayload:
		return "UNSUPPORTED_CRITICAL_PAYLOAD", "CRIT"
	case NotifyInvalidIKESPI:
		return "INVALID_IKE_SPI", "INVAL_IKE_SPI"
	case NotifyInvalidMajorVersion:
		return "INVALID_MAJOR_VERSION", "INVAL_MAJOR"
	case NotifyInvalidSyntax:
		return "INVALID_SYNTAX", "INVAL_SYN"
	case NotifyInvalidMessageID:
		return "INVALID_MESSAGE_ID", "INVAL_MID"
	case NotifyInvalidSPI:
		return "INVALID_SPI", "INVAL_SPI"
	case NotifyNoProposalChosen:
		return "NO_PROPOSAL_CHOSEN", "NO_PROP"
	case NotifyInvalidKEPayload:
		return "INVALID_KE_PAYLOAD", "INVAL_KE"
	case NotifyAuthenticationFailed:
		return "AUTHENTICATION_FAILED", "AUTH_FAILED"
	case NotifySinglePairRequired:
		return "SINGLE_PAIR_REQUIRED", "SINGLE_PAIR"
	case NotifyNoAdditionalSAs:
		return "NO_ADDITIONAL_SAS", "NO_ADD_SAS"
	case NotifyInternalAddressFailure:
		return "INTERNAL_ADDRESS_FAILURE", "INT_ADDR_FAIL"
	case NotifyFailedCPRequired:
		return "FAILED_CP_REQUIRED", "FAIL_CP_REQ"
	case NotifyTSUnacceptable:
		return "TS_UNACCEPTABLE", "TS_UNACCEPT"
	case NotifyInvalidSelectors:
		return "INVALID_SELECTORS", "INVAL_SEL"
	case NotifyUnacceptableAddresses:
		return "UNACCEPTABLE_ADDRESSES", "UNACCEPT_ADDR"
	case NotifyUnexpectedNATDetected:
		return "UNEXPECTED_NAT_DETECTED", "UNEXPECT_NAT"
	case NotifyUseAssignedHoA:
		return "USE_ASSIGNED_HoA", "ASSIGNED_HoA"
	case NotifyTemporaryFailure:
		return "TEMPORARY_FAILURE", "TEMP_FAIL"
	case NotifyChildSANotFound:
		return "CHILD_SA_NOT_FOUND", "NO_CHILD_SA"
	case NotifyInvalidGroupID:
		return "INVALID_GROUP_ID", "INVAL_GROUP_ID"
	case NotifyAuthorizationFailed:
		return "AUTHORIZATION_FAILED", "AUTHZ_FAILED"
	case NotifyStateNotFound:
		return "STATE_NOT_FOUND", "STATE_NOT_FOUND"
	case NotifyTSMaxQueue:
		return "TS_MAX_QUEUE", "TS_MAX_QUEUE"
	case NotifyRegistrationFailed:
		return "REGISTRATION_FAILED", "REG_FAILED"
	case NotifyInitialContact:
		return "INITIAL_CONTACT", "INIT_CONTACT"
	case NotifySetWindowSize:
		return "SET_WINDOW_SIZE", "SET_WINSIZE"
	case NotifyAdditionalTSPossible:
		return "ADDITIONAL_TS_POSSIBLE", "ADD_TS_POSS"
	case NotifyIPCompSupported:
		return "IPCOMP_SUPPORTED", "IPCOMP_SUPP"
	case NotifyNATDetectionSourceIP:
		return "NAT_DETECTION_SOURCE_IP", "NATD_S_IP"
	case NotifyNATDetectionDestinationIP:
		return "NAT_DETECTION_DESTINATION_IP", "NATD_D_IP"
	case NotifyCookie:
		return "COOKIE", "COOKIE"
	case NotifyUseTransportMode:
		return "USE_TRANSPORT_MODE", "USE_TRANSP"
	case NotifyHTTPCertLookupSupported:
		return "HTTP_CERT_LOOKUP_SUPPORTED", "HTTP_CERT_LOOK"
	case NotifyRekeySA:
		return "REKEY_SA", "REKEY_SA"
	case NotifyESPTFCPaddingNotSupported:
		return "ESP_TFC_PADDING_NOT_SUPPORTED", "ESP_TFC_PAD_N"
	case NotifyNonFirstFragmentsAlso:
		return "NON_FIRST_FRAGMENTS_ALSO", "NON_FIRST_FRAG"
	case NotifyMOBIKESupported:
		return "MOBIKE_SUPPORTED", "MOBIKE_SUP"
	case NotifyAdditionalIP4Address:
		return "ADDITIONAL_IP4_ADDRESS", "ADD_4_ADDR"
	case NotifyAdditionalIP6Address:
		return "ADDITIONAL_IP6_ADDRESS", "ADD_6_ADDR"
	case NotifyNoAdditionalAddresses:
		return "NO_ADDITIONAL_ADDRESSES", "NO_ADD_ADDR"
	case NotifyUpdateSAAddresses:
		return "UPDATE_SA_ADDRESSES", "UPD_SA_ADDR"
	case NotifyCookie2:
		return "COOKIE2", "COOKIE2"
	case NotifyNoNATsAllowed:
		return "NO_NATS_ALLOWED", "NO_NATS"
	case NotifyAuthLifetime:
		return "AUTH_LIFETIME", "AUTH_LFT"
	case NotifyMultipleAuthSupported:
		return "MULTIPLE_AUTH_SUPPORTED", "MULT_AUTH"
	case NotifyAnotherAuthFollows:
		return "ANOTHER_AUTH_FOLLOWS", "AUTH_FOLLOWS"
	case NotifyRedirectSupported:
		return "REDIRECT_SUPPORTED", "REDIR_SUP"
	case NotifyRedirect:
		return "REDIRECT", "REDIR"
	case NotifyRedirectedFrom:
		return "REDIRECTED_FROM", "REDIR_FROM"
	case NotifyTicketLTOpaque:
		return "TICKET_LT_OPAQUE", "TKT_LT_OPAQUE"
	case NotifyTicketRequest:
		return "TICKET_REQUEST", "TKT_REQ"
	case NotifyTicketAck:
		return "TICKET_ACK", "TKT_ACK"
	case NotifyTicketNack:
		return "TICKET_NACK", "TKT_NACK"
	case NotifyTicketOpaque:
		return "TICKET_OPAQUE", "TKT_OPAQUE"
	case NotifyLinkID:
		return "LINK_ID", "LINK_ID"
	case NotifyUseWESPMode:
		return "USE_WESP_MODE", "WESP_MODE"
	case NotifyROHCSupported:
		return "ROHC_SUPPORTED", "ROHC_SUP"
	case NotifyEAPOnlyAuthentication:
		return "EAP_ONLY_AUTHENTICATION", "EAP_ONLY"
	case NotifyChildlessIKEv2Supported:
		return "CHILDLESS_IKEV2_SUPPORTED", "CHDLESS_SUP"
	case NotifyQuickCrashDetection:
		return "QUICK_CRASH_DETECTION", "CRASH_DET"
	case NotifyIKEv2MessageIDSyncSupported:
		return "IKEV2_MESSAGE_ID_SYNC_SUPPORTED", "MSG_ID_SYN_SUP"
	case NotifyIPsecReplayCounterSyncSupported:
		return "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED", "RPL_CTR_SYN_SUP"
	case NotifyIKEv2MessageIDSync:
		return "IKEV2_MESSAGE_ID_SYNC", "MSG_ID_SYN"
	case NotifyIPsecReplayCounterSync:
		return "IPSEC_REPLAY_COUNTER_SYNC", "RPL_CTR_SYN"
	case NotifySecurePasswordMethods:
		return "SECURE_PASSWORD_METHODS", "SEC_PASSWD"
	case NotifyPSKPersist:
		return "PSK_PERSIST", "PSK_PST"
	case NotifyPSKConfirm:
		return "PSK_CONFIRM", "PSK_CFM"
	case NotifyERXSupported:
		return "ERX_SUPPORTED", "ERX_SUP"
	case NotifyIFOMCapability:
		return "IFOM_CAPABILITY", "IFOM_CAP"
	case NotifyGroupSender:
		return "GROUP_SENDER", "GROUP_SENDER"
	case NotifyIKEv2FragmentationSupported:
		return "IKEV2_FRAGMENTATION_SUPPORTED", "FRAG_SUP"
	case NotifySignatureHashAlgorithms:
		return "SIGNATURE_HASH_ALGORITHMS", "HASH_ALG"
	case NotifyCloneIKESASupported:
		return "CLONE_IKE_SA_SUPPORTED", "CLONE_SA_SUP"
	case NotifyCloneIKESA:
		return "CLONE_IKE_SA", "CLONE_SA"
	case NotifyPuzzle:
		return "PUZZLE", "PUZZLE"
	case NotifyUsePPK:
		return "USE_PPK", "USE_PPK"
	case NotifyPPKIdentity:
		return "PPK_IDENTITY", "PPK_ID"
	case NotifyNoPPKAuth:
		return "NO_PPK_AUTH", "NO_PPK"
	case NotifyIntermediateExchangeSupported:
		return "INTERMEDIATE_EXCHANGE_SUPPORTED", "INTERMED_SUP"
	case NotifyIP4Allowed:
		return "IP4_ALLOWED", "IP4_ALLOWED"
	case NotifyIP6Allowed:
		return "IP6_ALLOWED", "IP6_ALLOWED"
	case NotifyAdditionalKeyExchange:
		return "ADDITIONAL_KEY_EXCHANGE", "ADD_KE"
	case NotifyUseAGGFRAG:
		return "USE_AGGFRAG", "USE_AGGFRAG"
	case NotifySupportedAuthMethods:
		return "SUPPORTED_AUTH_METHODS", "AUTH_METHODS"
	case NotifySAResourceInfo:
		return "SA_RESOURCE_INFO", "SA_RESOURCE"
	case NotifyUsePPKInt:
		return "USE_PPK_INT", "USE_PPK_INT"
	case NotifyPPKIdentityKey:
		return "PPK_IDENTITY_KEY", "PPK_ID_KEY"
	case NotifyIKESAInitFullTranscriptAuth:
		return "IKE_SA_INIT_FULL_TRANSCRIPT_AUTH", "INIT_FULL_AUTH"
	}
	return "", ""
}
