package wireshark

import (
	"strings"
	"testing"
)

// TestCheck: a frame that isn't right is a problem, and one that is right is none.
func TestCheck(t *testing.T) {
	const a, b = "198.18.0.1", "198.18.0.2"
	outer, inner := a+" > "+b, "10.10.0.1 > 10.20.0.1"
	tests := []struct {
		name    string
		frame   Frame
		problem string // "" for none
	}{
		{"IKE_SA_INIT in the clear", Frame{Addresses: []string{outer}, Protocols: "eth:ip:udp:isakmp", Exchange: "34"}, ""},
		{"IKE_AUTH decrypted", Frame{Addresses: []string{outer}, Protocols: "eth:ip:udp:isakmp", Exchange: "35", Decrypted: true}, ""},
		{"IKE_AUTH not decrypted", Frame{Addresses: []string{outer}, Protocols: "eth:ip:udp:isakmp", Exchange: "35"}, "IKE exchange 35 isn't decrypted"},
		{"ESP decrypted", Frame{Addresses: []string{outer, inner}, Protocols: "eth:ip:udp:udpencap:esp:ip:icmp", Decrypted: true}, ""},
		{"ESP not decrypted", Frame{Addresses: []string{outer}, Protocols: "eth:ip:esp", SPI: "0x01"}, "ESP with SPI 0x01 isn't decrypted"},
		{"ESP without IP in it", Frame{Addresses: []string{outer}, Protocols: "eth:ip:esp:data", SPI: "0x01", Decrypted: true}, "holds no IP packet"},
		{"malformed", Frame{Addresses: []string{outer}, Protocols: "eth:ip:udp:isakmp", Exchange: "34", Malformed: true}, "malformed"},
		{"bad ICV", Frame{Addresses: []string{outer, inner}, Protocols: "eth:ip:esp:ip", Decrypted: true, BadICV: true}, "the ICV is wrong"},
		{"a complaint", Frame{Addresses: []string{outer}, Protocols: "eth:ip:udp:isakmp", Exchange: "34", Expert: []string{"reserved isn't zero"}}, "reserved isn't zero"},
		{"inner packet in the clear", Frame{Addresses: []string{inner}, Protocols: "eth:ip:icmp"}, "neither IKE nor ESP"},
		{"neighbour discovery", Frame{Addresses: []string{"2001:db8::1 > ff02::1:ff00:2"}, Protocols: "eth:ipv6:icmpv6"}, ""},
		{"ARP", Frame{Protocols: "eth:arp"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Check([]Frame{tt.frame}, a, b)
			all := strings.Join(s.Problems, "\n")
			if (all == "") != (tt.problem == "") || !strings.Contains(all, tt.problem) {
				t.Errorf("problems %q, want %q", all, tt.problem)
			}
		})
	}
}

// TestFrame: the columns of tshark's output, and what of its complaints counts.
func TestFrame(t *testing.T) {
	cols := func(severity, group, message string) []string {
		c := make([]string, len(fields))
		c[0], c[1], c[2], c[5], c[6], c[11], c[12], c[13] = "7", "a|c", "b|d", "eth:ip", "35", severity, group, message
		return c
	}
	f, err := frame(cols("", "", ""))
	if err != nil || f.Number != 7 || strings.Join(f.Addresses, ",") != "a > b,c > d" || f.Decrypted || len(f.Expert) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err = frame(cols("0x00400000", "0x07000000", "a note")); err != nil || len(f.Expert) != 0 {
		t.Errorf("a note: %+v, %v", f, err)
	}
	if f, err = frame(cols("0x00800000", "0x07000000", "an error")); err != nil || len(f.Expert) != 1 {
		t.Errorf("an error: %+v, %v", f, err)
	}
	if f, err = frame(cols("0x00600000", "0x02000000", "out of order")); err != nil || len(f.Expert) != 0 {
		t.Errorf("a warning about the order: %+v, %v", f, err)
	}
	for name, bad := range map[string][]string{"too few columns": {"7"}, "no number": append([]string{"x"}, make([]string, len(fields)-1)...), "severities without groups": cols("0x00800000", "", "")} {
		if _, err := frame(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
