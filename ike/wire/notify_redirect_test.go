package wire

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestRedirect(t *testing.T) {
	v4 := Gateway{Addr: netip.MustParseAddr("192.0.2.1")}
	v6 := Gateway{Addr: netip.MustParseAddr("2001:db8::1")}
	name := Gateway{FQDN: "gw.example"}

	n := checkNotify(t, NewRedirect(v4, []byte{9, 8}), "00 00 4017 01 04 c0000201 0908")
	g, nonce, err := n.Redirect()
	same(t, "IPv4", []any{g, nonce}, []any{v4, []byte{9, 8}}, err)

	n = checkNotify(t, NewRedirect(v6, nil), "00 00 4017 02 10 20010db8000000000000000000000001")
	g, nonce, err = n.Redirect()
	same(t, "IPv6", []any{g, nonce}, []any{v6, []byte{}}, err)

	n = checkNotify(t, NewRedirect(name, []byte{1}), "00 00 4017 03 0a 67772e6578616d706c65 01")
	g, nonce, err = n.Redirect()
	same(t, "FQDN", []any{g, nonce}, []any{name, []byte{1}}, err)

	n = checkNotify(t, NewRedirectedFrom(name), "00 00 4018 03 0a 67772e6578616d706c65")
	g, err = n.RedirectedFrom()
	same(t, "RedirectedFrom", g, name, err)

	wantPanic(t, "no gateway", func() { NewRedirect(Gateway{}, nil) })
	wantPanic(t, "name of 256 octets", func() { NewRedirectedFrom(Gateway{FQDN: strings.Repeat("x", 256)}) })
}

func TestRedirectMalformed(t *testing.T) {
	for _, c := range []struct{ name, data, reason string }{
		{"empty", "", "want at least 2"},
		{"type only", "01", "want at least 2"},
		{"identity beyond the data", "01 04 c00002", "identity of 4 octets, 3 octets left"},
		{"identity of 255", "03 ff", "identity of 255 octets"},
		{"IPv4 of 5", "01 05 0102030405", "5 octets and type IPV4_ADDR"},
		{"IPv6 of 4", "02 04 01020304", "4 octets and type IPV6_ADDR"},
		{"no name", "03 00", "0 octets and type FQDN"},
		{"type not understood", "04 01 aa", "type gateway identity type 4"},
	} {
		n := NewNotify(NotifyRedirect, unhex(t, c.data))
		g, nonce, err := n.Redirect()
		wantDataError(t, c.name, err, c.reason)
		if g != (Gateway{}) || nonce != nil {
			t.Errorf("%s: %v, %x together with the error", c.name, g, nonce)
		}
		_, err = n.RedirectedFrom()
		wantDataError(t, c.name, err, c.reason)
	}
	_, err := NewNotify(NotifyRedirectedFrom, unhex(t, "01 04 c0000201 00")).RedirectedFrom()
	wantDataError(t, "nonce in REDIRECTED_FROM", err, "1 octets after")
}

func TestTicketLT(t *testing.T) {
	n := checkNotify(t, NewTicketLTOpaque(time.Minute, []byte("ticket")), "00 00 4019 0000003c 7469636b6574")
	d, ticket, err := n.TicketLT()
	same(t, "TicketLT", []any{d, string(ticket)}, []any{time.Minute, "ticket"}, err)
	for _, size := range []int{0, 3, 4} {
		_, _, err = NewNotify(NotifyTicketLTOpaque, make([]byte, size)).TicketLT()
		wantDataError(t, "TicketLT", err, "a lifetime and a ticket")
	}
}

// FuzzNotifyData reads arbitrary data as that of every notification.
func FuzzNotifyData(f *testing.F) {
	f.Add(uint16(NotifyRedirect), uint8(0), []byte{}, []byte{1, 4, 192, 0, 2, 1, 9})
	f.Add(uint16(NotifyRekeySA), uint8(3), []byte{1, 2, 3, 4}, []byte{})
	f.Add(uint16(NotifyAdditionalIP6Address), uint8(0), []byte{}, make([]byte, 16))
	f.Fuzz(func(t *testing.T, nt uint16, p uint8, spi, data []byte) {
		n := &Notify{Protocol: ProtocolID(p), SPI: spi, NotifyType: NotifyType(nt), Data: data}
		if readAllData(n) == 0 {
			// A cookie has 1 to 64 octets, a NAT detection hash 20, a window 4.
			t.Fatal("no accessor refused the data, though they exclude each other")
		}
		if g, nonce, err := n.Redirect(); err == nil {
			g2, nonce2, err := NewRedirect(g, nonce).Redirect()
			if err != nil || g2 != g || string(nonce2) != string(nonce) {
				// An IPv4-mapped address is sent as the IPv4 address that it is.
				if !g.Addr.Is4In6() {
					t.Fatalf("%v %x became %v %x, %v", g, nonce, g2, nonce2, err)
				}
			}
		}
	})
}
