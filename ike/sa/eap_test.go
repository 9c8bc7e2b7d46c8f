package sa

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// A user comes in with each method, both sides know who it is, and each message has what it is to have: "the EAP AUTH payloads MUST be included
// in the two messages following the one containing the EAP Success message".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.16
func TestUserComesIn(t *testing.T) {
	for name, edit := range map[string]func(a, b *Config){
		"plain":        nil,
		"fragments":    func(a, b *Config) { a.FragmentSize, b.FragmentSize = 150, 150 },
		"intermediate": ikeProposals(t, hybrid, hybrid),
		"extensions": func(a, b *Config) {
			a.MOBIKE, b.MOBIKE, a.Resumption, b.Resumption, b.ReauthTime = true, true, true, true, time.Hour
		},
		"PPK":          func(a, b *Config) { a.PPKID, b.PPKID, b.PPKRequired = "office", "office", true },
		"PPK, another": func(a, b *Config) { a.PPKID, b.PPKID = "other", "office" },
		"key":          func(a, b *Config) { a.RemoteAuth, b.LocalAuth = policy.AuthPSK, policy.AuthPSK },
	} {
		for method, n := range map[eap.Type]int{eap.TypeMD5: 4, eap.TypeGTC: 4, eap.TypeMSCHAPv2: 5} {
			t.Run(name+", "+method.String(), func(t *testing.T) {
				r := newUserRig(t, method, edit)
				r.a.ppks("office=key", "other=key")
				r.b.ppks("office=key")
				r.a.connect()
				r.run(10 * time.Second)
				ma, mb := r.wantUp(1)
				if u := mb.PeerUser(); u == nil || u.Name != "ann" || !u.In("staff") || mb.User() != u {
					t.Errorf("the user is %+v", u)
				}
				if u := ma.User(); u == nil || u.Name != "ann" || ma.PeerUser() != nil {
					t.Errorf("the client is %+v", u)
				}
				if s := mb.Snapshot(); s.User != "ann" || s.Client || s.UserMethod == "" {
					t.Errorf("the status has %q %q %v", s.User, s.UserMethod, s.Client)
				}
				if countEvents[SessionGranted](r.a) != 0 {
					t.Error("a user has got a ticket")
				}
				if used := ma.ppk.used && mb.ppk.used; used != (name == "PPK") {
					t.Errorf("PPK in use: %v", used)
				}
				all := r.b.rounds()
				if len(all) != n {
					t.Fatalf("%d rounds, want %d", len(all), n)
				}
				for i, x := range all {
					last := i == n-1
					for text, want := range map[string][2]bool{
						" IDi ": {i == 0, false}, " AUTH ": {last, i == 0 || last}, " TSi ": {i == 0, last},
						" EAP/": {i > 0 && !last, !last}, " N(PPK_ID) ": {strings.HasPrefix(name, "PPK") && last, name == "PPK" && last},
						" N(MOBIKE_SUP) ": {name == "extensions" && i == 0, name == "extensions" && last},
					} {
						if got := [2]bool{strings.Contains(x.Request, text), strings.Contains(x.Response, text)}; got != want {
							t.Errorf("round %d: %s in %s / %s", i, text, x.Request, x.Response)
						}
					}
				}
				ma.RekeyIKE(r.now)
				r.a.drain(ma)
				r.run(10 * time.Second)
				if ma, mb = r.wantUp(1); mb.PeerUser() == nil || ma.User() == nil || ma.PeerUser() != nil {
					t.Error("a rekeyed IKE SA has no user")
				}
				mb.RekeyIKE(r.now)
				r.b.drain(mb)
				r.run(10 * time.Second)
				if ma, mb = r.wantUp(1); mb.PeerUser() == nil || ma.PeerUser() != nil {
					t.Error("one that the gateway has rekeyed has another user")
				}
			})
		}
	}
}

