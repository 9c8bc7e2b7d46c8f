package proposal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

const (
	add1 = wire.TransformADDKE1
	add2 = wire.TransformADDKE2
	base = "aes256gcm16-prfsha384-x25519"
)

// TestAdditionalRoundTrip: what is read is written the same way, and is on the wire as the types 6 to 12.
func TestAdditionalRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		protocol wire.ProtocolID
		in, out  string
		want     []wire.Transform
	}{
		{wire.ProtocolIKE, base + "-ke1_mlkem768", "", []wire.Transform{tr(add1, wire.KE_ML_KEM_768)}},
		{wire.ProtocolIKE, "ke1_none-KE1_mlkem1024-" + base, base + "-ke1_none-ke1_mlkem1024",
			[]wire.Transform{tr(add1, wire.KE_NONE), tr(add1, wire.KE_ML_KEM_1024)}},
		{wire.ProtocolIKE, base + "-ke7_mlkem768-ke2_curve25519-ke2_mlkem1024", base + "-ke2_x25519-ke2_mlkem1024-ke7_mlkem768",
			[]wire.Transform{tr(add2, wire.KE_CURVE25519), tr(add2, wire.KE_ML_KEM_1024), tr(wire.TransformADDKE7, wire.KE_ML_KEM_768)}},
		{wire.ProtocolESP, "aes256gcm16-x25519-ke1_mlkem768-esn", "", []wire.Transform{tr(add1, wire.KE_ML_KEM_768)}},
	} {
		p := must(t, tt.protocol, tt.in)
		if tt.out == "" {
			tt.out = tt.in
		}
		if p.String() != tt.out {
			t.Errorf("%s: is written %s", tt.in, p)
		}
		if got := allAdditional(p.Wire(1, nil).Transforms); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v on the wire", tt.in, got)
		}
		if again := must(t, tt.protocol, p.String()); !slices.Equal(again.Transforms, p.Transforms) {
			t.Errorf("%s: %v after a round trip", tt.in, again.Transforms)
		}
	}
	if HasAdditional(list(t, wire.ProtocolIKE, "default", base)) || !HasAdditional(list(t, wire.ProtocolIKE, base, base+"-ke1_none")) ||
		!HasAdditional(list(t, wire.ProtocolIKE, base, base+"-ke2_mlkem768-ke2_none")) {
		t.Error("HasAdditional")
	}
}

