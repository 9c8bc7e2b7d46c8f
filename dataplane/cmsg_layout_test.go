package dataplane

import (
	"bytes"
	"testing"
)

// The control messages of FreeBSD on 64 bits, and of macOS.
func TestCmsg(t *testing.T) {
	const level, tos, dst = 0, 0x44, 7
	for _, c := range []cmsgLayout{{header: 16, align: 8}, {header: 12, align: 4}} {
		var oob []byte
		oob = c.append(oob, level, dst, 192, 4)
		oob = c.append(oob, level, tos, ecnCE, 1)
		if len(oob)%c.align != 0 {
			t.Errorf("%+v: %d octets", c, len(oob))
		}
		if got, ok := c.octet(oob, level, tos); !ok || got != ecnCE {
			t.Errorf("%+v: %d, %v", c, got, ok)
		}
		if got, ok := c.octet(oob, level, dst); !ok || got != 192 {
			t.Errorf("%+v: %d, %v", c, got, ok)
		}
		if _, ok := c.octet(oob, level, 99); ok {
			t.Errorf("%+v: found what is not there", c)
		}
		// What is malformed is left out, and nothing is read behind it.
		for n := range oob {
			if _, ok := c.octet(oob[:n:n], level, tos); ok && n < (c.header+4+c.align-1)/c.align*c.align+c.header+1 {
				t.Errorf("%+v: found in %d of %d octets", c, n, len(oob))
			}
		}
		for _, n := range []byte{0, 1, 255} {
			b := bytes.Clone(oob)
			b[0], b[3] = n, n
			if _, ok := c.octet(b, level, tos); ok {
				t.Errorf("%+v: found behind a message of length %d", c, n)
			}
		}
		if n := testing.AllocsPerRun(10, func() { c.octet(oob, level, tos) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
