//go:build linux

package integration

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// trouble is a row of docs/troubles.md, made with an Esplanade at each end.
type trouble struct {
	row    string
	router bool
	edit   func(a, b *peer.Gateway)
	// users has the side that calls be a user, and the other one know alice; edit comes after it.
	users bool
	// before makes the trouble in the network, when both gateways run.
	before func(t *testing.T, p *pair)
	// a is the side that calls, b the other.
	a, b told
}

// told is what one end has to say: a code, and texts that the message or the fix must have. provisional: it is not counted yet.
type told struct {
	code        string
	texts       []string
	provisional bool
}

func troubles() []trouble {
	return []trouble{
		{
			row: "traffic selectors that do not fit",
			edit: func(a, b *peer.Gateway) {
				child(a).RemoteTS, child(b).LocalTS = []string{"10.77.0.0/24"}, []string{"10.88.0.0/24"}
			},
			a: told{code: "E-TS", texts: []string{"10.77.0.0/24"}}, b: told{code: "E-TS", texts: []string{"10.77.0.0/24", "10.88.0.0/24"}},
		}, {
			row:  "another key",
			edit: func(_, b *peer.Gateway) { b.Secrets[0].Key = "another secret altogether" },
			a:    told{code: "E-AUTH-REFUSED", texts: []string{"secrets.ike.", "gw.toml:", "local.id 'a.example'", "remote.id 'b.example'"}},
			b:    told{code: "E-AUTH-PSK", texts: []string{"secrets.ike.", "'a.example'", "'b.example'"}},
		}, {
			row:  "another identity of the side that calls",
			edit: func(_, b *peer.Gateway) { b.Connections[0].RemoteID = "x.example" },
			a:    told{code: "E-AUTH-REFUSED", texts: []string{"local.id 'a.example'"}}, b: told{code: "E-AUTH-ID", texts: []string{"'a.example'", "'x.example'"}},
		}, {
			row: "another identity of the side that is called",
			edit: func(a, _ *peer.Gateway) {
				a.Connections[0].RemoteID = "y.example"
				a.Secrets[0].IDs = append(a.Secrets[0].IDs, "y.example")
			},
			a: told{code: "E-AUTH-REFUSED", texts: []string{"remote.id 'y.example'"}}, b: told{code: "E-AUTH-ID", texts: []string{"asks for 'y.example'", "'b.example'"}},
		}, {
			row: "NAT on the path, and the address of the peer configured", router: true,
			before: func(t *testing.T, p *pair) { rules(t, p.R, masquerade("20000-29999")) },
			a:      told{code: "E-INIT-REFUSED", texts: []string{"NAT", "198.18.1.1", "aes256gcm16"}},
			b:      told{code: "E-CONN-NONE", texts: []string{"198.18.2.254", "through a NAT", "closest: " + connName, "198.18.1.1"}},
		}, {
			row:    "UDP 500 and 4500 blocked",
			before: func(t *testing.T, p *pair) { nft(t, p.B, "udp dport { 500, 4500 } drop") },
			a:      told{code: "E-TIMEOUT-INIT", texts: []string{"198.18.0.2", "UDP 500"}, provisional: true},
		}, {
			row:    "UDP 4500 blocked",
			before: func(t *testing.T, p *pair) { nft(t, p.B, "udp dport 4500 drop") },
			a:      told{code: "E-TIMEOUT-AUTH", texts: []string{"UDP 4500"}, provisional: true}, b: told{code: "E-HALF-OPEN", texts: []string{"4500"}},
		}, {
			row: "UDP 500 and 4500 rejected by the peer",
			before: func(t *testing.T, p *pair) {
				nft(t, p.B, "udp dport { 500, 4500 } reject with icmp type port-unreachable")
			},
			a: told{code: "E-UNREACHABLE", texts: []string{"from the peer itself", "start the IKE daemon"}},
		}, {
			row: "no route to the peer", router: true,
			before: func(t *testing.T, p *pair) {
				if err := p.A.IP("route del 198.18.2.0/24"); err != nil {
					t.Fatal(err)
				}
			},
			a: told{code: "E-UNREACHABLE", texts: []string{"nowhere in the routing table of this host", "add a route"}},
		}, {
			row: "another password of a user", users: true,
			edit: func(a, _ *peer.Gateway) { asUser(a, "alice", "not hers", "eap-mschapv2") },
			a:    told{code: "E-EAP-REFUSED", texts: []string{"user 'alice'", "the password is wrong", "[secrets.eap.NAME]"}},
			b:    told{code: "E-EAP-PASSWORD", texts: []string{"user 'alice' by eap-mschapv2", "typed again"}},
		}, {
			row: "a user that there is not", users: true,
			edit: func(a, _ *peer.Gateway) { asUser(a, "mallory", "hers", "eap-mschapv2") },
			a:    told{code: "E-EAP-REFUSED", texts: []string{"user 'mallory'"}},
			b:    told{code: "E-EAP-USER", texts: []string{"user 'mallory'", "the users file", "the very spelling"}},
		}, {
			row: "a user of another group", users: true,
			edit: func(a, b *peer.Gateway) {
				asUser(a, "alice", "hers alone", "eap-mschapv2")
				b.Connections[0].RemoteAuth.Extra = map[string]string{"groups": "ops"}
			},
			a: told{code: "E-EAP-REFUSED", texts: []string{"user 'alice'"}},
			b: told{code: "E-EAP-ALLOWED", texts: []string{"user 'alice'", "in staff", "groups are ops", "gw.toml:"}},
		}, {
			row: "an old password that a client tries again and again", users: true,
			edit: func(a, _ *peer.Gateway) { asUser(a, "alice", "not hers", "eap-mschapv2") },
			before: func(t *testing.T, p *pair) {
				for range 5 {
					if _, err := peer.Initiate(p.a, childName); err == nil {
						t.Fatal("the user comes in")
					}
				}
			},
			a: told{code: "E-EAP-REFUSED", texts: []string{"the password is wrong"}},
			b: told{code: "E-EAP-PAUSED", texts: []string{"user 'alice'", "5 wrong passwords of this user from there", "198.18.0.1"}},
		}, {
			row: "a method that the client does not have", users: true,
			edit: func(a, _ *peer.Gateway) { asUser(a, "alice", "hers alone", "eap-gtc") },
			a:    told{code: "E-EAP-METHOD", texts: []string{"wants eap-mschapv2", "have eap-gtc", "local table of connections." + connName}},
			b:    told{code: "E-EAP-METHOD", texts: []string{"eap-gtc for user 'alice'", "eap-mschapv2", "remote table of connections." + connName}},
		}, {
			row: "a RADIUS server that is dead", users: true,
			edit: func(a, b *peer.Gateway) {
				asUser(a, "alice", "hers alone", "eap-mschapv2")
				b.Connections[0].RemoteAuth.Method = "eap-radius"
				b.More = fmt.Sprintf("[radius.servers.one]\naddress = \"127.0.0.1\"\nsecret = %q\n", radiusSecret)
			},
			b: told{code: "E-RADIUS-SILENT", texts: []string{"user 'alice'", "one (127.0.0.1:1812)", "compare address and auth_port"}},
		},
	}
}

