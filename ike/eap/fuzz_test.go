package eap

import "testing"

// chunks cuts the input of a fuzz target into messages: an octet with the length, and so on.
func chunks(b []byte) (all [][]byte) {
	for len(b) > 0 && len(all) < 2*MaxRounds {
		n := min(int(b[0]), len(b)-1)
		all, b = append(all, b[1:1+n]), b[1+n:]
	}
	return all
}

func chunk(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(append(b, byte(len(p))), p...)
	}
	return b
}

// fuzzServer has messages answer a server of one method. The first octet of each says how it is dressed up: whole packets come as they are,
// others get the header that is expected, and the type of the method or another one.
func fuzzServer(f *testing.F, method Type, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewServer(serverConfig(method))
		step := s.Step(noon, nil)
		step = s.Step(noon, response(step.Out[1], TypeIdentity, "alice"))
		for _, c := range chunks(b) {
			if step.Done {
				break
			}
			if len(step.Out) < 5 || step.Out[0] != codeRequest {
				t.Fatalf("it goes on with %x", step.Out)
			}
			in := c
			if len(c) > 1 && c[0] == 'm' {
				in = response(step.Out[1], method, string(c[1:]))
			} else if len(c) > 1 && c[0] == 't' {
				in = response(step.Out[1], Type(c[1]), string(c[2:]))
			}
			s.Cost(in)
			step = s.Step(noon, in)
		}
		switch {
		case step.Result != nil:
			t.Fatalf("alice is authenticated by %x", b)
		case step.Done && (step.Err == nil || len(step.Out) != 4 || step.Out[0] != codeFailure):
			t.Fatalf("it ends with %x, %v", step.Out, step.Err)
		}
	})
}

// fuzzClient is the same for a client. proves says that the server has to prove itself, so that no Success is ever right.
func fuzzClient(f *testing.F, method Type, proves bool, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := NewClient(clientConfig("alice", Password("correct horse"), method))
		asked := false
		for i, chunk := range chunks(b) {
			in := chunk
			if len(chunk) > 1 && chunk[0] == 'm' {
				in, asked = request(uint8(i), method, string(chunk[1:])), true
			} else if len(chunk) > 1 && chunk[0] == 't' {
				in = request(uint8(i), Type(chunk[1]), string(chunk[2:]))
			}
			if p, err := parse(in); err == nil && p.code == codeRequest && p.typ == method {
				asked = true
			}
			c.Cost(in)
			step := c.Step(noon, in)
			switch {
			case step.Result != nil && (proves || !asked):
				t.Fatalf("it believes %x", b)
			case step.Done && (step.Result == nil) == (step.Err == nil):
				t.Fatalf("it ends with neither or both: %v", step.Err)
			case !step.Done && (len(step.Out) < 5 || step.Out[0] != codeResponse):
				t.Fatalf("it answers %x to %x", step.Out, in)
			case step.Done:
				if step.Err != nil && len(step.Err.Error()) > 4000 {
					t.Fatalf("a failure of %d bytes", len(step.Err.Error()))
				}
				return
			}
		}
	})
}

func FuzzMD5Server(f *testing.F) {
	fuzzServer(f, TypeMD5, chunk("m\x10................alice"), chunk("t\x03\x1a"), chunk("t\x02"), chunk("\x03\x01\x00\x04"))
}

func FuzzGTCServer(f *testing.F) {
	fuzzServer(f, TypeGTC, chunk("mcorrect"), chunk("m"), chunk("\x02\x03\x00\x05\x06"))
}

func FuzzMSCHAPv2Server(f *testing.F) {
	fuzzServer(f, TypeMSCHAPv2, chunk("m\x03"), chunk("m\x02\x03\x00\x3b\x31.................................................alice", "m\x04"),
		chunk("m\x07\x03\x00\x04"))
}

func FuzzMD5Client(f *testing.F) {
	fuzzClient(f, TypeMD5, false, chunk("t\x01", "m\x10................gateway", "\x03\x01\x00\x04"), chunk("t\x02hello", "\x04\x00\x00\x04"))
}

func FuzzGTCClient(f *testing.F) {
	fuzzClient(f, TypeGTC, false, chunk("t\x01", "mPassword: ", "\x03\x01\x00\x04"), chunk("m"))
}

func FuzzMSCHAPv2Client(f *testing.F) {
	fuzzClient(f, TypeMSCHAPv2, true, chunk("t\x01", "m"+mschapAsk, "m"+noS), chunk("m"+mschapAsk, "m"+mschapSays(4, "E=691 R=0 C=00 V=3 M=no"), "\x04\x01\x00\x04"),
		chunk("m"+mschapSays(4, "E=")), chunk("m"+mschapAsk, "m"+mschapSays(3, "S=0123456789012345678901234567890123456789"), "\x03\x01\x00\x04"))
}
