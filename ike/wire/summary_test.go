package wire

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		h    Header
		ps   []Payload
		want string
	}{
		{Header{Exchange: ExchangeInformational, Flags: FlagResponse, MessageID: 4294967295}, nil, "INFORMATIONAL response 4294967295 [ ]"},
		{Header{Exchange: ExchangeIKEAuth, Flags: FlagInitiator, MessageID: 1},
			[]Payload{&ID{}, &Notify{NotifyType: NotifyInitialContact}, &ID{Responder: true}, &Auth{}, &SA{}, &TS{}, &TS{Responder: true}},
			"IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr AUTH SA TSi TSr ]"},
		{Header{Exchange: ExchangeCreateChildSA}, []Payload{&Notify{NotifyType: NotifyRekeySA}, &SA{}, &Nonce{}, &KE{}},
			"CREATE_CHILD_SA request 0 [ N(REKEY_SA) SA No KE ]"},
		{Header{Exchange: ExchangeIKEAuth, MessageID: 2}, []Payload{
			&EAP{Code: EAPRequest, Data: []byte{EAPTypeMSCHAPv2, 1}}, &EAP{Code: EAPSuccess}, &EAP{Code: EAPResponse, Data: []byte{200}}, &EAP{Code: 9}},
			"IKE_AUTH request 2 [ EAP/REQ/MSCHAPV2 EAP/SUCC EAP/RES/EAP type 200 EAP/EAP code 9 ]"},
		{Header{Exchange: ExchangeIKEAuth, MessageID: 3}, []Payload{
			&CP{CfgType: CfgRequest, Attributes: []CfgAttr{{Type: CfgInternalIP4Address}, {Type: CfgInternalIP6DNS}}},
			&CP{CfgType: CfgReply}, &CP{CfgType: CfgSet}, &CP{CfgType: CfgAck}, &CP{CfgType: 7, Attributes: []CfgAttr{{Type: 999}}}},
			"IKE_AUTH request 3 [ CPRQ(ADDR DNS6) CPRP() CPS() CPA() CP(CFG type 7:attribute 999) ]"},
		{Header{Exchange: 99}, []Payload{
			&Cert{}, &CertReq{}, &Delete{}, &VendorID{}, &Unknown{PayloadType: PayloadPS}, &Unknown{PayloadType: 200},
			&Notify{NotifyType: 40960}, &Notify{NotifyType: 8192}},
			"exchange 99 request 0 [ CERT CERTREQ D V PS payload 200 N(notify 40960) N(error notify 8192) ]"},
	} {
		if got := Summary(c.h, c.ps); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

func TestMessageString(t *testing.T) {
	m := &Message{Header: Header{Exchange: ExchangeIKEAuth, MessageID: 1}, Encrypted: &Encrypted{Fragment: true, Number: 2, Total: 5}}
	if got, want := m.String(), "IKE_AUTH request 1 [ SKF(2/5) ]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A peer can't fill the log with attributes.
func TestSummaryIsBounded(t *testing.T) {
	s := Summary(Header{}, []Payload{&CP{CfgType: CfgRequest, Attributes: make([]CfgAttr, 10000)}})
	if len(s) > 500 || !strings.HasSuffix(s, " …) ]") {
		t.Errorf("%d octets: %.100s", len(s), s)
	}
}

// Nor with payloads.
func TestSummaryOfManyPayloads(t *testing.T) {
	var ps []Payload
	for range 4000 {
		ps = append(ps, &VendorID{})
	}
	if s := Summary(Header{}, ps); len(s) > 500 || !strings.HasSuffix(s, " … ]") {
		t.Errorf("%d octets: %.100s", len(s), s)
	}
}
