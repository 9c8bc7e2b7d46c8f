package vici

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// example is the message of the encoding example in the protocol's description, and its encoding as given there.
func example() (*Message, []byte) {
	m := new(Message).Set("key1", "value1")
	s := m.Sub("section1")
	s.Sub("sub-section").Set("key2", "value2")
	s.SetList("list1", "item1", "item2")
	return m, []byte("" +
		"\x03\x04key1\x00\x06value1" +
		"\x01\x08section1" +
		"\x01\x0bsub-section" +
		"\x03\x04key2\x00\x06value2" +
		"\x02" +
		"\x04\x05list1" +
		"\x05\x00\x05item1" +
		"\x05\x00\x05item2" +
		"\x06" +
		"\x02")
}

func TestEncodingExample(t *testing.T) {
	m, want := example()
	for _, p := range []struct {
		packet Packet
		head   string
	}{
		{Packet{CmdRequest, "version", m}, "\x00\x07version"},
		{Packet{CmdResponse, "", m}, "\x01"},
		{Packet{Event, "log", m}, "\x07\x03log"},
	} {
		got, err := p.packet.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if w := append([]byte(p.head), want...); !bytes.Equal(got, w) {
			t.Errorf("%s:\n got %q\nwant %q", p.packet.Type, got, w)
		}
		back, err := ParsePacket(got)
		if err != nil || !reflect.DeepEqual(back, p.packet) {
			t.Errorf("%s: back %v, %v", p.packet.Type, back, err)
		}
	}
}

func TestPacketsWithoutMessage(t *testing.T) {
	for _, c := range []struct {
		p    Packet
		want string
	}{
		{Packet{Type: CmdUnknown}, "\x02"},
		{Packet{Type: EventRegister, Name: "log"}, "\x03\x03log"},
		{Packet{Type: EventUnregister, Name: "log"}, "\x04\x03log"},
		{Packet{Type: EventConfirm}, "\x05"},
		{Packet{Type: EventUnknown}, "\x06"},
	} {
		got, err := c.p.Append(nil)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", c.p.Type, got, err)
		}
		if back, err := ParsePacket(got); err != nil || back != c.p {
			t.Errorf("%s: back %v, %v", c.p.Type, back, err)
		}
		if _, err := ParsePacket(append(got, 2)); err == nil {
			t.Errorf("%s: octets behind are accepted", c.p.Type)
		}
	}
	if got := PacketType(9).String(); got != "packet type 9" {
		t.Errorf("unknown type: %s", got)
	}
}