// TestChooseAdditional is RFC 9370 section 2.2.1: what is chosen of the additional key exchanges, and that the initiator
// accepts it.
func TestChooseAdditional(t *testing.T) {
	for _, tt := range []struct {
		name         string
		ours, theirs string // after the base
		o            Options
		want         string // after the base; "no" for none
		methods      []uint16
	}{
		{name: "one", ours: "-ke1_mlkem768", theirs: "-ke1_mlkem768", want: "-ke1_mlkem768", methods: []uint16{wire.KE_ML_KEM_768}},
		{name: "ours decides", ours: "-ke1_mlkem1024-ke1_mlkem768", theirs: "-ke1_mlkem768-ke1_mlkem1024", want: "-ke1_mlkem1024",
			methods: []uint16{wire.KE_ML_KEM_1024}},
		{name: "optional and done", ours: "-ke1_mlkem768", theirs: "-ke1_none-ke1_mlkem768", want: "-ke1_mlkem768", methods: []uint16{wire.KE_ML_KEM_768}},
		{name: "optional and not done", ours: "", theirs: "-ke1_mlkem768-ke1_none", want: ""},
		{name: "ours optional, theirs without", ours: "-ke1_mlkem768-ke1_none", theirs: "", want: ""},
		{name: "not optional", ours: "", theirs: "-ke1_mlkem768", want: "no"},
		{name: "we insist", ours: "-ke1_mlkem768", theirs: "", want: "no"},
		{name: "other method", ours: "-ke1_mlkem768", theirs: "-ke1_mlkem1024", want: "no"},
		{name: "other number", ours: "-ke1_mlkem768", theirs: "-ke2_mlkem768", want: "no"},
		{name: "not consecutive", ours: "-ke2_mlkem768-ke5_ecp384", theirs: "-ke2_mlkem768-ke5_ecp384", want: "-ke2_mlkem768-ke5_ecp384",
			methods: []uint16{wire.KE_ML_KEM_768, wire.KE_ECP_384}},
		{name: "in the order of the numbers", ours: "-ke2_mlkem768-ke1_mlkem1024", theirs: "-ke1_mlkem1024-ke2_mlkem768",
			want: "-ke1_mlkem1024-ke2_mlkem768", methods: []uint16{wire.KE_ML_KEM_1024, wire.KE_ML_KEM_768}},
		{name: "no duplicates: the second choice for the first", ours: "-ke1_mlkem768-ke1_mlkem1024-ke2_mlkem768",
			theirs: "-ke1_mlkem768-ke1_mlkem1024-ke2_mlkem768", want: "-ke1_mlkem1024-ke2_mlkem768",
			methods: []uint16{wire.KE_ML_KEM_1024, wire.KE_ML_KEM_768}},
		{name: "no duplicates: NONE instead", ours: "-ke1_mlkem768-ke2_mlkem768-ke2_none", theirs: "-ke1_mlkem768-ke2_mlkem768-ke2_none",
			want: "-ke1_mlkem768", methods: []uint16{wire.KE_ML_KEM_768}},
		{name: "a chain of displacements", ours: "-ke1_ecp256-ke1_ecp384-ke2_ecp384-ke2_ecp521-ke3_ecp521-ke3_x25519-ke4_ecp256",
			theirs:  "-ke1_ecp256-ke1_ecp384-ke2_ecp384-ke2_ecp521-ke3_ecp521-ke3_x25519-ke4_ecp256",
			want:    "-ke1_ecp384-ke2_ecp521-ke3_x25519-ke4_ecp256",
			methods: []uint16{wire.KE_ECP_384, wire.KE_ECP_521, wire.KE_CURVE25519, wire.KE_ECP_256}},
		{name: "only duplicates are left", ours: "-ke1_mlkem768-ke2_mlkem768-ke2_mlkem1024", theirs: "-ke1_mlkem768-ke2_mlkem768-ke2_none", want: "no"},
		{name: "no IKE_INTERMEDIATE", ours: "-ke1_mlkem768-ke1_none", theirs: "-ke1_mlkem768-ke1_none", o: Options{NoAdditional: true}, want: "no"},
		{name: "no IKE_INTERMEDIATE, and NONE", ours: "-ke1_mlkem768-ke1_none", theirs: "-ke1_none", o: Options{NoAdditional: true}, want: "no"},
		{name: "no IKE_INTERMEDIATE, nor a type", ours: "-ke1_mlkem768-ke1_none", theirs: "", o: Options{NoAdditional: true}, want: ""},
		{name: "no IKE_INTERMEDIATE, and needed", ours: "-ke1_mlkem768", theirs: "-ke1_mlkem768", o: Options{NoAdditional: true}, want: "no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := list(t, wire.ProtocolIKE, base+tt.ours), list(t, wire.ProtocolIKE, base)
			theirs[0].Transforms = append(theirs[0].Transforms, additionalOf(t, tt.theirs)...)
			offered := []wire.Proposal{theirs[0].Wire(1, nil)}
			c, err := Choose(ours, offered, tt.o)
			if tt.want == "no" {
				var mm *MismatchError
				if !errors.As(err, &mm) || len(mm.Differs) == 0 || !strings.Contains(mm.Error(), "additional key exchange") {
					t.Fatalf("%v, %v", c, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != base+tt.want {
				t.Errorf("chosen %s, want %s", c, base+tt.want)
			}
			if !slices.Equal(c.Additional(), tt.methods) {
				t.Errorf("methods %v, want %v", c.Additional(), tt.methods)
			}
			// "The accepted cryptographic suite MUST contain exactly one transform of each type included in the proposal": RFC
			// 7296 section 2.7.
			answer := c.Wire()
			for _, typ := range additionalTypes {
				if got, offered := len(of(answer.Transforms, typ)), len(of(offered[0].Transforms, typ)); got != min(offered, 1) {
					t.Errorf("%v: %d in the answer, %d offered", typ, got, offered)
				}
			}
			v, err := Verify(theirs, []wire.Proposal{answer}, tt.o)
			if err != nil || v.String() != c.String() || !slices.Equal(v.Additional(), c.Additional()) {
				t.Errorf("the initiator has %v, %v", v, err)
			}
		})
	}
}

// additionalOf reads "-ke1_mlkem768-ke2_none", also where Parse would refuse it.
func additionalOf(t *testing.T, s string) []wire.Transform {
	var out []wire.Transform
	for _, w := range strings.Split(s, "-")[1:] {
		x, ok := find(additional(), w)
		if !ok {
			t.Fatal(w)
		}
		out = append(out, x)
	}
	return out
}

// TestVerifyAdditional: answers that an initiator must not accept, and the omission that it takes for NONE.
func TestVerifyAdditional(t *testing.T) {
	for _, tt := range []struct {
		name, offered string
		answer        []wire.Transform
		o             Options
		want          string // part of the error; "" for accepted
	}{
		{"left out where NONE was offered", "-ke1_mlkem768-ke1_none", nil, Options{}, ""},
		{"left out", "-ke1_mlkem768", nil, Options{}, "ADDKE1"},
		{"not offered", "-ke1_mlkem768", []wire.Transform{tr(add1, wire.KE_ML_KEM_1024)}, Options{}, "ADDKE1"},
		{"a number that was not offered", "", []wire.Transform{tr(add2, wire.KE_ML_KEM_768)}, Options{}, "ADDKE2"},
		{"NONE for what was not offered", "", []wire.Transform{tr(add2, wire.KE_NONE)}, Options{}, ""},
		{"a choice left open", "-ke1_mlkem768-ke1_none", []wire.Transform{tr(add1, wire.KE_ML_KEM_768), tr(add1, wire.KE_NONE)}, Options{}, "open"},
		{"the same twice", "-ke1_mlkem768-ke1_none-ke2_mlkem768-ke2_none",
			[]wire.Transform{tr(add1, wire.KE_ML_KEM_768), tr(add2, wire.KE_ML_KEM_768)}, Options{}, "more than one"},
		{"NONE twice", "-ke1_mlkem768-ke1_none-ke2_mlkem768-ke2_none",
			[]wire.Transform{tr(add1, wire.KE_NONE), tr(add2, wire.KE_NONE)}, Options{}, ""},
		{"chosen without IKE_INTERMEDIATE", "-ke1_mlkem768-ke1_none", []wire.Transform{tr(add1, wire.KE_ML_KEM_768)}, Options{NoAdditional: true}, "IKE_INTERMEDIATE"},
		{"an attribute", "-ke1_mlkem768", []wire.Transform{tr(add1, wire.KE_ML_KEM_768, 256)}, Options{}, "ADDKE1"},
	} {
		ours := list(t, wire.ProtocolIKE, base)
		ours[0].Transforms = append(ours[0].Transforms, additionalOf(t, tt.offered)...)
		answer := list(t, wire.ProtocolIKE, base)[0].Wire(1, nil)
		answer.Transforms = append(answer.Transforms, tt.answer...)
		_, err := Verify(ours, []wire.Proposal{answer}, tt.o)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestAdditionalOfESP: a CHILD SA can only have additional key exchanges behind a first one, and none within IKE_AUTH.
func TestAdditionalOfESP(t *testing.T) {
	ours := list(t, wire.ProtocolESP, "aes256gcm16-x25519-none-ke1_mlkem768-ke1_none")
	for _, tt := range []struct {
		theirs, want string
		o            Options
	}{
		{"aes256gcm16-x25519-ke1_mlkem768", "aes256gcm16-x25519-ke1_mlkem768", Options{}},
		{"aes256gcm16-x25519", "aes256gcm16-x25519", Options{}},
		{"aes256gcm16", "aes256gcm16", Options{}},
		{"aes256gcm16-none-ke1_mlkem768-ke1_none", "aes256gcm16", Options{}},
		{"aes256gcm16-none-ke1_mlkem768", "", Options{}},
		{"aes256gcm16-x25519-ke1_mlkem768", "aes256gcm16", Options{IgnoreKE: true}},
	} {
		c, err := Choose(ours, offer(t, wire.ProtocolESP, tt.theirs), tt.o)
		got := ""
		if err == nil {
			got = c.String()
		}
		if got != tt.want {
			t.Errorf("%s: %q, %v", tt.theirs, got, err)
		}
	}
	if p := ours[0].WithoutKE(); len(allAdditional(p.Transforms)) != 0 {
		t.Errorf("in IKE_AUTH: %v", p)
	}
}

// FuzzChooseAdditional: whatever a peer offers, the choice has no method twice, was offered, is ours, and passes Verify.
func FuzzChooseAdditional(f *testing.F) {
	f.Add([]byte{6, 36, 6, 0, 7, 36, 7, 37}, []byte{6, 36, 6, 37, 7, 37, 7, 36})
	f.Add([]byte{6, 31, 7, 31, 8, 31}, []byte{6, 31, 12, 19})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		read := func(x []byte) (out []wire.Transform) {
			for ; len(x) >= 2 && len(out) < 60; x = x[2:] {
				w := wire.Transform{Type: add1 + wire.TransformType(x[0]%maxAdditional), ID: uint16(x[1] % 40)}
				if !slices.Contains(out, w) {
					out = append(out, w)
				}
			}
			return out
		}
		ours, theirs := list(t, wire.ProtocolIKE, base), list(t, wire.ProtocolIKE, base)
		ours[0].Transforms = append(ours[0].Transforms, read(a)...)
		theirs[0].Transforms = append(theirs[0].Transforms, read(b)...)
		c, err := Choose(ours, []wire.Proposal{theirs[0].Wire(1, nil)}, Options{})
		if err != nil {
			return
		}
		for i, id := range c.AddKE {
			has := func(ts []wire.Transform) bool {
				all := of(ts, additionalTypes[i])
				return len(all) == 0 && id == wire.KE_NONE || slices.Contains(all, wire.Transform{Type: additionalTypes[i], ID: id})
			}
			if !has(ours[0].Transforms) || !has(theirs[0].Transforms) {
				t.Fatalf("%v is not allowed by both", c)
			}
		}
		if id, ok := repeated(c.Wire().Transforms); ok {
			t.Fatalf("%d twice in %v", id, c)
		}
		if _, err := Verify(theirs, []wire.Proposal{c.Wire()}, Options{}); err != nil {
			t.Fatal(err)
		}
	})
}
