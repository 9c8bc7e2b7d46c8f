package wire

import (
	"net/netip"
	"testing"
)

func TestNotifyExtensions(t *testing.T) {
	n := checkNotify(t, NewNotify(NotifySignatureHashAlgorithms, []byte{0, 2, 0, 5}), "00 00 402f 0002 0005")
	hashes, err := n.HashAlgorithms()
	same(t, "HashAlgorithms", hashes, []HashAlgorithm{HashSHA2_256, HashIdentity}, err)

	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	n = checkNotify(t, NewAdditionalAddress(v4), "00 00 400d c0000201")
	a, err := n.AdditionalAddress()
	same(t, "AdditionalAddress", a, v4, err)
	n = checkNotify(t, NewAdditionalAddress(v6), "00 00 400e 20010db8000000000000000000000001")
	a, err = n.AdditionalAddress()
	same(t, "AdditionalAddress", a, v6, err)
	n = checkNotify(t, NewAdditionalAddress(netip.MustParseAddr("::ffff:192.0.2.1")), "00 00 400d c0000201")
	a, err = n.AdditionalAddress()
	same(t, "AdditionalAddress", a, v4, err)

	for _, c := range []struct{ src, dst, want string }{
		{"192.0.2.1:500", "192.0.2.2:4500", "00 00 4012 c0000201 c0000202 01f4 1194"},
		{"[2001:db8::1]:1", "[2001:db8::2]:65535", "00 00 4012 20010db8000000000000000000000001 20010db8000000000000000000000002 0001 ffff"},
	} {
		src, dst := netip.MustParseAddrPort(c.src), netip.MustParseAddrPort(c.dst)
		n = checkNotify(t, NewNoNATsAllowed(src, dst), c.want)
		s, d, err := n.NoNATsAllowed()
		same(t, "NoNATsAllowed", []netip.AddrPort{s, d}, []netip.AddrPort{src, dst}, err)
	}
	n = checkNotify(t, NewQCDToken([]byte("0123456789abcdef")), "01 00 4023 30313233343536373839616263646566")
	token, err := n.QCDToken()
	same(t, "QCDToken", token, []byte("0123456789abcdef"), err)

	n = checkNotify(t, NewNotify(NotifyCookie2, []byte("12345678")), "00 00 4011 3132333435363738")
	cookie2, err := n.Cookie2()
	same(t, "Cookie2", cookie2, []byte("12345678"), err)

	sync := MessageIDSync{Nonce: [4]byte{1, 2, 3, 4}, ExpectedSendID: 5, ExpectedReceived: 6}
	n = checkNotify(t, NewMessageIDSync(sync), "00 00 4026 01020304 00000005 00000006")
	gotSync, err := n.MessageIDSync()
	same(t, "MessageIDSync", gotSync, sync, err)

	n = checkNotify(t, NewPPKIdentity(PPKIDFixed, []byte("id")), "00 00 4034 02 6964")
	kind, id, err := n.PPKIdentity()
	same(t, "PPKIdentity", []any{kind, id}, []any{PPKIDFixed, []byte("id")}, err)
}

func TestNotifyExtensionsMalformed(t *testing.T) {
	data := func(nt NotifyType, n int) *Notify { return &Notify{NotifyType: nt, Data: make([]byte, n)} }
	_, err := data(NotifySignatureHashAlgorithms, 3).HashAlgorithms()
	wantDataError(t, "HashAlgorithms", err, "want pairs")
	for _, n := range []int{0, 3, 5, 16} {
		_, err = data(NotifyAdditionalIP4Address, n).AdditionalAddress()
		wantDataError(t, "ADDITIONAL_IP4_ADDRESS", err, "want 4")
	}
	for _, n := range []int{0, 4, 15, 17} {
		_, err = data(NotifyAdditionalIP6Address, n).AdditionalAddress()
		wantDataError(t, "ADDITIONAL_IP6_ADDRESS", err, "want 16")
	}
	for _, n := range []int{0, 7, 65} {
		_, err = data(NotifyCookie2, n).Cookie2()
		wantDataError(t, "Cookie2", err, "8 to 64")
	}
	for _, n := range []int{0, 11, 13, 24, 35, 37} {
		_, _, err = data(NotifyNoNATsAllowed, n).NoNATsAllowed()
		wantDataError(t, "NoNATsAllowed", err, "two addresses")
	}
	for _, n := range []int{0, 1, 15, 129} {
		_, err = data(NotifyQuickCrashDetection, n).QCDToken()
		wantDataError(t, "QCDToken", err, "16 to 128")
	}
	for _, n := range []int{0, 8, 11, 13} {
		_, err = data(NotifyIKEv2MessageIDSync, n).MessageIDSync()
		wantDataError(t, "MessageIDSync", err, "want 12")
	}
	for _, n := range []int{0, 1} {
		_, _, err = data(NotifyPPKIdentity, n).PPKIdentity()
		wantDataError(t, "PPKIdentity", err, "a type and an ID")
	}
	// An empty list is what it says: no hash algorithm.
	hashes, err := data(NotifySignatureHashAlgorithms, 0).HashAlgorithms()
	same(t, "no hash algorithms", hashes, []HashAlgorithm{}, err)
}
