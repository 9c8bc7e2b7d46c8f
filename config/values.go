package config

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour
	// forever bounds every duration: longer ones are a mistake.
	forever = 365 * day
)

// parseDuration reads Go's notation and days: "90s", "1h30m", "1d". A number needs a unit.
func parseDuration(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if s == "0" {
		return 0, nil
	}
	var d time.Duration
	if days, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errors.New("that is not a time")
		}
		if d, s = time.Duration(n)*day, rest; s == "" {
			return d, nil
		}
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, errors.New("the unit is missing")
	}
	rest, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("that is not a time")
	}
	if rest < 0 {
		return 0, errors.New("it is negative")
	}
	if rest > forever {
		rest = forever // and too long, which the caller finds
	}
	return d + rest, nil
}

// ParseDuration reads a time as a file in TOML has it: "90s", "1h30m", "1d". ok is false for a text that is none.
func ParseDuration(text string) (d time.Duration, ok bool) {
	d, err := parseDuration(text)
	return d, err == nil
}

// ParseSize reads a number of bytes as a file in TOML has it: "1GiB". ok is false for a text that is none.
func ParseSize(text string) (n uint64, ok bool) {
	n, err := parseSize(text)
	return n, err == nil
}

// short prints a duration without the zeros that Go puts at the end: "4h", not "4h0m0s".
func short(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// example is a duration to show in a message: the default where there is one.
func example(def, low, high time.Duration) string {
	if def != 0 {
		return short(def)
	}
	return short(min(max(low, time.Hour), high))
}

// parseSize reads a number of bytes with an optional unit, of a thousand (kB, MB, GB, TB) or of 1024 (KiB, MiB, GiB,
// TiB).
func parseSize(text string) (uint64, error) {
	s := strings.TrimSpace(text)
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseUint(s[:i], 10, 64)
	if err != nil {
		return 0, errors.New("that is not a size")
	}
	var unit uint64
	switch strings.ToLower(strings.TrimSpace(s[i:])) {
	case "", "b":
		unit = 1
	case "kb":
		unit = 1e3
	case "mb":
		unit = 1e6
	case "gb":
		unit = 1e9
	case "tb":
		unit = 1e12
	case "kib", "k":
		unit = 1 << 10
	case "mib", "m":
		unit = 1 << 20
	case "gib", "g":
		unit = 1 << 30
	case "tib", "t":
		unit = 1 << 40
	default:
		return 0, fmt.Errorf("%s is not a unit", quote(s[i:]))
	}
	hi, lo := bits.Mul64(n, unit)
	if hi != 0 || lo > 1<<63-1 {
		return 0, errors.New("it is too large")
	}
	return lo, nil
}
