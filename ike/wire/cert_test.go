package wire

import "testing"

func TestCert(t *testing.T) {
	checkPayload(t, &Cert{Encoding: CertX509Signature, Data: []byte{0x30, 0x03, 2, 1, 0}}, "04 3003020100")
	checkPayload(t, &Cert{Encoding: 200, Data: []byte{}}, "c8")
}

func TestCertMalformed(t *testing.T) {
	checkMalformed(t, PayloadCERT, []malformedCase{{"empty", "", 0, "no encoding"}})
}

func FuzzParseCert(f *testing.F) { fuzzPayload(f, PayloadCERT, "", "04", "04 3003020100") }
