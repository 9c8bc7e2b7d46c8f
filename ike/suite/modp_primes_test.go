package suite

import (
	"math/big"
	"testing"

	"esplanade/ike/wire"
)

// TestMODPPrimes computes the primes from their definition in RFC 2409 section 6.2 and RFC 3526:
//
//	2^n - 2^(n-64) - 1 + 2^64 * ( [2^(n-130) pi] + c )
func TestMODPPrimes(t *testing.T) {
	one := big.NewInt(1)
	for _, tt := range []struct {
		group uint16
		n     uint
		c     int64
	}{
		{wire.KE_MODP_1024, 1024, 129093},
		{wire.KE_MODP_1536, 1536, 741804},
		{wire.KE_MODP_2048, 2048, 124476},
		{wire.KE_MODP_3072, 3072, 1690314},
		{wire.KE_MODP_4096, 4096, 240904},
		{wire.KE_MODP_6144, 6144, 929484},
		{wire.KE_MODP_8192, 8192, 4743158},
	} {
		want := new(big.Int).Lsh(one, tt.n)
		want.Sub(want, new(big.Int).Lsh(one, tt.n-64))
		want.Sub(want, one)
		inner := new(big.Int).Add(piTimes2(tt.n-130), big.NewInt(tt.c))
		want.Add(want, inner.Lsh(inner, 64))

		g, ok := modpGroupFor(tt.group)
		if !ok {
			t.Fatal(tt.group)
		}
		if got := new(big.Int).SetBytes(g.prime()); got.Cmp(want) != 0 || len(g.prime())*8 != int(tt.n) {
			t.Errorf("the prime of %d bits is wrong", tt.n)
		}
		// RFC 3526 section 8, the larger of the two estimates. The two old groups are not weaker for having more.
		least := map[uint]int{1024: 160, 1536: 240, 2048: 320, 3072: 420, 4096: 480, 6144: 540, 8192: 620}[tt.n]
		if g.expLen*8 < least {
			t.Errorf("%d bits: exponents of %d bits, want at least %d", tt.n, g.expLen*8, least)
		}
	}
}

// piTimes2 returns the integer part of pi * 2^bits, by Machin's formula pi/4 = 4 arctan(1/5) - arctan(1/239).
func piTimes2(bits uint) *big.Int {
	const guard = 64
	unity := new(big.Int).Lsh(big.NewInt(1), bits+guard)
	arctan := func(x int64) *big.Int { // of 1/x
		sum, term := new(big.Int), new(big.Int).Quo(unity, big.NewInt(x))
		for n := int64(1); term.Sign() != 0; n += 2 {
			part := new(big.Int).Quo(term, big.NewInt(n))
			if n%4 == 1 {
				sum.Add(sum, part)
			} else {
				sum.Sub(sum, part)
			}
			term.Quo(term, big.NewInt(x*x))
		}
		return sum
	}
	pi := new(big.Int).Mul(arctan(5), big.NewInt(4))
	pi.Sub(pi, arctan(239))
	pi.Mul(pi, big.NewInt(4))
	return pi.Rsh(pi, guard)
}
