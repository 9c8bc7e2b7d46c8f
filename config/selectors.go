package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/selector"
)

// readSelectors reads local_ts or remote_ts. "dynamic", alone or with a protocol, is a selector without addresses.
func readSelectors(t *table, key string) (out []selector.Selector) {
	items, ok := t.list(key)
	if !ok {
		return []selector.Selector{{StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort}}
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out, or write \"dynamic\", for the gateway's own address")
	}
	for _, it := range items {
		it.text = t.withoutHostBits(it, key)
		s, err := parseSelector(it.text)
		if err != nil {
			var pe *selector.ParseError
			if errors.As(err, &pe) {
				t.errorf(it.at, pe.Want, "%s: %s is not a valid traffic selector: %s", t.name(key), quote(it.text), pe.Reason)
			} else {
				t.errorf(it.at, "", "%s: %v", t.name(key), err)
			}
			continue
		}
		for _, o := range out {
			switch {
			case o == s:
				t.warnf(it.at, "remove one", "%s has %s twice", t.name(key), s)
			case o.Contains(s):
				t.warnf(it.at, "remove one", "%s has %s, which is a part of %s", t.name(key), s, o)
			case s.Contains(o):
				t.warnf(it.at, "remove one", "%s has %s, of which %s is a part", t.name(key), s, o)
			}
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > selector.MaxSelectors {
		t.errorf(t.at(key), fmt.Sprintf("write at most %d, or wider ones", selector.MaxSelectors), "%s has %d selectors",
			t.name(key), len(out))
	}
	return out
}

// parseSelector is selector.Parse and the word "dynamic", which is how swanctl says that there are no addresses yet.
func parseSelector(text string) (selector.Selector, error) {
	s := strings.TrimSpace(text)
	switch rest, ok := strings.CutPrefix(s, "dynamic"); {
	case ok && rest == "":
		return selector.Selector{StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort}, nil
	case ok && strings.HasPrefix(strings.TrimSpace(rest), "["):
		s = strings.TrimSpace(rest)
	}
	return selector.Parse(s)
}