// Whichever datagram is lost, and however late a step of EAP is, the user comes in, and no step is made twice.
func TestUserComesInLate(t *testing.T) {
	for lost := range 10 {
		for _, late := range []bool{false, true} {
			r := newUserRig(t, eap.TypeMSCHAPv2, nil)
			if late {
				for _, e := range []*end{r.a, r.b} {
					e.desk.late = func(Request) outcome { return outcome{after: 3 * time.Second, twice: true} }
				}
			}
			n := 0
			r.drop = func(e *end, d []byte) bool {
				if headerOf(d).Exchange != wire.ExchangeIKEAuth {
					return false
				}
				n++
				return n == lost+1
			}
			r.a.connect()
			r.run(4 * time.Minute)
			r.wantUp(1)
			if got := len(r.b.rounds()); got != 5 {
				t.Errorf("datagram %d, late %v: %d rounds", lost, late, got)
			}
		}
	}
}

// A step of EAP that this side has no time for is made when the client says the same again; the conversation is as if it had said it once.
func TestUserIsTakenLater(t *testing.T) {
	for step := range 4 {
		r := newUserRig(t, eap.TypeMSCHAPv2, nil)
		n := 0
		r.b.desk.late = func(q Request) outcome {
			if p, ok := q.Want.(Proof); ok && strings.Contains(p.String(), "EAP") {
				if n++; n == step+1 {
					return outcome{err: &RequestError{Want: q.Want.String(), Reason: "no worker"}}
				}
			}
			return outcome{}
		}
		r.a.connect()
		r.run(20 * time.Second)
		if _, mb := r.wantUp(1); mb.PeerUser() == nil {
			t.Errorf("step %d: no user", step)
		}
		if n != 5 {
			t.Errorf("step %d: %d requests", step, n)
		}
	}
}

