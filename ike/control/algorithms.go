package control

import (
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// provider is what strongSwan's tools show in the place of the plugin that implements an algorithm.
const provider = "esplanade"

// Algorithms implements vici.Backend: all that a proposal can be written with.
func (b *Backend) Algorithms() []vici.AlgorithmKind {
	kinds := []vici.AlgorithmKind{{Kind: "encryption"}, {Kind: "integrity"}, {Kind: "aead"}, {Kind: "prf"}, {Kind: "dh"}}
	for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
		for _, k := range proposal.Keywords(protocol) {
			i := kindOf(k.Transform)
			if name := wire.TransformName(k.Transform.Type, k.Transform.ID); i >= 0 && !slices.Contains(kinds[i].Names, name) {
				kinds[i].Names = append(kinds[i].Names, name)
			}
		}
	}
	for i := range kinds {
		kinds[i].Provider = provider
	}
	return kinds
}

// kindOf is the place of a transform's kind in the list, negative for none.
func kindOf(t wire.Transform) int {
	switch t.Type {
	case wire.TransformENCR:
		if proposal.AEAD(t.ID) {
			return 2
		}
		return 0
	case wire.TransformINTEG:
		return 1
	case wire.TransformPRF:
		return 3
	}
	if t.ID == wire.KE_NONE || t.Type != wire.TransformKE && (t.Type < wire.TransformADDKE1 || t.Type > wire.TransformADDKE7) {
		return -1
	}
	return 4
}
