package wire

import (
	"encoding/binary"
	"net/netip"
)

// Constructors and accessors for the notification data of IKEv2's extensions;
// see notify_data.go for their contract.

// HashAlgorithms reads the data of SIGNATURE_HASH_ALGORITHMS, the hash algorithms
// that the sender accepts in signatures: a list of 16-bit numbers
// (https://www.rfc-editor.org/rfc/rfc7427#section-4).
func (n *Notify) HashAlgorithms() ([]HashAlgorithm, error) {
	if len(n.Data)%2 != 0 {
		return nil, n.dataError("%d octets, want pairs", len(n.Data))
	}
	list := make([]HashAlgorithm, 0, len(n.Data)/2)
	for b := n.Data; len(b) > 0; b = b[2:] {
		list = append(list, HashAlgorithm(binary.BigEndian.Uint16(b)))
	}
	return list, nil
}

// NewSignatureHashAlgorithms announces the hash algorithms that the sender accepts in signatures.
func NewSignatureHashAlgorithms(list ...HashAlgorithm) *Notify {
	data := make([]byte, 0, 2*len(list))
	for _, h := range list {
		data = binary.BigEndian.AppendUint16(data, uint16(h))
	}
	return NewNotify(NotifySignatureHashAlgorithms, data)
}

// NewAdditionalAddress announces an address at which the sender can be reached
// too: ADDITIONAL_IP4_ADDRESS or ADDITIONAL_IP6_ADDRESS
// (https://www.rfc-editor.org/rfc/rfc4555#section-4.2.2). The address must be
// valid.
func NewAdditionalAddress(a netip.Addr) *Notify {
	t := NotifyAdditionalIP6Address
	if a = a.Unmap(); a.Is4() {
		t = NotifyAdditionalIP4Address
	}
	return NewNotify(t, a.AsSlice())
}

// AdditionalAddress reads the data of ADDITIONAL_IP4_ADDRESS and
// ADDITIONAL_IP6_ADDRESS.
func (n *Notify) AdditionalAddress() (netip.Addr, error) {
	size := 4
	if n.NotifyType == NotifyAdditionalIP6Address {
		size = 16
	}
	if err := n.wantData(size); err != nil {
		return netip.Addr{}, err
	}
	a, _ := netip.AddrFromSlice(n.Data)
	return a, nil
}

// The lengths the data of COOKIE2 may have
// (https://www.rfc-editor.org/rfc/rfc4555#section-4.2.5).
const (
	MinCookie2Len = 8
	MaxCookie2Len = 64
)

// Cookie2 reads the data of COOKIE2 and checks its length.
func (n *Notify) Cookie2() ([]byte, error) {
	if len(n.Data) < MinCookie2Len || len(n.Data) > MaxCookie2Len {
		return nil, n.dataError("cookie of %d octets, it must have %d to %d", len(n.Data), MinCookie2Len, MaxCookie2Len)
	}
	return n.Data, nil
}

// NewNoNATsAllowed says which addresses and ports a message has when it leaves, so that the receiver sees whether a NAT
// has changed them (https://www.rfc-editor.org/rfc/rfc4555#section-4.2.6). Both are of one address family.
func NewNoNATsAllowed(source, destination netip.AddrPort) *Notify {
	b := append(source.Addr().Unmap().AsSlice(), destination.Addr().Unmap().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, source.Port())
	return NewNotify(NotifyNoNATsAllowed, binary.BigEndian.AppendUint16(b, destination.Port()))
}

// NoNATsAllowed reads the data of NO_NATS_ALLOWED.
func (n *Notify) NoNATsAllowed() (source, destination netip.AddrPort, err error) {
	b, size := n.Data, 4
	switch len(b) {
	case 2*4 + 4:
	case 2*16 + 4:
		size = 16
	default:
		return source, destination, n.dataError("%d octets, want two addresses and two ports", len(b))
	}
	addr := func(b []byte) netip.Addr { a, _ := netip.AddrFromSlice(b); return a }
	ports := b[2*size:]
	return netip.AddrPortFrom(addr(b[:size]), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(addr(b[size:2*size]), binary.BigEndian.Uint16(ports[2:])), nil
}

// NewCookie2 asks the receiver to return a value: COOKIE2 of 8 to 64 octets.
func NewCookie2(value []byte) *Notify { return NewNotify(NotifyCookie2, value) }

// MessageIDSync is the data of IKEV2_MESSAGE_ID_SYNC.
type MessageIDSync struct {
	Nonce            [4]byte // random, echoed in the response
	ExpectedSendID   uint32  // lowest message ID the sender will use for a request
	ExpectedReceived uint32  // lowest message ID the sender expects in a request
}

// NewMessageIDSync makes an IKEV2_MESSAGE_ID_SYNC notification
// (https://www.rfc-editor.org/rfc/rfc6311#section-5.1).
func NewMessageIDSync(s MessageIDSync) *Notify {
	b := binary.BigEndian.AppendUint32(s.Nonce[:len(s.Nonce):len(s.Nonce)], s.ExpectedSendID)
	return NewNotify(NotifyIKEv2MessageIDSync, binary.BigEndian.AppendUint32(b, s.ExpectedReceived))
}

// MessageIDSync reads the data of IKEV2_MESSAGE_ID_SYNC.
func (n *Notify) MessageIDSync() (MessageIDSync, error) {
	if err := n.wantData(12); err != nil {
		return MessageIDSync{}, err
	}
	return MessageIDSync{
		Nonce:            [4]byte(n.Data),
		ExpectedSendID:   binary.BigEndian.Uint32(n.Data[4:]),
		ExpectedReceived: binary.BigEndian.Uint32(n.Data[8:]),
	}, nil
}

// NewPPKIdentity names a post-quantum preshared key
// (https://www.rfc-editor.org/rfc/rfc8784#section-3).
func NewPPKIdentity(t PPKIDType, id []byte) *Notify {
	return NewNotify(NotifyPPKIdentity, append([]byte{uint8(t)}, id...))
}

// PPKIdentity reads the data of PPK_IDENTITY: a type and an ID that has at least
// one octet.
func (n *Notify) PPKIdentity() (PPKIDType, []byte, error) {
	if len(n.Data) < 2 {
		return 0, nil, n.dataError("%d octets, want a type and an ID", len(n.Data))
	}
	return PPKIDType(n.Data[0]), n.Data[1:], nil
}
