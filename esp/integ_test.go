package esp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"
	"testing"
)

// Known answers of the integrity algorithms, cut to the ICV.
func TestIntegAnswers(t *testing.T) {
	const (
		xcbcKey = "000102030405060708090a0b0c0d0e0f"
		cmacKey = "2b7e151628aed2a6abf7158809cf4f3c"
		text    = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
			"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
		count = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021"
	)
	for _, c := range []struct {
		name           string
		id             uint16
		key, data, icv string
	}{
		// RFC 3566 section 4.6
		{"XCBC 1", IntegAESXCBC, xcbcKey, "", "75f0251d528ac01c4573dfd5"},
		{"XCBC 2", IntegAESXCBC, xcbcKey, count[:6], "5b376580ae2f19afe7219cee"},
		{"XCBC 3", IntegAESXCBC, xcbcKey, count[:32], "d2a246fa349b68a79998a439"},
		{"XCBC 4", IntegAESXCBC, xcbcKey, count[:40], "47f51b4564966215b8985c63"},
		{"XCBC 5", IntegAESXCBC, xcbcKey, count[:64], "f54f0ec8d2b9f3d36807734b"},
		{"XCBC 6", IntegAESXCBC, xcbcKey, count, "becbb3bccdb518a30677d548"},
		{"XCBC 7", IntegAESXCBC, xcbcKey, strings.Repeat("00", 1000), "f0dafee895db30253761103b"},
		// RFC 4494 section 4 (the messages of RFC 4493)
		{"CMAC 1", IntegAESCMAC, cmacKey, "", "bb1d6929e95937287fa37d12"},
		{"CMAC 2", IntegAESCMAC, cmacKey, text[:32], "070a16b46b4d4144f79bdd9d"},
		{"CMAC 3", IntegAESCMAC, cmacKey, text[:80], "dfa66747de9ae63030ca3261"},
		{"CMAC 4", IntegAESCMAC, cmacKey, text, "51f0bebf7e3b9d92fc497417"},
		// Wycheproof aes_cmac_test, around the length of a block
		{"CMAC wycheproof 1", IntegAESCMAC, "e34f15c7bd819930fe9d66e0c166e61c", "", "d47afca1d857a5933405b1eb"},
		{"CMAC wycheproof 2", IntegAESCMAC, "e1e726677f4893890f8c027f9d8ef80d", "3f", "15f856bbed3b321952a584b3"},
		{"CMAC wycheproof 16", IntegAESCMAC, "501d81ebf912ddb87fbe3b7aac1437bc",
			"2368e3c3636b5e8e94d2081adbf798", "aeb784a3825168ddd61f72d0"},
		{"CMAC wycheproof 17", IntegAESCMAC, "e09eaa5a3f5e56d279d5e7a03373f6ea",
			"ef4eab37181f98423e53e947e7050fd0", "40facf0e2fb51b73a7472681"},
		{"CMAC wycheproof 18", IntegAESCMAC, "831e664c9e3f0c3094c0b27b9d908eb2",
			"26603bb76dd0a0180791c4ed4d3b058807", "a8144c8b24f2aa47d9c160cf"},
		{"CMAC wycheproof 20", IntegAESCMAC, "fda6a01194beb462953d7e6c49b32dac",
			"f60ae3b036abcab78c98fc1d4b67970c0955cb6fe24483f8907fd73319679b", "1f0f8124ab6c832e87684bac"},
		{"CMAC wycheproof 21", IntegAESCMAC, "9bd3902ed0996c869b572272e76f3889",
			"a7ba19d49ee1ea02f098aa8e30c740d893a4456ccc294040484ed8a00a55f93e", "45082218c2d05eef32247feb"},
		// RFC 2202 section 3, case 1
		{"SHA1", IntegHMACSHA1, strings.Repeat("0b", 20), "4869205468657265", "b617318655057264e28bc0b6"},
		// RFC 4868 section 2.7.2: AUTH256-1, AUTH384-1, AUTH512-1
		{"SHA256", IntegHMACSHA256x128, strings.Repeat("0b", 32), "4869205468657265", "198a607eb44bfbc69903a0f1cf2bbdc5"},
		{"SHA384", IntegHMACSHA384x192, strings.Repeat("0b", 48), "4869205468657265", "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"},
		{"SHA512", IntegHMACSHA512x256, strings.Repeat("0b", 64), "4869205468657265",
			"637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"},
	} {
		m, err := newMAC(c.id, unhex(t, c.key))
		if err != nil {
			t.Fatal(err)
		}
		data, want := unhex(t, c.data), unhex(t, c.icv)
		var w Scratch
		// However the message is divided, the answer is the same.
		for cut := max(0, len(data)-blockLen); cut <= len(data); cut++ {
			m.sum(&w, data[:cut], data[cut:])
			if got := w.mac[:len(want)]; !bytes.Equal(got, want) {
				t.Errorf("%s, cut at %d: %x, want %x", c.name, cut, got, want)
			}
		}
	}
}

// HMAC with prepared states is that of crypto/hmac, for all lengths around the
// blocks of the hashes, and a Scratch shared by several keys mixes nothing up.
func TestHMACDifferential(t *testing.T) {
	var w Scratch
	r := seeded(1)
	for _, c := range []struct {
		id  uint16
		new func() hash.Hash
	}{
		{IntegHMACSHA1, sha1.New}, {IntegHMACSHA256x128, sha256.New}, {IntegHMACSHA384x192, sha512.New384}, {IntegHMACSHA512x256, sha512.New},
	} {
		spec, _ := integrity(c.id)
		var keys [2][]byte
		var macs [2]*mac
		for i := range keys {
			keys[i] = randomBytes(r, spec.keyLen)
			m, err := newMAC(c.id, keys[i])
			if err != nil {
				t.Fatal(err)
			}
			macs[i] = m
		}
		for n := range 300 {
			data, more := randomBytes(r, n), randomBytes(r, n%3*2)
			for i := range keys {
				h := hmac.New(c.new, keys[i])
				h.Write(data)
				h.Write(more)
				want := h.Sum(nil)
				macs[i].sum(&w, data, more)
				if got := w.mac[:len(want)]; !bytes.Equal(got, want) {
					t.Fatalf("%s of %d octets: %x, want %x", spec.name, n, got, want)
				}
			}
		}
	}
}

func TestNewMACUnknown(t *testing.T) {
	if _, err := newMAC(1, make([]byte, 16)); err == nil {
		t.Error("AUTH_HMAC_MD5_96 was accepted")
	}
	if _, err := newHMAC(digestSHA1, make([]byte, 65)); err == nil {
		t.Error("a key longer than the block was accepted")
	}
	for _, id := range []uint16{IntegAESCMAC, IntegAESXCBC} {
		if _, err := newMAC(id, make([]byte, 15)); err == nil {
			t.Error("a key of 15 octets was accepted")
		}
	}
}
