package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The objects of RFC 7427 appendix A and RFC 8420 appendix A, octet for octet. Those of PSS with longer hashes are made like the one
// with SHA-256.
const (
	objRSASHA256   = "300d 0609 2a86 4886 f70d 0101 0b05 00"
	objRSASHA384   = "300d 0609 2a86 4886 f70d 0101 0c05 00"
	objRSASHA512   = "300d 0609 2a86 4886 f70d 0101 0d05 00"
	objECDSASHA256 = "300a 0608 2a86 48ce 3d04 0302"
	objECDSASHA384 = "300a 0608 2a86 48ce 3d04 0303"
	objECDSASHA512 = "300a 0608 2a86 48ce 3d04 0304"
	objPSSSHA256   = "3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0201 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830" +
		"0d06 0960 8648 0165 0304 0201 0500 a203 0201 20a3 0302 0101"
	objPSSSHA384 = "3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0202 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830" +
		"0d06 0960 8648 0165 0304 0202 0500 a203 0201 30a3 0302 0101"
	objPSSSHA512 = "3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0203 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830" +
		"0d06 0960 8648 0165 0304 0203 0500 a203 0201 40a3 0302 0101"
	objEd25519 = "3005 0603 2b65 70"
	objEd448   = "3005 0603 2b65 71"
	// The ones that are refused.
	objRSASHA1    = "300d 0609 2a86 4886 f70d 0101 0505 00"
	objRSAMD5     = "300d 0609 2a86 4886 f70d 0101 0405 00"
	objECDSASHA1  = "3009 0607 2a86 48ce 3d04 01"
	objDSASHA1    = "3009 0607 2a86 48ce 3804 03"
	objDSASHA256  = "300b 0609 6086 4801 6503 0403 02"
	objPSSEmpty   = "300d 0609 2a86 4886 f70d 0101 0a30 00"
	objPSSDefault = "303e 0609 2a86 4886 f70d 0101 0a30 31a0 0b30 0906 052b 0e03 021a 0500 a118 3016 0609 2a86 4886 f70d 0101 0830 0906 052b" +
		"0e03 021a 0500 a203 0201 14a3 0302 0101"
)

var schemes = map[Scheme]string{
	RSASHA256: objRSASHA256, RSASHA384: objRSASHA384, RSASHA512: objRSASHA512, PSSSHA256: objPSSSHA256, PSSSHA384: objPSSSHA384,
	PSSSHA512: objPSSSHA512, ECDSASHA256: objECDSASHA256, ECDSASHA384: objECDSASHA384, ECDSASHA512: objECDSASHA512,
	Ed25519: objEd25519, Ed448: objEd448,
}

func TestAlgorithmIdentifiersAreThoseOfTheRFCs(t *testing.T) {
	for s, object := range schemes {
		want := unhex(t, object)
		if got := s.Identifier(); !bytes.Equal(got, want) {
			t.Errorf("%v is % x, want % x", s, got, want)
		}
		data := s.appendSignature([]byte{1, 2, 3})
		if int(data[0]) != len(want) || !bytes.Equal(data[1:len(want)+1], want) {
			t.Errorf("%v: the data is % x", s, data)
		}
		got, signature, err := ParseSignature(data)
		if err != nil || got != s || !bytes.Equal(signature, []byte{1, 2, 3}) {
			t.Errorf("%v is read as %v, % x, %v", s, got, signature, err)
		}
	}
}

