package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// done reports every key of the table that was not asked for and that is not one of handled. It is called after the last
// get.
func (t *table) done(handled ...string) Source {
	later := laterKeys(t.pattern)
	for _, k := range later {
		if t.later[t.pattern] == nil {
			t.later[t.pattern] = map[string]bool{}
		}
		t.later[t.pattern][k.name] = true
	}
	for e := range t.vals.All() {
		if t.asked[t.pattern][e.Name] || slices.Contains(handled, e.Name) {
			continue
		}
		if what, want, ok := notSupported(later, e.Name, e.Value.Data, t.pattern); ok {
			t.errorf(e.At, want, "%s is not supported by this version%s", t.name(e.Name), what)
			continue
		}
		t.errorf(e.At, t.advise(e.Name), "unknown key %s", t.name(e.Name))
	}
	return t.src
}

// advise says what an unknown key may be meant to be.
func (t *table) advise(key string) string {
	known := slices.Sorted(maps.Keys(t.asked[t.pattern]))
	if strings.HasPrefix(t.pattern, "secrets.") && t.asked[t.pattern]["id"] && strings.HasPrefix(key, "id") {
		return "write all identities into one list, id = [\"…\", \"…\"]"
	}
	if other, ok := otherNames(key); ok {
		if slices.Contains(known, other) {
			return fmt.Sprintf("did you mean %s?", other)
		}
		key = other
	}
	for _, k := range known {
		if strings.EqualFold(strings.ReplaceAll(key, "-", "_"), k) {
			return fmt.Sprintf("did you mean %s?", k)
		}
	}
	for _, k := range known {
		if k == key+"s" || k+"s" == key {
			return fmt.Sprintf("did you mean %s?", k)
		}
	}
	if place := t.homeOf(key); place != "" {
		return fmt.Sprintf("%s belongs in [%s]", key, place)
	}
	if near, ok := nearest(key, known); ok {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(known) == 0 {
		return "remove it"
	}
	return "the keys here are " + strings.Join(known, ", ")
}

// homeOf is another table that has a key, "" if there is none: one that stands beside this one if there is one.
func (t *table) homeOf(key string) (home string) {
	for _, place := range homesOf(key) {
		beside := strings.Count(place, ".") == strings.Count(t.pattern, ".")
		if place != t.pattern && (home == "" || beside) {
			home = place
		}
		if place != t.pattern && beside {
			break
		}
	}
	return home
}
