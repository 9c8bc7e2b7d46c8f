package vici

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Kind tells the three kinds of elements apart.
type Kind uint8

// The kinds of elements.
const (
	KindValue Kind = iota + 1
	KindList
	KindSection
)

// Element is a named value, list or section.
type Element struct {
	Name string
	Kind Kind
	// Value is set for KindValue, List for KindList, Section for KindSection.
	Value   string
	List    []string
	Section *Message
	// octets: Value and List are not for people, and go out as they are.
	octets bool
}

// Message is a tree of named values, lists and sections, in order. The zero value is an empty message, ready to use. It
// is not safe for concurrent use while it is being built.
//
// Names of values and lists are unique within their section, as the protocol demands: setting one again replaces it in
// its place. A nil *Message reads as an empty one.
type Message struct {
	elements []Element
}

// Set sets the value of name.
func (m *Message) Set(name, value string) *Message {
	return m.put(Element{Name: name, Kind: KindValue, Value: value})
}

// SetOctets sets the value of name to octets that are no text, such as DER.
func (m *Message) SetOctets(name string, value []byte) *Message {
	return m.put(Element{Name: name, Kind: KindValue, Value: string(value), octets: true})
}

// Setf is Set with a format.
func (m *Message) Setf(name, format string, args ...any) *Message {
	return m.Set(name, fmt.Sprintf(format, args...))
}

// SetNonEmpty is Set, unless value is empty.
func (m *Message) SetNonEmpty(name, value string) *Message {
	if value == "" {
		return m
	}
	return m.Set(name, value)
}

// SetYes sets name to "yes" if on; otherwise it leaves it out, as is the custom in the protocol's lists: clients test
// whether the name is there.
func (m *Message) SetYes(name string, on bool) *Message {
	if !on {
		return m
	}
	return m.Set(name, "yes")
}

// SetList sets the list name.
func (m *Message) SetList(name string, items ...string) *Message {
	return m.put(Element{Name: name, Kind: KindList, List: items})
}

// SetListNonEmpty is SetList, unless there are no items.
func (m *Message) SetListNonEmpty(name string, items ...string) *Message {
	if len(items) == 0 {
		return m
	}
	return m.SetList(name, items...)
}

// Sub adds a section and returns it.
func (m *Message) Sub(name string) *Message {
	s := new(Message)
	m.elements = append(m.elements, Element{Name: name, Kind: KindSection, Section: s})
	return s
}

// put adds e, or replaces the value or list of that name.
func (m *Message) put(e Element) *Message {
	for i := range m.elements {
		if m.elements[i].Name == e.Name && m.elements[i].Kind != KindSection {
			m.elements[i] = e
			return m
		}
	}
	m.elements = append(m.elements, e)
	return m
}

// Len is the number of elements of the section itself.
func (m *Message) Len() int {
	if m == nil {
		return 0
	}
	return len(m.elements)
}

// All iterates over the elements in order.
func (m *Message) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		if m == nil {
			return
		}
		for _, e := range m.elements {
			if !yield(e) {
				return
			}
		}
	}
}

// Sections iterates over the sections in order, by name.
func (m *Message) Sections() iter.Seq2[string, *Message] {
	return func(yield func(string, *Message) bool) {
		for e := range m.All() {
			if e.Kind == KindSection && !yield(e.Name, e.Section) {
				return
			}
		}
	}
}

// Lookup returns the value at path, and whether there is one. All but the last name of path are of sections.
func (m *Message) Lookup(path ...string) (string, bool) {
	if e, ok := m.find(KindValue, path); ok {
		return e.Value, true
	}
	return "", false
}

// Get is Lookup with "" for what is not there.
func (m *Message) Get(path ...string) string {
	v, _ := m.Lookup(path...)
	return v
}

// List returns the list at path, or nil.
func (m *Message) List(path ...string) []string {
	e, _ := m.find(KindList, path)
	return e.List
}

// Section returns the section at path, or nil, which reads as empty.
func (m *Message) Section(path ...string) *Message {
	e, _ := m.find(KindSection, path)
	return e.Section
}

func (m *Message) find(kind Kind, path []string) (Element, bool) {
	if m == nil || len(path) == 0 {
		return Element{}, false
	}
	want := kind
	if len(path) > 1 {
		want = KindSection
	}
	for _, e := range m.elements {
		if e.Name == path[0] && e.Kind == want {
			if len(path) == 1 {
				return e, true
			}
			return e.Section.find(kind, path[1:])
		}
	}
	return Element{}, false
}

// Bool returns the truth of the value name, false if it is not there. Accepted are the words that strongSwan accepts.
func (m *Message) Bool(name string) (bool, error) {
	v, ok := m.Lookup(name)
	if !ok {
		return false, nil
	}
	switch strings.ToLower(v) {
	case "yes", "true", "enabled", "1":
		return true, nil
	case "no", "false", "disabled", "0":
		return false, nil
	}
	return false, fmt.Errorf("%s: %q is neither yes nor no", name, v)
}

// Int returns the number name, or def if it is not there. It must lie between min and max.
func (m *Message) Int(name string, def, min, max int64) (int64, error) {
	v, ok := m.Lookup(name)
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < min || n > max {
		return 0, fmt.Errorf("%s: %q is not a number from %d to %d", name, v, min, max)
	}
	return n, nil
}

// String is the message as swanctl prints it with --raw: "a=1 list=[x y] sub {b=2}".
func (m *Message) String() string {
	var b strings.Builder
	for i, e := range m.elems() {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch e.Kind {
		case KindValue:
			b.WriteString(e.Name + "=" + e.Value)
		case KindList:
			b.WriteString(e.Name + "=[" + strings.Join(e.List, " ") + "]")
		case KindSection:
			b.WriteString(e.Name + " {" + e.Section.String() + "}")
		}
	}
	return b.String()
}

func (m *Message) elems() []Element {
	if m == nil {
		return nil
	}
	return m.elements
}
