package identity_test

import (
	"fmt"

	"esplanade/ike/identity"
)

// What a peer sends is matched with a pattern of the configuration; a higher score is the better fit.
func ExampleIdentity_Matches() {
	peer, err := identity.Parse("site-b.branch.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"site-b.branch.example", "*.branch.example", "%any", "site-c.branch.example"} {
		pattern, _ := identity.Parse(text)
		_, ok := peer.Matches(pattern)
		fmt.Println(text, ok)
	}
	// Output:
	// site-b.branch.example true
	// *.branch.example true
	// %any true
	// site-c.branch.example false
}

// The text decides the type, as it does in swanctl.conf; a prefix says it expressly.
func ExampleParse() {
	for _, text := range []string{"203.0.113.7", "gw.example", "ops@gw.example", "C=DE, O=Example, CN=gw", "keyid:0a0b"} {
		id, err := identity.Parse(text)
		fmt.Println(id.Type, id, err)
	}
	// Output:
	// ID_IPV4_ADDR 203.0.113.7 <nil>
	// ID_FQDN gw.example <nil>
	// ID_RFC822_ADDR ops@gw.example <nil>
	// ID_DER_ASN1_DN C=DE, O=Example, CN=gw <nil>
	// ID_KEY_ID keyid:0a0b <nil>
}
