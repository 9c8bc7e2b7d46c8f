package identity

import "testing"

// Two identities have the same key exactly when they are equal: what is filed under one is never another peer's.
func TestKeyIsEquality(t *testing.T) {
	var ids []Identity
	for _, s := range []string{
		"a.example", "A.EXAMPLE", "keyid:a.example", "keyid:A.example", "bank.example", "ban\u212a.example", "fqdn:192.0.2.1", "192.0.2.1",
		"user@a.example", "USER@a.example", "keyid:user@a.example", "C=CH, O=A, CN=b", "C=CH, O=a, CN=B", "C=CH, O=A, CN=c", "O=A, C=CH, CN=b",
		"C=CH, O=AC, CN=b", "C=CH, CN=AOb", `C=CH, O=\ a\ , CN=b`, "C=CH, O=A B, CN=b", "C=CH, O=A  B, CN=b", "C=CH, O=AB, CN=b",
		"O=a, CN=a long name + L=b", "O=a, L=B + CN=a long name", "O=a, CN=a long   name + L=b", "O=a, CN=a long name + CN=b", "%any", "2001:db8::1",
	} {
		id, err := Parse(s)
		if err != nil {
			// What is no name in a configuration can still come from a peer.
			id = Identity{Type: FQDN, Data: []byte(s)}
		}
		ids = append(ids, id)
	}
	for _, a := range ids {
		for _, b := range ids {
			if a.Equal(b) != (a.Key() == b.Key()) {
				t.Errorf("%s and %s: equal %t, keys %q and %q", a, b, a.Equal(b), a.Key(), b.Key())
			}
		}
	}
}
