package wire

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// The three forms of announcements, RFC 9593 section 3.2.
func TestSupportedAuthMethods(t *testing.T) {
	list := []AuthAnnouncement{
		{Method: AuthSharedKey}, {Method: AuthRSA, Link: 2}, {Method: AuthECDSA256}, {Method: AuthDigitalSignature, Link: 1, Algorithm: []byte{0x30, 0}},
		{Method: AuthNull},
	}
	n := checkNotify(t, NewSupportedAuthMethods(list...), "00 00 403b 02 02 03 01 02 03 09 00 05 0e 01 3000 02 0d")
	got, err := n.SupportedAuthMethods()
	same(t, "SupportedAuthMethods", got, list, err)
	if n := NewSupportedAuthMethods(AuthAnnouncement{Method: AuthDigitalSignature}, AuthAnnouncement{Method: 200},
		AuthAnnouncement{Method: AuthDigitalSignature, Algorithm: make([]byte, 253)}); len(n.Data) != 0 {
		t.Errorf("announces % x", n.Data)
	}
	if n := NewSupportedAuthMethods(AuthAnnouncement{Method: AuthDigitalSignature, Algorithm: make([]byte, 252)}); len(n.Data) != 255 {
		t.Errorf("announces %d octets", len(n.Data))
	}
}

func TestSupportedAuthMethodsMalformed(t *testing.T) {
	for data, want := range map[string]int{
		"":                                     0,
		"02 02 02 02":                          2,
		"03 02 00":                             0, // a pre-shared key with a CA
		"02 01 02 02":                          1, // a method of keys without one
		"04 01 00 00":                          0,
		"03 0e 00 02 0d":                       1, // a digital signature without an algorithm
		"02 0e":                                0,
		"02 0c 05 c8 010203 02 02":             1, // unknown ones
		"ff 0e 00" + strings.Repeat("00", 252): 1,
		strings.Repeat("0202", 100):            MaxAnnouncements,
	} {
		list, err := (&Notify{NotifyType: NotifySupportedAuthMethods, Data: unhex(t, data)}).SupportedAuthMethods()
		if err != nil || len(list) != want {
			t.Errorf("%s: %v, %v", data, list, err)
		}
	}
	for _, data := range []string{"00", "01", "01 02", "02", "03 01", "02 02 00", "05 0e 00 30", "02 02 ff 0e"} {
		_, err := (&Notify{NotifyType: NotifySupportedAuthMethods, Data: unhex(t, data)}).SupportedAuthMethods()
		wantDataError(t, data, err, "are left")
	}
}

func FuzzSupportedAuthMethods(f *testing.F) {
	for _, s := range []string{"", "0202", "030102", "050e013000", "02", "00", "ff0e"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := slices.Clone(b)
		list, err := (&Notify{NotifyType: NotifySupportedAuthMethods, Data: b}).SupportedAuthMethods()
		if !bytes.Equal(b, before) || len(list) > MaxAnnouncements || err != nil && list != nil {
			t.Fatalf("%d announcements, %v", len(list), err)
		}
		again, err := NewSupportedAuthMethods(list...).SupportedAuthMethods()
		if err != nil || len(again) != len(list) {
			t.Fatalf("%v read as %v, %v", list, again, err)
		}
	})
}
