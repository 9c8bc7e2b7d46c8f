//go:build linux

package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// failure is one way in which a tunnel doesn't come up, and what an operator must be told.
type failure struct {
	name string
	// edit breaks the configurations; block breaks the network, after both gateways have started.
	edit  func(a, b *peer.Gateway)
	block func(t *testing.T, p *pair)
	// initiator and responder are the codes that Esplanade may show in that role; empty when that end can't notice.
	initiator, responder []string
	// sides are texts that the message must have: what each side wants, as far as this side can know it.
	initiatorSides, responderSides []string
}

// The two IKE proposals that have nothing in common, and the two for ESP.
const (
	ikeOne, ikeOther = "aes256gcm16-prfsha384-ecp384", "aes128-sha256-modp2048"
	espOne, espOther = "aes256gcm16", "aes128-sha256"
)

func failures() []failure {
	return []failure{
		{
			name:      "wrong PSK",
			edit:      func(_, b *peer.Gateway) { b.Secrets[0].Key = "another secret altogether" },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-AUTH-PSK"},
			initiatorSides: []string{"b.example"}, responderSides: []string{"a.example"},
		}, {
			name: "no common IKE proposal",
			edit: func(a, b *peer.Gateway) {
				a.Connections[0].Proposals, b.Connections[0].Proposals = []string{ikeOne}, []string{ikeOther}
			},
			initiator: []string{"E-INIT-REFUSED"}, responder: []string{"E-PROPOSAL-IKE"},
			// The answer NO_PROPOSAL_CHOSEN doesn't say what the responder wants.
			initiatorSides: []string{ikeOne}, responderSides: []string{ikeOne, ikeOther},
		}, {
			name: "no common ESP proposal",
			edit: func(a, b *peer.Gateway) {
				child(a).Proposals, child(b).Proposals = []string{espOne}, []string{espOther}
			},
			initiator: []string{"E-PROPOSAL-CHILD"}, responder: []string{"E-PROPOSAL-CHILD"},
			initiatorSides: []string{espOne}, responderSides: []string{espOne, espOther},
		}, {
			name: "disjoint selectors",
			edit: func(a, b *peer.Gateway) {
				child(a).RemoteTS = []string{"10.77.0.0/24"}
				child(b).LocalTS = []string{"10.88.0.0/24"}
			},
			initiator: []string{"E-TS"}, responder: []string{"E-TS"},
			initiatorSides: []string{"10.77.0.0/24"}, responderSides: []string{"10.77.0.0/24", "10.88.0.0/24"},
		}, {
			name: "no connection for the address",
			edit: func(_, b *peer.Gateway) { b.Connections[0].Remote = lab.Elsewhere },
			// To the initiator it is one refusal among others: the answer on the wire is terse.
			initiator: []string{"E-INIT-REFUSED"}, responder: []string{"E-CONN-NONE"},
			responderSides: []string{"198.18.0.1", "198.18.0.2"},
		}, {
			name:      "no connection for the identity",
			edit:      func(_, b *peer.Gateway) { b.Connections[0].RemoteID = "somebody-else.example" },
			initiator: []string{"E-AUTH-REFUSED"}, responder: []string{"E-CONN-NONE", "E-AUTH-ID"},
			responderSides: []string{"a.example", "somebody-else.example"},
		}, {
			name: "peer silent",
			block: func(t *testing.T, p *pair) {
				nft(t, p.B, "udp dport { 500, 4500 } drop")
			},
			initiator: []string{"E-TIMEOUT-INIT"}, initiatorSides: []string{"198.18.0.2"},
		}, {
			name: "port 4500 silent",
			block: func(t *testing.T, p *pair) {
				nft(t, p.B, "udp dport 4500 drop")
			},
			initiator: []string{"E-TIMEOUT-AUTH"}, initiatorSides: []string{"198.18.0.2", "4500"},
			responder: []string{"E-HALF-OPEN"}, responderSides: []string{"198.18.0.1"},
		}, {
			name: "port blocked",
			block: func(t *testing.T, p *pair) {
				nft(t, p.B, "udp dport { 500, 4500 } reject with icmp type port-unreachable")
			},
			initiator: []string{"E-UNREACHABLE"}, initiatorSides: []string{"198.18.0.2"},
		},
	}
}

