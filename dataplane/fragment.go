package dataplane

// fragmenter splits an IPv4 packet that may be fragmented before it is sealed, so that the peer gateway has nothing to
// put together (RFC 4301 section 7 leaves the order open; reassembly at the end host is cheaper for everybody).
type fragmenter struct {
	pkt     []byte
	ihl     int
	next    int // octets of payload that have been given out
	room    int // octets of payload in each fragment but the last
	offset  int // of the packet itself, if it is a fragment
	more    bool
	options [40]byte // those that go into every fragment
	optLen  int
}

// begin starts with the packet b, which parses, for fragments of at most mtu octets.
func (f *fragmenter) begin(b []byte, mtu int) bool {
	f.ihl = int(b[0]&15) * 4
	frag := be.Uint16(b[6:])
	f.pkt = b[:be.Uint16(b[2:])]
	f.next = 0
	f.offset = int(frag&maskIPv4Offset) * 8
	f.more = frag&flagIPv4MF != 0
	f.optLen = copiedOptions(b[ipv4MinHeader:f.ihl], f.options[:])
	f.room = (mtu - f.ihl) &^ 7
	return mtu >= ipv4MinFragment && f.room > 0
}

// copiedOptions gathers the options that every fragment carries: "the copied flag indicates that this option is copied
// into all fragments on fragmentation". https://www.rfc-editor.org/rfc/rfc791#section-3.1
func copiedOptions(opts, out []byte) int {
	n := 0
	for i := 0; i < len(opts); {
		if opts[i] == 0 {
			break
		}
		if opts[i] == 1 {
			i++
			continue
		}
		if i+1 >= len(opts) || opts[i+1] < 2 || i+int(opts[i+1]) > len(opts) {
			break
		}
		l := int(opts[i+1])
		if opts[i]&0x80 != 0 {
			n += copy(out[n:], opts[i:i+l])
		}
		i += l
	}
	for n&3 != 0 {
		out[n] = 0
		n++
	}
	return n
}

// fragment writes the next fragment to dst, which has room for an MTU, and gives its length; 0 when there is none.
func (f *fragmenter) fragment(dst []byte) int {
	payload := f.pkt[f.ihl:]
	if f.next >= len(payload) {
		return 0
	}
	hl := f.ihl
	if f.next == 0 {
		copy(dst, f.pkt[:f.ihl])
	} else {
		copy(dst, f.pkt[:ipv4MinHeader])
		copy(dst[ipv4MinHeader:], f.options[:f.optLen])
		hl = ipv4MinHeader + f.optLen
		dst[0] = 4<<4 | byte(hl/4)
	}
	n := min(f.room, len(payload)-f.next)
	copy(dst[hl:], payload[f.next:f.next+n])
	off := uint16((f.offset + f.next) / 8)
	if f.more || f.next+n < len(payload) {
		off |= flagIPv4MF
	}
	be.PutUint16(dst[2:], uint16(hl+n))
	be.PutUint16(dst[6:], off)
	setIPv4Checksum(dst)
	f.next += n
	return hl + n
}
