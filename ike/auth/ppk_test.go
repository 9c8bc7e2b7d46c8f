package auth

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// exchanged plays both sides of IKE_AUTH to the end, or to an error, with edit between the sides.
func exchanged(own, peer *Pair, i, r *Transcript, edit func(fromInitiator bool, ps []wire.Payload) []wire.Payload) (rounds int, err error) {
	if edit == nil {
		edit = func(_ bool, ps []wire.Payload) []wire.Payload { return ps }
	}
	for rounds = 1; rounds < 20; rounds++ {
		q, err := own.Build(i)
		if err != nil {
			return rounds, fmt.Errorf("initiator: %w", err)
		}
		if _, err := peer.Process(r, edit(true, q.Payloads)); err != nil {
			return rounds, fmt.Errorf("responder: %w", err)
		}
		a, err := peer.Build(r)
		if err != nil {
			return rounds, fmt.Errorf("responder: %w", err)
		}
		s, err := own.Process(i, edit(false, a.Payloads))
		if err != nil {
			return rounds, fmt.Errorf("initiator: %w", err)
		}
		if s.Status == Done && a.Status == Done {
			return rounds, nil
		}
	}
	return rounds, errors.New("no end")
}

// The table of RFC 8784 section 3, with a pre-shared key, and what both sides have in the end.
func TestPPKTable(t *testing.T) {
	keys := func(ids ...string) func(string) ([]byte, bool) {
		return func(id string) ([]byte, bool) { return []byte("the key of " + id), slices.Contains(ids, id) }
	}
	for name, c := range map[string]struct {
		offers, required bool // of the initiator
		policy           PPKPolicy
		used             bool
		want             PPKReason
	}{
		"no USE_PPK, not configured":          {false, false, PPKPolicy{Find: keys()}, false, 0},
		"no USE_PPK, optional":                {false, false, PPKPolicy{Find: keys("office")}, false, 0},
		"no USE_PPK, mandatory":               {false, false, PPKPolicy{Required: true, Find: keys("office")}, false, PPKNotAnnounced},
		"announced, none here, optional":      {false, false, PPKPolicy{Announced: true, Find: keys()}, false, 0},
		"announced, none here, mandatory":     {false, false, PPKPolicy{Announced: true, Required: true, Find: keys()}, false, PPKNoneHere},
		"no PPK_IDENTITY":                     {false, false, PPKPolicy{Announced: true, Agreed: true, Find: keys("office")}, false, PPKNotNamed},
		"unknown, no NO_PPK_AUTH":             {true, true, PPKPolicy{Announced: true, Agreed: true, Find: keys()}, false, PPKUnknown},
		"unknown, NO_PPK_AUTH, mandatory":     {true, false, PPKPolicy{Announced: true, Agreed: true, Required: true, Find: keys()}, false, PPKUnknown},
		"unknown, NO_PPK_AUTH, optional":      {true, false, PPKPolicy{Announced: true, Agreed: true, Find: keys("other")}, false, 0},
		"known, no NO_PPK_AUTH":               {true, true, PPKPolicy{Announced: true, Agreed: true, Find: keys("office")}, true, 0},
		"known, NO_PPK_AUTH, mandatory":       {true, false, PPKPolicy{Announced: true, Agreed: true, Required: true, Find: keys("office")}, true, 0},
		"known, and another key":              {true, false, PPKPolicy{Announced: true, Agreed: true, Find: func(string) ([]byte, bool) { return []byte("x"), true }}, true, PPKDiffers},
		"known, another key, no NO_PPK_AUTH":  {true, true, PPKPolicy{Announced: true, Agreed: true, Find: func(string) ([]byte, bool) { return []byte("x"), true }}, true, 255},
		"known, optional, nothing to go back": {true, false, PPKPolicy{Announced: true, Agreed: true, Find: keys("office", "other")}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			i, r := sides(t)
			plain := i.Keys
			own := ProvePSK(key("secret"))
			if c.offers {
				own = ProvePPK(own, PPK{ID: "office", Secret: []byte("the key of office"), Required: c.required})
			}
			rounds, err := exchanged(NewPair(own, CheckPSK(key("secret"))), NewPair(ProvePSK(key("secret")), CheckPPK(CheckPSK(key("secret")), c.policy)), i, r, nil)
			var ppk *PPKError
			switch {
			case c.want == 255:
				if !errors.Is(err, ErrMismatch) {
					t.Errorf("%v", err)
				}
				return
			case c.want != 0:
				if !errors.As(err, &ppk) || ppk.Reason != c.want || c.want == PPKUnknown && (ppk.ID != "office" || ppk.Kind != wire.PPKIDFixed) {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			case err != nil || rounds != 1:
				t.Fatalf("%d rounds, %v", rounds, err)
			}
			want := plain
			if c.used {
				if want, err = suite.MixPPK(i.PRF, []byte("the key of office"), plain); err != nil {
					t.Fatal(err)
				}
			}
			for side, x := range map[string]*Transcript{"initiator": i, "responder": r} {
				if x.PPKUsed != c.used || c.used && x.PPK != "office" || !bytes.Equal(x.Keys.D, want.D) || !bytes.Equal(x.Keys.Pi, want.Pi) || !bytes.Equal(x.Keys.Pr, want.Pr) {
					t.Errorf("%s: PPK %v %q, SK_d %x", side, x.PPKUsed, x.PPK, x.Keys.D)
				}
				if !x.OwnProved || !x.PeerProved {
					t.Errorf("%s: %v, %v", side, x.OwnProved, x.PeerProved)
				}
			}
		})
	}
}

