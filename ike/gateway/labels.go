package gateway

import "esplanade/ike/wire"

// otherExchange is the label of everything that is no exchange of IKEv2, whatever number a message has in its place.
const otherExchange = "other"

// exchangeLabel is the name of an exchange as the label of a metric: one of a few, whoever has sent the message. Empty is
// that of a failure outside of any exchange.
func exchangeLabel(name string) string {
	if name == "" {
		return ""
	}
	for _, t := range []wire.ExchangeType{
		wire.ExchangeIKESAInit, wire.ExchangeIKEAuth, wire.ExchangeCreateChildSA, wire.ExchangeInformational,
		wire.ExchangeIKESessionResume, wire.ExchangeIKEIntermediate, wire.ExchangeIKEFollowupKE,
	} {
		if name == t.String() {
			return name
		}
	}
	return otherExchange
}

// ExchangeLabel is the name of an exchange as the label of a metric, one of a few whatever the number is.
func ExchangeLabel(t wire.ExchangeType) string { return exchangeLabel(t.String()) }