// What RFC 4055 has one accept: parameters of RSA and of hashes that are absent; and what DER wants: no default trailer.
func TestAlgorithmIdentifiersInTheOtherForm(t *testing.T) {
	for name, c := range map[string]struct {
		object string
		want   Scheme
	}{
		"RSA without NULL": {"300b 0609 2a86 4886 f70d 0101 0b", RSASHA256},
		"PSS without the trailer": {"3041 0609 2a86 4886 f70d 0101 0a30 34a0 0f30 0d06 0960 8648 0165 0304 0201 0500 a11c 301a 0609 2a86 4886" +
			"f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20", PSSSHA256},
		"PSS with hashes without NULL": {"3042 0609 2a86 4886 f70d 0101 0a30 35a0 0d30 0b06 0960 8648 0165 0304 0201 a11a 3018 0609 2a86 4886 f70d" +
			"0101 0830 0b06 0960 8648 0165 0304 0201 a203 0201 20a3 0302 0101", PSSSHA256},
	} {
		object := unhex(t, c.object)
		if got, _, err := ParseSignature(append([]byte{uint8(len(object))}, object...)); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A lenient reader is what CVE-2018-16151, CVE-2018-16152, CVE-2018-6459, CVE-2021-41990 and CVE-2026-50722 are about.
func TestAlgorithmIdentifiersAreReadStrictly(t *testing.T) {
	pss := func(old, new string) string {
		plain := strings.ReplaceAll(objPSSSHA256, " ", "")
		out := strings.Replace(plain, old, new, 1)
		if out == plain {
			t.Fatalf("%s is not in the object", old)
		}
		return out
	}
	for name, object := range map[string]string{
		"SHA-1":                    objRSASHA1,
		"MD5":                      objRSAMD5,
		"ECDSA with SHA-1":         objECDSASHA1,
		"DSA with SHA-1":           objDSASHA1,
		"DSA":                      objDSASHA256,
		"PSS, empty: SHA-1":        objPSSEmpty,
		"PSS, default: SHA-1":      objPSSDefault,
		"PSS, no parameters":       "300b 0609 2a86 4886 f70d 0101 0a",
		"PSS, NULL":                "300d 0609 2a86 4886 f70d 0101 0a05 00",
		"PSS, no mask":             "3028 0609 2a86 4886 f70d 0101 0a30 1ba0 0f30 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20a3 0302 0101",
		"PSS, no hash":             "3035 0609 2a86 4886 f70d 0101 0a30 28a1 1c30 1a06 092a 8648 86f7 0d01 0108 300d 0609 6086 4801 6503 0402 0105 00a2 0302 0120 a303 0201 01",
		"PSS, no salt":             "3041 0609 2a86 4886 f70d 0101 0a30 34a0 0f30 0d06 0960 8648 0165 0304 0201 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a303 0201 01",
		"PSS, salt of 20":          pss("a203020120", "a203020114"),
		"PSS, salt of -1":          pss("a203020120", "a2030201ff"),
		"PSS, a huge salt":         "3049 0609 2a86 4886 f70d 0101 0a30 3ca0 0f30 0d06 0960 8648 0165 0304 0201 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a206 0204 7fff ffffa3 0302 0101",
		"PSS, salt in two octets":  "3047 0609 2a86 4886 f70d 0101 0a30 3aa0 0f30 0d06 0960 8648 0165 0304 0201 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a204 0202 0020a3 0302 0101",
		"PSS, trailer of 2":        pss("a303020101", "a303020102"),
		"PSS, another mask":        pss("2a864886f70d010108", "2a864886f70d010109"),
		"PSS, mask with SHA-384":   pss("a11c301a06092a864886f70d010108300d0609608648016503040201", "a11c301a06092a864886f70d010108300d0609608648016503040202"),
		"PSS, hash of MD5":         "3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0205 0500 a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0205 0500 a203 0201 20a3 0302 0101",
		"RSA with other params":    "300f 0609 2a86 4886 f70d 0101 0b04 0211 22",
		"RSA, NULL with content":   "300e 0609 2a86 4886 f70d 0101 0b05 0100",
		"RSA, two parameters":      "300f 0609 2a86 4886 f70d 0101 0b05 0005 00",
		"ECDSA with NULL":          "300c 0608 2a86 48ce 3d04 0302 0500",
		"Ed25519 with NULL":        "3007 0603 2b65 7005 00",
		"Ed448 with NULL":          "3007 0603 2b65 7105 00",
		"a trailing octet":         objECDSASHA256 + "00",
		"a part":                   "300a 0608 2a86 48ce 3d04 03",
		"a long length":            "3081 0a06 082a 8648 ce3d 0403 02",
		"an indefinite length":     "3080 0608 2a86 48ce 3d04 0302 0000",
		"a padded OID":             "300b 0609 2a80 8648 ce3d 0403 02",
		"a set":                    "310a 0608 2a86 48ce 3d04 0302",
		"no OID":                   "3000",
		"nothing":                  "",
		"an OID alone":             "0608 2a86 48ce 3d04 0302",
		"Ed25519ph, never in IKE":  "3005 0603 2b65 72",
		"the public key algorithm": "300d 0609 2a86 4886 f70d 0101 0105 00",
	} {
		o := unhex(t, object)
		s, _, err := ParseSignature(append(append([]byte{uint8(len(o))}, o...), 1, 2, 3))
		var algorithm *AlgorithmError
		if s != 0 || !errors.As(err, &algorithm) || algorithm.Reason == "" || algorithm.Name == "" {
			t.Errorf("%s: %v, %v", name, s, err)
		}
		// What is left out stands for SHA-1, and that is what is said.
		weak := slices.Contains([]string{"SHA-1", "ECDSA with SHA-1", "PSS, empty: SHA-1", "PSS, no mask", "PSS, no hash"}, name)
		if errors.Is(err, errSHA1) != weak {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLengthOctetOfAlgorithmIdentifier(t *testing.T) {
	o := unhex(t, objECDSASHA256)
	for name, data := range map[string][]byte{
		"nothing":           {},
		"a length alone":    {12},
		"longer than there": append([]byte{13}, o...),
		"shorter":           append([]byte{11}, o...),
		"zero":              append([]byte{0}, o...),
		"one more":          append(append([]byte{13}, o...), 1, 2, 3),
	} {
		if s, _, err := ParseSignature(data); err == nil {
			t.Errorf("%s: %v", name, s)
		}
	}
}

func FuzzParseSignature(f *testing.F) {
	for s := range schemes {
		f.Add(s.appendSignature([]byte("signature")))
	}
	for _, object := range []string{objRSASHA1, objPSSEmpty, objPSSDefault, objDSASHA256} {
		o := unhex(f, object)
		f.Add(append([]byte{uint8(len(o))}, o...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, signature, err := ParseSignature(data)
		switch {
		case err != nil && s != 0:
			t.Fatalf("%v with an error", s)
		case err != nil:
			return
		}
		if _, known := schemes[s]; !known {
			t.Fatalf("scheme %d", s)
		}
		// What is taken says what it is in one of very few ways: the signature begins where the length says.
		if !bytes.Equal(data[1+int(data[0]):], signature) {
			t.Fatal("the signature is another part")
		}
		again, _, err := ParseSignature(s.appendSignature(signature))
		if err != nil || again != s {
			t.Fatalf("%v is read as %v, %v", s, again, err)
		}
	})
}