// Who is not let in: both sides say why as far as they know, and the wire has EAP-Failure alone. "If the exchange is terminated with EAP Failure,
// an AUTHENTICATION_FAILED notification is not sent." https://www.rfc-editor.org/rfc/rfc7296#section-2.21
func TestUserIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		method         eap.Type
		spoil          func(r *rig)
		aFails, bFails diag.Code
		says           []string
	}{
		"another password":           {eap.TypeMSCHAPv2, func(r *rig) { r.a.is("ann", "wrong", eap.TypeMSCHAPv2) }, diag.CodeEAPRefused, diag.CodeEAPPassword, []string{"user 'ann' by eap-mschapv2", "password"}},
		"another password, MD5":      {eap.TypeMD5, func(r *rig) { r.a.is("ann", "wrong", eap.TypeMD5) }, diag.CodeEAPRefused, diag.CodeEAPPassword, []string{"user 'ann' by eap-md5"}},
		"another password, GTC":      {eap.TypeGTC, func(r *rig) { r.a.is("ann", "wrong", eap.TypeGTC) }, diag.CodeEAPRefused, diag.CodeEAPPassword, []string{"user 'ann' by eap-gtc"}},
		"a user that there is not":   {eap.TypeMSCHAPv2, func(r *rig) { r.a.is("zoe", "wrong", eap.TypeMSCHAPv2) }, diag.CodeEAPRefused, diag.CodeEAPUser, []string{"'zoe'", "no user of that name"}},
		"no method in common":        {eap.TypeMSCHAPv2, func(r *rig) { r.a.is("ann", "correct", eap.TypeGTC) }, "", diag.CodeEAPMethod, []string{"eap-gtc", "eap-mschapv2", "'ann'"}},
		"not in the group":           {eap.TypeMSCHAPv2, func(r *rig) { r.b.cfg.Users = []UserRule{{Groups: []string{"ops", "boss"}, GroupsLine: "b.toml:9"}} }, diag.CodeEAPRefused, diag.CodeEAPAllowed, []string{"'ann'", "in staff", "b-conn: groups are ops, boss"}},
		"another name":               {eap.TypeMSCHAPv2, func(r *rig) { r.b.cfg.Users = []UserRule{{ID: userPattern(r.t, "*@example.org")}} }, diag.CodeEAPRefused, diag.CodeEAPAllowed, []string{"b-conn: eap_id is *@example.org"}},
		"nobody to check it":         {eap.TypeMSCHAPv2, func(r *rig) { r.b.env.EAPServer = nil }, diag.CodeAuthRefused, diag.CodeNoSecret, []string{"add users"}},
		"no secret of the client's":  {eap.TypeMSCHAPv2, func(r *rig) { r.a.env.EAPClient = nil }, diag.CodeNoSecret, "", []string{"add [secrets.eap.NAME]"}},
		"a peer with a certificate":  {eap.TypeMSCHAPv2, func(r *rig) { r.a.cfg.LocalAuth = policy.AuthPubkey }, diag.CodeAuthRefused, diag.CodeAuthMethod, []string{"eap"}},
		"a gateway for certificates": {eap.TypeMSCHAPv2, func(r *rig) { r.b.cfg.RemoteAuth = policy.AuthPubkey }, diag.CodeAuthRefused, diag.CodeAuthMethod, []string{"EAP (no AUTH payload)"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, c.method, nil)
			c.spoil(r)
			r.a.connect()
			r.run(20 * time.Second)
			if c.bFails == "" {
				r.run(5 * time.Minute)
			}
			r.a.wantNothing()
			r.b.wantNothing()
			text := ""
			if c.aFails != "" {
				text = r.a.wantFailure(c.aFails).Error()
			}
			if c.bFails != "" {
				text += "\n" + r.b.wantFailure(c.bFails).Error()
			}
			for _, s := range c.says {
				if !strings.Contains(text, s) {
					t.Errorf("no %q in %s", s, text)
				}
			}
			for _, secret := range []string{"correct", "wrong", "battery"} {
				if strings.Contains(strings.ReplaceAll(text, "the password is wrong", ""), secret) {
					t.Errorf("%q is in %s", secret, text)
				}
			}
			for _, x := range r.b.rounds() {
				if strings.Contains(x.Response, "EAP/") && strings.Contains(x.Response, "AUTH_FAILED") {
					t.Error(x.Response)
				}
			}
			for _, e := range []*end{r.a, r.b} {
				if n := countEvents[Established](e) + countEvents[InstallInbound](e) + countEvents[PeerInitialContact](e); n != 0 {
					t.Errorf("%s: %d events of an IKE SA", e.name, n)
				}
			}
		})
	}
}

// accounts are users whose passwords have expired, or who are locked out.
type accounts struct {
	people
	expired, locked bool
}

func (x accounts) User(name string) (eap.Secret, aaa.User, bool) {
	s, u, ok := x.people.User(name)
	s.Expired, s.Locked = x.expired, x.locked
	return s, u, ok
}

// Both operators learn that a password has expired, and what there is to do, by MSCHAPv2; the client does not learn that an account is locked.
func TestPasswordThatDoesNotCount(t *testing.T) {
	for _, c := range []struct {
		users          accounts
		client, server string
	}{
		{accounts{expired: true}, "change the password of user 'ann' where the gateway has its users", "set another password for user 'ann' here"},
		{accounts{locked: true}, "look into the gateway's log", "take disabled = true away"},
	} {
		r := newUserRig(t, eap.TypeMSCHAPv2, nil)
		c.users.people = people{"ann": {"correct", nil}}
		r.b.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) {
			return auth.EAPServer{Config: &eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Users: c.users, Random: r.b.env.Nonce}}, true
		}
		r.a.connect()
		r.run(20 * time.Second)
		if f := r.a.wantFailure(diag.CodeEAPRefused); !strings.Contains(f.Fix, c.client) {
			t.Error(f)
		}
		if f := r.b.wantFailure(diag.CodeEAPPassword); !strings.Contains(f.Fix, c.server) {
			t.Error(f)
		}
	}
}

