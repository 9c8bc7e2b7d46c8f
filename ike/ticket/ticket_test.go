package ticket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newRing(seed uint64) *Keyring {
	rng := rand.New(rand.NewPCG(seed, seed))
	return NewKeyring(func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	})
}

func sample() *State {
	return &State{
		SPI:        0x0123456789abcdef,
		Connection: "office", IDi: []byte("\x02a.example"), IDr: []byte("\x02b.example"), Encr: 20, KeyBits: 128, PRF: 5,
		KE: 31, AddKE: []uint16{36}, SKd: bytes.Repeat([]byte{7}, 32), Method: 2, Mark: [MarkLen]byte{1, 2, 3},
		Authenticated: time.UnixMilli(epoch.UnixMilli()), Certs: [][]byte{{1}, bytes.Repeat([]byte{2}, MaxCert)},
	}
}

// What a ticket names of certificates is bounded; it is not left out.
func TestTooManyCertificates(t *testing.T) {
	for _, certs := range [][][]byte{make([][]byte, MaxCerts+1), {bytes.Repeat([]byte{1}, MaxCert+1)}, {{}}} {
		s := sample()
		s.Certs = certs
		if _, err := newRing(9).Seal(epoch, epoch.Add(time.Hour), s); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d certificates: %v", len(certs), err)
		}
	}
}

func mustSeal(t *testing.T, k *Keyring, now time.Time) []byte {
	t.Helper()
	b, err := k.Seal(now, now.Add(time.Hour), sample())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealAndOpen(t *testing.T) {
	k := newRing(1)
	b := mustSeal(t, k, epoch)
	got, _, err := k.Open(epoch.Add(59*time.Minute), b)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Fatalf("%+v, %v", got, err)
	}
	if bytes.Contains(b, sample().SKd[:8]) || bytes.Contains(b, []byte("example")) {
		t.Error("the ticket shows what is in it")
	}
	if o := mustSeal(t, k, epoch); bytes.Equal(o, b) {
		t.Error("two tickets are the same")
	}
}

