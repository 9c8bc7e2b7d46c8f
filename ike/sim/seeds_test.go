package sim

import (
	"strings"
	"testing"
)

// found are seeds that have shown a fault, each with what it was.
var found = []struct {
	seed uint64
	what string
}{
	{14, "the SPI of a CHILD SA that the data plane could not take was never released"},
	{839, "an IKE SA that was rekeyed while its peer's name was looked up was not authenticated again, and expired"},
	{11297, "an IKE SA whose time to be authenticated again came just before it took the place of a rekeyed one was not, and expired"},
	{1207, "an attempt to authenticate again went on calling where the peer had been, until the IKE SA expired"},
	{252, "two gateways that had both authenticated again by command kept two IKE SAs for good"},
	{367, "a child that waited for a packet was made twice, where the peer had brought it up meanwhile"},
	{24280, "a peer that had moved was taken for another connection's and refused until its name was looked up again, five minutes later"},
	{17493, "the same, and the IKE SA that it had came to its end before"},
	{57304, "a peer that demanded a cookie and was further away than a repetition refused each attempt: AUTH covered another request than it had"},
	{57336, "the same"},
	{90867, "the answer to a rekeying of the IKE SA was lost until a NAT had another mapping: it never came, and a DELETE ended all"},
	{4042, "a peer that had moved while two rekeyings of the IKE SA crossed was asked where it had been, until its lifetime was over"},
	{46605, "a child was given up for its twin, which was about to be deleted since it could not be installed, and never asked for again"},
	{50363, "a peer with a certificate that had moved did not say who it was, and so was not found before the next look-up of its name"},
	{56921, "a peer that had moved was refused where it was, since a stranger had caused the last look-up of its name"},
	{63768, "a peer with a certificate that had moved could not authenticate again, and its IKE SA expired"},
	{66076, "ESP went for good to where the peer had been: the check of its new address ended with the IKE SA, which the peer had rekeyed"},
	{55211, "the attacker replayed what nobody could have taken before, and took the peer's place (a fault of the attacker's)"},
	{60834, "a peer that authenticated again was refused where unique was keep, and its tunnel ended"},
	{62707, "an attempt to authenticate again went on at a peer that had given it up, until the IKE SA expired"},
	{12864, "an attempt that was answered minutes after the peer had called left two IKE SAs for good (with a smaller path)"},
	{67053, "an IKE SA was left of a child that a reload took out, and the others were held (a fault of the check)"},
}

// TestFoundSeeds plays them again.
func TestFoundSeeds(t *testing.T) {
	for _, f := range found {
		if err := New(f.seed, false).Run(); err != nil {
			t.Errorf("seed %d (%s): %v", f.seed, f.what, err)
		}
	}
}

// TestSeedsPlayTheSame: a seed decides everything, also what the gateways do.
func TestSeedsPlayTheSame(t *testing.T) {
	for seed := uint64(1); seed < 12; seed++ {
		var ladders [2]string
		for i := range ladders {
			w := New(seed, true)
			if err := w.Run(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			ladders[i] = w.Ladder()
		}
		if ladders[0] == ladders[1] {
			continue
		}
		a, b := strings.Split(ladders[0], "\n"), strings.Split(ladders[1], "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("seed %d plays in two ways from line %d on:\n%s\n%s", seed, i, a[i], b[i])
			}
		}
		t.Fatalf("seed %d plays in two ways: %d and %d lines", seed, len(a), len(b))
	}
}