// What the initiator makes of the responder's answer: without PPK_IDENTITY, which may have anything in it, the PPK is not in use.
func TestPPKConfirmation(t *testing.T) {
	for name, c := range map[string]struct {
		required bool
		answer   []wire.Payload
		used     bool
		fails    bool
	}{
		"confirmed":                {true, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyPPKIdentity}}, true, false},
		"confirmed with something": {false, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyPPKIdentity, Data: []byte{9}}}, true, false},
		"not, optional":            {false, nil, false, false},
		"not, mandatory":           {true, nil, false, true},
	} {
		i, _ := sides(t)
		p := ProvePPK(ProvePSK(key("secret")), PPK{ID: "office", Secret: []byte("ppk"), Required: c.required})
		s, err := p.Build(i)
		if err != nil {
			t.Fatal(err)
		}
		if without := findNotify(s.Payloads, wire.NotifyNoPPKAuth) != nil; without == c.required {
			t.Errorf("%s: NO_PPK_AUTH %v", name, without)
		}
		_, err = p.Process(i, c.answer)
		var ppk *PPKError
		if failed := errors.As(err, &ppk) && ppk.Reason == PPKNotConfirmed; failed != c.fails || i.PPKUsed != c.used {
			t.Errorf("%s: %v, used %v", name, err, i.PPKUsed)
		}
	}
}

