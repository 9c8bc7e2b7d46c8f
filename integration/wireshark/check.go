package wireshark

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Summary is what a capture holds, and what is wrong with it.
type Summary struct {
	Frames    int
	IKE       map[string]int // messages by exchange type ("34")
	ESP       map[string]int // packets by inner source and destination ("10.10.0.1 > 10.20.0.1")
	Protocols map[string]int // by tshark's protocol stack
	Problems  []string
}

// exchangeSAInit is the only exchange in the clear.
const exchangeSAInit = "34"

// Check looks at every frame of a capture: everything that is protected must have been decrypted and must be intact,
// nothing may be malformed, and nothing may have an inner address in the clear. outer are the gateways' addresses.
func Check(frames []Frame, outer ...string) Summary {
	s := Summary{Frames: len(frames), IKE: map[string]int{}, ESP: map[string]int{}, Protocols: map[string]int{}}
	problem := func(f Frame, what string) {
		s.Problems = append(s.Problems, fmt.Sprintf("frame %d (%s): %s", f.Number, f.Protocols, what))
	}
	for _, f := range frames {
		s.Protocols[f.Protocols]++
		if f.Malformed {
			problem(f, "malformed")
		}
		if f.BadICV {
			problem(f, "the ICV is wrong")
		}
		for _, e := range f.Expert {
			problem(f, e)
		}
		layers := strings.Split(f.Protocols, ":")
		outerPair, inner := "", f.Addresses
		for i, a := range inner {
			src, dst, _ := strings.Cut(a, " > ")
			if slices.Contains(outer, src) && slices.Contains(outer, dst) {
				outerPair, inner = a, slices.Delete(slices.Clone(inner), i, i+1)
				break
			}
		}
		switch {
		case slices.Contains(layers, "isakmp"):
			s.IKE[f.Exchange]++
			if f.Exchange != exchangeSAInit && !f.Decrypted {
				problem(f, "IKE exchange "+f.Exchange+" isn't decrypted")
			}
		case slices.Contains(layers, "esp"):
			switch {
			case !f.Decrypted:
				problem(f, "ESP with SPI "+f.SPI+" isn't decrypted")
			case len(inner) == 0:
				problem(f, "ESP with SPI "+f.SPI+" holds no IP packet")
			default:
				s.ESP[inner[0]]++
			}
		case outerPair == "" && len(f.Addresses) > 0 && !ofTheLink(f.Addresses[0]):
			problem(f, "neither IKE nor ESP, and not between the gateways: "+strings.Join(f.Addresses, ", "))
		}
	}
	return s
}

// ofTheLink reports whether a packet is one by which IPv6 hosts find each other on a link.
func ofTheLink(pair string) bool {
	src, dst, _ := strings.Cut(pair, " > ")
	from, err1 := netip.ParseAddr(src)
	to, err2 := netip.ParseAddr(dst)
	return err1 == nil && err2 == nil && (from.IsLinkLocalUnicast() || from.IsUnspecified() || to.IsLinkLocalUnicast() || to.IsMulticast())
}
