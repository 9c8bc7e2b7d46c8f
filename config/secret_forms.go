package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// decodeSecret reads swanctl's forms of a secret: 0x and hexadecimal digits, 0s and Base64, or the text itself. What it accepts is the
// key that strongSwan has of the same text. strongSwan refuses nothing: it takes what is no digit for zero, and leaves out what is
// missing, so that two gateways with the same line have different keys without a word. All of that is an error here.
func decodeSecret(text []byte) (Secret, error) {
	s := string(text)
	form, rest := "", ""
	if len(s) >= 2 {
		form, rest = strings.ToLower(s[:2]), s[2:]
	}
	var b []byte
	var err error
	switch {
	case s == "":
		return Secret{}, errors.New("it is empty")
	case form == "0x":
		b, err = decodeHex(rest)
	case form == "0s":
		b, err = decodeBase64(rest)
	default:
		return NewSecret(text), nil
	}
	if err != nil {
		return Secret{}, err
	}
	return Secret{&b}, nil
}

// decodeHex reads hexadecimal digits. A colon may stand between two octets. Of an odd number of digits the first is an octet of its own.
func decodeHex(s string) ([]byte, error) {
	wrong := errors.New("after 0x there must be hexadecimal digits, with or without colons between the bytes")
	var digits strings.Builder
	parts := strings.Split(s, ":")
	for i, part := range parts {
		if part == "" || i > 0 && len(part)%2 != 0 {
			return nil, wrong
		}
		digits.WriteString(part)
	}
	text := digits.String()
	if len(text)%2 != 0 {
		text = "0" + text
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, wrong
	}
	return b, nil
}

// decodeBase64 reads Base64 in either alphabet, the usual one or that for URLs. It must be whole: strongSwan drops an incomplete group of
// four characters at the end.
func decodeBase64(s string) ([]byte, error) {
	if len(s)%4 != 0 && !strings.ContainsAny(s, " \t\r\n") {
		return nil, errors.New("after 0s there must be Base64 whose length is a multiple of four, filled up with = where it ends " +
			"earlier: strongSwan would leave out what is beyond it, and have another key")
	}
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(s))
	// The decoder skips line ends, which strongSwan does not.
	if err != nil || len(b) == 0 || strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("after 0s there must be Base64, in one line")
	}
	return b, nil
}
