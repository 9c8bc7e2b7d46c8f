package wire

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
)

// A handshake of strongSwan 5.9 with itself, as it was on the wire, and the
// decrypted content of its protected messages.
const (
	goldenInitRequest  = `4f9659b69940d75200000000000000002120220800000000000001142200005402000024010100030300000c01000014800e00800300000802000005000000080400001f0000002c020100040300000c0100000c800e0100030000080300000c0300000802000005000000080400000e28000028001f0000243d753f51d5b0f63cd54e133500350ab0ec9028c2acabc75208ebd310e60a13290000248709a2200eab0b10956f92e78b2dfd57ec59504879c2ce596ad1006375530bc42900001c000040044764f080843715602f04d8879012e3ee3781d8222900001c000040059384f6cb78cae291f8dfe2e08173d9ca3484b623290000080000402e290000100000402f00020003000400050000000800004016`
	goldenInitResponse = `4f9659b69940d752d6777c81f6dabe872120222000000000000000f02200002800000024010100030300000c01000014800e00800300000802000005000000080400001f28000028001f000012f1b87d56e7a45baf0c3528e71db78eb3e83b082d772ba761f121c51327976d29000024988b5d3a400bf995a25d7e99c96128aeb8fa15454ebb238eb510e87b0cd9bbe12900001c0000400467f0b35707424d037cceb8c02b1bcc6103c267a52900001c0000400573d040d49ea8b29aa8b6bd3b65cd4ddecf92f8c2290000080000402e290000100000402f000200030004000529000008000040220000000800004014`
	goldenAuthRequest  = `4f9659b69940d752d6777c81f6dabe872e202308000000010000017f23000163bca82ac0ba909f2379964edb0170d3349f9145f463d18bc784ca229bc6b8b757874e218827012213e45f1697897b5c4285652e3745c9d5fa7e5860c039fb6976d753f50b5257aeb8c77568c587cb8b5f200a4b88848a9db47c2d6acdf4cd8381e12044925c731e34b51d5d80d0494582fc0f1f3abe312007cee1410a140110b06679034fa0d34a7e61aeacd5920d0be5f05b32bd949210842593704a74a84648ae9f72031b549a1abd3305e76e6c5a61089ab814cc89a8288a08c68bca1a04ee8e4713d1d113d9ae024ce38bc77bb7c693f6792b2632f497f2020d2df64638e7831d4ad8b43a3ae4a5f18e4c2bcd27b8051c5aa51518fc916c593057cbdf156ad9ca5238dbff932af44d05392cfaae0b754cbee9963a18aae56939942488190661c56353d08dc72eb6858d967bff7e3144d9c768f7eb7cacdbf7b11e406b14ac7334599a9a46deb2ca8b77291ae8d2e76745f5c0a3d77bf306f1a665c4e3c6`
	goldenAuthContent  = `2900001102000000612e6578616d706c6524000008000040002700001102000000622e6578616d706c65210000280200000076254b4d5917393079b3c8a10a835ac27d4108a19dc53f90531f611c539439512c00009c020000380103040486d4c36c0300000c01000014800e00800300000c01000014800e00c00300000c01000014800e01000000000805000000000000600203040986d4c36c0300000c0100000c800e00800300000c0100000c800e00c00300000c0100000c800e0100030000080300000c030000080300000d030000080300000e0300000803000002030000080300000500000008050000002d00001801000000070000100000ffff0a0a00000a0a00ff2900001801000000070000100000ffff0a1400000a1400ff290000080000400c290000080000400f290000080000401429000008000040210000000800004024`
	goldenAuthAnswer   = `2700001102000000622e6578616d706c652900002802000000099e27751c5ffa352d7ac15ffb444fef36cf6f3b59c07a9a7d3cf2a4c01cf93d290000080000400c290000080000400f0000000800000026`
	goldenDelete       = `4f9659b69940d752d6777c81f6dabe872e20250800000002000000412a000025bca82ac3ba909f23f379676392a1c4d611aa88cba39f988fc5f8fd9f2c23abb733`
)

