package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"esplanade/ike/identity"
)

// TestDates has the clock before, in and after the validity of each certificate of a chain.
func TestDates(t *testing.T) {
	from, to := noon().Add(-2*time.Hour), noon().Add(2*time.Hour)
	narrow := func(c *x509.Certificate) *x509.Certificate {
		c.NotBefore, c.NotAfter = from, to
		return c
	}
	for name, make := range map[string]func() (trust *Trust, p Presented, of *holder, role Role){
		"end": func() (*Trust, Presented, *holder, Role) {
			ca := root(t, "CA")
			end := issue(t, ca, narrow(endTemplate()), nil)
			return trustIn(ca), present(end), end, End
		},
		"intermediate": func() (*Trust, Presented, *holder, Role) {
			ca := root(t, "CA")
			between := issue(t, ca, narrow(caTemplate("Between")), nil)
			return trustIn(ca), present(issue(t, between, endTemplate(), nil), between), between, Intermediate
		},
		"anchor": func() (*Trust, Presented, *holder, Role) {
			ca := issue(t, nil, narrow(caTemplate("CA")), nil)
			return trustIn(ca), present(issue(t, ca, endTemplate(), nil)), ca, Anchor
		},
	} {
		t.Run(name, func(t *testing.T) {
			trust, p, of, role := make()
			id := id(t, "site-b.example")
			// "The validity period for a certificate is the period of time from notBefore through notAfter, inclusive."
			for _, now := range []time.Time{from, from.Add(time.Second), to, to.Add(time.Second - 1)} {
				if _, err := trust.Judge(now, id, p); err != nil {
					t.Errorf("%v: %v", now, err)
				}
			}
			for now, want := range map[time.Time]Reason{
				from.Add(-1): NotYetValid, from.Add(-3 * time.Hour): NotYetValid,
				to.Add(time.Second): Expired, to.Add(20 * time.Hour): Expired,
			} {
				r := refusedAs(t, trust, now, id, p, want)
				if r.Role != role || !r.Cert.Equal(of.Certificate) {
					t.Errorf("said of the %v %v", r.Role, r)
				}
				limit := map[Reason]time.Time{NotYetValid: from, Expired: to}[want]
				if !r.Limit.Equal(limit) || r.Now.After(now) || now.Sub(r.Now) >= time.Second || r.Apart() != r.Now.Sub(limit).Abs() {
					t.Errorf("%v: said with the clock %v and the date %v", now, r.Now, r.Limit)
				}
				for _, part := range []string{Subject(of.Certificate), Serial(of.Certificate), date(limit), date(r.Now)} {
					if !strings.Contains(r.Error(), part) {
						t.Errorf("%q is not in %q", part, r)
					}
				}
			}
			// A time that is zero is a time, and not the clock of this machine.
			refusedAs(t, trust, time.Time{}, id, p, NotYetValid)
		})
	}
}

func TestApart(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 59 * time.Second: "59 seconds", 61 * time.Second: "1 minute", 2 * time.Hour: "2 hours and 0 minutes",
		61 * time.Minute: "1 hour and 1 minute", 47*time.Hour + time.Minute: "47 hours and 1 minute", 1000 * time.Hour: "41 days",
	} {
		if got := apart(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestKeyUsage is RFC 4945, section 5.1.3.2, and what is made of extended key usage.
func TestKeyUsage(t *testing.T) {
	ca := root(t, "CA")
	for usage, ok := range map[x509.KeyUsage]bool{
		0: true, x509.KeyUsageDigitalSignature: true, x509.KeyUsageContentCommitment: true,
		x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment: true,
		x509.KeyUsageKeyEncipherment:                                 false, x509.KeyUsageKeyAgreement | x509.KeyUsageDataEncipherment: false,
		x509.KeyUsageCertSign | x509.KeyUsageCRLSign: false,
	} {
		end := endTemplate()
		end.KeyUsage = usage
		if p := present(issue(t, ca, end, nil)); ok {
			accepted(t, trustIn(ca), p)
		} else {
			refused(t, trustIn(ca), p, WrongUsage)
		}
	}
	none := endTemplate()
	none.KeyUsage = 0
	none.ExtraExtensions = []pkix.Extension{ce(oidKeyUsage, true, []byte{3, 1, 0})} // without any bit
	refused(t, trustIn(ca), present(issue(t, ca, none, nil)), WrongUsage)
	for _, extended := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageIPSECTunnel, x509.ExtKeyUsageAny} {
		end := endTemplate()
		end.ExtKeyUsage = []x509.ExtKeyUsage{extended}
		accepted(t, trustIn(ca), present(issue(t, ca, end, nil)))
	}
	ike := endTemplate()
	ike.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 17}}
	accepted(t, trustIn(ca), present(issue(t, ca, ike, nil)))
}

