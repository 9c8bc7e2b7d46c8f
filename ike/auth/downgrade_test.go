package auth

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// full makes two transcripts those of sides that have both sent IKE_SA_INIT_FULL_TRANSCRIPT_AUTH.
func full(i, r *Transcript) { i.Full, r.Full = true, true }

// The octets with downgrade prevention, by the formulas of draft-ietf-ipsecme-ikev2-downgrade-prevention-08 and crypto/hmac alone.
func TestFullTranscript(t *testing.T) {
	i, r := sides(t)
	full(i, r)
	zeros := make([]byte, 8)
	byI := slices.Concat(zeros, []byte("message 2"), []byte("message 1"), fill(24, 5), mac(fill(32, 2), []byte{2, 7, 8, 9}, []byte("i.example")), []byte("IntAuth"))
	byR := slices.Concat(zeros, []byte("message 1"), []byte("message 2"), fill(16, 4), mac(fill(32, 3), []byte{2, 0, 0, 0}, []byte("r.example")), []byte("IntAuth"))
	for name, c := range map[string]struct{ got, want []byte }{
		"the initiator authenticates": {i.OwnOctets(), byI}, "the responder expects": {r.PeerOctets(), byI},
		"the responder authenticates": {r.OwnOctets(), byR}, "the initiator expects": {i.PeerOctets(), byR},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s %q, want %q", name, c.got, c.want)
		}
	}
	if i.Alone().Full || !i.Full || bytes.Equal(i.Alone().OwnOctets(), byI) {
		t.Error("Alone")
	}
}

// What somebody on the way changes in a message is noticed by whoever has sent it, in the proof of whoever has received it. Without
// downgrade prevention only the proof of the sender covers it: an attacker who has the sender's key is not noticed.
func TestChangedMessageIsNoticed(t *testing.T) {
	for _, c := range []struct {
		full, byResponder bool
		want              error
	}{
		{false, false, nil}, {false, true, nil}, {true, false, ErrMismatch}, {true, true, ErrMismatch},
	} {
		prover, verifier := sides(t)
		if c.full {
			full(prover, verifier)
		}
		if c.byResponder {
			prover, verifier = verifier, prover
			prover.PeerProved, verifier.OwnProved = true, true
		}
		prover.PeerMessage = []byte("message with less in it")
		s, err := ProvePSK(key("secret")).Build(prover)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := CheckPSK(key("secret")).Process(verifier, s.Payloads); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A peer that has not seen that both sides have announced downgrade prevention is refused, and the reason told.
func TestStripped(t *testing.T) {
	prover, verifier := sides(t)
	verifier.Full = true
	s, err := ProvePSK(key("secret")).Build(prover)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CheckPSK(key("secret")).Process(verifier, s.Payloads); !errors.Is(err, ErrStripped) {
		t.Errorf("the right key: %v", err)
	}
	if _, err := CheckPSK(key("another")).Process(verifier, s.Payloads); !errors.Is(err, ErrMismatch) {
		t.Errorf("another key: %v", err)
	}
	prover, verifier = sides(t)
	prover.Full = true
	if s, err = ProvePSK(key("secret")).Build(prover); err != nil {
		t.Fatal(err)
	}
	if _, err := CheckPSK(key("secret")).Process(verifier, s.Payloads); !errors.Is(err, ErrMismatch) {
		t.Errorf("the other way round: %v", err)
	}
}
