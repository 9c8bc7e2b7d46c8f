package sa

import (
	"iter"

	"esplanade/ike/wire"
)

// find returns the first payload of type T.
func find[T wire.Payload](payloads []wire.Payload) (t T, ok bool) {
	for _, p := range payloads {
		if t, ok := p.(T); ok {
			return t, true
		}
	}
	return t, false
}

// notifies yields the notify payloads in order.
func notifies(payloads []wire.Payload) iter.Seq2[int, *wire.Notify] {
	return func(yield func(int, *wire.Notify) bool) {
		for i, p := range payloads {
			if n, ok := p.(*wire.Notify); ok && !yield(i, n) {
				return
			}
		}
	}
}

// notify returns the first notify of a type.
func notify(payloads []wire.Payload, t wire.NotifyType) *wire.Notify {
	for _, n := range notifies(payloads) {
		if n.NotifyType == t {
			return n
		}
	}
	return nil
}

// errorNotify returns the first notify that reports an error (types below 16384, RFC 7296 section 3.10.1).
func errorNotify(payloads []wire.Payload) *wire.Notify {
	for _, n := range notifies(payloads) {
		if n.NotifyType.IsError() {
			return n
		}
	}
	return nil
}

// fatalNotify returns the first notify that ends the IKE SA for its sender: "the UNSUPPORTED_CRITICAL_PAYLOAD, INVALID_SYNTAX, and
// AUTHENTICATION_FAILED notifications are the only ones to cause the IKE SA to be deleted or not created, without a Delete payload".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func fatalNotify(payloads []wire.Payload) *wire.Notify {
	for _, n := range notifies(payloads) {
		switch n.NotifyType {
		case wire.NotifyAuthenticationFailed, wire.NotifyUnsupportedCriticalPayload, wire.NotifyInvalidSyntax:
			return n
		}
	}
	return nil
}

// findID returns the identity payload of one role.
func findID(payloads []wire.Payload, responder bool) *wire.ID {
	for _, p := range payloads {
		if id, ok := p.(*wire.ID); ok && id.Responder == responder {
			return id
		}
	}
	return nil
}

// findTS returns the traffic selector payload of one role.
func findTS(payloads []wire.Payload, responder bool) *wire.TS {
	for _, p := range payloads {
		if ts, ok := p.(*wire.TS); ok && ts.Responder == responder {
			return ts
		}
	}
	return nil
}

// failing is a response that consists of one error notify.
func failing(t wire.NotifyType) []wire.Payload {
	return []wire.Payload{&wire.Notify{NotifyType: t}}
}
