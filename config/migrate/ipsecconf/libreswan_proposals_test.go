package ipsecconf

import (
	"slices"
	"strings"
	"testing"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// What libreswan's own "ipsec algparse -v2" (4.10) makes of proposals, and what they are here. A later version has other groups first.
func TestLibreswanProposals(t *testing.T) {
	const groups = "-ecp256-ecp384-ecp521-x25519-modp4096-modp3072-modp2048-modp8192"
	pfs := []string{"ecp256"}
	for _, c := range []struct {
		written string
		pfs     []string
		theirs  string // what algparse says
		ours    string
	}{
		{"ike=aes256-sha2,aes128-sha2", nil, "AES_CBC_256-HMAC_SHA2_256-MODP2048+… AES_CBC_128-HMAC_SHA2_256-MODP2048+…", "aes256-sha256" + groups + " aes128-sha256" + groups},
		{"ike=aes_gcm256-sha2_256;dh19", nil, "AES_GCM_16_256-HMAC_SHA2_256-DH19", "aes256gcm16-prfsha256-ecp256"},
		{"ike=aes-sha1", nil, "AES_CBC-HMAC_SHA1-MODP2048+…", "aes256-aes128-sha1" + groups},
		{"ike=aes_gcm256", nil, "AES_GCM_16_256-HMAC_SHA2_512+HMAC_SHA2_256-MODP2048+…", "aes256gcm16-prfsha512-prfsha256" + groups},
		{"ike=aes256", nil, "AES_CBC_256-HMAC_SHA2_512+HMAC_SHA2_256-MODP2048+…", "aes256-sha512-sha256" + groups},
		{"ike=aes_gcm_c_256-hmac_sha2_256-ecp_256", nil, "AES_GCM_16_256-HMAC_SHA2_256-DH19", "aes256gcm16-prfsha256-ecp256"},
		{"ike=aes256-sha2+sha1-dh19+dh20", nil, "AES_CBC_256-HMAC_SHA2_256+HMAC_SHA1-DH19+DH20", "aes256-sha256-sha1-ecp256-ecp384"},
		{"ike=aes_256-sha2", nil, "AES_CBC_256-HMAC_SHA2_256-MODP2048+…", "aes256-sha256" + groups},
		{"ike=aes256-sha2-dh5", nil, "AES_CBC_256-HMAC_SHA2_256-MODP1536", "aes256-sha256-modp1536"},
		{"ike=aes256-sha2_512;modp2048,aes128-sha1;modp1536", nil, "AES_CBC_256-HMAC_SHA2_512-MODP2048 AES_CBC_128-HMAC_SHA1-MODP1536", "aes256-sha512-modp2048 aes128-sha1-modp1536"},
		{"ike=aes_ctr256-sha2;dh20", nil, "AES_CTR_256-HMAC_SHA2_256-DH20", "aes256ctr-sha256-ecp384"},
		{"esp=aes-sha1", nil, "AES_CBC-HMAC_SHA1_96", "aes128-aes256-sha1"},
		{"esp=aes_gcm-null", nil, "AES_GCM_16-NONE", "aes128gcm16-aes256gcm16"},
		{"esp=aes_gcm_c256", nil, "AES_GCM_16_256-NONE", "aes256gcm16"},
		{"esp=aes256", nil, "AES_CBC_256-HMAC_SHA2_512_256+HMAC_SHA2_256_128", "aes256-sha512-sha256"},
		{"esp=aes256-sha2_512+sha2_256", nil, "AES_CBC_256-HMAC_SHA2_512_256+HMAC_SHA2_256_128", "aes256-sha512-sha256"},
		{"esp=chacha20_poly1305", nil, "CHACHA20_POLY1305-NONE", "chacha20poly1305"},
		{"esp=aes128-sha2_256-dh14", nil, "ignoring ESP DH algorithm MODP2048 as PFS policy is disabled: AES_CBC_128-HMAC_SHA2_256_128", "aes128-sha256"},
		{"esp=aes128-sha2_256-dh14", pfs, "AES_CBC_128-HMAC_SHA2_256_128-MODP2048", "aes128-sha256-modp2048"},
		{"esp=aes128-sha2_256", pfs, "the group of IKE", "aes128-sha256-ecp256"},
		{"esp=aes_gcm256;dh0", pfs, "AES_GCM_16_256-NONE", "aes256gcm16-none"},
		{"ike=3des-sha1", nil, "3DES_CBC-HMAC_SHA1-MODP2048+…", `there is no "3des" here`},
		{"esp=aes_ccm", nil, "AES_CCM_16-NONE", `there is no "aes_ccm" here`},
		{"esp=camellia", nil, "CAMELLIA_CBC-…", `there is no "camellia" here`},
		{"esp=null-sha1", nil, "NULL-HMAC_SHA1_96", "there is no ESP without encryption here"},
		{"ike=aes256gcm16-sha256", nil, "ERROR: IKE encryption algorithm 'aes256gcm16' is not recognized", `there is no "aes256gcm16" here`},
		{"ike=aes256-sha256;modp2048s256", nil, "ERROR: IKE DH algorithm 'modp2048s256' is not recognized", `there is no "modp2048s256" here`},
	} {
		key, value, _ := strings.Cut(c.written, "=")
		protocol := wire.ProtocolIKE
		if key == "esp" {
			protocol = wire.ProtocolESP
		}
		list, open := libreswanProposals(c.pfs, "")(protocol, value)
		var got []string
		for _, w := range list {
			if w.why != "" {
				got = append(got, w.why)
				continue
			}
			got = append(got, w.ours)
			if _, err := proposal.ParseList(protocol, []string{w.ours}); err != nil {
				t.Errorf("%s: %v", c.written, err)
			}
		}
		if s := strings.Join(got, " "); s != c.ours || open {
			t.Errorf("%s: %q, %t, want %q; libreswan: %s", c.written, s, open, c.ours, c.theirs)
		}
	}
}

func TestStrongSwanProposals(t *testing.T) {
	for _, c := range []struct {
		protocol wire.ProtocolID
		value    string
		want     []string
		open     bool
	}{
		{wire.ProtocolIKE, "aes256-sha256-modp2048!", []string{"aes256-sha256-modp2048"}, false},
		{wire.ProtocolIKE, "aes256-sha256-modp2048 , aes128-sha1-modp2048", []string{"aes256-sha256-modp2048", "aes128-sha1-modp2048"}, true},
		{wire.ProtocolIKE, "aes256gcm16-aes128gcm16-sha384-sha256-ecp384!", []string{"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384"}, false},
		{wire.ProtocolIKE, "aes256gcm16-prfsha512-sha256-ecp384!", []string{"aes256gcm16-prfsha512-ecp384"}, false},
		{wire.ProtocolESP, "aes256gcm16-sha256-ecp384!", []string{"aes256gcm16-ecp384"}, false},
		{wire.ProtocolESP, "chacha20poly1305-sha1", []string{"chacha20poly1305"}, true},
		{wire.ProtocolESP, "aes128-sha256!", []string{"aes128-sha256"}, false},
	} {
		list, open := strongSwanProposals(c.protocol, c.value)
		var got []string
		for _, w := range list {
			got = append(got, w.ours)
		}
		if !slices.Equal(got, c.want) || open != c.open {
			t.Errorf("%q: %q, %t", c.value, got, open)
		}
	}
}