// What is not a ticket of this keyring is refused, and each reason has its name.
func TestRefusedTickets(t *testing.T) {
	k := newRing(2)
	good := mustSeal(t, k, epoch)
	for n := range good {
		if _, _, err := k.Open(epoch, good[:n]); err == nil {
			t.Errorf("%d of %d octets are a ticket", n, len(good))
		}
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x40
		want := ErrForged
		switch {
		case i == 0:
			want = ErrMalformed
		case i < headLen:
			want = ErrKey
		}
		if _, _, err := k.Open(epoch, b); err != want {
			t.Errorf("octet %d changed: %v, want %v", i, err, want)
		}
	}
	for _, c := range []struct {
		name string
		ring *Keyring
		at   time.Duration
		b    []byte
		want error
	}{
		{"empty", k, 0, nil, ErrMalformed},
		{"too long", k, 0, append(bytes.Clone(good), make([]byte, MaxLen)...), ErrMalformed},
		{"something behind it", k, 0, append(bytes.Clone(good), 0), ErrForged},
		{"another gateway's", newRing(3), 0, good, ErrKey},
		{"at its end", k, time.Hour, good, ErrExpired},
		{"long after its end", k, rotation + Lifetime, good, ErrKey},
	} {
		if _, _, err := c.ring.Open(epoch.Add(c.at), c.b); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A state that lacks something or has something behind it is none, also when it is authentic.
func TestMalformedStates(t *testing.T) {
	full, err := sample().append(nil)
	if err != nil {
		t.Fatal(err)
	}
	var s State
	for n := range full {
		if s.parse(full[:n]) == nil {
			t.Errorf("%d of %d octets are a state", n, len(full))
		}
	}
	if s.parse(append(bytes.Clone(full), 0)) == nil {
		t.Error("an octet too many is taken")
	}
	for name, edit := range map[string]func(*State){
		"no IDi": func(s *State) { s.IDi = nil }, "no IDr": func(s *State) { s.IDr = nil }, "no SK_d": func(s *State) { s.SKd = nil },
	} {
		x := sample()
		edit(x)
		b, err := x.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.parse(b) == nil {
			t.Error(name, "is taken")
		}
	}
	for name, edit := range map[string]func(*State){
		"identity": func(s *State) { s.IDi = make([]byte, MaxID+1) }, "key": func(s *State) { s.SKd = make([]byte, MaxKey+1) },
		"name": func(s *State) { s.Connection = string(make([]byte, maxName+1)) }, "KE": func(s *State) { s.AddKE = make([]uint16, maxAddKE+1) },
	} {
		x := sample()
		edit(x)
		if _, err := newRing(9).Seal(epoch, epoch.Add(time.Hour), x); err != ErrTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	widest := sample()
	widest.IDi, widest.IDr, widest.SKd = make([]byte, MaxID), make([]byte, MaxID), make([]byte, MaxKey)
	widest.Connection, widest.AddKE = string(make([]byte, maxName)), make([]uint16, maxAddKE)
	if b, err := newRing(9).Seal(epoch, epoch.Add(time.Hour), widest); err != nil || len(b) > MaxLen {
		t.Errorf("the largest state: %d octets, %v", len(b), err)
	}
}

// RFC 5723 sections 6.2 and 9.5: keys are replaced, and none outlives the tickets made with it.
func TestKeysRotate(t *testing.T) {
	k := newRing(4)
	var tickets [][]byte
	for i := range 5 {
		now := epoch.Add(time.Duration(i) * rotation)
		b, err := k.Seal(now, now.Add(10*Lifetime), sample())
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, b)
		if len(k.keys) > maxKeys {
			t.Fatalf("%d keys", len(k.keys))
		}
	}
	for i, b := range tickets[1:] {
		if binary.BigEndian.Uint64(b[1:]) == binary.BigEndian.Uint64(tickets[i][1:]) {
			t.Errorf("ticket %d is of the same key as the one before", i+1)
		}
	}
	last := epoch.Add(4 * rotation)
	for i, want := range []error{ErrKey, ErrKey, ErrExpired, nil, nil} {
		if _, _, err := k.Open(last, tickets[i]); err != want {
			t.Errorf("ticket %d: %v, want %v", i, err, want)
		}
	}
	k.Open(last.Add(rotation+Lifetime), tickets[4])
	if len(k.keys) != 0 {
		t.Errorf("%d keys are kept for nothing", len(k.keys))
	}
}

// A ticket is good once, and the memory for that is bounded.
func TestSpentTickets(t *testing.T) {
	k := newRing(5)
	first := mustSeal(t, k, epoch)
	_, serial, err := k.Open(epoch, first)
	if err != nil {
		t.Fatal(err)
	}
	if !k.Spend(epoch, serial) {
		t.Fatal("a fresh ticket can't be spent")
	}
	if k.Spend(epoch, serial) {
		t.Error("a ticket was spent twice")
	}
	if _, _, err := k.Open(epoch, first); err != ErrSpent {
		t.Errorf("a spent ticket: %v", err)
	}
	for i := 1; i < maxSpent; i++ {
		s := serial
		binary.BigEndian.PutUint32(s[8:], uint32(i))
		k.Spend(epoch, s)
	}
	open := mustSeal(t, k, epoch)
	_, s, err := k.Open(epoch, open)
	if err != nil || len(k.spent) != maxSpent {
		t.Fatal(err, len(k.spent))
	}
	// One more: it is good itself, and everything from before is refused rather than taken twice.
	if !k.Spend(epoch, s) || len(k.spent) > maxSpent {
		t.Errorf("%d are remembered", len(k.spent))
	}
	for name, b := range map[string][]byte{"spent": first, "spent last": open} {
		if _, _, err := k.Open(epoch, b); err != ErrKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	if k.Spend(epoch, s) {
		t.Error("a withdrawn ticket was spent")
	}
	if _, _, err := k.Open(epoch, mustSeal(t, k, epoch)); err != nil {
		t.Errorf("no new tickets after that: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	k := newRing(6)
	b, err := k.Seal(epoch, epoch.Add(time.Hour), sample())
	if err != nil {
		f.Fatal(err)
	}
	plain, err := sample().append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, _, err := k.Open(epoch, in); err == nil && !bytes.Equal(in, b) {
			t.Fatal("a forged ticket was opened")
		}
		var s State
		if s.parse(in) == nil {
			if out, err := s.append(nil); err != nil || !bytes.Equal(out, in) {
				t.Fatalf("%x was read as %+v, which is %x (%v)", in, s, out, err)
			}
		}
	})
}
