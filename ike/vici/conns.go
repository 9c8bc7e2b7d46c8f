package vici

import (
	"strconv"
	"time"
)

// Conn is a configured connection as `list-conns` shows it.
type Conn struct {
	Name string
	// LocalAddrs and RemoteAddrs are as configured; empty means %any.
	LocalAddrs, RemoteAddrs []string
	LocalPort, RemotePort   uint16
	Version                 string // IKEv2
	ReauthTime, RekeyTime   time.Duration
	// Unique is the policy in swanctl.conf's words: never, no, replace, keep.
	Unique                string
	DPDDelay, DPDTimeout  time.Duration
	PPKID                 string
	PPKRequired           bool
	LocalAuth, RemoteAuth []Auth
	Children              []ConnChild
}

// Auth is one authentication round of one side.
type Auth struct {
	// Class is "pre-shared key", "public key" or "EAP"; empty means that any is accepted.
	Class   string
	EAPType string // "EAP_MSCHAPV2"
	// Revocation is the policy in strongSwan's words: "GOOD" for strict, "SKIPPED" for ifuri, or empty.
	Revocation           string
	ID, AAAID, EAPID     string
	CAID                 string // of a CA that must be in the chain
	Groups, CertPolicies []string
	Certs, CACerts       []string
}

// ConnChild is a configured child.
type ConnChild struct {
	Name string
	// Mode is TUNNEL or TRANSPORT.
	Mode                     string
	RekeyTime                time.Duration
	RekeyBytes, RekeyPackets uint64
	// DPDAction and CloseAction are none, trap or start.
	DPDAction, CloseAction string
	LocalTS, RemoteTS      []string
}

// message is a list-conn event.
func (c *Conn) message() *Message {
	m := new(Message)
	s := m.Sub(c.Name)
	s.SetList("local_addrs", orAny(c.LocalAddrs)...)
	s.SetList("remote_addrs", orAny(c.RemoteAddrs)...)
	s.Setf("local_port", "%d", c.LocalPort)
	s.Setf("remote_port", "%d", c.RemotePort)
	s.Set("version", c.Version)
	setSeconds(s, "reauth_time", c.ReauthTime)
	setSeconds(s, "rekey_time", c.RekeyTime)
	s.SetNonEmpty("unique", uniqueName(c.Unique))
	if c.DPDDelay > 0 {
		setSeconds(s, "dpd_delay", c.DPDDelay)
	}
	if c.DPDTimeout > 0 {
		setSeconds(s, "dpd_timeout", c.DPDTimeout)
	}
	s.SetNonEmpty("ppk_id", c.PPKID)
	s.SetYes("ppk_required", c.PPKRequired)
	fillAuth(s, "local", c.LocalAuth)
	fillAuth(s, "remote", c.RemoteAuth)
	children := s.Sub("children")
	for i := range c.Children {
		ch := &c.Children[i]
		ch.fill(children.Sub(ch.Name))
	}
	return m
}

// fillAuth adds a section for each round: local-1, local-2, … The order is that of charon's output, which is not that of
// its documentation.
func fillAuth(m *Message, side string, rounds []Auth) {
	for i := range rounds {
		a := &rounds[i]
		s := m.Sub(side + "-" + strconv.Itoa(i+1))
		s.SetNonEmpty("id", a.ID)
		s.SetNonEmpty("ca_id", a.CAID)
		s.SetNonEmpty("eap_id", a.EAPID)
		s.SetNonEmpty("aaa_id", a.AAAID)
		s.SetNonEmpty("eap-type", a.EAPType)
		class := a.Class
		if class == "" {
			class = "any"
		}
		s.Set("class", class)
		s.SetNonEmpty("revocation", a.Revocation)
		s.SetList("groups", a.Groups...)
		s.SetList("cert_policy", a.CertPolicies...)
		s.SetList("certs", a.Certs...)
		s.SetList("cacerts", a.CACerts...)
	}
}

func (c *ConnChild) fill(s *Message) {
	s.Set("mode", c.Mode)
	setSeconds(s, "rekey_time", c.RekeyTime)
	s.Setf("rekey_bytes", "%d", c.RekeyBytes)
	s.Setf("rekey_packets", "%d", c.RekeyPackets)
	s.Set("dpd_action", orNone(c.DPDAction))
	s.Set("close_action", orNone(c.CloseAction))
	s.SetList("local-ts", c.LocalTS...)
	s.SetList("remote-ts", c.RemoteTS...)
}

func setSeconds(m *Message, name string, d time.Duration) {
	m.Setf(name, "%d", int64(d/time.Second))
}

func orAny(addrs []string) []string {
	if len(addrs) == 0 {
		return []string{"%any"}
	}
	return addrs
}

func orNone(action string) string {
	if action == "" {
		return "none"
	}
	return action
}

// uniqueName is strongSwan's name for a unique policy.
func uniqueName(policy string) string {
	switch policy {
	case "never":
		return "UNIQUE_NEVER"
	case "no":
		return "UNIQUE_NO"
	case "replace":
		return "UNIQUE_REPLACE"
	case "keep":
		return "UNIQUE_KEEP"
	}
	return policy
}