// withUsers has b be a gateway of users, and a trust its certificate.
func withUsers(t *testing.T, a, b *peer.Gateway) {
	ca := newCA(t, "Troubles test CA", nil)
	a.Files, b.Files = append(a.Files, ca.file("gateway")), append(ca.issue("b.example", "p256").files(t, "b"), peer.File{Kind: "users", Name: "users.toml",
		Data: []byte("alice = { password = \"hers alone\", groups = \"staff\" }\n")})
	b.Connections[0].LocalAuth = peer.Auth{Method: "pubkey", Certs: []string{"b.pem"}}
	b.Connections[0].RemoteAuth = peer.Auth{Method: "eap-mschapv2"}
	b.More = "[users]\nfile = \"users/users.toml\"\n"
	a.Connections[0].RemoteAuth = peer.Auth{Method: "pubkey", CACerts: []string{"gateway.pem"}}
}

// rules loads a set of rules into a host.
func rules(t *testing.T, h *lab.Host, text string) {
	t.Helper()
	if err := h.NFT(text); err != nil {
		t.Fatal(err)
	}
}

// TestTroubles makes the rows of docs/troubles.md. Each end names the cause and the fix in its log, its status as text and as JSON, in what
// swanctl shows and in the metrics, within the time that the row says.
func TestTroubles(t *testing.T) {
	if pairs := pairsOf(t, ours); len(pairs) == 0 {
		t.Skip("SKIPPED: the pairs that were asked for have no two Esplanades")
	}
	for _, x := range troubles() {
		t.Run(x.row, func(t *testing.T) {
			t.Parallel()
			limit := limitOf(t, x)
			p := newPair(t, ours, tunnel{Encap: true, Router: x.router, Edit: func(a, b *peer.Gateway) {
				// The default timers: the times in the document are for them.
				for _, g := range []*peer.Gateway{a, b} {
					g.IKE = map[string]string{"retransmit_timeout": `"2s"`, "retransmit_base": "1.8", "retransmit_tries": "5", "half_open_timeout": `"3s"`}
				}
				if x.users {
					withUsers(t, a, b)
				}
				if x.edit != nil {
					x.edit(a, b)
				}
			}}, "nft", "swanctl")
			p.start(t)
			watchA, watchB := peer.Watch(t, p.a, "--log"), peer.Watch(t, p.b, "--log")
			if x.before != nil {
				x.before(t, p)
			}
			go peer.Initiate(p.a, childName) // says the same as --log, at its end
			lab.Eventually(t, limit, "both ends name the trouble", func() (bool, string) {
				for _, end := range []struct {
					peer    peer.Peer
					told    told
					swanctl *lab.Process
				}{{p.a, x.a, watchA}, {p.b, x.b, watchB}} {
					if end.told.code == "" {
						continue
					}
					if err := end.told.by(end.peer.(*peer.Esplanade), end.swanctl); err != nil {
						return false, err.Error()
					}
				}
				return true, ""
			})
		})
	}
}