// A client that its method has told that the password is wrong, and that ends there, without waiting for EAP-Failure: the gateway's operator
// learns of the password, and not that the peer has refused the gateway.
func TestUserHearsNoAndGoes(t *testing.T) {
	r := newUserRig(t, eap.TypeMSCHAPv2, nil)
	r.a.is("ann", "wrong", eap.TypeMSCHAPv2)
	r.drop = func(e *end, d []byte) bool {
		h := headerOf(d)
		if e != r.a || h.Exchange != wire.ExchangeIKEAuth || h.MessageID != 4 {
			return false
		}
		// In the place of what acknowledges the Failure of MSCHAPv2.
		m := e.machines[LocalSPIOf(wire.Header{SPIi: h.SPIi, SPIr: h.SPIr})]
		h.Exchange = wire.ExchangeInformational
		ps := failing(wire.NotifyAuthenticationFailed)
		body := wire.AppendPayloads(nil, ps)
		data := m.sealTo(wire.AppendProtected(nil, h, wire.FirstType(ps), m.sealer.BodyLen(len(body))), body)
		r.wire = append(r.wire, flight{to: r.b, path: m.path.Reversed(), data: data, at: r.now.Add(r.delay)})
		return true
	}
	r.a.connect()
	r.run(20 * time.Second)
	f := r.b.wantFailure(diag.CodeEAPPassword)
	if !strings.Contains(f.Error(), "user 'ann' by eap-mschapv2") {
		t.Error(f)
	}
	for _, x := range r.b.failures {
		if x != f {
			t.Errorf("another failure: %v", x)
		}
	}
	r.b.wantNothing()
}

// Users that a RADIUS server checks: their packets go to it as they are, the first one has the name, and what it says of the user counts.
func TestUserOfRADIUS(t *testing.T) {
	for _, asks := range []bool{true, false} {
		t.Run(fmt.Sprint(asks), func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, nil)
			r.b.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) { return auth.EAPServer{AskIdentity: asks}, true }
			users := people{"ann": {"correct", []string{"staff"}}, "a.example": {"correct", nil}}
			if !asks {
				r.a.is("a.example", "correct", eap.TypeMSCHAPv2)
			}
			turns := 0
			r.b.desk.relay = func(q auth.EAPRelay) Result {
				server, _ := q.State.(*eap.Server)
				if q.Turn == 0 {
					if string(q.In[4:]) != "\x01"+q.User || asks != (q.User == "ann") || q.Identity != "a.example" || q.Connection != "b-conn" {
						t.Errorf("the first packet: %x of %q", q.In, q.User)
					}
					server = eap.NewServer(&eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Protected: true, Users: users})
					server.Adopt(q.In[1])
				}
				if q.Turn != turns {
					t.Errorf("turn %d, want %d", q.Turn, turns)
				}
				turns++
				s := server.Step(r.now, q.In)
				if s.Result != nil {
					s.Result.User.Server, s.Result.User.Session = "aaa1", 2*time.Hour
				}
				return Proved{auth.Relayed{Step: s, State: server}}
			}
			r.a.connect()
			r.run(10 * time.Second)
			ma, mb := r.wantUp(1)
			if u := mb.PeerUser(); u == nil || u.Server != "aaa1" {
				t.Errorf("the user is %+v", u)
			}
			// Session-Timeout: the client authenticates again before, and else the IKE SA ends.
			if at := ma.auth.reauthAt.Sub(r.now); at < time.Hour || at > 2*time.Hour {
				t.Errorf("the client authenticates again in %s", at)
			}
			if at := mb.auth.expireAt.Sub(r.now).Round(time.Minute); at != 2*time.Hour {
				t.Errorf("the session ends in %s", at)
			}
		})
	}
}