// goldenMessages are whole datagrams with their summaries.
var goldenMessages = []struct{ name, hex, summary string }{
	{"IKE_SA_INIT request", goldenInitRequest,
		"IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG) N(REDIR_SUP) ]"},
	{"IKE_SA_INIT response", goldenInitResponse,
		"IKE_SA_INIT response 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG) N(CHDLESS_SUP) N(MULT_AUTH) ]"},
	{"IKE_AUTH request", goldenAuthRequest, "IKE_AUTH request 1 [ SK ]"},
	{"INFORMATIONAL request", goldenDelete, "INFORMATIONAL request 2 [ SK ]"},
}

// goldenContents are decrypted contents of Encrypted payloads.
var goldenContents = []struct {
	name    string
	first   PayloadType
	hex     string
	summary string
}{
	{"IKE_AUTH request", PayloadIDi, goldenAuthContent,
		"IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr AUTH SA TSi TSr N(MOBIKE_SUP) N(NO_ADD_ADDR) N(MULT_AUTH) N(EAP_ONLY) N(MSG_ID_SYN_SUP) ]"},
	{"IKE_AUTH response", PayloadIDr, goldenAuthAnswer,
		"IKE_AUTH response 1 [ IDr AUTH N(MOBIKE_SUP) N(NO_ADD_ADDR) N(TS_UNACCEPT) ]"},
	{"delete", PayloadDelete, "0000000801000000", "INFORMATIONAL request 2 [ D ]"},
	{"empty", PayloadNone, "", "INFORMATIONAL response 2 [ ]"},
}

func TestGoldenMessages(t *testing.T) {
	for _, g := range goldenMessages {
		t.Run(g.name, func(t *testing.T) {
			b := unhex(t, g.hex)
			m, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.String(); got != g.summary {
				t.Errorf("summary:\n got %s\nwant %s", got, g.summary)
			}
			if got := appendParsed(m); !bytes.Equal(got, b) {
				t.Errorf("encoded again:\n got %x\nwant %x", got, b)
			}
		})
	}
}

// appendParsed encodes a message that was parsed.
func appendParsed(m *Message) []byte {
	switch e := m.Encrypted; {
	case e == nil:
		return m.Append(nil)
	case e.Fragment:
		return append(AppendProtectedFragment(nil, m.Header, e.First, e.Number, e.Total, len(e.Body)), e.Body...)
	default:
		return append(AppendProtected(nil, m.Header, e.First, len(e.Body)), e.Body...)
	}
}

func TestGoldenContents(t *testing.T) {
	for _, g := range goldenContents {
		t.Run(g.name, func(t *testing.T) {
			b := unhex(t, g.hex)
			ps, err := ParsePayloads(g.first, b, 0)
			if err != nil {
				t.Fatal(err)
			}
			exchange := ExchangeIKEAuth
			if len(ps) < 2 {
				exchange = ExchangeInformational
			}
			h := Header{Exchange: exchange, MessageID: 1}
			if exchange == ExchangeInformational {
				h.MessageID = 2
			}
			if g.first == PayloadIDr || g.first == PayloadNone {
				h.Flags = FlagResponse
			}
			if got := Summary(h, ps); got != g.summary {
				t.Errorf("summary:\n got %s\nwant %s", got, g.summary)
			}
			if FirstType(ps) != g.first {
				t.Errorf("FirstType %s, want %s", FirstType(ps), g.first)
			}
			if got := AppendPayloads(nil, ps); !bytes.Equal(got, b) {
				t.Errorf("encoded again:\n got %x\nwant %x", got, b)
			}
			checkPrefixesFail(t, g.first, b)
		})
	}
}

// TestGoldenPrefixes parses every prefix of every golden datagram, as it is and
// with a Length field that agrees with it.
func TestGoldenPrefixes(t *testing.T) {
	for _, g := range goldenMessages {
		b := unhex(t, g.hex)
		for n := range b {
			if m, err := Parse(b[:n:n]); err == nil {
				t.Errorf("%s: first %d octets parsed as %s", g.name, n, m)
			}
			if n < HeaderLen {
				continue
			}
			cut := bytes.Clone(b[:n])
			binary.BigEndian.PutUint32(cut[24:], uint32(n))
			if m, err := Parse(cut); err == nil {
				t.Errorf("%s: first %d octets with that length parsed as %s", g.name, n, m)
			}
		}
	}
}

