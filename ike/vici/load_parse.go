package vici

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is loaded. That of a segment bounds everything else.
const (
	// maxOwners is how many owners a secret may have.
	maxOwners = 256
	// maxTextField is the longest name, identity or other text of a request, in octets: that of names, and what strongSwan takes.
	maxTextField = MaxName
	// maxKeyID is the longest id of a key and handle of a token, in octets of what the hex stands for.
	maxKeyID = 64
)

// checkText reports what is wrong with a text that is to name something, or to be shown.
func checkText(what, text string) error {
	switch {
	case text == "":
		return fmt.Errorf("%s is empty", what)
	case len(text) > maxTextField:
		return fmt.Errorf("%s has %d bytes, at most %d are possible", what, len(text), maxTextField)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%s is not printable", what)
	}
	return nil
}

// optionalText is a text of the request that may be missing.
func optionalText(req *Message, key string) (string, error) {
	text := req.Get(key)
	if text == "" {
		return "", nil
	}
	return text, checkText(key, text)
}

// parseHex reads a number in hex, which may have colons between its octets. The answer is in lower case.
func parseHex(req *Message, key, missing string) (string, error) {
	text := strings.ToLower(strings.ReplaceAll(req.Get(key), ":", ""))
	text = strings.TrimPrefix(text, "0x")
	if text == "" {
		return "", errors.New(missing)
	}
	if len(text) > 2*maxKeyID || strings.Trim(text, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%s is no hex of at most %d bytes", key, maxKeyID)
	}
	if len(text)%2 != 0 {
		text = "0" + text
	}
	return text, nil
}

// parseData reads the octets of what is loaded.
func parseData(req *Message, what string) ([]byte, error) {
	data := req.Get("data")
	if data == "" {
		return nil, errors.New(what + " data missing")
	}
	return []byte(data), nil
}

// certKind reads the type and the flag of a certificate, strongSwan's own words or those of older versions of swanctl; missing is the type
// where there is none. "ANY" is answered with "".
func certKind(req *Message, missing string) (kind, flag string, err error) {
	text, given := req.Lookup("type")
	if !given {
		return missing, "", nil
	}
	for _, k := range []string{CertX509, CertX509AC, CertX509CRL, CertOCSPResponse, CertPubkey} {
		if strings.EqualFold(text, k) {
			return k, "", nil
		}
	}
	switch strings.ToLower(text) {
	case "any":
		return "", "", nil
	case "x509ca":
		return CertX509, CertFlagCA, nil
	case "x509ocsp":
		return CertX509, CertFlagOCSP, nil
	case "x509aa":
		return CertX509, CertFlagAA, nil
	case "x509ac":
		return CertX509AC, "", nil
	case "x509crl":
		return CertX509CRL, "", nil
	}
	return "", "", fmt.Errorf("invalid certificate type '%s'", cut(text, maxTextField))
}

// certFlag reads the flag of an X509; what is missing, or ANY, is "".
func certFlag(req *Message) (string, error) {
	text := req.Get("flag")
	for _, f := range []string{CertFlagNone, CertFlagCA, CertFlagAA, CertFlagOCSP} {
		if strings.EqualFold(text, f) {
			return f, nil
		}
	}
	if text != "" && !strings.EqualFold(text, "any") {
		return "", fmt.Errorf("invalid certificate flag '%s'", cut(text, maxTextField))
	}
	return "", nil
}

func parseLoadCert(req *Message) (c LoadCert, err error) {
	if _, given := req.Lookup("type"); !given {
		return c, errors.New("certificate type missing")
	}
	if c.Type, c.Flag, err = certKind(req, ""); err != nil {
		return c, err
	}
	if c.Type == "" {
		return c, errors.New("invalid certificate type 'ANY'")
	}
	if c.Type == CertX509 && c.Flag == "" {
		if c.Flag, err = certFlag(req); err != nil {
			return c, err
		}
		if c.Flag == "" {
			c.Flag = CertFlagNone
		}
	}
	c.Data, err = parseData(req, "certificate")
	return c, err
}

func parseCertFilter(req *Message) (f CertFilter, err error) {
	if f.Type, f.Flag, err = certKind(req, ""); err != nil {
		return f, err
	}
	if f.Type == CertX509 && f.Flag == "" {
		if f.Flag, err = certFlag(req); err != nil {
			return f, err
		}
	}
	f.Subject = req.Get("subject")
	return f, nil
}

func parseLoadKey(req *Message) (kind string, data []byte, err error) {
	text, given := req.Lookup("type")
	if !given {
		return "", nil, errors.New("key type missing")
	}
	switch kind = strings.ToLower(text); kind {
	case "any", "rsa", "ecdsa", "dsa", "ed25519", "ed448", "bliss":
	default:
		return "", nil, fmt.Errorf("invalid key type: %s", cut(text, maxTextField))
	}
	data, err = parseData(req, "key")
	return kind, data, err
}

func parseToken(req *Message) (t Token, err error) {
	if t.Handle, err = parseHex(req, "handle", "keyid missing"); err != nil {
		return t, err
	}
	if t.Slot, err = req.Int("slot", -1, -1, math.MaxUint32); err != nil {
		return t, err
	}
	if t.Module, err = optionalText(req, "module"); err != nil {
		return t, err
	}
	t.PIN = req.Get("pin")
	return t, nil
}

func parseShared(req *Message) (s Shared, err error) {
	if s.ID, err = optionalText(req, "id"); err != nil {
		return s, err
	}
	text, given := req.Lookup("type")
	if !given {
		return s, errors.New("shared key type missing")
	}
	switch s.Type = strings.ToUpper(text); s.Type {
	case SharedIKE, SharedEAP, SharedXAuth, SharedNTLM, SharedPPK:
	default:
		return s, fmt.Errorf("invalid shared key type: %s", cut(text, maxTextField))
	}
	if s.Data, err = parseData(req, "shared key"); err != nil {
		return s, err
	}
	s.Owners = req.List("owners")
	if len(s.Owners) > maxOwners {
		return s, fmt.Errorf("parsing shared key owners failed: %d of them, at most %d are possible", len(s.Owners), maxOwners)
	}
	for _, o := range s.Owners {
		if err := checkText("an owner", o); err != nil {
			return s, fmt.Errorf("parsing shared key owners failed: %w", err)
		}
	}
	return s, nil
}
