package eap

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// nakTypes are the methods that a Nak asks for, in its order and each once; none is "no viable alternatives".
// Those of vendors are left out: none of them is known here. An error says what is wrong with it.
func nakTypes(p packet) ([]Type, error) {
	var all []Type
	add := func(t Type) {
		if t.Method() && len(all) < 256 && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	if !p.expanded {
		// "Length >=6". https://www.rfc-editor.org/rfc/rfc3748#section-5.3.1
		if len(p.data) == 0 {
			return nil, fmt.Errorf("a Nak without a type")
		}
		for _, t := range p.data {
			add(Type(t))
		}
		return all, nil
	}
	// "The Vendor-Data field of the Nak Response MUST contain one or more authentication Types (4 or greater), all in expanded format, 8 octets
	// per Type". https://www.rfc-editor.org/rfc/rfc3748#section-5.3.2
	if len(p.data) == 0 || len(p.data)%expandedLen != 0 {
		return nil, fmt.Errorf("an Expanded Nak with %d bytes of types", len(p.data))
	}
	for b := p.data; len(b) > 0; b = b[expandedLen:] {
		t := binary.BigEndian.Uint32(b[4:])
		switch {
		case Type(b[0]) != TypeExpanded:
			return nil, fmt.Errorf("an Expanded Nak with a type that is none")
		case vendor(b) == 0 && t < uint32(TypeExpanded):
			add(Type(t))
		}
	}
	return all, nil
}

// nak refuses a request, and asks for other methods: in the spelling of the request.
func nak(request packet, want []Type) packet {
	p := packet{code: codeResponse, id: request.id, typ: TypeNak, expanded: request.expanded, vendorType: uint32(TypeNak)}
	if len(want) == 0 {
		want = []Type{0}
	}
	for _, t := range want {
		if p.expanded {
			p.data = appendExpanded(p.data, 0, uint32(t))
		} else {
			p.data = append(p.data, byte(t))
		}
	}
	return p
}
