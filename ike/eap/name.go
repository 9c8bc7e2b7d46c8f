package eap

import (
	"bytes"
	"fmt"
	"strings"

	"esplanade/ike/identity"
)

// BadName says what is wrong with octets that are to be a name; "" if nothing is. A name may be empty.
func BadName(b []byte) string {
	switch {
	case len(b) > MaxIdentity:
		return fmt.Sprintf("a name of %d bytes; at most %d are allowed", len(b), MaxIdentity)
	case bytes.ContainsFunc(b, identity.Controls):
		// "The Identity Response field MUST NOT be null terminated." https://www.rfc-editor.org/rfc/rfc3748#section-5.1
		return "a name with control characters"
	}
	return ""
}

// account is a name without the Windows domain in front of it: "johndoe" of "BIGCO\johndoe" (RFC 2759 section 4).
func account(name string) string {
	if i := strings.LastIndexByte(name, '\\'); i >= 0 {
		return name[i+1:]
	}
	return name
}