// TestNATShows: a NAT between two gateways that both force encapsulation shows at both ends, and in front of which side it is. Without one
// they say that there is none.
func TestNATShows(t *testing.T) {
	if len(pairsOf(t, ours)) == 0 {
		t.Skip("SKIPPED: the pairs that were asked for have no two Esplanades")
	}
	for _, nat := range []bool{false, true} {
		t.Run(fmt.Sprintf("nat %v", nat), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, ours, tunnel{Encap: true, Router: true, Edit: func(_, b *peer.Gateway) { b.Connections[0].Remote = lab.Anyone }}, "nft")
			if nat {
				rules(t, p.R, masquerade("20000-29999"))
			}
			p.start(t)
			p.initiate(t)
			want := map[bool][2][3]string{
				false: {{`"none"`, "NAT: none (both sides force ESP in UDP)", "nat=none"}, {`"none"`, "NAT: none (both sides force ESP in UDP)", "nat=none"}},
				true:  {{`"local"`, "NAT: in front of this side", "nat=local"}, {`"remote"`, "NAT: in front of the peer", "nat=remote"}},
			}[nat]
			for i, end := range p.peers() {
				e := end.(*peer.Esplanade)
				json, err := e.Command("status", "--json")
				if err != nil || !strings.Contains(json, `"nat": `+want[i][0]) {
					t.Errorf("status --json of %s: no nat %s, %v\n%s", e.Site().Name, want[i][0], err, json)
				}
				if text, err := e.Command("status", connName); err != nil || !strings.Contains(text, want[i][1]) {
					t.Errorf("status of %s: no %s, %v\n%s", e.Site().Name, want[i][1], err, text)
				}
				if log := e.Log(); !strings.Contains(log, want[i][2]) {
					t.Errorf("the log of %s: no %s\n%s", e.Site().Name, want[i][2], log)
				}
			}
			p.terminate(t)
		})
	}
}

