package eap

import (
	"fmt"
	"slices"
)

// Type is the type of a request or response (RFC 3748 section 5). Those from [TypeMD5] on are methods.
type Type uint8

// The types that are known here.
const (
	TypeIdentity     Type = 1
	TypeNotification Type = 2
	TypeNak          Type = 3
	TypeMD5          Type = 4
	TypeGTC          Type = 6
	TypeTLS          Type = 13
	TypeTTLS         Type = 21
	TypePEAP         Type = 25
	TypeMSCHAPv2     Type = 26
	// TypeExpanded is a type of a vendor, or another spelling of one of the types above (RFC 3748 section 5.7).
	TypeExpanded Type = 254
)

// names are the methods as the configuration spells them, and the other types as RFC 3748 does.
var names = map[Type]string{
	TypeIdentity:     "Identity",
	TypeNotification: "Notification",
	TypeNak:          "Nak",
	TypeMD5:          "eap-md5",
	TypeGTC:          "eap-gtc",
	TypeTLS:          "eap-tls",
	TypeTTLS:         "eap-ttls",
	TypePEAP:         "eap-peap",
	TypeMSCHAPv2:     "eap-mschapv2",
	TypeExpanded:     "a vendor's EAP type",
}

// String is the name of the type, for people.
func (t Type) String() string {
	if n, ok := names[t]; ok {
		return n
	}
	return fmt.Sprintf("EAP type %d", uint8(t))
}

// Method reports whether the type is one of methods: "Authentication Types are numbered 4 and above".
// https://www.rfc-editor.org/rfc/rfc3748#section-5.3.1
func (t Type) Method() bool { return t >= TypeMD5 }

// Keys reports whether the method makes an MSK. Without one, AUTH is made with SK_pi and SK_pr (RFC 7296 section 2.16).
func (t Type) Keys() bool {
	return slices.Contains([]Type{TypeTLS, TypeTTLS, TypePEAP, TypeMSCHAPv2}, t)
}

// Safe reports whether the method may be all that authenticates the server: it proves both sides, makes a key, and whoever sees it, or
// plays the server, can't try passwords on what was said. https://www.rfc-editor.org/rfc/rfc5998#section-4
//
// MSCHAPv2 is none: its response is as good as the hash of the password for whoever has a day.
func (t Type) Safe() bool { return slices.Contains([]Type{TypeTLS, TypeTTLS, TypePEAP}, t) }
