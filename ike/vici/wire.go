package vici

import (
	"encoding/binary"
	"fmt"
)

// Limits of the protocol, and of this implementation of it.
const (
	// MaxSegment is the longest segment, in octets without its length field.
	MaxSegment = 512 << 10
	// MaxName is the longest name of a command, event or element, in octets.
	MaxName = 255
	// MaxValue is the longest value, in octets.
	MaxValue = 65535
	// MaxDepth is how deep sections may be nested here; the protocol has no limit, its messages have at most five.
	MaxDepth = 32
	// MaxElements is how many elements and list items a message may have here. It bounds what the octets of a segment
	// can cost in memory.
	MaxElements = 1 << 16
)

// PacketType is the type of a packet.
type PacketType uint8

// The packet types.
const (
	CmdRequest      PacketType = 0 // named, with a message
	CmdResponse     PacketType = 1 // a message
	CmdUnknown      PacketType = 2
	EventRegister   PacketType = 3 // named
	EventUnregister PacketType = 4 // named
	EventConfirm    PacketType = 5
	EventUnknown    PacketType = 6
	Event           PacketType = 7 // named, with a message
)

// String is the name that the protocol's description uses.
func (t PacketType) String() string {
	switch t {
	case CmdRequest:
		return "CMD_REQUEST"
	case CmdResponse:
		return "CMD_RESPONSE"
	case CmdUnknown:
		return "CMD_UNKNOWN"
	case EventRegister:
		return "EVENT_REGISTER"
	case EventUnregister:
		return "EVENT_UNREGISTER"
	case EventConfirm:
		return "EVENT_CONFIRM"
	case EventUnknown:
		return "EVENT_UNKNOWN"
	case Event:
		return "EVENT"
	}
	return fmt.Sprintf("packet type %d", uint8(t))
}

func (t PacketType) named() bool {
	return t == CmdRequest || t == EventRegister || t == EventUnregister || t == Event
}

func (t PacketType) hasMessage() bool { return t == CmdRequest || t == CmdResponse || t == Event }

// Packet is one packet. Name is empty in types without one, Message nil in types without one.
type Packet struct {
	Type    PacketType
	Name    string
	Message *Message
}

// The element types of a message.
const (
	elemSectionStart = 1
	elemSectionEnd   = 2
	elemKeyValue     = 3
	elemListStart    = 4
	elemListItem     = 5
	elemListEnd      = 6
)

// ParseError says what is wrong with a packet, and at which octet of it.
type ParseError struct {
	Offset int
	Reason string
}

// Error implements error.
func (e *ParseError) Error() string {
	return fmt.Sprintf("vici: malformed packet at octet %d: %s", e.Offset, e.Reason)
}

// Append appends the encoded packet (without the length of the segment) to b. It fails if a name or value is too long
// or the nesting too deep, never for the length of the whole; see [WritePacket].
func (p Packet) Append(b []byte) ([]byte, error) {
	b = append(b, byte(p.Type))
	var err error
	if p.Type.named() {
		if b, err = appendName(b, p.Name); err != nil {
			return nil, err
		}
	}
	if p.Type.hasMessage() {
		return p.Message.appendTo(b, 0)
	}
	return b, nil
}

func (m *Message) appendTo(b []byte, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("vici: more than %d nested sections", MaxDepth)
	}
	var err error
	for _, e := range m.elems() {
		switch e.Kind {
		case KindValue:
			if b, err = appendName(append(b, elemKeyValue), e.Name); err != nil {
				return nil, err
			}
			if b, err = appendValue(b, e.Name, e.Value); err != nil {
				return nil, err
			}
		case KindList:
			if b, err = appendName(append(b, elemListStart), e.Name); err != nil {
				return nil, err
			}
			for _, v := range e.List {
				if b, err = appendValue(append(b, elemListItem), e.Name, v); err != nil {
					return nil, err
				}
			}
			b = append(b, elemListEnd)
		case KindSection:
			if b, err = appendName(append(b, elemSectionStart), e.Name); err != nil {
				return nil, err
			}
			if b, err = e.Section.appendTo(b, depth+1); err != nil {
				return nil, err
			}
			b = append(b, elemSectionEnd)
		default:
			panic(fmt.Sprintf("vici: BUG: element of kind %d", e.Kind))
		}
	}
	return b, nil
}

func appendName(b []byte, name string) ([]byte, error) {
	if len(name) > MaxName {
		return nil, fmt.Errorf("vici: a name of %d octets (%.20q…); at most %d are possible", len(name), name, MaxName)
	}
	return append(append(b, byte(len(name))), name...), nil
}

func appendValue(b []byte, name, value string) ([]byte, error) {
	if len(value) > MaxValue {
		return nil, fmt.Errorf("vici: the value of %s has %d octets; at most %d are possible", name, len(value), MaxValue)
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...), nil
}

