package esp

import (
	"strings"
	"testing"
)

// Lengths of keys as KEYMAT is divided: RFC 4106 section 8.1, RFC 7634 section
// 2, RFC 3686 section 5.1, RFC 3602, RFC 2410, RFC 2404, RFC 4868, RFC 3566, RFC
// 4494. And what a packet of 1406 octets grows by.
func TestSuiteLengths(t *testing.T) {
	for _, c := range []struct {
		suite                         Suite
		encr, integ, header, overhead int
	}{
		{Suite{Encr: EncrAESGCM16, KeyBits: 128}, 20, 0, 16, 34},
		{Suite{Encr: EncrAESGCM16, KeyBits: 192}, 28, 0, 16, 34},
		{Suite{Encr: EncrAESGCM16, KeyBits: 256}, 36, 0, 16, 34},
		{Suite{Encr: EncrAESGCM12, KeyBits: 128}, 20, 0, 16, 30},
		{Suite{Encr: EncrAESGCM8, KeyBits: 256}, 36, 0, 16, 26},
		{Suite{Encr: EncrChaCha20Poly1305}, 36, 0, 16, 34},
		{Suite{Encr: EncrChaCha20Poly1305, KeyBits: 256}, 36, 0, 16, 34},
		{Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA1}, 16, 20, 24, 38},
		{Suite{Encr: EncrAESCBC, KeyBits: 192, Integ: IntegHMACSHA256x128}, 24, 32, 24, 42},
		{Suite{Encr: EncrAESCBC, KeyBits: 256, Integ: IntegHMACSHA512x256}, 32, 64, 24, 58},
		{Suite{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegHMACSHA384x192}, 20, 48, 16, 42},
		{Suite{Encr: EncrAESCTR, KeyBits: 256, Integ: IntegAESXCBC}, 36, 16, 16, 30},
		{Suite{Encr: EncrNull, Integ: IntegAESCMAC}, 0, 16, 8, 22},
	} {
		for _, esn := range []bool{false, true} {
			c.suite.ESN = esn
			encr, integ, err := c.suite.KeyLen()
			if err != nil || encr != c.encr || integ != c.integ {
				t.Errorf("%v: keys of %d and %d octets (%v), want %d and %d", c.suite, encr, integ, err, c.encr, c.integ)
			}
			if h := c.suite.HeaderLen(); h != c.header {
				t.Errorf("%v: header of %d octets, want %d", c.suite, h, c.header)
			}
			if o := c.suite.Overhead(1406); o != c.overhead {
				t.Errorf("%v: overhead of %d octets, want %d", c.suite, o, c.overhead)
			}
		}
	}
}

// MaxPayload is the greatest payload that fits, for every space.
func TestMaxPayload(t *testing.T) {
	for _, s := range allSuites() {
		for space := range 1600 {
			n := s.MaxPayload(space)
			if n == 0 {
				if s.Overhead(1)+1 <= space {
					t.Fatalf("%v: nothing fits into %d octets", s, space)
				}
				continue
			}
			if n+s.Overhead(n) > space {
				t.Fatalf("%v: %d octets do not fit into %d", s, n, space)
			}
			if n+1+s.Overhead(n+1) <= space {
				t.Fatalf("%v: more than %d octets fit into %d", s, n, space)
			}
		}
		if o := s.Overhead(0); o > MaxOverhead || s.HeaderLen() > MaxHeaderLen {
			t.Fatalf("%v: overhead of %d octets", s, o)
		}
		for n := range 64 {
			if o := s.Overhead(n); o > MaxOverhead {
				t.Fatalf("%v: overhead of %d octets", s, o)
			}
		}
	}
	if (Suite{}).MaxPayload(1500) != 0 || (Suite{}).Overhead(100) != 0 || (Suite{}).HeaderLen() != 0 {
		t.Error("lengths of a suite that does not exist")
	}
}