// A user whose RADIUS server is slow, or behind two that are dead, comes in, whatever half_open_timeout is: it is not the user who does not go on. Of a server that never
// answers the operator hears that, and not that the user has gone.
func TestSlowRADIUS(t *testing.T) {
	for _, answers := range []bool{true, false} {
		t.Run(fmt.Sprint(answers), func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, func(_, b *Config) { b.HalfOpenTimeout = 3 * time.Second })
			r.b.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) { return auth.EAPServer{AskIdentity: true}, true }
			r.b.desk.relay = func(q auth.EAPRelay) Result {
				server, _ := q.State.(*eap.Server)
				if q.Turn == 0 {
					server = eap.NewServer(&eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Protected: true, Users: people{"ann": {"correct", nil}}})
					server.Adopt(q.In[1])
				}
				return Proved{auth.Relayed{Step: server.Step(r.now, q.In), State: server}}
			}
			r.b.desk.late = func(q Request) outcome {
				p, _ := q.Want.(Proof)
				switch relay, ok := p.Want.(auth.EAPRelay); {
				case !ok:
					return outcome{}
				case !answers:
					return outcome{after: relayTime - time.Second, err: errors.New("one (10.0.0.5:1812) is silent")}
				case relay.Turn == 0:
					return outcome{after: relayTime - 5*time.Second}
				}
				return outcome{after: 2 * time.Second}
			}
			r.a.connect()
			r.run(2 * time.Minute)
			if answers {
				r.wantUp(1)
				return
			}
			if f := r.b.wantFailure(diag.CodeEAPServer); !strings.Contains(f.Error(), "one (10.0.0.5:1812) is silent") {
				t.Error(f)
			}
		})
	}
}

// A RADIUS server that can't be asked, or refuses: EAP-Failure for the client, and the reason here.
func TestRADIUSRefuses(t *testing.T) {
	for code, result := range map[diag.Code]Result{
		diag.CodeEAPServer:   Unfulfilled{fmt.Errorf("aaa1 is silent")},
		diag.CodeEAPPassword: Proved{auth.Relayed{Step: eap.Step{Done: true, Out: []byte{4, 9, 0, 4}, Err: &eap.Failure{User: "ann", Reason: eap.ReasonPassword}}}},
	} {
		r := newUserRig(t, eap.TypeMSCHAPv2, nil)
		r.b.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) { return auth.EAPServer{AskIdentity: true}, true }
		r.b.desk.relay = func(auth.EAPRelay) Result { return result }
		r.a.connect()
		r.run(10 * time.Second)
		r.a.wantNothing()
		r.b.wantNothing()
		r.a.wantFailure(diag.CodeEAPRefused)
		if f := r.b.wantFailure(code); !strings.Contains(f.Error(), "'ann'") || f.Notify != "EAP-Failure" {
			t.Errorf("%s, on the wire %s", f, f.Notify)
		}
	}
}

// A user that asks for a session ticket gets none, and does not ask for one itself.
func TestUserGetsNoTicket(t *testing.T) {
	r := newUserRig(t, eap.TypeMSCHAPv2, func(a, b *Config) { a.Resumption, b.Resumption = true, true })
	r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
		if notify(ps, wire.NotifyTicketRequest) != nil {
			t.Error("it has asked")
		}
		if findTS(ps, true) != nil {
			ps = append(ps, &wire.Notify{NotifyType: wire.NotifyTicketRequest})
		}
		return ps
	})
	given := 0
	r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
		if notify(ps, wire.NotifyTicketLTOpaque) != nil {
			given++
		}
		return ps
	})
	r.a.connect()
	r.run(10 * time.Second)
	if r.wantUp(1); given != 0 {
		t.Error("it has got one")
	}
}

// A client that hears AUTHENTICATION_FAILED in the middle of it says who it came as, and what it has heard.
func TestUserHearsANotification(t *testing.T) {
	r := newUserRig(t, eap.TypeMSCHAPv2, nil)
	n := 0
	r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
		if n++; n == 3 {
			return failing(wire.NotifyAuthenticationFailed)
		}
		return ps
	})
	r.a.connect()
	r.run(10 * time.Second)
	r.a.wantNothing()
	if f := r.a.wantFailure(diag.CodeEAPRefused); !strings.Contains(f.Error(), "'ann'") || !strings.Contains(f.Error(), "AUTHENTICATION_FAILED") || f.Notify != "AUTHENTICATION_FAILED" {
		t.Error(f)
	}
}