// ParsePacket decodes a packet (a segment without its length). Strings are copied; the result does not alias b. Errors
// are *ParseError.
func ParsePacket(b []byte) (Packet, error) {
	r := reader{b: b}
	t, err := r.octet("packet type")
	if err != nil {
		return Packet{}, err
	}
	p := Packet{Type: PacketType(t)}
	if p.Type > Event {
		return Packet{}, &ParseError{0, "unknown " + p.Type.String()}
	}
	if p.Type.named() {
		if p.Name, err = r.name(); err != nil {
			return Packet{}, err
		}
	}
	if !p.Type.hasMessage() {
		if r.off != len(b) {
			return Packet{}, &ParseError{r.off, p.Type.String() + " with a message"}
		}
		return p, nil
	}
	p.Message = new(Message)
	if err := r.message(p.Message); err != nil {
		return Packet{}, err
	}
	return p, nil
}

// reader reads through a packet, bounds checked.
type reader struct {
	b     []byte
	off   int
	count int // elements so far
}

func (r *reader) octet(what string) (byte, error) {
	if r.off == len(r.b) {
		return 0, &ParseError{r.off, what + " is missing"}
	}
	r.off++
	return r.b[r.off-1], nil
}

func (r *reader) take(n int, what string) (string, error) {
	if len(r.b)-r.off < n {
		return "", &ParseError{r.off, fmt.Sprintf("%s of %d octets, %d are left", what, n, len(r.b)-r.off)}
	}
	r.off += n
	return string(r.b[r.off-n : r.off]), nil
}

func (r *reader) name() (string, error) {
	n, err := r.octet("name length")
	if err != nil {
		return "", err
	}
	return r.take(int(n), "name")
}

func (r *reader) value() (string, error) {
	if len(r.b)-r.off < 2 {
		return "", &ParseError{r.off, "value length is missing"}
	}
	n := binary.BigEndian.Uint16(r.b[r.off:])
	r.off += 2
	return r.take(int(n), "value")
}

// open is a section that was started and not ended, with the names that it has so far.
type open struct {
	m     *Message
	names map[string]struct{}
}

// message reads elements up to the end of the packet into root.
func (r *reader) message(root *Message) error {
	stack := []open{{m: root}}
	for r.off < len(r.b) {
		at := r.off
		if r.count++; r.count > MaxElements {
			return &ParseError{at, fmt.Sprintf("more than %d elements", MaxElements)}
		}
		typ, _ := r.octet("element type")
		top := &stack[len(stack)-1]
		switch typ {
		case elemSectionStart:
			name, err := r.name()
			if err != nil {
				return err
			}
			if len(stack) > MaxDepth {
				return &ParseError{at, fmt.Sprintf("more than %d nested sections", MaxDepth)}
			}
			stack = append(stack, open{m: top.m.Sub(name)})
		case elemSectionEnd:
			if len(stack) == 1 {
				return &ParseError{at, "SECTION_END without SECTION_START"}
			}
			stack = stack[:len(stack)-1]
		case elemKeyValue:
			name, err := r.unique(at, top)
			if err != nil {
				return err
			}
			v, err := r.value()
			if err != nil {
				return err
			}
			top.m.elements = append(top.m.elements, Element{Name: name, Kind: KindValue, Value: v})
		case elemListStart:
			name, err := r.unique(at, top)
			if err != nil {
				return err
			}
			items, err := r.list()
			if err != nil {
				return err
			}
			top.m.elements = append(top.m.elements, Element{Name: name, Kind: KindList, List: items})
		case elemListItem, elemListEnd:
			return &ParseError{at, "LIST_ITEM or LIST_END outside of a list"}
		default:
			return &ParseError{at, fmt.Sprintf("unknown element type %d", typ)}
		}
	}
	if len(stack) > 1 {
		return &ParseError{r.off, fmt.Sprintf("%d sections are not ended", len(stack)-1)}
	}
	return nil
}

// unique reads the name of a value or list of section s, which must not have it yet: "Key names must be unique in the
// current section, use lists to define multiple values for a key."
func (r *reader) unique(at int, s *open) (string, error) {
	name, err := r.name()
	if err != nil {
		return "", err
	}
	if _, dup := s.names[name]; dup {
		return "", &ParseError{at, fmt.Sprintf("%q twice in one section", name)}
	}
	if s.names == nil {
		s.names = make(map[string]struct{})
	}
	s.names[name] = struct{}{}
	return name, nil
}

// list reads items up to LIST_END. "After opening a list, only list items may appear before the list closing element."
func (r *reader) list() ([]string, error) {
	var items []string
	for {
		at := r.off
		typ, err := r.octet("LIST_END")
		if err != nil {
			return nil, err
		}
		switch typ {
		case elemListEnd:
			return items, nil
		case elemListItem:
			if r.count++; r.count > MaxElements {
				return nil, &ParseError{at, fmt.Sprintf("more than %d elements", MaxElements)}
			}
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		default:
			return nil, &ParseError{at, fmt.Sprintf("element type %d inside a list", typ)}
		}
	}
}