// TestEveryPrefixFails cuts a packet everywhere. Only where an element of the root section ends is the rest a packet.
func TestEveryPrefixFails(t *testing.T) {
	m, body := example()
	packet, err := Packet{Event, "list-sa", m}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	head := len(packet) - len(body)
	whole := map[int]bool{head: true, head + len("\x03\x04key1\x00\x06value1"): true}
	for n := range packet {
		_, err := ParsePacket(packet[:n:n])
		if (err == nil) != whole[n] {
			t.Errorf("prefix of %d octets: %v", n, err)
		}
		var pe *ParseError
		if err != nil && (!errors.As(err, &pe) || pe.Offset > n || pe.Reason == "") {
			t.Errorf("prefix of %d octets: error %#v", n, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	deep := strings.Repeat("\x01\x01s", MaxDepth+1) + strings.Repeat("\x02", MaxDepth+1)
	for name, c := range map[string]struct {
		in, reason string
		offset     int
	}{
		"nothing":               {"", "packet type is missing", 0},
		"unknown packet type":   {"\x08", "unknown packet type 8", 0},
		"no name":               {"\x00", "name length is missing", 1},
		"short name":            {"\x00\x05vers", "name of 5 octets, 4 are left", 2},
		"register with message": {"\x03\x03log\x02", "EVENT_REGISTER with a message", 5},
		"element type 0":        {"\x01\x00", "unknown element type 0", 1},
		"element type 7":        {"\x01\x07", "unknown element type 7", 1},
		"section end first":     {"\x01\x02", "SECTION_END without SECTION_START", 1},
		"one end too many":      {"\x01\x01\x01s\x02\x02", "SECTION_END without SECTION_START", 5},
		"section not ended":     {"\x01\x01\x01s", "1 sections are not ended", 4},
		"sections not ended":    {"\x01\x01\x01s\x01\x01t", "2 sections are not ended", 7},
		"item outside":          {"\x01\x05\x00\x01x", "outside of a list", 1},
		"list end outside":      {"\x01\x06", "outside of a list", 1},
		"list not ended":        {"\x01\x04\x01l\x05\x00\x01x", "LIST_END is missing", 8},
		"list in list":          {"\x01\x04\x01l\x04\x01m\x06\x06", "element type 4 inside a list", 4},
		"value in list":         {"\x01\x04\x01l\x03\x01k\x00\x01v\x06", "element type 3 inside a list", 4},
		"section in list":       {"\x01\x04\x01l\x01\x01s\x02\x06", "element type 1 inside a list", 4},
		"section end in list":   {"\x01\x01\x01s\x04\x01l\x02\x06", "element type 2 inside a list", 7},
		"no value length":       {"\x01\x03\x01k\x00", "value length is missing", 4},
		"short value":           {"\x01\x03\x01k\x00\x05valu", "value of 5 octets, 4 are left", 6},
		"short item":            {"\x01\x04\x01l\x05\xff\xffx\x06", "value of 65535 octets, 2 are left", 7},
		"key twice":             {"\x01\x03\x01k\x00\x01v\x03\x01k\x00\x01w", "\"k\" twice", 7},
		"key and list":          {"\x01\x03\x01k\x00\x01v\x04\x01k\x06", "\"k\" twice", 7},
		"key twice deeper":      {"\x01\x01\x01s\x03\x01k\x00\x00\x03\x01k\x00\x00\x02", "\"k\" twice", 9},
		"too deep":              {"\x01" + deep, "nested sections", 1 + 3*MaxDepth},
		"too many items":        {"\x01\x04\x01l" + strings.Repeat("\x05\x00\x00", MaxElements) + "\x06", "more than", 4 + 3*(MaxElements-1)},
	} {
		_, err := ParsePacket([]byte(c.in))
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(pe.Reason, c.reason) || pe.Offset != c.offset {
			t.Errorf("%s: at %d: %s; want at %d: %s", name, pe.Offset, pe.Reason, c.offset, c.reason)
		}
	}
	// The same key in two sections is fine, and so are sections of one name, an empty list and an empty name.
	for _, in := range []string{
		"\x01\x01\x01s\x03\x01k\x00\x00\x02\x01\x01s\x03\x01k\x00\x00\x02", "\x01\x04\x01l\x06", "\x01\x01\x00\x02",
		"\x01" + strings.Repeat("\x01\x01s", MaxDepth) + strings.Repeat("\x02", MaxDepth),
	} {
		p, err := ParsePacket([]byte(in))
		if err != nil {
			t.Errorf("%.20q: %v", in, err)
			continue
		}
		if out, err := p.Append(nil); err != nil || string(out) != in {
			t.Errorf("%.20q comes back as %.20q, %v", in, out, err)
		}
	}
}

func TestEncodeLimits(t *testing.T) {
	long := new(Message).Set(strings.Repeat("n", MaxName), strings.Repeat("v", MaxValue))
	if _, err := (Packet{CmdResponse, "", long}).Append(nil); err != nil {
		t.Errorf("the longest name and value: %v", err)
	}
	deep := new(Message)
	for s, i := deep, 0; i <= MaxDepth; i++ {
		s = s.Sub("s")
	}
	for name, m := range map[string]*Message{
		"name":    new(Message).Set(strings.Repeat("n", MaxName+1), ""),
		"list":    new(Message).SetList(strings.Repeat("n", MaxName+1)),
		"section": func() *Message { m := new(Message); m.Sub(strings.Repeat("n", MaxName+1)); return m }(),
		"value":   new(Message).Set("k", strings.Repeat("v", MaxValue+1)),
		"item":    new(Message).SetList("l", strings.Repeat("v", MaxValue+1)),
		"depth":   deep,
	} {
		if _, err := (Packet{CmdResponse, "", m}).Append(nil); err == nil {
			t.Errorf("%s beyond its limit is encoded", name)
		}
	}
	if _, err := (Packet{Type: EventRegister, Name: strings.Repeat("n", MaxName+1)}).Append(nil); err == nil {
		t.Error("a packet name beyond its limit is encoded")
	}
	huge := new(Message)
	for i := range 9 {
		huge.Set(string(rune('a'+i)), strings.Repeat("v", MaxValue))
	}
	if err := WritePacket(io.Discard, Packet{CmdResponse, "", huge}); err == nil {
		t.Error("a segment beyond its limit is written")
	}
}

func TestReadPacket(t *testing.T) {
	m, _ := example()
	var b bytes.Buffer
	for _, p := range []Packet{{CmdRequest, "a", m}, {Type: EventConfirm}} {
		if err := WritePacket(&b, p); err != nil {
			t.Fatal(err)
		}
	}
	whole := b.Bytes()
	if p, err := ReadPacket(&b); err != nil || p.Name != "a" {
		t.Fatal(p, err)
	}
	if p, err := ReadPacket(&b); err != nil || p.Type != EventConfirm {
		t.Fatal(p, err)
	}
	if _, err := ReadPacket(&b); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	first := 4 + int(binary.BigEndian.Uint32(whole))
	for n := 1; n < first; n++ {
		if _, err := ReadPacket(bytes.NewReader(whole[:n])); err != io.ErrUnexpectedEOF {
			t.Errorf("after %d octets: %v", n, err)
		}
	}
	if _, err := ReadPacket(bytes.NewReader([]byte{0, 8, 0, 1})); err == nil || err == io.ErrUnexpectedEOF {
		t.Errorf("a segment beyond the limit: %v", err)
	}
	// A malformed packet does not lose the stream.
	r := bytes.NewReader([]byte("\x00\x00\x00\x01\x63\x00\x00\x00\x01\x05"))
	var pe *ParseError
	if _, err := ReadPacket(r); !errors.As(err, &pe) {
		t.Errorf("malformed: %v", err)
	}
	if p, err := ReadPacket(r); err != nil || p.Type != EventConfirm {
		t.Errorf("after a malformed packet: %v, %v", p, err)
	}
}

// FuzzParsePacket: no input panics, and whatever is accepted encodes to the same octets again.
func FuzzParsePacket(f *testing.F) {
	m, _ := example()
	for _, p := range []Packet{
		{CmdRequest, "list-sas", m}, {CmdResponse, "", m}, {Event, "list-sa", testSA().message(testSA().Children, testNow)},
		{Type: CmdUnknown}, {Type: EventRegister, Name: "log"},
	} {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("\x01\x04\x01l\x05\x00\x00\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePacket(b)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Offset < 0 || pe.Offset > len(b) {
				t.Fatalf("error %v", err)
			}
			return
		}
		out, err := p.Append(nil)
		if err != nil {
			t.Fatalf("accepted, but cannot be encoded: %v", err)
		}
		if !bytes.Equal(out, b) {
			t.Fatalf("%x comes back as %x", b, out)
		}
		if p.Message != nil {
			p.Message.toPrintable()
			_ = p.Message.String()
			if _, err := p.Append(nil); err != nil {
				t.Fatalf("printable, but cannot be encoded: %v", err)
			}
		}
	})
}
