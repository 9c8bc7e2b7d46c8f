package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	basn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/identity"
)

// subtree is a GeneralSubtree: a name, and what may follow it.
type subtree struct {
	tag  basn1.Tag
	base []byte
	more []byte
}

// constraint is the extension, with permitted and excluded subtrees.
func constraint(t *testing.T, critical bool, permitted, excluded []subtree) pkix.Extension {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(basn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, list := range [][]subtree{permitted, excluded} {
			if list == nil {
				continue
			}
			b.AddASN1(basn1.Tag(i).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				for _, s := range list {
					b.AddASN1(basn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(s.tag, func(b *cryptobyte.Builder) { b.AddBytes(s.base) })
						b.AddBytes(s.more)
					})
				}
			})
		}
	})
	return ce(oidNameConstraints, critical, b.BytesOrPanic())
}

func dnOf(t *testing.T, text string) subtree {
	return subtree{tag: tagDirectoryName, base: id(t, text).Data}
}

// constrained issues an end under an intermediate with the constraints.
func constrained(t *testing.T, template *x509.Certificate, edit func(*x509.Certificate)) (*Trust, Presented, *holder) {
	t.Helper()
	ca := root(t, "CA")
	between := caTemplate("Between")
	edit(between)
	b := issue(t, ca, between, nil)
	return trustIn(ca), present(issue(t, b, template, nil), b), b
}

// TestNameConstraintBypass is the class of CVE-2026-35331: names that a CA may not issue for, in every spelling.
func TestNameConstraintBypass(t *testing.T) {
	network := func(s string) []*net.IPNet {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		return []*net.IPNet{n}
	}
	uri, err := url.Parse("https://site-b.example/x")
	if err != nil {
		t.Fatal(err)
	}
	subject := func(c *x509.Certificate, address string) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: address}}
	}
	for name, tt := range map[string]struct {
		ca  func(*x509.Certificate)
		end func(*x509.Certificate)
		id  string
		ok  bool
	}{
		"permitted domain":          {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example"} }, nil, "", true},
		"permitted in another case": {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"EXAMPLE"} }, nil, "", true},
		"another permitted":         {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"other"} }, nil, "", false},
		"an end of a label":         {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"b.example"} }, nil, "", false},
		"below only":                {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{".site-b.example"} }, nil, "", false},
		"one of two names":          {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"site-b.example"} }, func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "site-c.example") }, "", false},
		"excluded domain":           {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example"} }, nil, "", false},
		"excluded in another case":  {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"Site-B.EXAMPLE"} }, nil, "", false},
		"another case excluded":     {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"site-b.example"} }, func(c *x509.Certificate) { c.DNSNames = []string{"SITE-B.example"} }, "", false},
		"excluded and permitted": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExcludedDNSDomains = []string{"example"}, []string{"site-b.example"}
		}, nil, "", false},
		"another excluded":    {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"b.example"} }, nil, "", true},
		"a period at the end": {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example"} }, func(c *x509.Certificate) { c.DNSNames = []string{"site-b.example."} }, "site-b.example.", false},
		"permitted network": {func(c *x509.Certificate) {
			c.PermittedIPRanges = append(network("203.0.113.0/24"), network("2001:db8::/32")...)
		}, nil, "203.0.113.7", true},
		"another network":               {func(c *x509.Certificate) { c.PermittedIPRanges = network("198.51.100.0/24") }, nil, "203.0.113.7", false},
		"excluded network":              {func(c *x509.Certificate) { c.ExcludedIPRanges = network("203.0.113.0/29") }, nil, "203.0.113.7", false},
		"excluded network of IPv6":      {func(c *x509.Certificate) { c.ExcludedIPRanges = network("2001:db8::/126") }, nil, "", true},
		"everything of IPv6":            {func(c *x509.Certificate) { c.ExcludedIPRanges = network("::/0") }, nil, "", false},
		"permitted host of address":     {func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"site-b.example"} }, nil, "ops@site-b.example", true},
		"another host of address":       {func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"example"} }, nil, "ops@site-b.example", false},
		"permitted domain of addresses": {func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{".example"} }, nil, "ops@site-b.example", true},
		"excluded mailbox":              {func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{"ops@site-b.example"} }, nil, "ops@site-b.example", false},
		"excluded in other letters":     {func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{"OPS@site-b.example"} }, nil, "ops@site-b.example", false},
		"excluded quoted":               {func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{"ops@site-b.example"} }, func(c *x509.Certificate) { c.EmailAddresses = []string{`"ops"@site-b.example`} }, `email:"ops"@site-b.example`, false},
		"an address in the subject":     {func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"other.example"} }, func(c *x509.Certificate) { *c = x509.Certificate{}; subject(c, "ops@site-b.example") }, "E=ops@site-b.example", false},
		"that is permitted":             {func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"site-b.example"} }, func(c *x509.Certificate) { *c = x509.Certificate{}; subject(c, "ops@site-b.example") }, "E=ops@site-b.example", true},
		"that is excluded":              {func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{"Ops@site-b.example"} }, func(c *x509.Certificate) { *c = x509.Certificate{}; subject(c, "ops@SITE-b.example") }, "E=ops@site-b.example", false},
		"permitted host of URI":         {func(c *x509.Certificate) { c.PermittedURIDomains = []string{"site-b.example"} }, func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }, "", true},
		"another host of URI":           {func(c *x509.Certificate) { c.PermittedURIDomains = []string{"other.example"} }, func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			end := endTemplate()
			if tt.end != nil {
				tt.end(end)
			}
			for _, critical := range []bool{true, false} {
				end.SerialNumber = nil
				trust, p, between := constrained(t, end, func(c *x509.Certificate) {
					c.PermittedDNSDomainsCritical, c.MaxPathLen, c.MaxPathLenZero = critical, 0, true
					tt.ca(c)
				})
				who := tt.id
				if who == "" {
					who = "site-b.example"
				}
				if tt.ok {
					if _, err := trust.Judge(noon(), id(t, who), p); err != nil {
						t.Error(err)
					}
					continue
				}
				if r := refusedAs(t, trust, noon(), id(t, who), p, NameNotAllowed); r.CA != Subject(between.Certificate) || r.Detail == "" {
					t.Errorf("said of the CA %q: %v", r.CA, r)
				}
			}
		})
	}
}

