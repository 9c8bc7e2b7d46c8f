package config

import "math"

// minSecretBits is the strength below which a pre-shared key is warned about: a passive attacker who has answered one
// IKE_AUTH can try keys without limit. A "pre-shared key needs to contain as much unpredictability as the strongest
// key being negotiated", https://www.rfc-editor.org/rfc/rfc7296#section-2.15
const minSecretBits = 112

// warnGuessable warns of a key that is too short to be unpredictable. Length and variety give an upper bound only: that
// a long one is a line of a song is nothing that can be seen here.
func warnGuessable(t *table, at Position, name string, k Secret) {
	if n := strength(k.Bytes()); n < minSecretBits {
		t.warnf(at, "generate a random 32-byte key: `openssl rand -hex 32`",
			"%s is a key of at most %d bits, which can be guessed by whoever talks to this gateway once", name, n)
	}
}

// strength is an upper bound of a key's entropy in bits: every byte counts for the classes of characters that occur, and
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
	perByte := math.Log2(float64(alphabet))
	// The key's own distribution is a bound too once the key is long enough to show it: "aaaaaaaa…" has none.
	shannon := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			shannon -= p * math.Log2(p)
		}
	}
	// A random key of n bytes can't show more than log2(n) bits for each, so a tenth of that is allowed for.
	if most := math.Log2(float64(len(b))); most > 0 {
		perByte *= min(1, shannon/most*1.25)
	} else {
		perByte = min(perByte, 8)
	}
	return int(perByte * float64(len(b)))
}
