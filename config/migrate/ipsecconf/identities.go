package ipsecconf

import (
	"net/netip"
	"strings"

	"esplanade/ike/identity"
)

// checkIdentity says why an identity can't be had here; "" if it can.
func checkIdentity(text string) string {
	if !printable(text) {
		return "it has control characters, or is not UTF-8"
	}
	if _, err := identity.Parse(text); err != nil {
		if pe, ok := err.(*identity.ParseError); ok {
			return pe.Reason + "; " + pe.Want
		}
		return err.Error()
	}
	return ""
}

// isPattern reports whether an identity stands for several.
func isPattern(text string) bool {
	id, err := identity.Parse(text)
	return err == nil && !id.Concrete()
}

// isAny reports whether an identity is no particular one.
func isAny(text string) bool {
	id, err := identity.Parse(text)
	return err == nil && id.Any()
}

// isAddress reports whether a text is one address.
func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// libreswanIdentity is an identity of libreswan's in our notation; none is set for one that is in the certificate, or that is not there.
func libreswanIdentity(text string) (id string, none bool) {
	switch text {
	case "", "%fromcert", "%none", "%null", "%any":
		return "", true
	}
	if key, ok := strings.CutPrefix(text, "@["); ok {
		return "keyid:" + strings.TrimSuffix(key, "]"), false
	}
	if hex, ok := strings.CutPrefix(text, "@~"); ok {
		return "asn1dn:#" + hex, false
	}
	if hex, ok := strings.CutPrefix(text, "@#0x"); ok {
		return "@#" + hex, false
	}
	return text, false
}
