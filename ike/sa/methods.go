package sa

import (
	"slices"

	"esplanade/ike/auth"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Which methods a side takes of the other, for one with several keys to choose by (RFC 9593). It is said where there are signatures: a peer
// with nothing but a pre-shared key has nothing to choose.
//
//	IKE_SA_INIT                                          <--  …, [CERTREQ,] N(SUPPORTED_AUTH_METHODS)
//	IKE_AUTH  …, [CERTREQ,] N(SUPPORTED_AUTH_METHODS)    -->
//
// Where the answer would not fit a packet, the list is in the last IKE_INTERMEDIATE if there is one, and else nowhere: to send it is optional.

// maxInitAnswer is how many octets an IKE_SA_INIT answer may have with the list in it: it is never fragmented, and 1280 octets pass everywhere.
const maxInitAnswer = 1280 - 40 - 8 - 4

// announcement lists what this side takes of the peers of connections; nil if none of them signs.
func (m *Machine) announcement(connections ...*Config) []wire.Payload {
	digital := m.sig.own != nil && m.sig.peer != nil
	var list []wire.AuthAnnouncement
	signs, psk := false, false
	for _, c := range connections {
		for i := range 1 + len(c.RemoteRounds) {
			switch how := c.peerRound(i).Auth; {
			case how == policy.AuthPubkey && !signs:
				signs = true
				list = append(list, auth.AnnounceSignatures(digital)...)
			case how == policy.AuthPSK && !psk:
				psk = true
				list = append(list, auth.AnnouncePSK()...)
			}
		}
	}
	if !signs {
		return nil
	}
	return []wire.Payload{wire.NewSupportedAuthMethods(list...)}
}

// announceInInit adds the list to the answer to IKE_SA_INIT, or what stands for it.
func (m *Machine) announceInInit(payloads []wire.Payload) []wire.Payload {
	list := m.announcement(m.candidates...)
	whole := slices.Concat(payloads, list)
	if len(list) == 0 || wire.HeaderLen+len(wire.AppendPayloads(nil, whole)) <= maxInitAnswer {
		return whole
	}
	if m.sig.later = len(m.inter.methods) > 0; !m.sig.later {
		return payloads
	}
	return append(payloads, &wire.Notify{NotifyType: wire.NotifySupportedAuthMethods})
}

// announceLater is what the last IKE_INTERMEDIATE answer has of it.
func (m *Machine) announceLater() []wire.Payload {
	if !m.sig.later || len(m.inter.methods) > 1 { // the one under way is the first of those
		return nil
	}
	return m.announcement(m.candidates...)
}

// announcedMethods are those that a message announces, of all its notifications. What is malformed announces nothing.
func announcedMethods(payloads []wire.Payload) (list []wire.AuthAnnouncement) {
	for _, n := range notifies(payloads) {
		if n.NotifyType != wire.NotifySupportedAuthMethods || len(list) >= wire.MaxAnnouncements {
			continue
		}
		if more, err := n.SupportedAuthMethods(); err == nil {
			list = append(list, more...)
		}
	}
	return list
}

// announced takes what a responder announces, in IKE_SA_INIT or in IKE_INTERMEDIATE.
func (s *signatures) announced(payloads []wire.Payload) {
	if list := announcedMethods(payloads); list != nil {
		s.methods = list
	}
}