// TestSecondTunnel: of two children between the same gateways with overlapping networks the log says which takes what, as check does.
func TestSecondTunnel(t *testing.T) {
	if len(pairsOf(t, ours)) == 0 {
		t.Skip("SKIPPED: the pairs that were asked for have no two Esplanades")
	}
	p := newPair(t, ours, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
		for _, g := range []*peer.Gateway{a, b} {
			second := g.Connections[0].Children[0]
			second.Name = "second"
			g.Connections[0].Children = append(g.Connections[0].Children, second)
		}
		a.Connections[0].Children[1].RemoteTS, b.Connections[0].Children[1].LocalTS = []string{"10.20.0.0/16"}, []string{"10.20.0.0/16"}
	}})
	p.start(t)
	for _, end := range p.peers() {
		lab.Eventually(t, 10*time.Second, "the overlap is named", func() (bool, string) {
			log := end.Log()
			return strings.Contains(log, "both select") && strings.Contains(log, "connections."+connName+".children.second"), log
		})
	}
}

// by looks for what one end has to say in the five places where an operator looks.
func (x told) by(e *peer.Esplanade, swanctl *lab.Process) error {
	text, err := e.Command("status")
	if err != nil {
		return err
	}
	metrics, err := scrape(e)
	if err != nil {
		return err
	}
	json, err := e.Command("status", "--json")
	if err != nil {
		return err
	}
	code := regexp.MustCompile(regexp.QuoteMeta(x.code) + `\b`)
	for where, said := range map[string]string{"the log": e.Log(), "status": text, "status --json": json, "swanctl --log": swanctl.Log()} {
		said = strings.Join(strings.Fields(said), " ") // status wraps its lines
		at := code.FindStringIndex(said)
		if at == nil {
			return fmt.Errorf("%s of %s has no %s:\n%s", where, e.Site().Name, x.code, said)
		}
		said = said[at[0]:]
		for _, want := range x.texts {
			if !strings.Contains(said, want) {
				return fmt.Errorf("%s of %s says %s without %q:\n%s", where, e.Site().Name, x.code, want, said)
			}
		}
		if !strings.Contains(strings.ToLower(said), "fix") {
			return fmt.Errorf("%s of %s has no fix:\n%s", where, e.Site().Name, said)
		}
	}
	series := fmt.Sprintf("reason=%q", strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(x.code, "E-")), "-", "_"))
	if x.provisional {
		series = "ipsec_ike_unanswered_requests{"
	}
	for line := range strings.Lines(metrics) {
		if line = strings.TrimSpace(line); strings.Contains(line, series) && !strings.HasPrefix(line, "#") && !strings.HasSuffix(line, " 0") {
			return nil
		}
	}
	return fmt.Errorf("the metrics of %s have no %s", e.Site().Name, series)
}

// limitOf is the time that the row of a trouble says, which must name the codes as well.
func limitOf(t *testing.T, x trouble) time.Duration {
	t.Helper()
	text, err := os.ReadFile("../docs/troubles.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(x.row) + ` \|(.*)\|(.*)\| (\w+) \|$`).FindStringSubmatch(string(text))
	if m == nil || x.a.code != "" && !strings.Contains(m[1], "`"+x.a.code+"`") || x.b.code != "" && !strings.Contains(m[2], "`"+x.b.code+"`") {
		t.Fatalf("docs/troubles.md has no row %q with %s and %s", x.row, x.a.code, x.b.code)
	}
	limit, err := time.ParseDuration(m[3])
	if err != nil {
		t.Fatal(err)
	}
	return limit
}
