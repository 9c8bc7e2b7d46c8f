package wire

import (
	"bytes"
	"testing"
)

// scanRequest is an IKE_SA_INIT request with these payloads.
func scanRequest(ps ...Payload) []byte {
	m := Message{Header: Header{SPIi: 1, Major: 2, Exchange: ExchangeIKESAInit, Flags: FlagInitiator}, Payloads: ps}
	return m.Append(nil)
}

func scanPayloads() (sa, ke, nonce, cookie Payload) {
	sa = &SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolIKE, Transforms: []Transform{{Type: TransformPRF, ID: PRF_HMAC_SHA2_256}}}}}
	return sa, &KE{Group: KE_CURVE25519, Data: make([]byte, 32)}, &Nonce{Data: bytes.Repeat([]byte{7}, 32)},
		&Notify{NotifyType: NotifyCookie, Data: []byte("cookie")}
}

func TestScanInit(t *testing.T) {
	sa, ke, nonce, cookie := scanPayloads()
	other := &Notify{NotifyType: NotifySignatureHashAlgorithms, Data: []byte{0, 2}}
	whole := scanRequest(cookie, sa, ke, nonce, other)
	for name, c := range map[string]struct {
		b      []byte
		ok     bool
		cookie string
	}{
		"with a cookie":        {whole, true, "cookie"},
		"without":              {scanRequest(sa, ke, nonce), true, ""},
		"the cookie last":      {scanRequest(sa, ke, nonce, other, cookie), true, "cookie"},
		"two cookies":          {scanRequest(cookie, &Notify{NotifyType: NotifyCookie, Data: []byte("2")}, sa, ke, nonce), true, "cookie"},
		"an SPI":               {scanRequest(&Notify{Protocol: ProtocolESP, SPI: []byte{1, 2, 3, 4}, NotifyType: NotifyCookie, Data: []byte("c")}, sa, ke, nonce), true, "c"},
		"no SA":                {scanRequest(ke, nonce), false, ""},
		"no KE":                {scanRequest(sa, nonce), false, ""},
		"no Nonce":             {scanRequest(sa, ke), false, ""},
		"two nonces":           {scanRequest(sa, ke, nonce, nonce), false, ""},
		"a short nonce":        {scanRequest(sa, ke, &Nonce{Data: make([]byte, MinNonceLen-1)}), false, ""},
		"a long nonce":         {scanRequest(sa, ke, &Nonce{Data: make([]byte, MaxNonceLen+1)}), false, ""},
		"nothing":              {scanRequest(), false, ""},
		"octets at the end":    {append(bytes.Clone(whole), 0), false, ""},
		"an encrypted payload": {encrypted(scanRequest(sa, ke, nonce)), false, ""},
	} {
		s, ok := ScanInit(c.b)
		if ok != c.ok || ok && string(s.Cookie) != c.cookie {
			t.Errorf("%s: %v, cookie %q", name, ok, s.Cookie)
		}
	}
	for n := range whole {
		if _, ok := ScanInit(whole[:n]); ok {
			t.Errorf("accepted %d of %d octets", n, len(whole))
		}
	}
	if n := testing.AllocsPerRun(100, func() { ScanInit(whole) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// encrypted puts an Encrypted payload behind the nonce, which is last in a message.
func encrypted(b []byte) []byte {
	b[len(b)-32-genericHeaderLen] = byte(PayloadSK)
	b = append(b, 0, 0, 0, 4)
	b[27] += 4
	return b
}

// What Parse takes for an IKE_SA_INIT request, ScanInit does too, and it sees the same nonce and cookie.
func FuzzScanInit(f *testing.F) {
	sa, ke, nonce, cookie := scanPayloads()
	f.Add(scanRequest(cookie, sa, ke, nonce))
	f.Add(scanRequest(sa, ke, nonce, cookie))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := ScanInit(b)
		m, err := Parse(b)
		if err != nil || m.Encrypted != nil {
			return
		}
		var want InitScan
		have := map[PayloadType]bool{}
		for _, p := range m.Payloads {
			have[p.Type()] = true
			switch p := p.(type) {
			case *Nonce:
				want.Nonce = p.Data
			case *Notify:
				if p.NotifyType == NotifyCookie && want.Cookie == nil {
					want.Cookie = append([]byte{}, p.Data...)
				}
			}
		}
		complete := have[PayloadSA] && have[PayloadKE] && have[PayloadNonce]
		if ok != complete || ok && !bytes.Equal(s.Nonce, want.Nonce) || ok && !bytes.Equal(s.Cookie, want.Cookie) {
			t.Errorf("%v, nonce %x and cookie %x; Parse says %v, %x and %x", ok, s.Nonce, s.Cookie, complete, want.Nonce, want.Cookie)
		}
	})
}

// A request to resume has a nonce and a ticket; what lacks one, or is broken, is none.
func TestScanResume(t *testing.T) {
	h := Header{SPIi: 1, Major: 2, Exchange: ExchangeIKESessionResume, Flags: FlagInitiator}
	nonce := &Nonce{Data: make([]byte, 32)}
	tkt := &Notify{NotifyType: NotifyTicketOpaque, Data: []byte("ticket")}
	cookie := &Notify{NotifyType: NotifyCookie, Data: []byte("cookie")}
	for name, c := range map[string]struct {
		payloads []Payload
		ok       bool
	}{
		"both": {[]Payload{nonce, tkt}, true}, "cookie": {[]Payload{cookie, nonce, tkt}, true},
		"no nonce": {[]Payload{tkt}, false}, "no ticket": {[]Payload{nonce}, false},
		"empty ticket": {[]Payload{nonce, &Notify{NotifyType: NotifyTicketOpaque}}, false},
		"two nonces":   {[]Payload{nonce, nonce, tkt}, false},
	} {
		m := Message{Header: h, Payloads: c.payloads}
		b := m.Append(nil)
		s, ok := ScanResume(b)
		if ok != c.ok || ok && (string(s.Nonce) != string(nonce.Data) || (s.Cookie != nil) != (name == "cookie")) {
			t.Errorf("%s: %v %+v", name, ok, s)
		}
		for n := range b {
			if _, ok := ScanResume(b[:n]); ok {
				t.Errorf("%s: %d of %d octets are taken", name, n, len(b))
			}
		}
	}
}