// TestDistinguishedNameConstraints has the constraints that crypto/x509 doesn't have.
func TestDistinguishedNameConstraints(t *testing.T) {
	other := []byte{0x30, 0}
	alternative := func(c *x509.Certificate) {
		var b cryptobyte.Builder
		b.AddASN1(basn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tagDNSName, func(b *cryptobyte.Builder) { b.AddBytes([]byte("site-b.example")) })
			b.AddASN1(tagDirectoryName, func(b *cryptobyte.Builder) { b.AddBytes(id(t, "C=DE, O=Elsewhere").Data) })
		})
		c.ExtraExtensions = []pkix.Extension{ce(oidSubjectAltName, false, b.BytesOrPanic())}
	}
	for name, tt := range map[string]struct {
		permitted, excluded []subtree
		end                 func(*x509.Certificate)
		want                Reason
	}{
		"permitted":                    {[]subtree{dnOf(t, "C=DE, O=Example")}, nil, nil, 0},
		"permitted in other letters":   {[]subtree{dnOf(t, "C=de, O=example")}, nil, nil, 0},
		"one of two permitted":         {[]subtree{dnOf(t, "O=Other"), dnOf(t, "C=DE")}, nil, nil, 0},
		"another permitted":            {[]subtree{dnOf(t, "C=DE, O=Other")}, nil, nil, NameNotAllowed},
		"permitted without the first":  {[]subtree{dnOf(t, "O=Example")}, nil, nil, NameNotAllowed},
		"no pattern":                   {[]subtree{dnOf(t, "C=*")}, nil, nil, NameNotAllowed},
		"excluded":                     {nil, []subtree{dnOf(t, "C=DE")}, nil, NameNotAllowed},
		"excluded in other letters":    {nil, []subtree{dnOf(t, `C=de, O=\ EXAMPLE`)}, nil, NameNotAllowed},
		"permitted and excluded":       {[]subtree{dnOf(t, "C=DE")}, []subtree{dnOf(t, "C=DE, O=Example")}, nil, NameNotAllowed},
		"another excluded":             {nil, []subtree{dnOf(t, "C=DE, O=Example, CN=site-c")}, nil, 0},
		"everything excluded":          {nil, []subtree{{tag: tagDirectoryName, base: other}}, nil, NameNotAllowed},
		"an alternative name":          {[]subtree{dnOf(t, "C=DE, O=Example")}, nil, alternative, NameNotAllowed},
		"an alternative name excluded": {nil, []subtree{dnOf(t, "C=DE, O=Elsewhere")}, alternative, NameNotAllowed},
		"without a subject":            {[]subtree{dnOf(t, "C=FR")}, nil, func(c *x509.Certificate) { c.Subject = pkix.Name{} }, 0},
		"a minimum":                    {[]subtree{{tagDirectoryName, id(t, "C=DE").Data, []byte{0x80, 1, 1}}}, nil, nil, UnknownExtension},
		"malformed":                    {[]subtree{{tag: tagDirectoryName, base: []byte{0x31, 0}}}, nil, nil, UnknownExtension},
		"a kind unknown here":          {nil, []subtree{{tag: 0x88, base: []byte{42}}}, nil, UnknownExtension},
	} {
		t.Run(name, func(t *testing.T) {
			end := endTemplate()
			if tt.end != nil {
				tt.end(end)
			}
			for _, critical := range []bool{true, false} {
				end.SerialNumber = nil
				trust, p, between := constrained(t, end, func(c *x509.Certificate) {
					c.ExtraExtensions = []pkix.Extension{constraint(t, critical, tt.permitted, tt.excluded)}
				})
				want := tt.want
				if want == UnknownExtension && !critical {
					if strings.HasPrefix(name, "a kind") {
						want = 0
					} else {
						want = NameNotAllowed
					}
				}
				if want == 0 {
					accepted(t, trust, p)
					continue
				}
				r := refused(t, trust, p, want)
				if want == NameNotAllowed && r.CA != Subject(between.Certificate) {
					t.Errorf("said of the CA %q", r.CA)
				}
			}
		})
	}
}

