package esp

// Lengths of the fixed parts of an ESP packet and what callers must reserve.
const (
	headerLen  = 8 // SPI and sequence number
	trailerLen = 2 // Pad Length and Next Header

	// TrailerRoom is the spare capacity that Seal needs behind a packet: up to
	// 15 octets of padding, the pad length and the next header.
	TrailerRoom = 15 + trailerLen

	// MaxHeaderLen is the largest HeaderLen of any suite (AES-CBC).
	MaxHeaderLen = headerLen + 16
	// MaxICVLen is the largest ICV of any suite (HMAC_SHA2_512_256).
	MaxICVLen = 32
	// MaxOverhead is the most that any suite adds to a payload.
	MaxOverhead = MaxHeaderLen + TrailerRoom + MaxICVLen

	nextHeaderIPv4  = 4  // IANA protocol number of IPv4 in a tunnel
	nextHeaderIPv6  = 41 // IANA protocol number of IPv6 in a tunnel
	nextHeaderDummy = 59 // RFC 4303 section 2.6
)

// padding holds what RFC 4303 section 2.4 wants as padding.
const padding = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"

// padLen returns the octets of padding behind a payload of n octets, so that
// with the pad length and next header a multiple of align (a power of two) is
// reached.
func padLen(n, align int) int {
	return -(n + trailerLen) & (align - 1)
}

// putTrailer fills b with len(b)-2 octets of padding, the pad length and the
// next header. len(b) is 2..TrailerRoom.
//
// RFC 4303 section 2.4: "The padding bytes are initialized with a series of
// (unsigned, 1-byte) integer values. The first padding byte appended to the
// plaintext is numbered 1, with subsequent padding bytes making up a
// monotonically increasing sequence: 1, 2, 3, ..."
// https://www.rfc-editor.org/rfc/rfc4303#section-2.4
func putTrailer(b []byte, nextHeader uint8) {
	pad := len(b) - trailerLen
	copy(b[:pad], padding)
	b[pad] = uint8(pad)
	b[pad+1] = nextHeader
}

// splitTrailer takes the decrypted plaintext apart. It fails when the padding is
// longer than what is there, or is not the series that putTrailer writes.
//
// RFC 4303 section 2.4: "When this padding scheme is employed, the receiver
// SHOULD inspect the Padding field." The plaintext is authentic here, so that
// neither the check nor its duration tells a forger anything.
// https://www.rfc-editor.org/rfc/rfc4303#section-2.4
//
// Dummies come first. RFC 4303 section 2.6: "the plaintext portion of the
// payload, other than this Next Header field, need not be well-formed".
// https://www.rfc-editor.org/rfc/rfc4303#section-2.6
func splitTrailer(plain []byte) (payload []byte, nextHeader uint8, err error) {
	n := len(plain) - trailerLen
	if n < 0 {
		return nil, 0, ErrShort
	}
	nextHeader = plain[n+1]
	if nextHeader == nextHeaderDummy {
		return nil, nextHeader, ErrDummy
	}
	pad := int(plain[n])
	if pad > n {
		return nil, 0, ErrPadding
	}
	payload = plain[: n-pad : n-pad]
	for i, v := range plain[n-pad : n] {
		if int(v) != i+1 {
			return nil, 0, ErrPadding
		}
	}
	return payload, nextHeader, nil
}
