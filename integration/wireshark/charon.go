package wireshark

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// SPIPair names an IKE SA on the wire.
type SPIPair struct{ Initiator, Responder uint64 }

// FromCharonLog reads keys from strongSwan's log (ike = 4, chd = 4). The log doesn't say which SPIs the keys of an
// IKE SA belong to; pairs holds those seen on the wire, in order of appearance, which is the order of derivation.
func FromCharonLog(log string, pairs []SPIPair) (Keys, error) {
	p := charonLog{threads: map[string]*charonThread{}, pairs: pairs}
	for _, line := range strings.Split(log, "\n") {
		p.line(line)
	}
	return p.keys, errors.Join(p.errs...)
}

// charonLog reads line by line; what belongs together is logged by one thread in sequence, but threads mix. The IKE
// proposal is an exception: a responder derives the keys when the next message comes, in whichever thread.
type charonLog struct {
	threads map[string]*charonThread
	ike     suite
	pairs   []SPIPair
	keys    Keys
	errs    []error
}

type charonThread struct {
	esp      suite
	answered bool              // the message being processed is a response: this end is the exchange's initiator
	secrets  map[string][]byte // by the log's own name, "Sk_ei", "encryption initiator key"
	current  string            // the dump being read
	inbound  bool              // the direction being added
}

var (
	charonLine = regexp.MustCompile(`^\S+ (\d\d)\[(\w+)\] (.*)$`)
	dumpStart  = regexp.MustCompile(`^(Sk_[a-z]+ secret|(?:encryption|integrity) (?:initiator|responder) key) => (\d+) bytes`)
	dumpLine   = regexp.MustCompile(`^ *\d+: ((?:[0-9A-F]{2} )+)`)
	parsed     = regexp.MustCompile(`^parsed (?:IKE_SA_INIT|IKE_AUTH|CREATE_CHILD_SA) (request|response) `)
	selected   = regexp.MustCompile(`^selected proposal: (IKE|ESP):(\S+)`)
	adding     = regexp.MustCompile(`^(?:adding|registering) (in|out)bound ESP SA`)
	spiLine    = regexp.MustCompile(`^  SPI 0x([0-9a-f]+), src (\S+) dst (\S+)`)
)

func (p *charonLog) line(line string) {
	m := charonLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	th := p.threads[m[1]]
	if th == nil {
		th = &charonThread{secrets: map[string][]byte{}}
		p.threads[m[1]] = th
	}
	text := m[3]
	if d := dumpLine.FindStringSubmatch(text); d != nil {
		if th.current != "" {
			b, err := hex.DecodeString(strings.ReplaceAll(d[1], " ", ""))
			p.note(err)
			th.secrets[th.current] = append(th.secrets[th.current], b...)
		}
		return
	}
	th.current = ""
	switch {
	case dumpStart.MatchString(text):
		th.current = dumpStart.FindStringSubmatch(text)[1]
		th.secrets[th.current] = nil
		if th.current == "Sk_pi secret" { // the last before it was Sk_er: the set is complete
			p.addIKE(th)
		}
	case parsed.MatchString(text):
		th.answered = parsed.FindStringSubmatch(text)[1] == "response"
	case selected.MatchString(text):
		s := selected.FindStringSubmatch(text)
		var err error
		if s[1] == "IKE" {
			p.ike, err = ikeSuite(s[2])
		} else {
			th.esp, err = espSuite(s[2])
		}
		p.note(err)
	case adding.MatchString(text):
		th.inbound = adding.FindStringSubmatch(text)[1] == "in"
	case spiLine.MatchString(text):
		s := spiLine.FindStringSubmatch(text)
		p.addESP(th, s[1], s[2], s[3])
	}
}

func (p *charonLog) note(err error) {
	if err != nil {
		p.errs = append(p.errs, err)
	}
}

func (p *charonLog) addIKE(th *charonThread) {
	n := len(p.keys.IKE)
	if n >= len(p.pairs) {
		return // keys of an SA that was never used
	}
	p.keys.IKE = append(p.keys.IKE, IKEKeys{
		SPIi: p.pairs[n].Initiator, SPIr: p.pairs[n].Responder,
		EncrI: th.secrets["Sk_ei secret"], EncrR: th.secrets["Sk_er secret"], Encr: p.ike.encr,
		IntegI: th.secrets["Sk_ai secret"], IntegR: th.secrets["Sk_ar secret"], Integ: p.ike.integ,
	})
}

// addESP adds one direction. In a rekeying strongSwan logs the outbound SPI twice: when the SA is negotiated, and
// when it is taken into use, perhaps by another thread, which has no keys.
func (p *charonLog) addESP(th *charonThread, spi, src, dst string) {
	v, err := strconv.ParseUint(spi, 16, 32)
	if err != nil {
		p.note(fmt.Errorf("SPI %s: %w", spi, err))
		return
	}
	for _, have := range p.keys.ESP {
		if have.SPI == uint32(v) {
			return
		}
	}
	// RFC 7296 section 2.17: keys for traffic from the exchange's initiator to the responder are taken first.
	who := "initiator"
	if th.inbound == th.answered {
		who = "responder"
	}
	p.keys.ESP = append(p.keys.ESP, ESPKeys{
		Src: src, Dst: dst, SPI: uint32(v), Encr: th.esp.encr, EncrKey: th.secrets["encryption "+who+" key"],
		Integ: th.esp.integ, IntegKey: th.secrets["integrity "+who+" key"],
	})
}
