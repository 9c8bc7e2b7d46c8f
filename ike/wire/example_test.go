package wire_test

import (
	"fmt"

	"esplanade/ike/wire"
)

// A message is appended to a buffer and parsed again; its summary has the form that operators know from strongSwan.
func ExampleParse() {
	request := wire.Message{
		Header: wire.Header{SPIi: 0x1122334455667788, Major: wire.MajorVersion, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
		Payloads: []wire.Payload{
			&wire.Nonce{Data: make([]byte, 32)},
			&wire.Notify{NotifyType: wire.NotifyIKEv2FragmentationSupported},
		},
	}
	msg, err := wire.Parse(request.Append(nil))
	fmt.Println(msg, err)
	// Output: IKE_SA_INIT request 0 [ No N(FRAG_SUP) ] <nil>
}

// A malformed message gives an error that says where and why, and never a panic.
func ExampleParseError() {
	request := wire.Message{
		Header:   wire.Header{SPIi: 1, Major: wire.MajorVersion, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
		Payloads: []wire.Payload{&wire.Nonce{Data: make([]byte, 32)}},
	}
	datagram := request.Append(nil)
	_, err := wire.Parse(datagram[:len(datagram)-1])
	fmt.Println(err)
	// Output: malformed message at octet 24: the header's length is 64, the datagram has 63 octets
}
