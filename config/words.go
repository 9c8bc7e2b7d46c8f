package config

import (
	"fmt"
	"strings"

	"esplanade/ike/policy"
)

// enum is a word of the configuration with its value.
type enum[T comparable] struct {
	name  string
	value T
}

// wordsOf are the words of a kind.
func wordsOf[W policy.Word]() (list []enum[W]) {
	var w W
	for i, name := range w.Words() {
		if name != "" {
			list = append(list, enum[W]{name, W(i)})
		}
	}
	return list
}

// namesOf are the words of a list.
func namesOf[T comparable](list []enum[T]) (names []string) {
	for _, e := range list {
		names = append(names, e.name)
	}
	return names
}

func nameOf[T comparable](list []enum[T], v T) string {
	for _, e := range list {
		if e.value == v {
			return e.name
		}
	}
	return "unknown"
}

func valueOf[T comparable](list []enum[T], name string) (v T, ok bool) {
	for _, e := range list {
		if e.name == name {
			return e.value, true
		}
	}
	return v, false
}

// choice reads one of several words.
func choice[T comparable](t *table, key string, def T, list []enum[T]) (v T, at Position) {
	s, at := t.strAs(key, nameOf(list, def), "write "+words(list))
	if !t.isString(key) {
		return def, at // absent, or reported
	}
	if v, ok := valueOf(list, s); ok {
		return v, at
	}
	want := "write " + words(list)
	if len(list) > 1 {
		if near, ok := nearest(s, namesOf(list)); ok {
			want = fmt.Sprintf("did you mean %s? It is one of %s", quote(near), words(list))
		}
	}
	t.errorf(at, want, "%s is %s", t.name(key), quote(s))
	return def, at
}

// words lists the words for a message: "a", "b" or "c".
func words[T comparable](list []enum[T]) string {
	var quoted []string
	for _, e := range list {
		quoted = append(quoted, quote(e.name))
	}
	return either(quoted)
}

func either(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
