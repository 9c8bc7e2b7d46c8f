package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// carry takes a message from one link to another, and returns it and how many packets carried it.
func carry(t *testing.T, from, to *Link, message []byte) ([]byte, int) {
	t.Helper()
	from.Send(message)
	for n := 1; ; n++ {
		got, kind, err := to.Receive(from.Next())
		switch {
		case err != nil:
			t.Fatal(err)
		case kind == Message:
			return got, n
		case kind != Fragment:
			t.Fatalf("kind %d", kind)
		}
		if _, kind, err := from.Receive(to.Next()); err != nil || kind != Ack {
			t.Fatalf("an acknowledgement is %d, %v", kind, err)
		}
	}
}

func TestFragments(t *testing.T) {
	for _, size := range []int{0, MinFragment, 1000, MaxFragment, 1 << 20, 1} {
		for _, n := range []int{1, MinFragment, MinFragment + 1, 1024, 1025, 5000, MaxMessage} {
			message := make([]byte, n)
			for i := range message {
				message[i] = byte(i * 7 >> 3)
			}
			a, b := Link{Size: size, Version: 1}, Link{}
			got, packets := carry(t, &a, &b, message)
			each := size
			if each == 0 {
				each = DefaultFragment
			}
			each = min(max(each, MinFragment), MaxFragment)
			if !bytes.Equal(got, message) || packets != (n+each-1)/each {
				t.Errorf("size %d, %d bytes: %d bytes came in %d packets", size, n, len(got), packets)
			}
			if a.Pending() || b.Open() {
				t.Errorf("size %d, %d bytes: something is left", size, n)
			}
			// And the other way round, on the same links.
			if got, _ := carry(t, &b, &a, message); !bytes.Equal(got, message) {
				t.Errorf("size %d, %d bytes: nothing comes back", size, n)
			}
		}
	}
}

// packet is the type data of a fragment.
func packet(flags byte, length int, data string) []byte {
	p := []byte{flags}
	if flags&flagLength != 0 {
		p = binary.BigEndian.AppendUint32(p, uint32(length))
	}
	return append(p, data...)
}

func TestFlags(t *testing.T) {
	l := Link{Version: 3, Size: MinFragment}
	if p := l.StartPacket(); !bytes.Equal(p, []byte{0x23}) {
		t.Errorf("a start is %x", p)
	}
	l.Send(make([]byte, 2*MinFragment+1))
	for i, want := range [][]byte{{0xc3, 0, 0, 2, 1}, {0x43}, {0x03}} {
		if p := l.Next(); !bytes.HasPrefix(p, want) || PeerVersion(p) != 3 {
			t.Errorf("fragment %d begins with %x", i, p[:5])
		}
	}
	if p := l.Next(); !bytes.Equal(p, []byte{0x03}) {
		t.Errorf("an acknowledgement is %x", p)
	}
	// "they MUST accept unfragmented messages with and without the L bit set"
	for _, p := range [][]byte{packet(0, 0, "abc"), packet(flagLength, 3, "abc")} {
		var l Link
		if m, kind, err := l.Receive(p); err != nil || kind != Message || string(m) != "abc" {
			t.Errorf("%x: %q, %d, %v", p, m, kind, err)
		}
	}
	// Some repeat the length in each fragment.
	l = Link{}
	l.Receive(packet(flagLength|flagMore, 3, "a"))
	if m, kind, err := l.Receive(packet(flagLength, 3, "bc")); err != nil || kind != Message || string(m) != "abc" {
		t.Errorf("with a length in each: %q, %d, %v", m, kind, err)
	}
	for _, p := range [][]byte{{0}, {flagLength, 0, 0, 0, 0}} {
		l = Link{}
		if _, kind, err := l.Receive(p); err != nil || kind != Empty {
			t.Errorf("%x is %d, %v", p, kind, err)
		}
	}
	l = Link{}
	if m, kind, err := l.Receive([]byte{flagStart, 1, 2}); err != nil || kind != Start || len(m) != 2 {
		t.Errorf("a start: %x, %d, %v", m, kind, err)
	}
}

