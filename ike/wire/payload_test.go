package wire

import (
	"bytes"
	"net/netip"
	"runtime"
	"testing"
)

func TestFirstType(t *testing.T) {
	if got := FirstType(nil); got != PayloadNone {
		t.Errorf("of none: %s", got)
	}
	if got := FirstType([]Payload{&ID{Responder: true}, &KE{}}); got != PayloadIDr {
		t.Errorf("%s, want IDr", got)
	}
}

// The longest body that a payload can have is sent, a longer one isn't.
func TestPayloadTooLong(t *testing.T) {
	b := AppendPayloads(nil, []Payload{&Cert{Data: make([]byte, MaxBodyLen-1)}})
	if len(b) != 65535 || b[2] != 0xff || b[3] != 0xff {
		t.Errorf("%d octets, length field %x", len(b), b[2:4])
	}
	if _, err := ParsePayloads(PayloadCERT, b, 0); err != nil {
		t.Error(err)
	}
	wantPanic(t, "body of 65532 octets", func() { AppendPayloads(nil, []Payload{&Cert{Data: make([]byte, MaxBodyLen)}}) })
	attrs := make([]CfgAttr, 2)
	for i := range attrs {
		attrs[i].Value = make([]byte, 40000)
	}
	wantPanic(t, "attributes of 80000 octets", func() { AppendPayloads(nil, []Payload{&CP{Attributes: attrs}}) })
}

// Every payload type that has a struct is understood, is single unless it is
// listed, and the two encrypted ones aren't payloads of a chain.
func TestUnderstood(t *testing.T) {
	for n := 0; n < 256; n++ {
		pt := PayloadType(n)
		p, err := parseBody(pt, false, nil, 0)
		_, unknown := p.(*Unknown)
		want := err != nil || !unknown || pt == PayloadSK || pt == PayloadSKF
		if got := understood(pt); got != want {
			t.Errorf("understood(%s) is %t, parseBody gives %T, %v", pt, got, p, err)
		}
	}
}

// Memory that parsing takes grows with the input, whatever counts and lengths it
// claims: these are the inputs that make the most of their octets.
func TestParseMemory(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.1")
	var (
		spis       [][]byte
		attrs      []CfgAttr
		selectors  []TrafficSelector
		transforms []Transform
		proposals  []Proposal
		unknown    []Payload
	)
	for range 16000 {
		spis = append(spis, []byte{1, 2, 3, 4})
		attrs = append(attrs, CfgAttr{Type: 1})
	}
	for range 255 {
		selectors = append(selectors, TrafficSelector{Start: a, End: a})
		transforms = append(transforms, Transform{Type: TransformENCR})
	}
	for n := range 30 {
		proposals = append(proposals, Proposal{Number: uint8(n + 1), Protocol: ProtocolIKE, Transforms: transforms})
	}
	for range MaxUnknown {
		unknown = append(unknown, &Unknown{PayloadType: 200})
	}
	for name, ps := range map[string][]Payload{
		"delete":  {&Delete{Protocol: ProtocolESP, SPIs: spis}},
		"cp":      {&CP{Attributes: attrs}},
		"ts":      {&TS{Selectors: selectors}},
		"sa":      {&SA{Proposals: proposals}},
		"unknown": unknown,
	} {
		b := AppendPayloads(nil, ps)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := ParsePayloads(FirstType(ps), b, 0); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		// A slice header has 24 octets for an SPI of 4, an attribute 32 for 4; growing
		// a slice step by step takes some four times what it has in the end.
		const perOctet, fixed = 48, 8192
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(perOctet*len(b)+fixed) {
			t.Errorf("%s: %d octets took %d octets of memory", name, len(b), took)
		}
	}
}

// A count that can't be true takes no memory.
func TestParseMemoryOfLies(t *testing.T) {
	for name, c := range map[string]struct {
		pt   PayloadType
		body []byte
	}{
		"delete": {PayloadDelete, []byte{3, 4, 0xff, 0xff}},
		"sa":     {PayloadSA, []byte{0, 0, 0, 8, 1, 1, 0, 0xff}},
		"ts":     {PayloadTSi, []byte{0xff, 0, 0, 0}},
		"cp":     {PayloadCP, []byte{1, 0, 0, 0, 0, 1, 0xff, 0xff}},
		"eap":    {PayloadEAP, []byte{1, 1, 0xff, 0xff}},
		"notify": {PayloadNotify, []byte{3, 0xff, 0x40, 9}},
	} {
		b := framed(c.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParsePayloads(c.pt, b, 0)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: parsed", name)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 4096 {
			t.Errorf("%s: %d octets of memory", name, took)
		}
	}
}

// Encoding into a slice with room allocates nothing.
func TestAppendAllocations(t *testing.T) {
	ps := onePayloadOfEach()
	buf := make([]byte, 0, 4096)
	want := AppendPayloads(nil, ps)
	if n := testing.AllocsPerRun(100, func() { buf = AppendPayloads(buf[:0], ps) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
	if !bytes.Equal(buf, want) {
		t.Error("different octets")
	}
}
