package sa

import (
	"time"

	"esplanade/ike/wire"
)

// idSync is the peer's side of message id synchronisation, RFC 6311: a peer that is a cluster of gateways may lose the
// member that served this IKE SA, and the member that takes over does not know the last message ids for certain. It
// says which ids it will go on with. Esplanade is no cluster: it answers, and never asks.
type idSync struct {
	// negotiated: both sides have sent IKEV2_MESSAGE_ID_SYNC_SUPPORTED in IKE_AUTH.
	negotiated bool
	// seen and last are the highest EXPECTED_SEND_REQ_MESSAGE_ID of a synchronisation so far, if there was one.
	seen bool
	last uint32
}

// syncSupported announces it in IKE_AUTH.
func syncSupported() *wire.Notify {
	return &wire.Notify{NotifyType: wire.NotifyIKEv2MessageIDSyncSupported}
}

// syncAnswer agrees to it if the initiator has announced it.
func (m *Machine) syncAnswer(asked *request) []wire.Payload {
	if notify(asked.payloads, wire.NotifyIKEv2MessageIDSyncSupported) == nil {
		return nil
	}
	m.sync.negotiated = true
	return []wire.Payload{syncSupported()}
}

// receiveSync handles a request for synchronisation. handled is false when the message is none; it then takes the usual
// way. The request has message id 0 whatever the window is, so that it must be told from an ordinary request with that
// id by what it carries.
func (m *Machine) receiveSync(now time.Time, msg *wire.Message, datagram []byte, path Path) (handled bool) {
	h, e := msg.Header, msg.Encrypted
	if !m.sync.negotiated || h.MessageID != 0 || h.Exchange != wire.ExchangeInformational || e.Fragment ||
		m.state == StateConnecting || m.state == StateClosed {
		return false
	}
	plain, err := m.opener.Open(datagram, e.AADLen)
	if err != nil {
		return false
	}
	payloads, err := wire.ParsePayloads(e.First, plain, wire.HeaderLen)
	if err != nil {
		return false
	}
	n := notify(payloads, wire.NotifyIKEv2MessageIDSync)
	if n == nil {
		return false
	}
	theirs, err := n.MessageIDSync()
	if err != nil {
		m.ignore(path, IgnoreMalformed, err.Error())
		return true
	}
	if why := m.sync.refuses(theirs, m.window.nextRecv); why != "" {
		m.ignore(path, IgnoreMessageID, why)
		return true
	}
	m.heard(now, path)
	m.sync.seen, m.sync.last = true, theirs.ExpectedSendID
	m.window.resync(theirs)
	m.frag.request, m.frag.response = assembly{}, assembly{}

	answer := []wire.Payload{wire.NewMessageIDSync(wire.MessageIDSync{
		Nonce: theirs.Nonce, ExpectedSendID: m.window.nextSend, ExpectedReceived: m.window.nextRecv,
	})}
	rh := wire.Header{
		SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: h.Exchange, Flags: m.flags() | wire.FlagResponse,
	}
	size := 0
	for _, d := range m.seal(rh, answer) {
		m.emit(Send{Path: path, Datagram: d})
		size += len(d)
	}
	m.alive.lastSent = now
	m.emit(ExchangeDone{
		Exchange: h.Exchange, Path: path, Request: wire.Summary(h, payloads), Response: wire.Summary(rh, answer),
		RequestLen: len(datagram), ResponseLen: size,
	})
	m.relaunch(now)
	return true
}

// refuses says why a synchronisation is not followed, nextRecv being the id that the peer's next request would have; "" if it is.
func (s *idSync) refuses(theirs wire.MessageIDSync, nextRecv uint32) string {
	switch id := theirs.ExpectedSendID; {
	case nextRecv > 0 && id < nextRecv || s.seen && id <= s.last:
		// "The peer MUST silently drop any received synchronization message if M1 is lower than or equal to the highest
		// value it has seen from the cluster. This includes any previous received synchronization messages."
		// https://www.rfc-editor.org/rfc/rfc6311#section-5.1
		return "synchronisation with an id that has been used"
	case id > maxMessageID || theirs.ExpectedReceived > maxMessageID:
		return "synchronisation beyond the last id"
	}
	return ""
}

// resync goes on with the ids of a synchronisation. What the other member has asked before is not asked again; the response to it is of
// no use any more.
func (w *window) resync(theirs wire.MessageIDSync) {
	w.nextRecv, w.response, w.parked = theirs.ExpectedSendID, nil, nil
	w.nextSend = max(w.nextSend, theirs.ExpectedReceived)
}

// relaunch sends the request in flight again under the next id. The member that took over does not wait for the old one
// and would never answer it.
func (m *Machine) relaunch(now time.Time) {
	p := m.pending
	if p == nil {
		return
	}
	if p.parked.waits() {
		p.outdated = true // the answer is here
		return
	}
	m.pending = nil
	m.launch(now, p.task, p.payloads)
}
