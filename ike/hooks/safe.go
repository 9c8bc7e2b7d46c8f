package hooks

import "strings"

// maxSafe bounds a text for the environment, in bytes.
const maxSafe = 1024

// Safe writes a text that a peer may have chosen with letters and digits of ASCII, the blank, and "@._-+:/=,". Any other byte is written as
// "%" and two hexadecimal digits, and so is a "-" or a blank at the beginning, for a script that passes it on as an argument: nothing in it
// has a meaning for a shell that takes it without quotes, but blanks, and two texts that differ stay different. One of more than 1024 bytes
// is cut, and ends with a bare "%".
func Safe(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("@._+:/=,", c) >= 0 ||
			(c == '-' || c == ' ') && i > 0
		if b.Len() > maxSafe-4 {
			b.WriteByte('%')
			break
		}
		if plain {
			b.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}