// What a peer can send in PPK_IDENTITY and NO_PPK_AUTH.
func TestMalformedPPK(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(ps []wire.Payload) []wire.Payload
		want PPKReason // 0: ErrMismatch
	}{
		"no PPK_IDENTITY":     {func(ps []wire.Payload) []wire.Payload { return without(ps, wire.NotifyPPKIdentity) }, PPKNotNamed},
		"empty":               {ppkIdentity(nil), PPKMalformed},
		"a type and no id":    {ppkIdentity([]byte{2}), PPKMalformed},
		"type 0":              {ppkIdentity([]byte("\x00office")), PPKUnknown},
		"opaque":              {ppkIdentity([]byte("\x01office")), PPKUnknown},
		"private use":         {ppkIdentity([]byte("\xffoffice")), PPKUnknown},
		"another":             {ppkIdentity([]byte("\x02offic")), PPKUnknown},
		"60,000 octets":       {ppkIdentity(append([]byte{2}, bytes.Repeat([]byte("x"), 60000)...)), PPKUnknown},
		"another, and no key": {both(ppkIdentity([]byte("\x02other")), noAuth(nil)), 0},
		"another, zeros":      {both(ppkIdentity([]byte("\x02other")), noAuth(make([]byte, 32))), 0},
		"opaque, zeros":       {both(ppkIdentity([]byte("\x01office")), noAuth(make([]byte, 32))), 0},
		"empty, zeros":        {both(ppkIdentity(nil), noAuth(make([]byte, 32))), 0},
	} {
		t.Run(name, func(t *testing.T) {
			i, r := sides(t)
			p := ProvePPK(ProvePSK(key("secret")), PPK{ID: "office", Secret: []byte("ppk"), Required: true})
			s, err := p.Build(i)
			if err != nil {
				t.Fatal(err)
			}
			check := CheckPPK(CheckPSK(key("secret")), PPKPolicy{Announced: true, Agreed: true, Find: func(id string) ([]byte, bool) {
				return []byte("ppk"), id == "office"
			}})
			step, err := check.Process(r, c.edit(s.Payloads))
			var ppk *PPKError
			switch {
			case err == nil || step.Status == Done:
				t.Error("done")
			case c.want == 0 && !errors.Is(err, ErrMismatch), c.want != 0 && (!errors.As(err, &ppk) || ppk.Reason != c.want):
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func without(ps []wire.Payload, t wire.NotifyType) (out []wire.Payload) {
	for _, p := range ps {
		if n, ok := p.(*wire.Notify); !ok || n.NotifyType != t {
			out = append(out, p)
		}
	}
	return out
}

func ppkIdentity(data []byte) func([]wire.Payload) []wire.Payload {
	return func(ps []wire.Payload) []wire.Payload {
		return append(without(ps, wire.NotifyPPKIdentity), &wire.Notify{NotifyType: wire.NotifyPPKIdentity, Data: data})
	}
}

func noAuth(data []byte) func([]wire.Payload) []wire.Payload {
	return func(ps []wire.Payload) []wire.Payload {
		return append(ps, &wire.Notify{NotifyType: wire.NotifyNoPPKAuth, Data: data})
	}
}

func both(a, b func([]wire.Payload) []wire.Payload) func([]wire.Payload) []wire.Payload {
	return func(ps []wire.Payload) []wire.Payload { return b(a(ps)) }
}

// late is a proof of the initiator that has no AUTH payload in the first messages, as with EAP. The responder proves itself at
// once, and once more in the end (RFC 7296 section 2.16).
type late struct {
	Authenticator
	rounds int    // before the one with AUTH
	waits  []bool // in the calls of Build with AUTH, as long as there are any
}

func (l *late) Build(t *Transcript) (Step, error) {
	if l.rounds > 0 {
		return Step{Status: NeedMore, Payloads: []wire.Payload{&wire.Notify{NotifyType: 40000}}}, nil
	}
	if len(l.waits) > 0 {
		wait := l.waits[0]
		if l.waits = l.waits[1:]; wait {
			return Step{Status: Wait}, nil
		}
	}
	return l.Authenticator.Build(t)
}

func (l *late) Process(t *Transcript, in []wire.Payload) (Step, error) {
	if l.rounds > 0 {
		l.rounds--
		return Step{Status: NeedMore}, nil
	}
	return l.Authenticator.Process(t, in)
}

// "[T]he initiator includes a PPK_IDENTITY (and optionally a NO_PPK_AUTH) notification in the request message containing the AUTH
// payload. Therefore, in case of EAP, the responder always computes the AUTH payload in the first IKE_AUTH reply message without using
// a PPK". https://www.rfc-editor.org/rfc/rfc8784#section-3
func TestPPKGoesWithAuth(t *testing.T) {
	i, r := sides(t)
	r.PeerProved, i.OwnProved = true, true // the responder's method proves itself to anybody, as a signature does
	var wired []string
	own := NewPair(ProvePPK(&late{Authenticator: ProvePSK(key("user")), rounds: 2}, PPK{ID: "office", Secret: []byte("ppk")}), CheckPSK(key("gateway")))
	peer := NewPair(ProvePSK(key("gateway")), CheckPPK(&late{Authenticator: CheckPSK(key("user")), rounds: 2},
		PPKPolicy{Announced: true, Agreed: true, Required: true, Find: func(id string) ([]byte, bool) { return []byte("ppk"), id == "office" }}))
	rounds, err := exchanged(own, peer, i, r, func(_ bool, ps []wire.Payload) []wire.Payload {
		text := ""
		for _, p := range ps {
			switch p := p.(type) {
			case *wire.Auth:
				text += "AUTH "
			case *wire.Notify:
				text += p.NotifyType.String() + " "
			}
		}
		wired = append(wired, text)
		return ps
	})
	if err != nil || rounds != 3 {
		t.Fatalf("%d rounds, %v", rounds, err)
	}
	want := []string{"notify 40000 ", "AUTH notify 40000 ", "notify 40000 ", "", "AUTH PPK_IDENTITY NO_PPK_AUTH ", "PPK_IDENTITY "}
	if !slices.Equal(wired, want) {
		t.Errorf("%q, want %q", wired, want)
	}
	if !i.PPKUsed || !r.PPKUsed || !bytes.Equal(i.Keys.D, r.Keys.D) {
		t.Error("the PPK is not in use")
	}
}

// A proof that waits while it is made with the PPK or without it leaves everything as it was, and is made when it can be.
func TestPPKWaits(t *testing.T) {
	for _, waits := range [][]bool{{true}, {false, true}, {true, false, true}, {true, true, false, true}} {
		i, r := sides(t)
		before := i.Keys
		p := ProvePPK(&late{Authenticator: ProvePSK(key("secret")), waits: waits}, PPK{ID: "office", Secret: []byte("ppk")})
		var s Step
		for n := 0; ; n++ {
			var err error
			if s, err = p.Build(i); err != nil || n > len(waits) {
				t.Fatalf("%d calls: %v, %v", n, s.Status, err)
			}
			if !bytes.Equal(i.Keys.Pi, before.Pi) || i.PPKUsed {
				t.Fatal("the keys have changed")
			}
			if s.Status != Wait {
				break
			}
		}
		check := CheckPPK(CheckPSK(key("secret")), PPKPolicy{Announced: true, Agreed: true, Find: func(string) ([]byte, bool) { return []byte("ppk"), true }})
		if got, err := check.Process(r, s.Payloads); err != nil || got.Status != Done {
			t.Errorf("%v, %v", got.Status, err)
		}
	}
}

// FuzzCheck gives any payloads to a responder that asks for a key and takes a PPK: it comes to an end, and to a good one only with
// the right value.
func FuzzCheck(f *testing.F) {
	i, _ := sides(f)
	for _, required := range []bool{false, true} {
		s, err := ProvePPK(ProvePSK(key("secret")), PPK{ID: "office", Secret: []byte("ppk"), Required: required}).Build(i)
		if err != nil {
			f.Fatal(err)
		}
		b := wire.AppendPayloads(nil, s.Payloads)
		f.Add(uint8(wire.FirstType(s.Payloads)), b, uint8(7))
		f.Add(uint8(wire.FirstType(s.Payloads)), b[:len(b)-1], uint8(1))
	}
	f.Fuzz(func(t *testing.T, first uint8, data []byte, flags uint8) {
		ps, err := wire.ParsePayloads(wire.PayloadType(first), data, 0)
		if err != nil {
			return
		}
		i, r := sides(t)
		before := r.Keys
		p := CheckPPK(CheckPSK(key("secret")), PPKPolicy{
			Announced: flags&1 != 0, Agreed: flags&2 != 0, Required: flags&4 != 0,
			Find: func(id string) ([]byte, bool) { return []byte("ppk"), id == "office" },
		})
		s, err := p.Process(r, ps)
		if err != nil {
			return
		}
		values := [][]byte{PSK(i.PRF, []byte("secret"), r.PeerOctets())}
		plain := *r
		plain.Keys = before
		values = append(values, PSK(i.PRF, []byte("secret"), plain.PeerOctets()))
		var sent [][]byte
		for _, x := range ps {
			switch x := x.(type) {
			case *wire.Auth:
				sent = append(sent, x.Data)
			case *wire.Notify:
				sent = append(sent, x.Data)
			}
		}
		right := slices.ContainsFunc(sent, func(b []byte) bool {
			return slices.ContainsFunc(values, func(v []byte) bool { return bytes.Equal(b, v) })
		})
		if s.Status != Done || !right {
			t.Errorf("%v without the right value", s.Status)
		}
	})
}
