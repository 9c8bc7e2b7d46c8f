package identity

import "testing"

func TestMatches(t *testing.T) {
	const no, any, perfect = 0, ScoreAny, ScorePerfect
	tests := []struct {
		id, pattern string
		score       int // no: no match; -1: some wildcard's
	}{
		{"gw.example.org", "%any", any},
		{"gw.example.org", "*", any},
		{"gw.example.org", "GW.example.ORG", perfect},
		{"gw.example.org", "*.example.org", ScoreWildcard + 12},
		{"gw.example.org", "*.EXAMPLE.org", ScoreWildcard + 12},
		{"gw.example.org", "*.org", ScoreWildcard + 4},
		{"a.b.example.org", "*.example.org", ScoreWildcard + 12},
		{"gw.example.org", "fqdn:*", ScoreWildcard},
		{".example.org", "*.example.org", no}, // the wildcard stands for something
		{"example.org", "*.example.org", no},
		{"gw.example.org", "*.example.com", no},
		{"gw.example.org", "gw.example", no},
		{"gw.example.org", "email:*.example.org", no},
		{"gw.example.org", "keyid:gw.example.org", no},
		{"keyid:abc", "keyid:abc", perfect},
		{"keyid:abc", "keyid:ABC", no},
		{"keyid:abc", "keyid:*", no},
		{"a@example.org", "*@example.org", ScoreWildcard + 12},
		{"a@b.example.org", "*@example.org", no},
		{"a@example.org", "*.example.org", no},
		{"%any", "%any", no}, // no identity at all
		{"%null", "%any", no},
		{"%null", "%null", perfect},
		// What a peer sends is no pattern.
		{"fqdn:*", "gw.example.org", no},
		{"*.example.org", "gw.example.org", no},
		{"fqdn:%any", "gw.example.org", no},

		{"192.0.2.7", "192.0.2.7", perfect},
		{"192.0.2.7", "192.0.2.7/32", perfect},
		{"192.0.2.7", "192.0.2.7-192.0.2.7", perfect},
		{"192.0.2.7", "192.0.2.0/24", ScoreWildcard + 24},
		{"192.0.2.7", "0.0.0.0/0", ScoreWildcard},
		{"192.0.2.7", "192.0.2.0-192.0.2.64", ScoreWildcard + 25},
		{"192.0.2.7", "192.0.3.0/24", no},
		{"192.0.2.7", "192.0.2.8-192.0.2.64", no},
		{"192.0.2.7", "::/0", no},
		{"192.0.2.7", "fqdn:192.0.2.7", no},
		{"2001:db8::7", "2001:db8::/32", ScoreWildcard + 32},
		{"2001:db8::7", "::/0", ScoreWildcard},
		{"2001:db8::7", "0.0.0.0/0", no},
		{"gw.example.org", "0.0.0.0/0", no},

		{"C=CH, E=moon@example.org, CN=moon", "C=CH, email=moon@example.org, CN=moon", perfect},
		{"C=CH, E=moon@example.org, CN=moon", "c=ch, emailAddress=MOON@example.org, cn=Moon", perfect},
		{"C=CH, E=moon@example.org, CN=moon", "C=CH, E=*, CN=moon", perfect - 1},
		{"C=CH, E=moon@example.org, CN=moon", "C=CH, E=*, CN=*", perfect - 2},
		{"C=CH, E=moon@example.org, CN=moon", "C=*, E=*, CN=*", perfect - 3},
		{"C=CH, E=moon@example.org, CN=moon", "C=CH, E=*@example.org, CN=moon", no},
		{"C=CH, E=moon@example.org, CN=moon", "CN=moon, C=CH, E=moon@example.org", no},
		{"C=CH, E=moon@example.org, CN=moon", "C=CH, CN=*", no},
		{"C=CH, E=moon@example.org, CN=moon", "C=*, E=*, CN=*, O=x", no},
		{"C=CH, OU=Research, OU=Floor A, CN=moon", "C=CH, OU=*, OU=Floor A, CN=moon", perfect - 1},
		{"C=CH, OU=Research, OU=Floor A, CN=moon", "C=CH, OU=*, OU=Research, CN=moon", no},
		// Insignificant spaces, and the attributes of one part in the order of their octets.
		{"O=a b, CN=moon", `O=\ a   b\ , CN=MOON`, perfect},
		{"O=a b, CN=moon", "O=ab, CN=moon", no},
		{"O=a, CN=a long name + L=b", "O=a, L=b + CN=A  long NAME", perfect},
		{"O=a, CN=a long name + L=b", "O=a, CN=* + L=b", perfect - 1},
		{"O=a, CN=a long name + L=b", "O=*, CN=* + L=*", perfect - 3},
		{"O=a, CN=a long name + L=b", "O=a, CN=* + L=c", no},
		{"O=a, CN=a long name + L=b", "O=a, CN=* + OU=*", no},
		{"O=a, CN=b + CN=a", "O=a, CN=* + CN=a", perfect - 1},
		{"O=a, CN=b + CN=c", "O=a, CN=* + CN=a", no},
		{"O=a, CN=a long name + L=b", "O=a, CN=*", no},
		{"C=CH, O=x", "C=CH, O=#0c0178", perfect}, // another string type
		{"C=CH, O=*", "C=CH, O=x", no},
		{"C=CH, O=a + SN=1", "C=CH, O=* + SN=1", perfect - 1},
		{"C=CH, O=a + SN=1", "C=CH, O=*", no},
		{"C=CH, O=a + SN=1", "C=CH, O=a, SN=1", no},
	}
	for _, tt := range tests {
		score, ok := mustParse(t, tt.id).Matches(mustParse(t, tt.pattern))
		if score != tt.score || ok != (tt.score != no) {
			t.Errorf("%s matches %s = %d, %v; want %d", tt.id, tt.pattern, score, ok, tt.score)
		}
	}
}

