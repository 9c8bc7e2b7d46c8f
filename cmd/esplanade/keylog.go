package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"esplanade/config"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// keyLog writes the keys of all SAs as Wireshark reads them from its profile directory, so that a capture made in a
// laboratory can be decrypted. Whoever can read the files can read the traffic: they are for their owner only, and a
// gateway that writes them says so in its log.
type keyLog struct {
	log      *slog.Logger
	mu       sync.Mutex
	ike, esp *os.File
}

// The files of a Wireshark profile.
const (
	ikeTable = "ikev2_decryption_table"
	espTable = "esp_sa"
)

func newKeyLog(dir string, log *slog.Logger) (*keyLog, error) {
	if err := config.MakePrivateDir(dir); err != nil {
		return nil, fmt.Errorf("debug.save_keys: %w", err)
	}
	k := &keyLog{log: log}
	for _, f := range []struct {
		name string
		file **os.File
	}{{ikeTable, &k.ike}, {espTable, &k.esp}} {
		var err error
		if *f.file, err = config.OpenPrivateAppend(filepath.Join(dir, f.name)); err != nil {
			if k.ike != nil {
				k.ike.Close()
			}
			return nil, fmt.Errorf("debug.save_keys: %w", err)
		}
	}
	log.Warn("KEYS ARE BEING SAVED: whoever reads these files can read all traffic; remove debug.save_keys outside a laboratory", "dir", dir)
	return k, nil
}

// close closes the files. It is for after the daemon has ended.
func (k *keyLog) close() {
	for _, f := range []*os.File{k.ike, k.esp} {
		if err := f.Close(); err != nil {
			k.log.Error("cannot save keys", "error", err)
		}
	}
}

func (k *keyLog) write(f *os.File, line string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := f.WriteString(line); err != nil {
		k.log.Error("cannot save keys", "error", err)
	}
}

// Observe implements gateway.Observer. What does not concern keys is ignored.
func (k *keyLog) Observe(e ikegw.Event) {
	switch e := e.(type) {
	case ikegw.IKEKeys:
		k.ikeKeys(e)
	case ikegw.ChildKeys:
		k.childKeys(e.Child)
	}
}

func (k *keyLog) ikeKeys(e ikegw.IKEKeys) {
	encr, integ := wiresharkIKE(e.SA)
	if encr == "" {
		k.log.Warn("Wireshark has no name for the IKE cipher, its keys are not saved", "proposal", e.SA.Chosen.String())
		return
	}
	keys := e.Keys
	k.write(k.ike, fmt.Sprintf("%016x,%016x,%x,%x,%q,%x,%x,%q\n", uint64(e.SPIi), uint64(e.SPIr), keys.Ei, keys.Er, encr, keys.Ai, keys.Ar, integ))
}

func (k *keyLog) childKeys(c *sa.Child) {
	encr, integ := wiresharkESP(c)
	if encr == "" {
		k.log.Warn("Wireshark has no name for the ESP cipher, its keys are not saved", "proposal", c.Chosen.String())
		return
	}
	family := "IPv4"
	if c.Path.Local.Addr().Is6() {
		family = "IPv6"
	}
	local, remote := c.Path.Local.Addr(), c.Path.Remote.Addr()
	line := func(src, dst any, spi uint32, ek, ik []byte) string {
		return fmt.Sprintf("%q,\"%v\",\"%v\",\"0x%08x\",%q,\"0x%x\",%q,\"0x%x\"\n", family, src, dst, spi, encr, ek, integ, ik)
	}
	k.write(k.esp, line(remote, local, c.Inbound.SPI, c.Inbound.EncrKey, c.Inbound.IntegKey)+
		line(local, remote, c.Outbound.SPI, c.Outbound.EncrKey, c.Outbound.IntegKey))
}

// icvOctets is the length of an AES-GCM ICV.
func icvOctets(encr uint16) int {
	switch encr {
	case wire.ENCR_AES_GCM_8:
		return 8
	case wire.ENCR_AES_GCM_12:
		return 12
	case wire.ENCR_AES_GCM_16:
		return 16
	}
	return 0
}

// wiresharkIKE names the algorithms of an IKE SA as Wireshark's preferences do; empty when it has no name for them.
func wiresharkIKE(s sa.Snapshot) (encr, integ string) {
	integ = "NONE [RFC4306]"
	if n := icvOctets(s.Chosen.Encr.ID); n > 0 {
		return fmt.Sprintf("AES-GCM-%d with %d octet ICV [RFC5282]", s.Chosen.Encr.KeyLength, n), integ
	}
	if s.Chosen.Encr.ID != wire.ENCR_AES_CBC {
		return "", ""
	}
	encr = fmt.Sprintf("AES-CBC-%d [RFC3602]", s.Chosen.Encr.KeyLength)
	switch s.Chosen.Integ {
	case wire.AUTH_HMAC_SHA1_96:
		integ = "HMAC_SHA1_96 [RFC2404]"
	case wire.AUTH_HMAC_SHA2_256_128:
		integ = "HMAC_SHA2_256_128 [RFC4868]"
	case wire.AUTH_HMAC_SHA2_384_192:
		integ = "HMAC_SHA2_384_192 [RFC4868]"
	case wire.AUTH_HMAC_SHA2_512_256:
		integ = "HMAC_SHA2_512_256 [RFC4868]"
	default:
		return "", ""
	}
	return encr, integ
}

// wiresharkESP does the same for a CHILD SA. With an AEAD the integrity algorithm has to be "NULL".
func wiresharkESP(c *sa.Child) (encr, integ string) {
	if n := icvOctets(c.Chosen.Encr.ID); n > 0 {
		return fmt.Sprintf("AES-GCM with %d octet ICV [RFC4106]", n), "NULL"
	}
	switch c.Chosen.Encr.ID {
	case wire.ENCR_AES_CBC:
		encr = "AES-CBC [RFC3602]"
	case wire.ENCR_AES_CTR:
		encr = "AES-CTR [RFC3686]"
	case wire.ENCR_CHACHA20_POLY1305:
		return "ChaCha20 with Poly1305 [RFC7634]", "NULL"
	default:
		return "", ""
	}
	switch c.Chosen.Integ {
	case wire.AUTH_HMAC_SHA1_96:
		integ = "HMAC-SHA-1-96 [RFC2404]"
	case wire.AUTH_HMAC_SHA2_256_128:
		integ = "HMAC-SHA-256-128 [RFC4868]"
	case wire.AUTH_HMAC_SHA2_384_192:
		integ = "HMAC-SHA-384-192 [RFC4868]"
	case wire.AUTH_HMAC_SHA2_512_256:
		integ = "HMAC-SHA-512-256 [RFC4868]"
	default:
		return "", ""
	}
	return encr, integ
}
