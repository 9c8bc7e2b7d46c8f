package swanctl

import (
	"slices"
	"strings"
)

// taken are the keys of strongswan.conf that are keys of ours as they are.
var taken = map[string][]string{
	"charon.port":                          {"ike", "port"},
	"charon.port_nat_t":                    {"ike", "port_nat_t"},
	"charon.retransmit_tries":              {"ike", "retransmit_tries"},
	"charon.retransmit_base":               {"ike", "retransmit_base"},
	"charon.retransmit_jitter":             {"ike", "retransmit_jitter"},
	"charon.cookie_threshold":              {"ike", "cookie_threshold"},
	"charon.cookie_threshold_ip":           {"ike", "cookie_threshold_ip"},
	"charon.make_before_break":             {"ike", "make_before_break"},
	"charon.follow_redirects":              {"ike", "follow_redirects"},
	"charon.fragment_size":                 {"ike", "fragment_size"},
	"charon.routing_table":                 {"ike", "routing_table"},
	"charon.plugins.socket-default.fwmark": {"ike", "fwmark"},
}

// neutral are keys that are not supported, or not needed, with the value of strongSwan's with which they change nothing.
var neutral = map[string]string{
	"charon.accept_private_algs":                                    "no",
	"charon.accept_unencrypted_mainmode_messages":                   "no",
	"charon.cache_crls":                                             "no",
	"charon.check_current_path":                                     "no",
	"charon.cisco_flexvpn":                                          "no",
	"charon.cisco_unity":                                            "no",
	"charon.close_ike_on_child_failure":                             "no",
	"charon.delete_rekeyed":                                         "no",
	"charon.dos_protection":                                         "yes",
	"charon.force_eap_only_authentication":                          "no",
	"charon.hash_and_url":                                           "no",
	"charon.i_dont_care_about_security_and_use_aggressive_mode_psk": "no",
	"charon.ignore_acquire_ts":                                      "no",
	"charon.inactivity_close_ike":                                   "no",
	"charon.init_limit_job_load":                                    "0",
	"charon.initiator_only":                                         "no",
	"charon.install_routes":                                         "yes",
	"charon.install_virtual_ip":                                     "yes",
	"charon.keep_alive_dpd_margin":                                  "0",
	"charon.plugins.kernel-netlink.mss":                             "0",
	"charon.plugins.kernel-netlink.mtu":                             "0",
	"charon.plugins.kernel-netlink.process_rules":                   "no",
	"charon.plugins.resolve.file":                                   "/etc/resolv.conf",
	"charon.plugins.revocation.enable_crl":                          "yes",
	"charon.plugins.revocation.enable_ocsp":                         "yes",
	"charon.plugins.revocation.timeout":                             "10",
	"charon.plugins.socket-default.set_source":                      "yes",
	"charon.plugins.socket-default.set_sourceif":                    "no",
	"charon.plugins.socket-default.use_ipv4":                        "yes",
	"charon.plugins.socket-default.use_ipv6":                        "yes",
	"charon.plugins.updown.dns_handler":                             "no",
	"charon.prefer_best_path":                                       "no",
	"charon.prefer_configured_proposals":                            "yes",
	"charon.prefer_temporary_addrs":                                 "no",
	"charon.process_route":                                          "yes",
	"charon.rdn_matching":                                           "strict",
	"charon.retry_initiate_interval":                                "0",
	"charon.reuse_ikesa":                                            "yes",
	"charon.routing_table_prio":                                     "220",
	"charon.signature_authentication":                               "yes",
	"charon.signature_authentication_constraints":                   "yes",
	"charon.user":                                                   "root",
	"charon.group":                                                  "root",
}

// elsewhere says what to write for keys that are something else here.
var elsewhere = map[string]string{
	"charon.cache_crls":                     "write cache_dir = \"/var/cache/esplanade\" into [credentials] of a file that is given with -c",
	"charon.plugins.save-keys.esp":          "in a laboratory, write save_keys = \"DIRECTORY\" into [debug] of a file that is given with -c",
	"charon.plugins.save-keys.ike":          "in a laboratory, write save_keys = \"DIRECTORY\" into [debug] of a file that is given with -c",
	"charon.plugins.revocation.enable_ocsp": "write revocation into the sections remote, or ocsp_uris into authorities",
	"charon.plugins.revocation.enable_crl":  "write revocation into the sections remote, or crl_uris into authorities",
	"charon.interfaces_use":                 "write local_addrs into the connections",
	"charon.interfaces_ignore":              "write local_addrs into the connections",
	"charon.user":                           "have the service manager start it as that user",
	"charon.group":                          "have the service manager start it in that group",
}

// inside are keys and sections about how strongSwan's process works within itself, what it is made of, and what it does for IKEv1. Whatever they say,
// nothing is to be taken over.
var inside = []string{
	"cert_cache", "crypto_test", "multiple_authentication", "rsa_pss", "send_vendor_id",
	"plugins.eap-tls", "plugins.eap-ttls.fragment_size", "plugins.eap-ttls.include_length", "plugins.eap-ttls.max_message_count", "plugins.eap-ttls.phase2_piggyback",
	"plugins.eap-peap.fragment_size", "plugins.eap-peap.include_length", "plugins.eap-peap.max_message_count", "plugins.eap-peap.phase2_piggyback", "delete_rekeyed_delay", "dh_exponent_ansi_x9_42", "dlopen_use_rtld_now", "flush_auth_cfg", "host_resolver", "ikesa_table_segments",
	"ikesa_table_size", "integrity_test", "leak_detective", "load", "load_modular", "max_ikev1_exchanges", "max_packet", "processor", "replay_window", "rsa_pss_trailerfield",
	"spi_label", "spi_mask", "spi_max", "spi_min", "threads", "x509", "imcv", "tnc",
	"plugins.aesni", "plugins.botan", "plugins.dnscert", "plugins.drbg", "plugins.gcrypt", "plugins.gmp", "plugins.openssl", "plugins.random", "plugins.rdrand", "plugins.wolfssl",
	"plugins.stroke", "plugins.counters", "plugins.curl", "plugins.pem", "plugins.pkcs8", "plugins.sqlite", "plugins.mysql", "plugins.test-vectors", "plugins.nonce",
	"plugins.kernel-netlink.buflen", "plugins.kernel-netlink.force_receive_buffer_size", "plugins.kernel-netlink.receive_buffer_size", "plugins.kernel-netlink.retries",
	"plugins.kernel-netlink.timeout", "plugins.kernel-netlink.parallel_route", "plugins.kernel-netlink.parallel_xfrm", "plugins.kernel-netlink.policy_update",
	"plugins.kernel-netlink.port_bypass", "plugins.kernel-netlink.roam_events", "plugins.kernel-netlink.set_proto_port_transport_sa", "plugins.kernel-netlink.spdh_thresh",
	"plugins.kernel-netlink.xfrm_acq_expires", "plugins.kernel-netlink.ignore_retransmit_errors", "plugins.kernel-netlink.hw_offload_feature_interface",
	"plugins.kernel-netlink.fwmark", "plugins.kernel-pfkey", "plugins.kernel-pfroute", "plugins.kernel-libipsec",
}

// ofTheProcess reports whether a key or section is one of inside. Whether a plugin is loaded is, too.
func ofTheProcess(name string) bool {
	short, ok := strings.CutPrefix(name, "charon.")
	if !ok {
		return false
	}
	if strings.HasPrefix(short, "plugins.") && strings.HasSuffix(short, ".load") && strings.Count(short, ".") == 2 {
		return true
	}
	return slices.Contains(inside, short)
}
