package control

import (
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// provider is what strongSwan's tools show in the place of the plugin that implements an algorithm.
const provider = "esplanade"

// Algorithms implements vici.Backend: all that a proposal can be written with, and what else strongSwan lists, in its order.
func (b *Backend) Algorithms() []vici.AlgorithmKind {
	kinds := []vici.AlgorithmKind{{Kind: "encryption"}, {Kind: "integrity"}, {Kind: "aead"},
		{Kind: "hasher", Names: []string{"HASH_SHA1", "HASH_SHA2_256", "HASH_SHA2_384", "HASH_SHA2_512", "HASH_IDENTITY"}}, {Kind: "prf"}, {Kind: "xof"},
		{Kind: "kdf", Names: []string{"KDF_PRF", "KDF_PRF_PLUS"}}, {Kind: "drbg"}, {Kind: "dh"},
		{Kind: "rng", Names: []string{"RNG_WEAK", "RNG_STRONG", "RNG_TRUE"}}, {Kind: "nonce-gen", Names: []string{"NONCE_GEN"}}}
	at := func(kind string) int {
		return slices.IndexFunc(kinds, func(k vici.AlgorithmKind) bool { return k.Kind == kind })
	}
	for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
		for _, k := range proposal.Keywords(protocol) {
			i := at(kindOf(k.Transform))
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

// kindOf is the kind of a transform, "" for none.
func kindOf(t wire.Transform) string {
	switch t.Type {
	case wire.TransformENCR:
		if proposal.AEAD(t.ID) {
			return "aead"
		}
		return "encryption"
	case wire.TransformINTEG:
		return "integrity"
	case wire.TransformPRF:
		return "prf"
	}
	if t.ID == wire.KE_NONE || t.Type != wire.TransformKE && (t.Type < wire.TransformADDKE1 || t.Type > wire.TransformADDKE7) {
		return ""
	}
	return "dh"
}
