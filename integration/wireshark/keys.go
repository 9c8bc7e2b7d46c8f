package wireshark

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// IKEKeys are the keys of one IKE SA as a line of ikev2_decryption_table has them. Encr and Integ are the names
// that Wireshark's preferences dialogue shows.
type IKEKeys struct {
	SPIi, SPIr uint64
	EncrI      []byte // SK_ei, with an AEAD's salt behind the key
	EncrR      []byte
	Encr       string
	IntegI     []byte // empty with an AEAD
	IntegR     []byte
	Integ      string
}

// ESPKeys are the keys of one ESP SA (one direction) as a line of esp_sa has them.
type ESPKeys struct {
	Src, Dst string // outer addresses
	SPI      uint32
	Encr     string
	EncrKey  []byte // with an AEAD's or CTR's salt behind the key
	Integ    string
	IntegKey []byte
}

// Keys is everything needed to decrypt a capture.
type Keys struct {
	IKE []IKEKeys
	ESP []ESPKeys
}

// The files that Wireshark reads from its profile directory.
const (
	IKETable = "ikev2_decryption_table"
	ESPTable = "esp_sa"
)

// Write makes dir a Wireshark profile with these keys. Only the owner may read the files.
func (k Keys) Write(dir string) error {
	var ike, esp strings.Builder
	for _, s := range k.IKE {
		fmt.Fprintf(&ike, "%016x,%016x,%x,%x,%q,%x,%x,%q\n", s.SPIi, s.SPIr, s.EncrI, s.EncrR, s.Encr, s.IntegI, s.IntegR, s.Integ)
	}
	for _, s := range k.ESP {
		family := "IPv4"
		if strings.Contains(s.Src, ":") {
			family = "IPv6"
		}
		fmt.Fprintf(&esp, "%q,%q,%q,\"0x%08x\",%q,\"0x%x\",%q,\"0x%x\"\n", family, s.Src, s.Dst, s.SPI, s.Encr, s.EncrKey, s.Integ, s.IntegKey)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, IKETable), []byte(ike.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ESPTable), []byte(esp.String()), 0o600)
}

// suite is how Wireshark names the algorithms of a proposal; key sizes are part of the name in IKE and of the key
// in ESP.
type suite struct{ encr, integ string }

// ikeSuite turns "AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384" into Wireshark's names.
func ikeSuite(proposal string) (suite, error) {
	s := suite{integ: "NONE [RFC4306]"}
	for _, alg := range strings.Split(proposal, "/") {
		switch {
		case strings.HasPrefix(alg, "AES_GCM_"):
			var icv, bits int
			if _, err := fmt.Sscanf(alg, "AES_GCM_%d_%d", &icv, &bits); err != nil {
				return s, fmt.Errorf("%s: %w", alg, err)
			}
			s.encr = fmt.Sprintf("AES-GCM-%d with %d octet ICV [RFC5282]", bits, icv)
		case strings.HasPrefix(alg, "AES_CBC_"):
			s.encr = "AES-CBC-" + strings.TrimPrefix(alg, "AES_CBC_") + " [RFC3602]"
		case alg == "HMAC_SHA1_96":
			s.integ = "HMAC_SHA1_96 [RFC2404]"
		case strings.HasPrefix(alg, "HMAC_SHA2_"):
			s.integ = alg + " [RFC4868]"
		}
	}
	if s.encr == "" {
		return s, fmt.Errorf("cannot decrypt IKE in Wireshark with %s", proposal)
	}
	return s, nil
}

// espSuite does the same for an ESP proposal. With an AEAD the integrity algorithm must be "NULL": Wireshark 4
// then checks the AEAD's own ICV; with "ANY 128 bit authentication" it refuses to decrypt, and with the plain
// "AES-GCM [RFC4106]" it takes the ICV for data.
func espSuite(proposal string) (suite, error) {
	s := suite{integ: "NULL"}
	for _, alg := range strings.Split(proposal, "/") {
		switch {
		case strings.HasPrefix(alg, "AES_GCM_"):
			icv, _, _ := strings.Cut(strings.TrimPrefix(alg, "AES_GCM_"), "_")
			s.encr = "AES-GCM with " + icv + " octet ICV [RFC4106]"
		case strings.HasPrefix(alg, "AES_CBC_"):
			s.encr = "AES-CBC [RFC3602]"
		case alg == "HMAC_SHA1_96":
			s.integ = "HMAC-SHA-1-96 [RFC2404]"
		case strings.HasPrefix(alg, "HMAC_SHA2_"):
			s.integ = "HMAC-SHA-" + strings.ReplaceAll(strings.TrimPrefix(alg, "HMAC_SHA2_"), "_", "-") + " [RFC4868]"
		}
	}
	if s.encr == "" {
		return s, fmt.Errorf("cannot decrypt ESP in Wireshark with %s", proposal)
	}
	return s, nil
}
