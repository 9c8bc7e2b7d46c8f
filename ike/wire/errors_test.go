package wire

import "testing"

func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&ParseError{Offset: 24, Reason: "why"}, "malformed message at octet 24: why"},
		{&ParseError{Payload: PayloadTSi, Offset: 99, Reason: "why"}, "malformed TSi payload at octet 99: why"},
		{&CriticalError{Payload: 200, Offset: 28}, "unsupported critical payload 200 at octet 28"},
		{&CriticalError{Payload: PayloadPS, Offset: 28}, "unsupported critical PS payload at octet 28"},
		{&VersionError{Major: 3, Minor: 1}, "IKE version 3.1, want 2.x"},
		{&DataError{NotifyType: NotifyCookie, Reason: "why"}, "malformed data in COOKIE: why"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
