package wire

import (
	"bytes"
	"testing"
)

func TestCertReq(t *testing.T) {
	hash := bytes.Repeat([]byte{0xab}, 20)
	p := &CertReq{Encoding: CertX509Signature, Authorities: append(bytes.Clone(hash), make([]byte, 20)...)}
	checkPayload(t, p, `04
		abababababababababababababababababababab
		0000000000000000000000000000000000000000`)
	hashes, ok := p.Hashes()
	if !ok || len(hashes) != 2 || !bytes.Equal(hashes[0][:], hash) || hashes[1] != [20]byte{} {
		t.Errorf("Hashes %x, %t", hashes, ok)
	}
	empty := &CertReq{Encoding: CertX509Signature, Authorities: []byte{}}
	checkPayload(t, empty, "04")
	if hashes, ok := empty.Hashes(); !ok || len(hashes) != 0 {
		t.Errorf("Hashes of none: %x, %t", hashes, ok)
	}
	if _, ok := (&CertReq{Authorities: hash[:19]}).Hashes(); ok {
		t.Error("19 octets taken for hashes")
	}
}

// More authorities than fit a payload are cut after a whole hash.
func TestCertReqTooMany(t *testing.T) {
	p := &CertReq{Encoding: CertX509Signature, Authorities: make([]byte, 20*(MaxAuthorities+5))}
	ps, err := ParsePayloads(PayloadCERTREQ, AppendPayloads(nil, []Payload{p}), 0)
	if err != nil {
		t.Fatal(err)
	}
	if hashes, ok := ps[0].(*CertReq).Hashes(); !ok || len(hashes) != MaxAuthorities {
		t.Errorf("%d hashes, %t; want %d", len(hashes), ok, MaxAuthorities)
	}
}

func TestCertReqMalformed(t *testing.T) {
	checkMalformed(t, PayloadCERTREQ, []malformedCase{{"empty", "", 0, "no encoding"}})
}

func FuzzParseCertReq(f *testing.F) {
	fuzzPayload(f, PayloadCERTREQ, "", "04", "04 abababababababababababababababababababab")
}
