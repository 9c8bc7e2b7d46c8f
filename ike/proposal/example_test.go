package proposal_test

import (
	"errors"
	"fmt"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// A responder parses its proposals once and chooses from what each peer offers.
func ExampleChoose() {
	ours, err := proposal.ParseList(wire.ProtocolIKE, []string{"aes256gcm16-prfsha384-ecp384", "aes128gcm16-prfsha256-x25519"})
	if err != nil {
		fmt.Println(err)
		return
	}
	theirs, _ := proposal.Parse(wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
	chosen, err := proposal.Choose(ours, []wire.Proposal{theirs.Wire(1, nil)}, proposal.Options{})
	fmt.Println(chosen, err)
	// Output: aes128gcm16-prfsha256-x25519 <nil>
}

// When nothing fits, the error names the difference to what came closest.
func ExampleMismatchError() {
	ours, _ := proposal.ParseList(wire.ProtocolIKE, []string{"aes256gcm16-prfsha384-ecp384"})
	theirs, _ := proposal.Parse(wire.ProtocolIKE, "aes256gcm16-prfsha384-modp2048")
	_, err := proposal.Choose(ours, []wire.Proposal{theirs.Wire(1, nil)}, proposal.Options{})
	var mismatch *proposal.MismatchError
	fmt.Println(errors.As(err, &mismatch))
	fmt.Println(err)
	// Output:
	// true
	// no common IKE proposal: peer offers aes256gcm16-prfsha384-modp2048; closest to our aes256gcm16-prfsha384-ecp384, differs in key exchange (KE): we want ECP_384, peer has MODP_2048
}
