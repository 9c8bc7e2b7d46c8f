package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esplanade/ike/wire"
)

// played is an authenticator that does what its script says, one word a call, and notes the calls. The words: more, done, wait,
// fail. After wait it is asked again, and takes the next word.
type played struct {
	name   string
	script []string
	log    *strings.Builder
	held   int
}

var errPlayed = errors.New("as the script says")

func (p *played) step(call string, t *Transcript) (Step, error) {
	fmt.Fprintf(p.log, " %s.%s", p.name, call)
	if len(p.script) == 0 {
		return Step{}, fmt.Errorf("%s is asked once too often", p.name)
	}
	w := p.script[0]
	p.script = p.script[1:]
	switch w {
	case "done":
		return Step{Status: Done, Payloads: p.says(call)}, nil
	case "wait":
		return Step{Status: Wait}, nil
	case "fail":
		return Step{}, errPlayed
	}
	return Step{Status: NeedMore, Payloads: p.says(call)}, nil
}

func (p *played) says(call string) []wire.Payload {
	if call != "build" {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: 40000, Data: []byte(p.name)}}
}

func (p *played) Build(t *Transcript) (Step, error)                     { return p.step("build", t) }
func (p *played) Process(t *Transcript, _ []wire.Payload) (Step, error) { return p.step("process", t) }
func (p *played) Held() int                                             { return p.held }

// Each proof is asked once a half of a round, this side's first; one that was done in an earlier round is not asked, and one
// that the other had to wait for is not asked twice.
func TestPair(t *testing.T) {
	for name, c := range map[string]struct {
		initiator bool
		own, peer string
		calls     string // B and P: Build and Process of the pair
		want      string // what the calls give, with who has proved itself by then
		log       string
	}{
		"one round, initiator": {true, "done done", "more done", "BP", "more[own peer] done(own,peer)",
			" own.build peer.build own.process peer.process"},
		"one round, responder": {false, "more done", "done done", "PB", "more(peer) done[own peer](own,peer)",
			" own.process peer.process own.build peer.build"},
		"the initiator proves in three rounds": {true, "more more more more done done", "more done", "BPBPBP",
			"more[own peer] more(peer) more[own](peer) more(peer) done[own](peer) done(own,peer)",
			" own.build peer.build own.process peer.process own.build own.process own.build own.process"},
		"seen by the responder": {false, "more done", "more more more more done done", "PBPBPB",
			"more more[own peer](own) more(own) more[peer](own) done(own,peer) done[peer](own,peer)",
			" own.process peer.process own.build peer.build peer.process peer.build peer.process peer.build"},
		"this side waits": {true, "wait done done", "more done", "BBP", "wait more[own peer] done(own,peer)",
			" own.build own.build peer.build own.process peer.process"},
		"both wait, one after the other": {false, "wait more wait done", "wait wait done done", "PPPPBB",
			"wait wait wait more(peer) wait(peer) done[own peer](own,peer)",
			" own.process own.process peer.process peer.process peer.process own.build own.build peer.build"},
		"the peer's proof fails": {false, "more", "fail", "P", "fail", " own.process peer.process"},
		"this side's fails":      {true, "fail", "", "B", "fail", " own.build"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			p := NewPair(&played{"own", strings.Fields(c.own), &log, 3}, &played{"peer", strings.Fields(c.peer), &log, 4})
			x := &Transcript{Initiator: c.initiator}
			var got []string
			for _, call := range c.calls {
				var s Step
				var err error
				if call == 'B' {
					s, err = p.Build(x)
				} else {
					s, err = p.Process(x, nil)
				}
				got = append(got, stepText(x, s, err))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("%s, want %s", text, c.want)
			}
			if log.String() != c.log {
				t.Errorf("asked%s, want%s", log.String(), c.log)
			}
			if p.Held() != 7 {
				t.Errorf("%d octets are held", p.Held())
			}
		})
	}
}

// stepText is a step as the tests write it.
func stepText(x *Transcript, s Step, err error) string {
	if err != nil {
		return "fail"
	}
	out := map[Status]string{NeedMore: "more", Done: "done", Wait: "wait"}[s.Status]
	var by []string
	for _, p := range s.Payloads {
		by = append(by, string(p.(*wire.Notify).Data))
	}
	if len(by) > 0 {
		out += "[" + strings.Join(by, " ") + "]"
	}
	var proved []string
	if x.OwnProved {
		proved = append(proved, "own")
	}
	if x.PeerProved {
		proved = append(proved, "peer")
	}
	if len(proved) > 0 {
		out += "(" + strings.Join(proved, ",") + ")"
	}
	return out
}
