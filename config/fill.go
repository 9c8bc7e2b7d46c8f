package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A field whose tags say all that there is to say about its key is read by them:
//
//	DPDDelay time.Duration `key:"dpd_delay" reload:"live" default:"30s" range:"0|1s..365d"`
//
// `default` is what the field has when the key is not written; a field without it is read by the function of its table.
// `range` is from the least to the most; a time with "0|" before it may be 0 as well, for none. With `unit:"bytes"` a number may be
// written as a size, "1GiB", and 0 is the daemon's choice.
//
// Such a field can be a bool, a string, a number, a time or one of several words (package policy).

// fill reads the keys of a table that have a default into a struct.
func (t *table) fill(into any) {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if def, ok := f.Tag.Lookup("default"); ok {
			t.field(f.Tag.Get("key"), v.Field(i), def, f.Tag.Get("range"), f.Tag.Get("unit"))
		}
	}
}

// field reads one key. What is wrong with a tag is a fault of the program, and the first file that is read shows it.
func (t *table) field(key string, v reflect.Value, def, limits, unit string) {
	switch p := v.Addr().Interface().(type) {
	case *bool:
		*p = t.boolean(key, parsed(def, strconv.ParseBool))
		return
	case *string:
		*p, _ = t.str(key, def)
		return
	case *float64:
		low, high, _ := bounds(limits, parseFloat)
		*p = t.float(key, parsed(def, parseFloat), low, high)
		return
	case *time.Duration:
		low, high, zero := bounds(limits, parseDuration)
		*p, _ = t.duration(key, parsed(def, parseDuration), low, high, zero)
		return
	}
	if w, ok := v.Interface().(interface{ Words() []string }); ok {
		var list []enum[uint64]
		for i, name := range w.Words() {
			if name != "" {
				list = append(list, enum[uint64]{name, uint64(i)})
			}
		}
		word := func(s string) (uint64, error) {
			if n, ok := valueOf(list, s); ok {
				return n, nil
			}
			return 0, fmt.Errorf("%q is no word", s)
		}
		n, _ := choice(t, key, parsed(def, word), list)
		v.SetUint(n)
		return
	}
	low, high, _ := bounds(limits, parseInt)
	n := parsed(def, parseInt)
	if unit == "bytes" {
		b, _ := t.size(key, uint64(n), uint64(low), uint64(high))
		n = int64(b)
	} else {
		n, _ = t.integer(key, n, low, high)
	}
	if v.CanInt() {
		v.SetInt(n)
	} else {
		v.SetUint(uint64(n))
	}
}

func parseInt(s string) (int64, error)     { return strconv.ParseInt(s, 0, 64) }
func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// parsed is what a tag says.
func parsed[T any](s string, parse func(string) (T, error)) T {
	v, err := parse(s)
	if err != nil {
		panic("BUG: a tag has " + strconv.Quote(s) + ": " + err.Error())
	}
	return v
}

// bounds are what a tag says about the least and the most, and whether 0 is allowed in any case.
func bounds[T any](limits string, parse func(string) (T, error)) (low, high T, zero bool) {
	limits, zero = strings.CutPrefix(limits, "0|")
	from, to, ok := strings.Cut(limits, "..")
	if !ok {
		panic("BUG: a tag has the range " + strconv.Quote(limits))
	}
	return parsed(from, parse), parsed(to, parse), zero
}