// TestUnknownCritical has an extension that nobody knows in each place of a chain.
func TestUnknownCritical(t *testing.T) {
	for place, role := range []Role{End, Intermediate, Anchor} {
		for _, critical := range []bool{false, true} {
			templates := []*x509.Certificate{endTemplate(), caTemplate("Between"), caTemplate("CA")}
			templates[place].ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: critical, Value: []byte{5, 0}}}
			ca := issue(t, nil, templates[2], nil)
			between := issue(t, ca, templates[1], nil)
			p := present(issue(t, between, templates[0], nil), between)
			if !critical {
				accepted(t, trustIn(ca), p)
				continue
			}
			if r := refused(t, trustIn(ca), p, UnknownExtension); r.Role != role || !strings.Contains(r.Error(), "1.2.3.4") {
				t.Errorf("said of the %v: %v", r.Role, r)
			}
		}
	}
}

// TestIssuers has issuers that are none.
func TestIssuers(t *testing.T) {
	ca := root(t, "CA")
	for name, edit := range map[string]func(*x509.Certificate){
		"an end":                    func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature },
		"without basic constraints": func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false },
		"without keyCertSign":       func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign },
		"a key usage without any bit": func(c *x509.Certificate) {
			c.KeyUsage, c.ExtraExtensions = 0, []pkix.Extension{ce(oidKeyUsage, true, []byte{3, 1, 0})}
		},
	} {
		template := caTemplate("Between")
		edit(template)
		between := issue(t, ca, template, nil)
		end := issue(t, between, endTemplate(), nil)
		r := refused(t, trustIn(ca), present(end, between), NotCA)
		if !r.Cert.Equal(end.Certificate) || r.CA != Subject(between.Certificate) {
			t.Errorf("%s: %v", name, r)
		}
	}
	one := caTemplate("One")
	one.MaxPathLen, one.MaxPathLenZero = 0, true
	top := issue(t, nil, one, nil)
	two := issue(t, top, caTemplate("Two"), nil)
	accepted(t, trustIn(top), present(issue(t, top, endTemplate(), nil)))
	if r := refused(t, trustIn(top), present(issue(t, two, endTemplate(), nil), two), PathTooLong); r.CA != Subject(top.Certificate) {
		t.Errorf("said of %q", r.CA)
	}
}

// TestVersionOne has certificates without extensions, and so without basic constraints: "implementations SHOULD be
// prepared to accept any version certificate", but not as intermediate CAs (RFC 5280, section 6.1.4, step k).
func TestVersionOne(t *testing.T) {
	ca := root(t, "CA")
	old := versionOne(t, ca, ca)
	between := issue(t, old, caTemplate("Between"), nil)
	end := issue(t, between, endTemplate(), nil)
	wantChain(t, accepted(t, trustIn(old), present(end, between)), end, between, old)
	without := versionOne(t, ca, between)
	if r := refused(t, trustIn(ca), present(end, without), NotCA); r.CA != Subject(between.Certificate) {
		t.Errorf("said of %q", r.CA)
	}
	bare := versionOne(t, ca, issue(t, ca, endTemplate(), nil))
	who := id(t, "C=DE, O=Example, CN=site-b")
	if _, err := trustIn(ca).Judge(noon(), who, present(bare)); err != nil {
		t.Error(err)
	}
	refused(t, trustIn(ca), present(bare), NotItsIdentity)
}

