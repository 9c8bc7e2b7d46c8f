package ipsecconf

import "strings"

// Dialect says whose ipsec.conf it is.
type Dialect uint8

const (
	// Auto finds out by what is in the file.
	Auto Dialect = iota
	// StrongSwan is the format of strongSwan's starter.
	StrongSwan
	// Libreswan is that of libreswan, versions 4 and 5.
	Libreswan
)

// String is the name of the program.
func (d Dialect) String() string {
	switch d {
	case StrongSwan:
		return "strongSwan"
	case Libreswan:
		return "libreswan"
	default:
		return "either"
	}
}

// Is reports whether a text looks like ipsec.conf: its first statement begins a section or includes a file.
func Is(text string) bool {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#") || f[0] == "version":
			continue
		case line[0] == ' ' || line[0] == '\t' || len(f) < 2:
			return false
		case f[0] == "config":
			return f[1] == "setup"
		}
		return (f[0] == "conn" || f[0] == "ca" || f[0] == "include") && f[1] != "{" && !strings.Contains(text, "connections {")
	}
	return false
}

// Detect finds out which dialect a text is written in, by the keywords that only one of the two has and by what it says of itself. What would
// do for both is strongSwan's.
func Detect(text string) Dialect {
	balance := 0 // above zero: libreswan
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			low := strings.ToLower(line)
			if strings.Contains(low, "strongswan") {
				balance--
			}
			if strings.Contains(low, "libreswan") {
				balance++
			}
			continue
		}
		if strings.HasPrefix(line, "ca ") {
			balance -= 3
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		balance += leaning(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	if balance > 0 {
		return Libreswan
	}
	return StrongSwan
}

// leaning is above zero for a setting that libreswan has, and below for one of strongSwan's.
func leaning(key, value string) int {
	strong, libre := strongSwanKeywords().has(strongSwanKey(key)), libreswanKeywords().has(libreswanKey(key))
	switch bare := strings.TrimPrefix(strings.TrimPrefix(key, "left"), "right"); {
	case libre && !strong:
		return 2
	case strong && !libre:
		return -2
	case (key == "ike" || key == "esp") && strings.HasSuffix(value, "!"):
		return -2
	case (key == "ike" || key == "esp") && strings.ContainsAny(value, ";+_"):
		return 2
	case bare == "sourceip" && (strings.Contains(value, "/") || strings.HasPrefix(value, "%")):
		return -2
	case bare == "auth" && strings.HasPrefix(value, "eap"):
		return -2
	case strings.HasPrefix(value, "{"):
		return 2
	}
	return 0
}