func TestGoldenInitValues(t *testing.T) {
	m, err := Parse(unhex(t, goldenInitRequest))
	if err != nil {
		t.Fatal(err)
	}
	wantHeader := Header{
		SPIi: 0x4f9659b69940d752, NextPayload: PayloadSA, Major: 2, Exchange: ExchangeIKESAInit,
		Flags: FlagInitiator, Length: 276,
	}
	if m.Header != wantHeader {
		t.Errorf("header %+v\nwant %+v", m.Header, wantHeader)
	}
	wantSA := &SA{Proposals: []Proposal{
		{Number: 1, Protocol: ProtocolIKE, Transforms: []Transform{
			{Type: TransformENCR, ID: ENCR_AES_GCM_16, KeyLength: 128},
			{Type: TransformPRF, ID: PRF_HMAC_SHA2_256},
			{Type: TransformKE, ID: KE_CURVE25519},
		}},
		{Number: 2, Protocol: ProtocolIKE, Transforms: []Transform{
			{Type: TransformENCR, ID: ENCR_AES_CBC, KeyLength: 256},
			{Type: TransformINTEG, ID: AUTH_HMAC_SHA2_256_128},
			{Type: TransformPRF, ID: PRF_HMAC_SHA2_256},
			{Type: TransformKE, ID: KE_MODP_2048},
		}},
	}}
	if got := first(m.Payloads, PayloadSA); !reflect.DeepEqual(got, wantSA) {
		t.Errorf("SA %+v\nwant %+v", got, wantSA)
	}
	if ke := first(m.Payloads, PayloadKE).(*KE); ke.Group != KE_CURVE25519 || len(ke.Data) != 32 {
		t.Errorf("KE group %d, %d octets", ke.Group, len(ke.Data))
	}
	hashes, err := firstNotify(m.Payloads, func(t NotifyType) bool { return t == NotifySignatureHashAlgorithms }).HashAlgorithms()
	if want := []HashAlgorithm{HashSHA2_256, HashSHA2_384, HashSHA2_512, HashIdentity}; err != nil || !reflect.DeepEqual(hashes, want) {
		t.Errorf("hash algorithms %v, %v, want %v", hashes, err, want)
	}
	if n := firstNotify(m.Payloads, NotifyType.IsError); n != nil {
		t.Errorf("error notification %s in a good message", n.NotifyType)
	}
	if p := first(m.Payloads, PayloadAUTH); p != nil {
		t.Errorf("found AUTH: %v", p)
	}
	if n := firstNotify(m.Payloads, func(t NotifyType) bool { return t == NotifyCookie }); n != nil {
		t.Errorf("found COOKIE: %v", n)
	}
}

// first is the first payload of a type, nil if there is none.
func first(ps []Payload, t PayloadType) Payload {
	for _, p := range ps {
		if p.Type() == t {
			return p
		}
	}
	return nil
}

// firstNotify is the first notification of a type that is wanted, nil if there is none.
func firstNotify(ps []Payload, wanted func(NotifyType) bool) *Notify {
	for _, p := range ps {
		if n, ok := p.(*Notify); ok && wanted(n.NotifyType) {
			return n
		}
	}
	return nil
}

func TestGoldenEncrypted(t *testing.T) {
	b := unhex(t, goldenAuthRequest)
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	e := m.Encrypted
	if e.Fragment || e.First != PayloadIDi || e.AADLen != 32 || !bytes.Equal(e.Body, b[32:]) {
		t.Errorf("Encrypted %+v", e)
	}
	if &e.Body[0] != &b[32] {
		t.Error("Body doesn't alias the datagram")
	}
	answer, err := ParsePayloads(PayloadIDr, unhex(t, goldenAuthAnswer), 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := firstNotify(answer, NotifyType.IsError); n == nil || n.NotifyType != NotifyTSUnacceptable {
		t.Errorf("error notification %v, want TS_UNACCEPTABLE", n)
	}
}