func TestHostileFragments(t *testing.T) {
	sending := func(l *Link) { l.Send(make([]byte, 5000)); l.Next() }
	for name, c := range map[string]struct {
		before  func(*Link)
		packets [][]byte
		want    error
	}{
		"nothing":                        {packets: [][]byte{{}}, want: ErrFlags},
		"a length cut off":               {packets: [][]byte{{flagLength, 0, 0, 1}}, want: ErrLength},
		"a huge length":                  {packets: [][]byte{packet(flagLength|flagMore, MaxMessage+1, "a")}, want: ErrTooLong},
		"the hugest length":              {packets: [][]byte{packet(flagLength, 1<<32-1, "a")}, want: ErrTooLong},
		"too little for its length":      {packets: [][]byte{packet(flagLength, 4, "abc")}, want: ErrLies},
		"too much for its length":        {packets: [][]byte{packet(flagLength, 2, "abc")}, want: ErrLies},
		"no length":                      {packets: [][]byte{packet(flagMore, 0, "a")}, want: ErrNoLength},
		"more than announced":            {packets: [][]byte{packet(flagLength|flagMore, 3, "ab"), packet(0, 0, "cd")}, want: ErrLies},
		"less than announced":            {packets: [][]byte{packet(flagLength|flagMore, 3, "a"), packet(0, 0, "b")}, want: ErrLies},
		"complete, and more announced":   {packets: [][]byte{packet(flagLength|flagMore, 3, "abc")}, want: ErrLies},
		"another length":                 {packets: [][]byte{packet(flagLength|flagMore, 4, "ab"), packet(flagLength, 5, "cd")}, want: ErrLies},
		"an empty first fragment":        {packets: [][]byte{packet(flagLength|flagMore, 4, "")}, want: ErrEmpty},
		"an empty fragment":              {packets: [][]byte{packet(flagLength|flagMore, 4, "ab"), packet(flagMore, 0, "")}, want: ErrEmpty},
		"an empty last fragment":         {packets: [][]byte{packet(flagLength|flagMore, 4, "ab"), {0}}, want: ErrEmpty},
		"a length, and nothing":          {packets: [][]byte{packet(flagLength, 4, "")}, want: ErrEmpty},
		"data for an acknowledgement":    {before: sending, packets: [][]byte{packet(0, 0, "a")}, want: ErrNoAck},
		"more for an acknowledgement":    {before: sending, packets: [][]byte{packet(flagMore, 0, "")}, want: ErrNoAck},
		"a start for an acknowledgement": {before: sending, packets: [][]byte{{flagStart}}, want: ErrStart},
		"a start within a message":       {packets: [][]byte{packet(flagLength|flagMore, 4, "ab"), {flagStart}}, want: ErrStart},
		"a start with more":              {packets: [][]byte{{flagStart | flagMore}}, want: ErrStart},
	} {
		t.Run(name, func(t *testing.T) {
			var l Link
			if c.before != nil {
				c.before(&l)
			}
			for i, p := range c.packets {
				_, _, err := l.Receive(p)
				if last := i == len(c.packets)-1; last && !errors.Is(err, c.want) || !last && err != nil {
					t.Fatalf("packet %d: %v, want %v", i, err, c.want)
				}
			}
		})
	}
}

// Fragments without end are cut off, by their number and by their size.
func TestEndlessFragments(t *testing.T) {
	for _, c := range []struct {
		size int
		want error
	}{{1, ErrFragments}, {1000, ErrTooLong}} {
		var l Link
		data := string(make([]byte, c.size))
		// Without a declared length that would cut them off sooner, as a peer of ours could not send them.
		l.declared, l.open = -1, true
		var err error
		n := 0
		for ; err == nil && n < 100_000; n++ {
			_, _, err = l.Receive(packet(flagMore, 0, data))
		}
		if !errors.Is(err, c.want) || n*c.size > MaxMessage+c.size || n > MaxFragments+1 {
			t.Errorf("%d bytes each: %v after %d", c.size, err, n)
		}
	}
	var l Link
	_, _, err := l.Receive(packet(flagMore|flagLength, MaxMessage, "a"))
	for n := 0; err == nil && n < 100_000; n++ {
		_, _, err = l.Receive(packet(flagMore, 0, "a"))
	}
	if !errors.Is(err, ErrFragments) {
		t.Errorf("byte by byte: %v", err)
	}
}

// FuzzReceive: no sequence of packets does harm, and what is kept is bounded.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{2, 0x20, 0, 1, 0})
	f.Add(append([]byte{7}, packet(flagLength|flagMore, 4, "ab")...))
	f.Add(append([]byte{4}, packet(flagLength, 3, "abc")...))
	f.Fuzz(func(t *testing.T, in []byte) {
		// Each packet follows an octet with its length.
		var l Link
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1)
			message, kind, err := l.Receive(in[1 : 1+n])
			in = in[1+n:]
			if err != nil {
				return
			}
			if (kind == Fragment) != l.Open() || len(l.in) > MaxMessage || len(message) > MaxMessage || kind == 0 {
				t.Fatalf("kind %d, open %v, %d bytes kept", kind, l.Open(), len(l.in))
			}
			switch kind {
			case Message:
				l.Send(message)
				l.Next()
			case Fragment, Ack, Empty, Start:
				l.Next()
			}
		}
	})
}