func child(g *peer.Gateway) *peer.Child { return &g.Connections[0].Children[0] }

// nft adds a rule for what comes in.
func nft(t *testing.T, s *lab.Site, rule string) {
	t.Helper()
	if err := s.NFT("table inet test {\n chain in {\n type filter hook input priority 0;\n " + rule + "\n }\n}\n"); err != nil {
		t.Fatal(err)
	}
}

// TestFailures: each failure is one value that the log, status and swanctl all show, with its code, both sides and
// the fix; and nothing of the attempt is left at either end.
func TestFailures(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) { // what a responder says does not depend on who asks
		for _, f := range failures() {
			if f.block != nil && k == toStrong {
				continue // behind a packet filter all peers are alike
			}
			if k.a != peer.KindEsplanade && (k.b != peer.KindEsplanade || f.responder == nil) && k.has(peer.KindEsplanade) {
				continue // Esplanade's end has nothing to notice
			}
			t.Run(k.String()+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				lab.NeedRoot(t, "nft")
				p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
					a.IKE, b.IKE = map[string]string{}, map[string]string{"half_open_timeout": `"3s"`}
					if f.edit != nil {
						f.edit(a, b)
					}
				}})
				p.start(t)
				if f.block != nil {
					f.block(t, p)
				}
				watch := peer.Watch(t, p.b, "--log")
				out, err := peer.Initiate(p.a, childName)
				if err == nil {
					t.Fatalf("the tunnel came up:\n%s", out)
				}
				if e, ok := p.a.(*peer.Esplanade); ok {
					p.wantFailure(t, e, f.initiator, f.initiatorSides, "swanctl --initiate", func() string { return out })
				}
				if e, ok := p.b.(*peer.Esplanade); ok && f.responder != nil {
					p.wantFailure(t, e, f.responder, f.responderSides, "swanctl --log", watch.Log)
				}
				p.wantNoState(t, 10*time.Second)
			})
		}
	}
}

// wantFailure looks for the same failure in the three places where an operator looks.
func (p *pair) wantFailure(t *testing.T, e *peer.Esplanade, codes, sides []string, command string, output func() string) {
	t.Helper()
	code := regexp.MustCompile(`\b(` + strings.Join(codes, "|") + `)\b`)
	told := func(where, text string) error {
		line := passage(text, code)
		if line == "" {
			return fmt.Errorf("%s on %s: none of %v in:\n%s", where, e.Site().Name, codes, text)
		}
		for _, want := range sides {
			if !strings.Contains(line, want) {
				return fmt.Errorf("%s on %s: %q is missing in the failure:\n%s", where, e.Site().Name, want, line)
			}
		}
		if !fix.MatchString(line) {
			return fmt.Errorf("%s on %s doesn't say how to fix it:\n%s", where, e.Site().Name, line)
		}
		return nil
	}
	eventually := func(look func() error) {
		t.Helper()
		lab.Eventually(t, 10*time.Second, "the failure is shown", func() (bool, string) {
			if err := look(); err != nil {
				return false, err.Error()
			}
			return true, ""
		})
	}
	eventually(func() error { return told("the log", e.Log()) })
	eventually(func() error { return told(command, output()) })
	eventually(func() error {
		out, err := e.Command("status")
		if err != nil {
			return err
		}
		return told("status", out)
	})
	eventually(func() error { return p.statusHas(e, codes) })
}

// statusHas checks the machine-readable status. A failure that belongs to no connection is listed by itself.
func (p *pair) statusHas(e *peer.Esplanade, codes []string) error {
	s, err := e.StatusAll()
	if err != nil {
		return err
	}
	for _, f := range s.Failures() {
		for _, code := range codes {
			if f.Code == code && f.Message != "" && f.Fix != "" {
				return nil
			}
		}
	}
	return fmt.Errorf("status --json on %s has no failure with one of the codes %v, a message and a fix: %v", e.Site().Name, codes, s.Failures())
}

// fix is how a person and a log line name it.
var fix = regexp.MustCompile(`(?i)\bfix(:|=)`)

// passage is the first line that has the code, and the line after it: status writes the fix on a line of its own.
func passage(text string, code *regexp.Regexp) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if code.MatchString(line) {
			return strings.Join(lines[i:min(i+2, len(lines))], "\n")
		}
	}
	return ""
}
