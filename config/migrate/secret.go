package migrate

import (
	"encoding/hex"
	"strings"
)

// SecretText is a secret as our configuration has it: as text, or in hexadecimal where the text would be read as something else.
func SecretText(octets []byte) string {
	text := string(octets)
	plain := text != "" && strings.Trim(text, " ") == text
	for _, c := range octets {
		plain = plain && c >= ' ' && c <= '~'
	}
	// Quotes around it give a warning, since they are seldom meant.
	quoted := len(text) > 1 && text[0] == text[len(text)-1] && (text[0] == '"' || text[0] == '\'')
	if low := strings.ToLower(text); plain && !quoted && !strings.HasPrefix(low, "0x") && !strings.HasPrefix(low, "0s") {
		return text
	}
	return "0x" + hex.EncodeToString(octets)
}
