package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// weakTransforms are the algorithms that are only there for old peers, with the reason.
func weakTransform(x wire.Transform) (why string, weak bool) {
	switch x.Type {
	case wire.TransformENCR:
		if x.ID == wire.ENCR_NULL {
			return "no encryption at all", true
		}
	case wire.TransformPRF:
		if x.ID == wire.PRF_HMAC_SHA1 {
			return "SHA-1, \"MUST-\" in RFC 8247", true
		}
	case wire.TransformINTEG:
		if x.ID == wire.AUTH_HMAC_SHA1_96 {
			return "SHA-1, \"MUST-\" in RFC 8221", true
		}
	case wire.TransformKE:
		switch x.ID {
		case wire.KE_MODP_1024:
			return "a group of 1024 bits, \"SHOULD NOT\" in RFC 8247", true
		case wire.KE_MODP_1536:
			return "a group of 1536 bits, \"SHOULD NOT\" in RFC 8247", true
		}
	}
	return "", false
}

// warnWeak warns of weak algorithms in proposals that the operator has written.
func warnWeak(t *table, it item, ps []proposal.Proposal) {
	var found []string
	for _, p := range ps {
		for _, x := range p.Transforms {
			if why, weak := weakTransform(x); weak {
				s := fmt.Sprintf("%s (%s)", wire.TransformName(x.Type, x.ID), why)
				if !slices.Contains(found, s) {
					found = append(found, s)
				}
			}
		}
	}
	if len(found) > 0 {
		t.warnf(it.at, "use it only for a peer that can't do better", "%s offers %s", quote(it.text), strings.Join(found, ", "))
	}
}

// warnPFS warns of a CHILD SA whose rekeying has no key exchange: who breaks the IKE SA's keys then has all of them.
func warnPFS(t *table, h *Child) {
	items, ok := t.list("esp_proposals")
	if !ok {
		return
	}
	for _, it := range items {
		ps, err := proposal.ParseList(wire.ProtocolESP, []string{it.text})
		if err != nil {
			continue
		}
		for _, p := range ps {
			ke := slices.ContainsFunc(p.Transforms, func(x wire.Transform) bool {
				return x.Type == wire.TransformKE && x.ID != wire.KE_NONE
			})
			if !ke {
				t.warnf(it.at, "add a group such as ecp384, or see that the peer has none either",
					"%s has no key exchange: rekeying without perfect forward secrecy", quote(it.text))
				break
			}
		}
	}
}

// minSecretBits is the strength below which a pre-shared key is warned about: a passive attacker who has answered one
// IKE_AUTH can try keys without limit. A "pre-shared key needs to contain as much unpredictability as the strongest
// key being negotiated", https://www.rfc-editor.org/rfc/rfc7296#section-2.15
const minSecretBits = 112

// warnGuessable warns of a key that is too short to be unpredictable. Length and variety give an upper bound only: that
// a long one is a line of a song is nothing that can be seen here.
func warnGuessable(t *table, at Position, name string, k Secret) {
	if n := strength(k.Bytes()); n < minSecretBits {
		t.warnf(at, "take one of 32 random octets: openssl rand -base64 32",
			"%s is a key of at most %d bits, which can be guessed by whoever talks to this gateway once", name, n)
	}
}

// strength is an upper bound of a key's entropy in bits: every octet counts for the classes of characters that occur, and
// repetitions count less.
func strength(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	var classes [5]bool
	var count [256]int
	for _, c := range b {
		count[c]++
		switch {
		case 'a' <= c && c <= 'z':
			classes[0] = true
		case 'A' <= c && c <= 'Z':
			classes[1] = true
		case '0' <= c && c <= '9':
			classes[2] = true
		case ' ' <= c && c <= '~':
			classes[3] = true
		default:
			classes[4] = true
		}
	}
	alphabet := 0
	for i, n := range []int{26, 26, 10, 33, 161} {
		if classes[i] {
			alphabet += n
		}
	}
	perOctet := math.Log2(float64(alphabet))
	// The key's own distribution is a bound too once the key is long enough to show it: "aaaaaaaa…" has none.
	shannon := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			shannon -= p * math.Log2(p)
		}
	}
	// A random key of n octets can't show more than log2(n) bits for each, so a tenth of that is allowed for.
	if most := math.Log2(float64(len(b))); most > 0 {
		perOctet *= min(1, shannon/most*1.25)
	} else {
		perOctet = min(perOctet, 8)
	}
	return int(perOctet * float64(len(b)))
}