func TestSuiteErrors(t *testing.T) {
	for _, c := range []struct {
		suite Suite
		want  string
	}{
		{Suite{}, "ENCR 0"},
		{Suite{Encr: 3}, "ENCR 3"},
		{Suite{Encr: EncrAESGCM16}, "AES_GCM_16 needs a key length"},
		{Suite{Encr: EncrAESGCM16, KeyBits: 127}, "not 127"},
		{Suite{Encr: EncrAESCBC, KeyBits: 512, Integ: IntegHMACSHA1}, "not 512"},
		{Suite{Encr: EncrChaCha20Poly1305, KeyBits: 128}, "no key length of 128"},
		{Suite{Encr: EncrNull, KeyBits: 128, Integ: IntegHMACSHA1}, "no key length of 128"},
		{Suite{Encr: EncrAESGCM16, KeyBits: 128, Integ: IntegHMACSHA1}, "takes no separate integrity"},
		{Suite{Encr: EncrChaCha20Poly1305, Integ: IntegHMACSHA256x128}, "takes no separate integrity"},
		{Suite{Encr: EncrAESCBC, KeyBits: 128}, "needs an integrity algorithm"},
		{Suite{Encr: EncrAESCTR, KeyBits: 128}, "needs an integrity algorithm"},
		{Suite{Encr: EncrNull}, "needs an integrity algorithm"},
		{Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: 1}, "AUTH 1"},
	} {
		_, _, err := c.suite.KeyLen()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want an error with %q", c.suite, err, c.want)
		}
		if c.suite.Supported() {
			t.Errorf("%v: supported", c.suite)
		}
		key := make([]byte, 64)
		if _, err := NewOutbound(OutboundConfig{SPI: testSPI, Suite: c.suite, EncrKey: key, IntegKey: key}); err == nil {
			t.Errorf("%v: NewOutbound accepts it", c.suite)
		}
		if _, err := NewInbound(InboundConfig{SPI: testSPI, Suite: c.suite, EncrKey: key, IntegKey: key}); err == nil {
			t.Errorf("%v: NewInbound accepts it", c.suite)
		}
	}
}

// Keys of any other length than the right one are refused, and so are reserved
// SPIs.
func TestConfigErrors(t *testing.T) {
	for _, s := range allSuites() {
		encr, integ, err := s.KeyLen()
		if err != nil {
			t.Fatal(err)
		}
		if !s.Supported() {
			t.Errorf("%v: not supported", s)
		}
		try := func(spi uint32, e, i int) (error, error) {
			_, err1 := NewOutbound(OutboundConfig{SPI: spi, Suite: s, EncrKey: make([]byte, e), IntegKey: make([]byte, i)})
			_, err2 := NewInbound(InboundConfig{SPI: spi, Suite: s, EncrKey: make([]byte, e), IntegKey: make([]byte, i)})
			return err1, err2
		}
		if err1, err2 := try(minSPI, encr, integ); err1 != nil || err2 != nil {
			t.Errorf("%v: %v, %v", s, err1, err2)
		}
		for _, d := range []int{-1, 1, 4, -4} {
			if e := encr + d; e >= 0 {
				if err1, err2 := try(testSPI, e, integ); err1 == nil || err2 == nil {
					t.Errorf("%v: encryption key of %d octets was accepted", s, e)
				}
			}
			if i := integ + d; i >= 0 {
				if err1, err2 := try(testSPI, encr, i); err1 == nil || err2 == nil {
					t.Errorf("%v: integrity key of %d octets was accepted", s, i)
				}
			}
		}
		for _, spi := range []uint32{0, 1, 255} {
			if err1, err2 := try(spi, encr, integ); err1 == nil || err2 == nil {
				t.Errorf("%v: SPI %d was accepted", s, spi)
			}
		}
	}
}

func TestSuiteString(t *testing.T) {
	for _, c := range []struct {
		suite Suite
		want  string
	}{
		{Suite{Encr: EncrAESGCM16, KeyBits: 256, ESN: true}, "AES_GCM_16-256/EXT_SEQ"},
		{Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA256x128}, "AES_CBC-128/HMAC_SHA2_256_128/NO_EXT_SEQ"},
		{Suite{Encr: EncrChaCha20Poly1305}, "CHACHA20_POLY1305/NO_EXT_SEQ"},
		{Suite{Encr: EncrNull, Integ: IntegHMACSHA1}, "NULL/HMAC_SHA1_96/NO_EXT_SEQ"},
		{Suite{Encr: 1234, KeyBits: 99, Integ: 77}, "ENCR 1234-99/AUTH 77/NO_EXT_SEQ"},
	} {
		if got := c.suite.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
