package strongswan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/swanctl"
	"esplanade/config/tree"
	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// reading makes the value of our configuration of a text. An error says why there is none.
type reading func(text string) (any, error)

// yes reads a boolean as swanctl does.
func yes(text string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "true", "enabled", "1":
		return true, nil
	case "no", "false", "disabled", "0":
		return false, nil
	}
	return nil, errors.New("it is neither yes nor no")
}

// number reads a whole number.
func number(text string) (any, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, errors.New("it is no whole number")
	}
	return n, nil
}

// duration reads a time: a number of seconds, or of what the letter behind it says. As with strongSwan, there may be spaces between them, and 0x
// or a zero in front of the number makes it hexadecimal or octal.
func duration(text string) (any, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	letters := "smhd"
	if strings.HasPrefix(s, "0x") { // where d is a digit
		letters = "smh"
	}
	number := strings.TrimRight(s, letters)
	letter := s[len(number):]
	number = strings.TrimRight(number, " ")
	unit := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[letter]
	n, err := strconv.ParseUint(number, 0, 32)
	if err != nil || unit == 0 || strings.Contains(number, "_") {
		return nil, errors.New("it is no time")
	}
	if letter != "" {
		return strconv.FormatUint(n, 10) + letter, nil
	}
	return migrate.Seconds(int64(time.Duration(n) * unit / time.Second)), nil
}

// size reads a number of bytes, with k, m or g behind it for multiples of 1024.
func size(text string) (any, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(s, "kmg")
	letter := s[len(digits):]
	digits = strings.TrimRight(digits, " ")
	shift, known := map[string]uint{"": 0, "k": 10, "m": 20, "g": 30}[letter]
	n, err := strconv.ParseUint(digits, 10, 63)
	switch {
	case err != nil || !known:
		return nil, errors.New("it is no number of bytes")
	case n > 1<<63-1>>shift:
		return nil, errors.New("it is too large")
	}
	if shift == 0 {
		return int64(n), nil
	}
	return digits + strings.ToUpper(letter) + "iB", nil
}

// word takes a value as it is.
func word(text string) (any, error) {
	if !printable(text) {
		return nil, errors.New("it has control characters, or is not UTF-8")
	}
	return text, nil
}

// oneOf takes a word that means something else here, or nothing. As with strongSwan, it may be in capitals.
func oneOf(words map[string]string) reading {
	return func(text string) (any, error) {
		if w, ok := words[strings.ToLower(strings.TrimSpace(text))]; ok {
			return w, nil
		}
		return nil, errors.New("there is no such word here")
	}
}

// fields are the elements of a list.
func fields(text string) []string { return swanctl.Items(text) }

// joined is a list of texts as swanctl has it: those with commas are in quotes.
func joined(items []string) string {
	out := slices.Clone(items)
	for i, s := range out {
		if quote := `"`; strings.ContainsAny(s, `,'"`) {
			if strings.Contains(s, quote) {
				quote = "'"
			}
			out[i] = quote + s + quote
		}
	}
	return strings.Join(out, ", ")
}

// listOf reads a list, each element of which check has nothing against.
func listOf(check func(string) error) reading {
	return func(text string) (any, error) {
		items := fields(text)
		if len(items) == 0 {
			return nil, errors.New("it is empty")
		}
		for _, s := range items {
			if err := check(s); err != nil {
				return nil, fmt.Errorf("%q: %w", s, err)
			}
		}
		return tree.Strings(items), nil
	}
}

// printable reports whether a text can be written, and shown.
func printable(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func anyText(s string) error {
	_, err := word(s)
	return err
}

func endpoint(s string) error {
	_, err := config.ParseEndpoint(s)
	return err
}

func address(s string) error {
	if _, err := netip.ParseAddr(s); err != nil {
		return errors.New("it is no address")
	}
	return nil
}

// trafficSelector checks an element of local_ts and remote_ts.
func trafficSelector(s string) error {
	rest, dynamic := strings.CutPrefix(s, "dynamic")
	if dynamic && rest == "" {
		return nil
	}
	if dynamic {
		s = strings.TrimSpace(rest)
	}
	if addrs, filter, ok := strings.Cut(s, "["); !dynamic {
		// One with host bits is taken there and here.
		if n, err := netip.ParsePrefix(strings.TrimSpace(addrs)); err == nil {
			if s = n.Masked().String(); ok {
				s += "[" + filter
			}
		}
	}
	_, err := selector.Parse(s)
	var pe *selector.ParseError
	if errors.As(err, &pe) {
		return errors.New(pe.Reason)
	}
	return err
}

// identityText reads an identity, which is written as it is.
func identityText(text string) (any, error) {
	if _, err := word(text); err != nil {
		return nil, err
	}
	_, err := identity.Parse(text)
	var pe *identity.ParseError
	if errors.As(err, &pe) {
		return nil, errors.New(pe.Reason + "; " + pe.Want)
	}
	return text, err
}

// proposalsOf splits a list of proposals into those that there are here, and those that there are not, with the reasons.
func proposalsOf(protocol wire.ProtocolID, text string) (good, bad []string) {
	for _, s := range fields(text) {
		if _, err := proposal.ParseList(protocol, []string{s}); err != nil {
			reason, _, _ := strings.Cut(err.Error(), "\n")
			if !printable(reason) {
				reason = strconv.Quote(reason)
			}
			bad = append(bad, fmt.Sprintf("%q: %s", s, reason))
			continue
		}
		if !slices.Contains(good, s) {
			good = append(good, s)
		}
	}
	return good, bad
}
