package ipsecconf

import (
	"slices"
	"strings"
)

// oddity is why a keyword is not carried over, and with which values nothing is lost. Without a reason nothing ever is.
type oddity struct {
	why     string
	nothing []string
}

// odd reports whether a value would be missed.
func (o oddity) odd(value string) bool {
	return o.why != "" && !slices.Contains(o.nothing, strings.ToLower(value))
}

var (
	isNo   = []string{"no", "0", "false", "off"}
	isYes  = []string{"yes", "1", "true", "on"}
	isZero = []string{"0", "0s", "0x0", "0x00000000"}
)

// Reasons that several keywords share.
const (
	noFirewall  = "this gateway writes no rules of a firewall"
	noIPComp    = "there is no IPComp"
	noMediation = "there is no mediation"
	noPadding   = "there is no padding against traffic analysis"
	kernelOnly  = "that is for the kernel's IPsec, which packets do not pass through here"
	noStates    = "a child is not closed for want of traffic"
)

// endKeys gives keywords of a side both their names.
func endKeys(m map[string]oddity, o oddity, names ...string) {
	for _, n := range names {
		m["left"+n], m["right"+n] = o, o
	}
}

// keywords are those of a dialect, by their canonical names: those of a conn that something is made of, those that have no place here, those of
// config setup, and those of other sections.
type keywords struct {
	read        map[string]bool
	conn, setup map[string]oddity
	other       []string
}

// has reports whether a keyword is one of any section.
func (k keywords) has(key string) bool {
	_, conn := k.conn[key]
	_, setup := k.setup[key]
	return conn || setup || k.read[key] || slices.Contains(k.other, key)
}

// leaveRest notes what a conn has and nothing was made of.
func (m *made) leaveRest(k keywords, unknown string) {
	for _, key := range m.conn.order {
		s := m.conn.values[key]
		if s == nil || m.conn.taken[key] {
			continue
		}
		o, ok := k.conn[key]
		switch {
		case ok && o.odd(s.value):
			m.childLeft = append(m.childLeft, left{s.at, show(s), o.why})
		case !ok && !k.read[key]:
			m.childLeft = append(m.childLeft, left{s.at, show(s), unknown})
		}
	}
}
