package proposal

import (
	"slices"
	"testing"

	"esplanade/ike/wire"
)

// TestKeywords: words are unique, have one canonical form each, and each can be used in a proposal.
func TestKeywords(t *testing.T) {
	seen := make(map[string]bool)
	for _, w := range slices.Concat(implemented(), foreign(), additional()) {
		if seen[w.name] {
			t.Errorf("%s is there twice", w.name)
		}
		seen[w.name] = true
	}
	for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
		canonical := make(map[wire.Transform]string)
		for _, k := range Keywords(protocol) {
			if k.Canonical {
				canonical[k.Transform] = k.Name
			}
		}
		for _, k := range Keywords(protocol) {
			name, ok := wordFor(k.Transform)
			if !ok || name != canonical[k.Transform] {
				t.Errorf("%s: canonical keyword %q, formatted as %q", k.Name, canonical[k.Transform], name)
			}
			p, err := Parse(protocol, withKeyword(protocol, k))
			if err != nil {
				t.Errorf("%s: %v", k.Name, err)
				continue
			}
			checkComplete(t, p)
			if !slices.Contains(p.Transforms, k.Transform) {
				t.Errorf("%s is not in %v", k.Name, p.Transforms)
			}
		}
	}
}

// withKeyword makes a proposal string with the keyword k in it.
func withKeyword(protocol wire.ProtocolID, k Keyword) string {
	s := k.Name
	has := func(typ wire.TransformType) bool { return k.Transform.Type == typ }
	switch {
	case has(tENCR) && AEAD(k.Transform.ID):
		if protocol == wire.ProtocolIKE {
			s += "-prfsha256"
		}
	case has(tENCR):
		s += "-sha256"
	case has(tINTEG):
		s += "-aes256"
	default:
		s += "-aes256-sha256"
	}
	if protocol == wire.ProtocolIKE && !has(tKE) || isAdditional(k.Transform.Type) {
		s += "-ecp256"
	}
	return s
}

func TestKeywordsOfOneProtocol(t *testing.T) {
	names := func(protocol wire.ProtocolID) []string {
		var out []string
		for _, k := range Keywords(protocol) {
			out = append(out, k.Name)
		}
		return out
	}
	ike, esp := names(wire.ProtocolIKE), names(wire.ProtocolESP)
	for _, n := range []string{"null", "none", "modpnone", "esn", "noesn"} {
		if slices.Contains(ike, n) || !slices.Contains(esp, n) {
			t.Errorf("%s must be for ESP only", n)
		}
	}
	for _, n := range []string{"prfsha1", "prfsha256", "prfaesxcbc"} {
		if !slices.Contains(ike, n) || slices.Contains(esp, n) {
			t.Errorf("%s must be for IKE only", n)
		}
	}
}