// TestMostSpecificWins has, for one identity each, patterns in the order in which they should win.
func TestMostSpecificWins(t *testing.T) {
	for id, patterns := range map[string][]string{
		"gw.a.example.org":        {"gw.a.example.org", "*.a.example.org", "*.example.org", "*.org", "%any"},
		"u@a.example.org":         {"u@a.example.org", "*@a.example.org", "*.example.org@never", "%any"},
		"192.0.2.7":               {"192.0.2.7", "192.0.2.0/28", "192.0.2.0-192.0.2.255", "192.0.0.0/16", "0.0.0.0/0", "%any"},
		"C=CH, O=a, OU=b, CN=gw.": {"C=CH, O=a, OU=b, CN=gw.", "C=CH, O=a, OU=b, CN=*", "C=CH, O=a, OU=*, CN=*", "C=*, O=*, OU=*, CN=*", "%any"},
	} {
		last := 1 << 30
		for _, p := range patterns {
			score, ok := mustParse(t, id).Matches(mustParse(t, p))
			if !ok {
				continue
			}
			if score >= last {
				t.Errorf("%s: %s has %d, not less than the one before", id, p, score)
			}
			last = score
		}
		if last != ScoreAny {
			t.Errorf("%s: %%any has %d", id, last)
		}
	}
}

func TestMatchesMalformedPattern(t *testing.T) {
	id := mustParse(t, "192.0.2.7")
	for _, p := range []Identity{
		{Type: IPv4Subnet}, {Type: IPv4Range}, {Type: IPv4Range, Data: []byte{192, 0, 2, 9, 192, 0, 2, 1}},
		{Type: IPv6Range, Data: []byte{192, 0, 2, 1, 192, 0, 2, 9}}, {Type: IPv4Addr}, {Type: DERASN1DN},
	} {
		if _, ok := id.Matches(p); ok {
			t.Errorf("%s matches %#v", id, p)
		}
		if p.String() == "" {
			t.Errorf("%#v prints nothing", p)
		}
	}
	bad := Identity{Type: IPv4Addr}
	if _, ok := bad.Matches(mustParse(t, "0.0.0.0/0")); ok || bad.Concrete() {
		t.Error("an address without octets matches")
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"ipsec.example.org", "IPSEC.Example.ORG", true},
		{"ipsec.example.org", "example.org", false},
		{"a@b", "A@B", true},
		{"fqdn:a@b", "a@b", false},
		{"keyid:a", "keyid:A", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"%any", "%any", true},
		{"%any", "gw", false},
		{"C=CH, O=x", "C=ch,O=X", true},
		{"C=CH, O=x", "/C=CH/O=x", true},
		{" / C=CH / O=x", "C=CH, O=x", true},
		{"C=CH, O=x", "O=x, C=CH", false},
		{"C=CH, O=x", "C=CH", false},
		{"C=CH, O=x", "C=CH, O=xx", false},
		{"C=CH, O=x + L=y", "C=CH, L=y + O=x", true}, // a set has no order
		// Folding is ASCII's: the Kelvin sign is not a K.
		{"k@example", "\u212a@example", false},
	} {
		a, b := mustParse(t, tt.a), mustParse(t, tt.b)
		if a.Equal(b) != tt.want || b.Equal(a) != tt.want {
			t.Errorf("%s equal to %s: %v, want %v", tt.a, tt.b, !tt.want, tt.want)
		}
	}
}

func TestConcrete(t *testing.T) {
	for text, want := range map[string]bool{
		"gw.example": true, "192.0.2.1": true, "a@b": true, "keyid:*": true, "C=CH, CN=x": true, "{99}:x": true, "%null": true,
		"*.example": false, "*@b": false, "%any": false, "192.0.2.0/24": false, "192.0.2.1-192.0.2.2": false, "C=CH, CN=*": false,
	} {
		if got := mustParse(t, text).Concrete(); got != want {
			t.Errorf("%s: Concrete() = %v", text, got)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		id, base string
		want     bool
	}{
		{"C=CH, O=a, CN=moon", "C=CH, O=a", true},
		{"C=CH, O=a, CN=moon", "c=ch, O= A ", true},
		{"C=CH, O=a, CN=moon", "C=CH, O=a, CN=moon", true},
		{"C=CH, O=a, CN=moon", "asn1dn:#3000", true},
		{"C=CH, O=a", "C=CH, O=a, CN=moon", false},
		{"C=CH, O=a, CN=moon", "O=a", false},
		{"C=CH, O=a, CN=moon", "C=CH, O=*", false}, // not a pattern
		{"C=CH, O=ab", "C=CH, O=a", false},
		{"moon.example", "C=CH", false},
		{"C=CH", "moon.example", false},
	} {
		if got := mustParse(t, tt.id).Within(mustParse(t, tt.base)); got != tt.want {
			t.Errorf("%q within %q: %v", tt.id, tt.base, got)
		}
	}
}
