package wire

// Find gives the first payload of the type, nil if there is none. The order of
// payloads has no meaning in IKEv2 but for a few exceptions, so that exchanges
// look for what they need.
func Find(ps []Payload, t PayloadType) Payload {
	for _, p := range ps {
		if p.Type() == t {
			return p
		}
	}
	return nil
}

// FindNotify gives the first notification of the type, nil if there is none.
func FindNotify(ps []Payload, t NotifyType) *Notify {
	for _, p := range ps {
		if n, ok := p.(*Notify); ok && n.NotifyType == t {
			return n
		}
	}
	return nil
}

// FindErrorNotify gives the first notification of an error, nil if there is
// none.
func FindErrorNotify(ps []Payload) *Notify {
	for _, p := range ps {
		if n, ok := p.(*Notify); ok && n.NotifyType.IsError() {
			return n
		}
	}
	return nil
}
