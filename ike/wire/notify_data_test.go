package wire

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// checkNotify checks how a constructor's notification is encoded, and gives it
// back as it is after a round trip.
func checkNotify(t *testing.T, n *Notify, body string) *Notify {
	t.Helper()
	checkPayload(t, n, body)
	got, err := parseNotify(unhex(t, body), 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// same checks what an accessor gave.
func same(t *testing.T, what string, got, want any, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, %v; want %v", what, got, err, want)
	}
}

// wantDataError checks that an accessor refused the data, and gave nothing.
func wantDataError(t *testing.T, what string, err error, reason string) {
	t.Helper()
	var de *DataError
	if !errors.As(err, &de) || !strings.Contains(de.Reason, reason) {
		t.Errorf("%s: error %v, want a *DataError with %q", what, err, reason)
	}
}

func TestNotifyData(t *testing.T) {
	checkNotify(t, NewUnsupportedCriticalPayload(200), "00 00 0001 c8")

	n := checkNotify(t, NewInvalidKEPayload(KE_ECP_384), "00 00 0011 0014")
	group, err := n.AcceptedGroup()
	same(t, "AcceptedGroup", group, KE_ECP_384, err)

	n = checkNotify(t, NewRekeySA(ProtocolESP, 0xc0ffee01), "03 04 4009 c0ffee01")
	p, spi, err := n.ChildSPI()
	same(t, "ChildSPI", []any{p, spi}, []any{ProtocolESP, uint32(0xc0ffee01)}, err)

	n = checkNotify(t, &Notify{Protocol: ProtocolAH, SPI: []byte{0, 0, 0, 7}, NotifyType: NotifyChildSANotFound}, "02 04 002c 00000007")
	p, spi, err = n.ChildSPI()
	same(t, "ChildSPI", []any{p, spi}, []any{ProtocolAH, uint32(7)}, err)

	n = checkNotify(t, NewInvalidSPI(0x01020304), "00 00 000b 01020304")
	spi, err = n.InvalidSPI()
	same(t, "InvalidSPI", spi, uint32(0x01020304), err)

	n = checkNotify(t, NewAuthLifetime(time.Hour+900*time.Millisecond), "00 00 4013 00000e10")
	d, err := n.AuthLifetime()
	same(t, "AuthLifetime", d, time.Hour, err)

	n = checkNotify(t, NewNotify(NotifyCookie, []byte{9}), "00 00 4006 09")
	cookie, err := n.Cookie()
	same(t, "Cookie", cookie, []byte{9}, err)

	hash := bytes.Repeat([]byte{0xab}, NATDetectionLen)
	n = checkNotify(t, NewNotify(NotifyNATDetectionSourceIP, hash), fmt.Sprintf("00 00 4004 %x", hash))
	natd, err := n.NATDetectionHash()
	same(t, "NATDetectionHash", natd[:], hash, err)
}

func TestAuthLifetimeRange(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want time.Duration
	}{
		{-time.Second, 0}, {0, 0}, {999 * time.Millisecond, 0}, {time.Second, time.Second},
		{1 << 62, (1<<32 - 1) * time.Second}, {(1<<32 - 1) * time.Second, (1<<32 - 1) * time.Second},
	} {
		got, err := NewAuthLifetime(c.d).AuthLifetime()
		same(t, c.d.String(), got, c.want, err)
	}
}

func TestNotifyDataMalformed(t *testing.T) {
	data := func(n int) *Notify { return &Notify{NotifyType: NotifyCookie, Data: make([]byte, n)} }
	for _, n := range []int{0, 1, 3, 4} {
		_, err := data(n).AcceptedGroup()
		wantDataError(t, "AcceptedGroup", err, "want 2")
	}
	for _, n := range []int{0, 3, 5, 8} {
		_, err := data(n).AuthLifetime()
		wantDataError(t, "AuthLifetime", err, "want 4")
		_, err = data(n).InvalidSPI()
		wantDataError(t, "InvalidSPI", err, "want 4")
	}
	for _, n := range []int{0, 65, 200} {
		_, err := data(n).Cookie()
		wantDataError(t, "Cookie", err, "1 to 64")
	}
	if _, err := data(64).Cookie(); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, 16, 19, 21, 32} {
		_, err := data(n).NATDetectionHash()
		wantDataError(t, "NATDetectionHash", err, "want 20")
	}
	// REKEY_SA of a protocol that has no CHILD SAs (C1, CVE-2023-38710).
	for _, p := range []ProtocolID{ProtocolNone, ProtocolIKE, ProtocolFCESPHeader, 255} {
		_, _, err := (&Notify{Protocol: p, SPI: []byte{1, 2, 3, 4}, NotifyType: NotifyRekeySA}).ChildSPI()
		wantDataError(t, p.String(), err, "want ESP or AH")
	}
	for _, n := range []int{0, 3, 5, 8} {
		_, _, err := (&Notify{Protocol: ProtocolESP, SPI: make([]byte, n), NotifyType: NotifyRekeySA}).ChildSPI()
		wantDataError(t, "ChildSPI", err, fmt.Sprintf("SPI of %d octets", n))
	}
}