// TestSignatures has chains whose signatures are wrong or weak.
func TestSignatures(t *testing.T) {
	ca := root(t, "CA")
	end := issue(t, ca, endTemplate(), nil)
	if r := refused(t, trustIn(root(t, "CA")), present(end), BadSignature); r.CA != Subject(ca.Certificate) {
		t.Errorf("said of %q", r.CA)
	}
	damaged := bytes.Clone(end.Raw)
	damaged[len(damaged)-1] ^= 1
	refused(t, trustIn(ca), Presented{Certs: [][]byte{damaged}}, BadSignature)

	strong := issue(t, nil, caTemplate("RSA"), rsaKey(t, 2048))
	sha1 := endTemplate()
	sha1.SignatureAlgorithm = x509.SHA1WithRSA
	r := refused(t, trustIn(strong), present(issue(t, strong, sha1, nil)), WeakSignature)
	if !strings.Contains(r.Error(), "SHA1-RSA") {
		t.Errorf("said without the algorithm: %v", r)
	}
	// sha256WithRSAEncryption and md5WithRSAEncryption differ in their last byte.
	rsaEnd := issue(t, strong, endTemplate(), nil)
	md5 := bytes.ReplaceAll(rsaEnd.Raw, marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}), marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}))
	if r := refused(t, trustIn(strong), Presented{Certs: [][]byte{md5}}, WeakSignature); !strings.Contains(r.Error(), "MD5-RSA") {
		t.Errorf("said without the algorithm: %v", r)
	}
	// On the anchor itself the signature says nothing.
	old := caTemplate("Old")
	old.SignatureAlgorithm = x509.SHA1WithRSA
	anchor := issue(t, nil, old, rsaKey(t, 2048))
	accepted(t, trustIn(anchor), present(issue(t, anchor, endTemplate(), nil)))
	// RSASSA-PSS is fine.
	pss := endTemplate()
	pss.SignatureAlgorithm = x509.SHA384WithRSAPSS
	accepted(t, trustIn(strong), present(issue(t, strong, pss, nil)))
	// A CA with Ed448 is not possible, and that is what is said.
	spki := info(t, keys(t)["Ed448"])
	ed, err := Parse(withKey(t, ca, caTemplate("Ed448"), spki))
	if err != nil {
		t.Fatal(err)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	byEd := issue(t, &holder{ed, k}, endTemplate(), nil)
	if r := refused(t, trustIn(&holder{ed, nil}), present(byEd), WeakSignature); !strings.Contains(r.Error(), "Ed448") {
		t.Errorf("said without the algorithm: %v", r)
	}
}

// TestMostUsefulReason has two chains that fail for two reasons.
func TestMostUsefulReason(t *testing.T) {
	late := caTemplate("CA")
	late.NotAfter = noon().Add(-time.Hour)
	key := newKey(t)
	expired := issue(t, nil, late, key)
	end := issue(t, expired, endTemplate(), nil)
	// "CA" is there twice: expired, and with another key.
	for _, trust := range []*Trust{trustIn(expired, root(t, "CA")), trustIn(root(t, "CA"), expired)} {
		if r := refused(t, trust, present(end), Expired); !r.Cert.Equal(expired.Certificate) {
			t.Errorf("said of %v", r)
		}
	}
	// The CA again with other dates is good enough.
	accepted(t, trustIn(expired, issue(t, nil, caTemplate("CA"), key)), present(end))
	// An intermediate that has expired, and one that leads nowhere.
	soon := caTemplate("Between")
	soon.NotAfter = noon().Add(-time.Minute)
	ca, shared := root(t, "Root"), newKey(t)
	old, stray := issue(t, ca, soon, shared), issue(t, root(t, "Elsewhere"), caTemplate("Between"), shared)
	end = issue(t, old, endTemplate(), nil)
	for _, p := range []Presented{present(end, old, stray), present(end, stray, old)} {
		if r := refused(t, trustIn(ca), p, Expired); !r.Cert.Equal(old.Certificate) {
			t.Errorf("said of %v", r)
		}
	}
}

