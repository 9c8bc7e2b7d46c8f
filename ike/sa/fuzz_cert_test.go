package sa

import (
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// FuzzCertPayloads has a peer send any CERT, CERTREQ and AUTH under the right keys: whatever they are, nobody comes in without the key,
// and nothing is left of whoever does not.
func FuzzCertPayloads(f *testing.F) {
	f.Add(uint8(4), []byte{}, uint8(4), []byte{}, uint8(14), []byte{})
	f.Add(uint8(4), []byte{0x30, 0x82, 1, 0}, uint8(4), make([]byte, 40), uint8(14), []byte{12, 0x30, 10})
	f.Add(uint8(15), []byte{0x30, 0x59}, uint8(15), []byte{1}, uint8(9), make([]byte, 64))
	f.Add(uint8(12), []byte("http://192.0.2.1/"), uint8(0), make([]byte, 21), uint8(1), make([]byte, 256))
	f.Fuzz(func(t *testing.T, certEncoding uint8, cert []byte, reqEncoding uint8, authorities []byte, method uint8, data []byte) {
		if len(cert)+len(authorities)+len(data) > 4000 {
			return
		}
		for _, initiator := range []bool{true, false} {
			r, a, b := newCertRig(t, 380, pkitest.Ed25519, nil)
			from := map[bool]*end{true: a.end, false: b.end}[initiator]
			honest := true
			r.edit(from, wire.ExchangeIKEAuth, !initiator, func(ps []wire.Payload) []wire.Payload {
				out := []wire.Payload{&wire.Cert{Encoding: wire.CertEncoding(certEncoding), Data: cert},
					&wire.CertReq{Encoding: wire.CertEncoding(reqEncoding), Authorities: authorities}}
				for _, p := range ps {
					if x, ok := p.(*wire.Auth); ok && len(data) > 0 {
						honest = uint8(x.Method) == method && string(x.Data) == string(data)
						p = &wire.Auth{Method: wire.AuthMethod(method), Data: data}
					}
					out = append(out, p)
				}
				return out
			})
			a.connect()
			r.run(5 * time.Minute)
			if len(a.live()) > 0 && !honest {
				t.Fatalf("a forged AUTH was taken: method %d, % x", method, data)
			}
			if len(a.live()) == 0 {
				a.wantNothing()
				b.wantNothing()
			}
		}
	})
}
