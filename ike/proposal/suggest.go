package proposal

import (
	"fmt"
	"strconv"
	"strings"

	"esplanade/ike/wire"
)

// unknownWord explains a word that is not a keyword, and says which one was probably meant.
func unknownWord(protocol wire.ProtocolID, tok string) string {
	switch {
	case tok == "":
		return "has an empty word between its dashes"
	case isKEM(tok):
		return fmt.Sprintf("%s is only used on top of another key exchange; write x25519-ke1_%s", tok, tok)
	}
	if prefix, word, ok := cutAdditional(tok); ok {
		return unknownAdditional(prefix, word)
	}
	if t, ok := find(foreign(), tok); ok {
		return fmt.Sprintf("%s (%s) is not supported; use %s", tok, transformName(t), insteadOf(t.Type))
	}
	msg := fmt.Sprintf("%q is not the keyword of an algorithm", tok)
	if near := nearest(protocol, tok); near != "" {
		msg += "; did you mean " + near + "?"
	}
	return msg
}

// unusableWord explains a keyword that belongs to the other protocol.
func unusableWord(protocol wire.ProtocolID, tok string, t wire.Transform) string {
	switch {
	case t.Type == wire.TransformESN:
		return tok + " is about ESP's sequence numbers and must not be in an IKE proposal; leave it out"
	case t.Type == wire.TransformPRF:
		return tok + " is a PRF, which only IKE proposals have; leave it out"
	case t.Type == wire.TransformKE:
		return "an IKE SA cannot do without a key exchange; instead of " + tok + ", name a group such as ecp256"
	}
	return tok + " would send IKE messages in the clear; use " + insteadOf(wire.TransformENCR)
}

// insteadOf is the keyword to recommend for a type.
func insteadOf(t wire.TransformType) string {
	switch t {
	case wire.TransformENCR:
		return "aes256gcm16"
	case wire.TransformPRF:
		return "prfsha256"
	case wire.TransformINTEG:
		return "sha256"
	}
	return "x25519, ecp256 or modp3072"
}

// nearest returns the keyword that tok probably means, or "".
func nearest(protocol wire.ProtocolID, tok string) string {
	ks := Keywords(protocol)

	// A group by its number, in the many ways that vendors write it.
	for _, prefix := range []string{"dh-group", "dhgroup", "dh", "group", "modp"} {
		num, ok := strings.CutPrefix(tok, prefix)
		if !ok {
			continue
		}
		id, err := strconv.ParseUint(strings.Trim(num, "_ "), 10, 16)
		if err != nil {
			continue
		}
		for _, k := range ks {
			if k.Transform.Type == wire.TransformKE && uint64(k.Transform.ID) == id {
				return k.Name
			}
		}
	}
	// An IANA name, such as AES_GCM_16_256 or HMAC_SHA2_256_128, or the words in another order.
	for _, k := range ks {
		if squeeze(k.Transform.String()) == squeeze(tok) {
			return k.Name
		}
	}
	// Half of a word that a dash has cut: aes256-gcm16.
	if strings.HasPrefix(tok, "gcm") || strings.HasPrefix(tok, "ctr") {
		if _, ok := find(implemented(), "aes256"+tok); ok {
			return "aes256" + tok + ", in one word"
		}
	}
	// A slip of the fingers: at most one octet in four may differ, so that short words do not attract everything.
	best, bestAt := "", max(1, len(tok)/4)+1
	for _, k := range ks {
		if d := distance(tok, k.Name); d < bestAt {
			best, bestAt = k.Name, d
		}
	}
	return best
}

// squeeze reduces a name to what people remember of it.
func squeeze(s string) string {
	s = strings.ToLower(s)
	return strings.NewReplacer("_", "", " ", "", ".", "").Replace(s)
}

// maxWord bounds the work of distance; no keyword is nearly as long.
const maxWord = 64

// distance is the number of octets to insert, remove, replace, or swap with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > maxWord {
		return len(a)
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