// TestPolicies is cert_policy.
func TestPolicies(t *testing.T) {
	oid := func(last uint64) x509.OID {
		o, err := x509.OIDFromInts([]uint64{1, 3, 6, 1, 4, 1, 99999, last})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	anyPolicy, err := x509.ParseOID("2.5.29.32.0")
	if err != nil {
		t.Fatal(err)
	}
	a, b := oid(1), oid(2)
	type p []x509.OID
	for name, tt := range map[string]struct {
		between, end, demanded p
		edit                   func(between *x509.Certificate)
		ok                     bool
	}{
		"none demanded":                 {nil, nil, nil, nil, true},
		"none demanded, some there":     {p{a}, p{b}, nil, nil, true},
		"demanded and there":            {p{a}, p{a}, p{a}, nil, true},
		"one of those demanded":         {p{a, b}, p{b}, p{a, b}, nil, true},
		"any of the CA":                 {p{anyPolicy}, p{a}, p{a}, nil, true},
		"any of both":                   {p{anyPolicy}, p{anyPolicy}, p{a}, nil, true},
		"not in the end":                {p{a}, nil, p{a}, nil, false},
		"another in the end":            {p{a, b}, p{b}, p{a}, nil, false},
		"not in the CA":                 {nil, p{a}, p{a}, nil, false},
		"another in the CA":             {p{b}, p{a}, p{a}, nil, false},
		"nowhere":                       {nil, nil, p{a}, nil, false},
		"the CA allows no other any":    {p{a}, p{anyPolicy}, p{b}, nil, false},
		"any inhibited":                 {p{anyPolicy}, p{anyPolicy}, p{a}, func(c *x509.Certificate) { c.InhibitAnyPolicyZero = true }, false},
		"required by the CA, not there": {p{a}, p{b}, nil, func(c *x509.Certificate) { c.RequireExplicitPolicyZero = true }, false},
		"mapped": {p{a}, p{b}, p{a}, func(c *x509.Certificate) {
			c.PolicyMappings = []x509.PolicyMapping{{IssuerDomainPolicy: a, SubjectDomainPolicy: b}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ca := root(t, "CA")
			template, end := caTemplate("Between"), endTemplate()
			template.Policies, end.Policies = tt.between, tt.end
			if tt.edit != nil {
				tt.edit(template)
				template.ExtraExtensions = policyExtensions(t, template)
			}
			between := issue(t, ca, template, nil)
			trust := trustIn(ca)
			trust.Policies = tt.demanded
			leaf := issue(t, between, end, nil)
			if p := present(leaf, between); tt.ok {
				wantChain(t, accepted(t, trust, p), leaf, between, ca)
			} else if r := refused(t, trust, p, WrongPolicy); len(tt.demanded) > 0 && !strings.Contains(r.Error(), tt.demanded[0].String()) {
				t.Errorf("said without the policy: %v", r)
			}
		})
	}
	self := endTemplate()
	self.Policies = p{a}
	pinned := issue(t, nil, self, nil)
	accepted(t, &Trust{Pinned: []*x509.Certificate{pinned.Certificate}, Policies: p{b, a}}, present(pinned))
	refused(t, &Trust{Pinned: []*x509.Certificate{pinned.Certificate}, Policies: p{b}}, present(pinned), WrongPolicy)
	accepted(t, &Trust{Anchors: []*x509.Certificate{pinned.Certificate}, Policies: p{a}}, present(pinned))
	refused(t, &Trust{Anchors: []*x509.Certificate{pinned.Certificate}, Policies: p{b}}, present(pinned), WrongPolicy)
}

// policyExtensions are those that x509.CreateCertificate doesn't write.
func policyExtensions(t *testing.T, c *x509.Certificate) []pkix.Extension {
	var all []pkix.Extension
	if c.InhibitAnyPolicyZero {
		all = append(all, ce(54, true, marshal(t, 0)))
	}
	if c.RequireExplicitPolicyZero {
		all = append(all, ce(36, true, marshal(t, struct {
			N int `asn1:"tag:0"`
		}{0})))
	}
	if len(c.PolicyMappings) > 0 {
		type mapping struct{ Issuer, Subject asn1.RawValue }
		var list []mapping
		for _, m := range c.PolicyMappings {
			var pair [2]asn1.RawValue
			for i, o := range []x509.OID{m.IssuerDomainPolicy, m.SubjectDomainPolicy} {
				der, err := o.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				pair[i] = asn1.RawValue{Tag: asn1.TagOID, Bytes: der}
			}
			list = append(list, mapping{pair[0], pair[1]})
		}
		all = append(all, ce(33, true, marshal(t, list)))
	}
	return all
}

// TestIdentityIsBound is the class of CVE-2022-4967: a certificate of a trusted CA is no proof of being somebody else.
// Wildcards, the CN, and identities that no certificate has stand for nobody.
func TestIdentityIsBound(t *testing.T) {
	ca := root(t, "CA")
	template := endTemplate()
	template.DNSNames = append(template.DNSNames, "*.branch.example", "nul\x00.example", "UPPER.example", "trailing.example.")
	end := issue(t, ca, template, nil)
	cases := map[string]bool{
		"site-b.example": true, "SITE-B.Example": true, "upper.EXAMPLE": true, "ops@site-b.example": true, "OPS@SITE-B.example": true,
		"203.0.113.7": true, "2001:db8::7": true, "C=DE, O=Example, CN=site-b": true, "c=de, o=EXAMPLE, cn=Site-B": true,
		`C=DE, O=\ Example, CN=site-b`: true, "trailing.example.": true,

		"site-c.example": false, "a.branch.example": false, "branch.example": false, "site-b": false, "fqdn:site-b": false,
		"b.example": false, "site-b.example.org": false, "nul": false, "fqdn:#6e756c": false, "trailing.example": false, "site-b.example.": false,
		"keyid:site-b.example": false, "keyid:#01": false, "CN=site-b": false, "O=Example, CN=site-b": false, "C=DE, O=Example": false,
		"CN=site-b, O=Example, C=DE": false, "C=DE, O=Example, CN=site-b, OU=x": false, "C=DE, O=Example, CN=*": false, "O=Example, CN=CA": false,
		"fqdn:203.0.113.7": false, "203.0.113.8": false, "email:site-b.example": false, "fqdn:ops@site-b.example": false, "%any": false,
		"203.0.113.0/24": false, "asn1gn:site-b.example": false, "asn1dn:#3000": false, "{200}:x": false, "%null": false, "::ffff:203.0.113.7": true,
	}
	for text, ok := range cases {
		id := id(t, text)
		if got := Binds(end.Certificate, id); got != ok {
			t.Errorf("%q: %v", text, got)
		}
		_, err := trustIn(ca).Judge(noon(), id, present(end))
		if accepted := err == nil; accepted != ok {
			t.Errorf("%q: accepted %v: %v", text, accepted, err)
		}
		if !ok {
			if r := refusedAs(t, trustIn(ca), noon(), id, present(end), NotItsIdentity); !strings.Contains(r.Error(), "site-b.example") {
				t.Errorf("said without the names of the certificate: %v", r)
			} else if strings.Contains(r.Detail, id.Type.String()) == bindable(id.Type) || bindable(id.Type) != (r.Detail == "") {
				t.Errorf("%v: said with the detail %q", id.Type, r.Detail)
			}
		}
	}
	// Sixteen octets that hold an IPv4 address are no IPv4 address.
	if mapped := (identity.Identity{Type: identity.IPv6Addr, Data: []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xcb\x00\x71\x07")}); Binds(end.Certificate, mapped) {
		t.Error("bound to a mapped address")
	}
	// A certificate without any name speaks for nobody, also not for the empty one.
	bare := issue(t, ca, &x509.Certificate{SerialNumber: big.NewInt(7)}, nil)
	for _, none := range []identity.Identity{{Type: identity.FQDN}, {Type: identity.RFC822Addr}, {Type: identity.IPv4Addr}, {Type: identity.DERASN1DN},
		{Type: identity.DERASN1DN, Data: []byte{0x30, 0}}, {}} {
		if Binds(bare.Certificate, none) {
			t.Errorf("bound to %v of type %v", none, none.Type)
		}
	}
}
