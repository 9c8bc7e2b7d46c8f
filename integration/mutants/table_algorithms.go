package main

// algorithms are mutants of cryptography and of what is negotiated about it.
func algorithms() []Mutant {
	return []Mutant{
		{
			Name: "ke-length", File: "ike/suite/ke.go", Tests: "^TestKELengths$",
			Old: "	if len(peer) != want {\n", New: "	if false {\n",
			Why: "a public value of a wrong length would be worked with",
		},
		{
			Name: "ke-ecp-x", File: "ike/suite/ke_ecp.go", Tests: "^TestKELengths$",
			Old: "	if err := checkLen(k.group, peer, len(k.Public())); err != nil {\n		return nil, err\n	}\n", New: "	peer = peer[:min(len(peer), len(k.Public()))]\n",
			Why: "a public value that is too long would be cut",
		},
		{
			Name: "keymat-order", File: "ike/sa/offer.go", Tests: "^TestFollowupKeys$",
			Old: "	if !c.Initiator {\n		ei, ai, er, ar = er, ar, ei, ai\n	}\n", New: "	if c.Initiator {\n		ei, ai, er, ar = er, ar, ei, ai\n	}\n",
			Why: "both sides agree with each other, and with nobody else",
		},
		{
			Name: "protection-direction", File: "ike/sa/protect.go", Tests: "^TestIKEDelete$",
			Old: "		m.sealer, m.opener = i, r\n", New: "		m.sealer, m.opener = i, i\n",
			Why: "a message could be sent back to the side that it came from",
		},
		{
			Name: "ke-modp-zero", File: "ike/suite/ke_modp.go", Tests: "^TestMODPPublicValues$",
			Old: "	case r.IsZero() == 1:\n", New: "	case false:\n",
			Why: "the shared secret would be zero, and known to everybody",
		},
		{
			Name: "ke-modp-one", File: "ike/suite/ke_modp.go", Tests: "^TestMODPPublicValues$",
			Old: "	case r.IsOne() == 1:\n", New: "	case false:\n",
			Why: "the shared secret would be one, and known to everybody",
		},
		{
			Name: "ke-modp-minus-one", File: "ike/suite/ke_modp.go", Tests: "^TestMODPPublicValues$",
			Old: "	case r.IsMinusOne(k.m) == 1:\n", New: "	case false:\n",
			Why: "the shared secret would be one of two values",
		},
		{
			Name: "ke-x25519-small-order", File: "ike/suite/ke_x25519.go", Tests: "^TestX25519SmallOrder$",
			Old: "	s, err := k.priv.ECDH(pub)\n	if err != nil {\n		return nil, &KEError{Group: wire.KE_CURVE25519, Reason: \"a point", New: "	s, err := k.priv.ECDH(pub)\n	if err != nil {\n		return make([]byte, x25519KeyLen), nil\n	}\n	if err != nil {\n		return nil, &KEError{Group: wire.KE_CURVE25519, Reason: \"a point",
			Why: "the shared secret would be zero, and known to everybody",
		},
		{
			Name: "ike-cbc-icv", File: "ike/suite/protection_cbc.go", Tests: "^TestOpenForged$",
			Old: "	if !p.mac.verify(datagram) {\n", New: "	if false {\n",
			Why: "forged IKE messages would be believed",
		},
		{
			Name: "ike-ctr-icv", File: "ike/suite/protection_ctr.go", Tests: "^TestOpenForged$",
			Old: "	if !p.mac.verify(datagram) {\n", New: "	if false {\n",
			Why: "forged IKE messages would be believed",
		},
		{
			Name: "esp-icv-compare", File: "esp/key.go", Tests: "^TestOpenBitFlips$",
			Old: "if subtle.ConstantTimeCompare(w.mac[:k.icv], pkt[end:]) != 1 {", New: "if subtle.ConstantTimeCompare(w.mac[:k.icv/2], pkt[end:end+k.icv/2]) != 1 {",
			Why: "half an ICV would do",
		},
		{
			Name: "esp-esn-aead", File: "esp/key.go", Tests: "^TestESNInICV$",
			Old: "	binary.BigEndian.PutUint64(w.aad[4:], seq)\n	return w.aad[:]", New: "	binary.BigEndian.PutUint64(w.aad[4:], seq&0xffffffff)\n	return w.aad[:]",
			Why: "the upper half of sequence numbers would not be covered: a packet could be played again after 2^32",
		},
		{
			Name: "esp-esn-mac", File: "esp/key.go", Tests: "^TestESNInICV$",
			Old: "binary.BigEndian.PutUint32(w.aad[:4], uint32(seq>>32))", New: "binary.BigEndian.PutUint32(w.aad[:4], 0)",
			Why: "the upper half of sequence numbers would not be covered: a packet could be played again after 2^32",
		},
		{
			Name: "proposal-key-length", File: "ike/proposal/match.go", Tests: "^TestChoose",
			Old: "		if slices.Contains(have, w) {\n", New: "		if slices.ContainsFunc(have, func(h wire.Transform) bool { return h.Type == w.Type && h.ID == w.ID }) {\n",
			Why: "a shorter key than the configured one would do",
		},
		{
			Name: "proposal-unknown-type", File: "ike/proposal/match.go", Tests: "^TestChooseRefuses$",
			Old: "		if known || o.IgnoreKE", New: "		if true || known || o.IgnoreKE",
			Why: "a proposal that asks for more than is understood would be accepted",
		},
		{
			Name: "proposal-no-integrity", File: "ike/proposal/match.go", Tests: "^TestChooseRefuses$",
			Old: "		m.c.Integ = m.one(wire.TransformINTEG).ID\n", New: "		want, have := m.sides(wire.TransformINTEG)\n		t, _ := pick(want, have)\n		m.c.Integ = t.ID\n",
			Why: "a cipher without integrity would be accepted",
		},
		{
			Name: "proposal-spi", File: "ike/proposal/match.go", Tests: "^TestChooseRefuses$",
			Old: "	case zero:\n", New: "	case zero && n > 1000:\n",
			Why: "an SPI of zero is none",
		},
		{
			Name: "proposal-intermediate", File: "ike/proposal/additional.go", Tests: "^TestVerifyAdditional$",
			Old: "&& (o.NoAdditional || !first)", New: "&& !first",
			Why: "additional key exchanges would be agreed on with a peer that cannot make them",
		},
		{
			Name: "proposal-repeated-method", File: "ike/proposal/additional.go", Tests: "^TestChooseAdditional$",
			Old: "			if id != wire.KE_NONE && slices.Contains(chosen, id) {\n", New: "			if false {\n",
			Why: "one key exchange would count as two",
		},
		{
			Name: "keys-printed", File: "ike/suite/redact.go", Tests: "^TestNothingPrintsKeys$",
			Old: "func (redacted) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }", New: "func (redacted) formatted(s fmt.State, _ rune) { io.WriteString(s, redactedText) }",
			Why: "keys would be in the log",
		},
		{
			Name: "keys-marshalled", File: "ike/suite/redact.go", Tests: "^TestNothingPrintsKeys$",
			Old: "func (redacted) MarshalText() ([]byte, error)", New: "func (redacted) marshalled() ([]byte, error)",
			Why: "keys would be in what is encoded",
		},
		{
			Name: "esp-keys-printed", File: "esp/redact.go", Tests: "^TestNoKeysPrinted$",
			Old: "func (c OutboundConfig) Format(f fmt.State, _ rune) {", New: "func (c OutboundConfig) formatted(f fmt.State, _ rune) {",
			Why: "keys would be in the log",
		},
		{
			Name: "esp-sa-printed", File: "esp/redact.go", Tests: "^TestNoKeysPrinted$",
			Old: "func (i *Inbound) Format(f fmt.State, _ rune) {", New: "func (i *Inbound) formatted(f fmt.State, _ rune) {",
			Why: "keys would be in the log",
		},
		{
			Name: "proposal-intermediate-passed-over", File: "ike/proposal/choose.go", Tests: "^TestChooseAdditional$",
			Old: "o.NoAdditional && len(add) > 0 {", New: "false && len(add) > 0 {",
			Why: "a peer without IKE_INTERMEDIATE would be answered with additional key exchanges",
		},
	}
}