// TestConstraintsOfTheAnchor has the constraints on the anchor, and on what is between as well.
func TestConstraintsOfTheAnchor(t *testing.T) {
	top := caTemplate("CA")
	top.ExtraExtensions = []pkix.Extension{constraint(t, true, []subtree{dnOf(t, "O=Example"), dnOf(t, "C=DE, O=Example")}, nil)}
	ca := issue(t, nil, top, nil)
	between := issue(t, ca, caTemplate("Between"), nil)
	end := issue(t, between, endTemplate(), nil)
	peer := accepted(t, trustIn(ca), present(end, between))
	wantChain(t, peer, end, between, ca)
	// What the caller gets are the certificates as they were.
	if len(peer.Chain[2].UnhandledCriticalExtensions) != 1 {
		t.Error("the anchor of the chain is not the one that was given")
	}
	foreign := caTemplate("Between")
	foreign.Subject.Organization = []string{"Foreign"}
	outside := issue(t, ca, foreign, nil)
	r := refused(t, trustIn(ca), present(issue(t, outside, endTemplate(), nil), outside), NameNotAllowed)
	if r.Role != Intermediate || !r.Cert.Equal(outside.Certificate) {
		t.Errorf("said of the %v %v", r.Role, r)
	}
}

// TestSelfIssued has certificates of the same name as their issuer, which constraints apply to in the last place only.
func TestSelfIssued(t *testing.T) {
	ca := root(t, "CA")
	template := caTemplate("Between")
	template.ExtraExtensions = []pkix.Extension{constraint(t, true, nil, []subtree{dnOf(t, "O=Example, CN=Between")})}
	between := issue(t, ca, template, nil)
	renewed := issue(t, between, caTemplate("Between"), nil)
	end := issue(t, renewed, endTemplate(), nil)
	wantChain(t, accepted(t, trustIn(ca), present(end, renewed, between)), end, renewed, between, ca)
	own := endTemplate()
	own.Subject = template.Subject
	if r := refused(t, trustIn(ca), present(issue(t, between, own, nil), between), NameNotAllowed); r.Role != End {
		t.Errorf("said of the %v", r.Role)
	}
}

func TestAddressWithin(t *testing.T) {
	for _, tt := range []struct {
		address, base string
		want          bool
	}{
		{"a@x.example", "a@x.example", true}, {"a@X.example", "a@x.EXAMPLE", true}, {"A@x.example", "a@x.example", false},
		{"a@x.example", "x.example", true}, {"a@y.x.example", "x.example", false}, {"a@y.x.example", ".x.example", true},
		{"a@x.example", ".x.example", false}, {"a@x.example", "", true}, {"x.example", "x.example", true}, {"", "x.example", false},
		{"a@b@x.example", "a@b@x.example", true}, {"a@b@x.example", "b@x.example", false},
	} {
		if got := addressWithin(tt.address, tt.base); got != tt.want {
			t.Errorf("%q within %q: %v", tt.address, tt.base, got)
		}
	}
}

// TestSubtreesBounded has more constraints than are accepted.
func TestSubtreesBounded(t *testing.T) {
	var many []subtree
	for range maxSubtrees + 1 {
		many = append(many, dnOf(t, "C=DE"))
	}
	trust, p, _ := constrained(t, endTemplate(), func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{constraint(t, true, many, nil)}
	})
	if r := refused(t, trust, p, UnknownExtension); r.ID.Type != identity.FQDN {
		t.Errorf("said of %v", r.ID)
	}
	trust, p, _ = constrained(t, endTemplate(), func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{constraint(t, true, many[:maxSubtrees], nil)}
	})
	accepted(t, trust, p)
}
