package wire

import (
	"strconv"
	"strings"
)

// Summary gives one line about a message for logs, in the form operators know
// from strongSwan:
//
//	IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr AUTH SA TSi TSr ]
//
// It shows types only, nothing of what the payloads carry. ps are the payloads
// to show, for a protected message the decrypted ones.
func Summary(h Header, ps []Payload) string {
	return summary(h, ps, nil)
}

// String is Summary of the message; an Encrypted payload shows as SK or, with
// number and total, as SKF(2/5).
func (m *Message) String() string { return summary(m.Header, m.Payloads, m.Encrypted) }

func summary(h Header, ps []Payload, e *Encrypted) string {
	var b strings.Builder
	b.WriteString(h.Exchange.String())
	if h.Flags.Response() {
		b.WriteString(" response ")
	} else {
		b.WriteString(" request ")
	}
	b.WriteString(strconv.FormatUint(uint64(h.MessageID), 10))
	b.WriteString(" [")
	for i, p := range ps {
		if i == maxSummaryPayloads {
			b.WriteString(" …")
			break
		}
		b.WriteByte(' ')
		b.WriteString(payloadSummary(p))
	}
	switch {
	case e == nil:
	case e.Fragment:
		b.WriteString(" SKF(" + strconv.Itoa(int(e.Number)) + "/" + strconv.Itoa(int(e.Total)) + ")")
	default:
		b.WriteString(" SK")
	}
	b.WriteString(" ]")
	return b.String()
}

// payloadSummary names a payload and what kind of it it is.
func payloadSummary(p Payload) string {
	switch p := p.(type) {
	case *Notify:
		return "N(" + p.NotifyType.Short() + ")"
	case *CP:
		return cpSummary(p)
	case *EAP:
		s := "EAP/" + EAPCodeName(p.Code)
		if method, _, ok := p.Method(); ok {
			s += "/" + EAPTypeName(method)
		}
		return s
	}
	return p.Type().String()
}

// maxSummaryPayloads is how many payloads a summary shows; a peer can send
// thousands.
const maxSummaryPayloads = 32

// maxSummaryAttrs is how many attributes of a CP payload a summary shows; a peer
// can send thousands.
const maxSummaryAttrs = 24

// cpSummary names the CFG type and the attributes: "CPRQ(ADDR DNS)".
func cpSummary(p *CP) string {
	var b strings.Builder
	switch p.CfgType {
	case CfgRequest:
		b.WriteString("CPRQ(")
	case CfgReply:
		b.WriteString("CPRP(")
	case CfgSet:
		b.WriteString("CPS(")
	case CfgAck:
		b.WriteString("CPA(")
	default:
		b.WriteString("CP(" + p.CfgType.String() + ":")
	}
	for i, a := range p.Attributes {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == maxSummaryAttrs {
			b.WriteString("…")
			break
		}
		b.WriteString(a.Type.Short())
	}
	return b.String() + ")"
}
