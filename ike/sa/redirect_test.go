package sa

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

var elsewhere = wire.Gateway{Addr: netip.MustParseAddr("198.51.100.7")}

// newRedirectRig makes a client that can be redirected and a gateway that does it.
func newRedirectRig(t *testing.T, seed uint64, to wire.Gateway) *rig {
	return newRig(t, seed, func(a, b *Config) { a.FollowRedirects, b.RedirectTo = true, to })
}

// redirects lists where a side was sent to.
func (e *end) redirects() (out []Redirected) {
	for _, o := range e.events {
		if x, ok := o.(Redirected); ok {
			out = append(out, x)
		}
	}
	return out
}

// wantRedirected checks that a side was sent to one gateway, once, in an exchange.
func (e *end) wantRedirected(to wire.Gateway, x wire.ExchangeType) {
	e.r.t.Helper()
	if got := e.redirects(); len(got) != 1 || got[0].Gateway != to || got[0].Exchange != x {
		e.r.t.Errorf("%s was redirected %v, want once to %v in %s", e.name, got, to, x)
	}
}

// ignoredRedirects lists why REDIRECTs were not followed.
func (e *end) ignoredRedirects() (out []string) {
	for _, o := range e.events {
		if x, ok := o.(Ignored); ok && x.Reason == IgnoreRedirect {
			out = append(out, x.Detail)
		}
	}
	return out
}

// initAnswer is an answer to an IKE_SA_INIT request with these payloads, and no SPI of the responder.
func initAnswer(f flight, payloads ...wire.Payload) []byte {
	h := headerOf(f.data)
	h.Flags = wire.FlagResponse
	return (&wire.Message{Header: h, Payloads: payloads}).Append(nil)
}

// nonceOf is the nonce of an IKE_SA_INIT message.
func nonceOf(t *testing.T, b []byte) []byte {
	t.Helper()
	m, err := wire.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	n, ok := find[*wire.Nonce](m.Payloads)
	if !ok {
		t.Fatal("no nonce")
	}
	return n.Data
}

// A gateway answers IKE_SA_INIT with REDIRECT and nothing else, keeps nothing, and its SPI is zero; the client has an end
// of it and knows where to go.
func TestRedirectInInit(t *testing.T) {
	for name, to := range map[string]wire.Gateway{
		"IPv4": elsewhere, "IPv6": {Addr: netip.MustParseAddr("2001:db8::7")}, "name": {FQDN: "gw2.example"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 300, to)
			f := firstInit(t, r)
			if m, _ := wire.Parse(f.data); notify(m.Payloads, wire.NotifyRedirectSupported) == nil || notify(m.Payloads, wire.NotifyRedirectedFrom) != nil {
				t.Errorf("request: %s", wire.Summary(m.Header, m.Payloads))
			}
			acc := Accept(r.b.env, r.now, f.data, f.path)
			m, err := wire.Parse(acc.Response)
			if err != nil || acc.Machine != nil || acc.RedirectedTo != to {
				t.Fatalf("answer %+v, %v", acc, err)
			}
			got, nonce, err := m.Payloads[0].(*wire.Notify).Redirect()
			if len(m.Payloads) != 1 || m.Header.SPIr != 0 || err != nil || got != to || string(nonce) != string(nonceOf(t, f.data)) {
				t.Errorf("answer %s: %v %x, %v", wire.Summary(m.Header, m.Payloads), got, nonce, err)
			}
			r.run(3 * time.Minute)
			r.a.wantRedirected(to, wire.ExchangeIKESAInit)
			r.a.wantNothing()
			r.b.wantNothing()
			if len(r.a.failures)+len(r.b.refused) > 0 {
				t.Errorf("failures: %v %v", r.a.failures, r.b.refused)
			}
		})
	}
}

// Only a client that has said in its IKE_SA_INIT request that it can be is redirected (RFC 5685 section 3).
func TestRedirectNotSupported(t *testing.T) {
	r := newRedirectRig(t, 301, elsewhere)
	r.a.cfg.FollowRedirects = false
	m := r.a.connect()
	r.run(5 * time.Second)
	_, mb := r.wantUp(1)
	if mb.Redirect(r.now, elsewhere) {
		t.Error("the peer can be redirected later on")
	}
	if m.Redirect(r.now, elsewhere) {
		t.Error("the responder can be redirected")
	}
}

// What an answer to IKE_SA_INIT must not do: nothing protects it, so that anybody can have sent it. The real answer is
// taken all the same.
func TestRedirectSpoofed(t *testing.T) {
	other := make([]byte, nonceLen)
	gw := func(g wire.Gateway, nonce []byte) *wire.Notify { return wire.NewRedirect(g, nonce) }
	raw := func(data ...byte) *wire.Notify { return wire.NewNotify(wire.NotifyRedirect, data) }
	for name, c := range map[string]struct {
		make func(ni []byte) []wire.Payload
		want string
	}{
		"another nonce":       {func([]byte) []wire.Payload { return []wire.Payload{gw(elsewhere, other)} }, "not the nonce of the request"},
		"no nonce":            {func([]byte) []wire.Payload { return []wire.Payload{gw(elsewhere, nil)} }, "not the nonce of the request"},
		"part of the nonce":   {func(ni []byte) []wire.Payload { return []wire.Payload{gw(elsewhere, ni[:nonceLen-1])} }, "not the nonce of the request"},
		"more than the nonce": {func(ni []byte) []wire.Payload { return []wire.Payload{gw(elsewhere, append(slices.Clone(ni), 0))} }, "not the nonce of the request"},
		"two": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(elsewhere, ni), gw(wire.Gateway{Addr: netip.MustParseAddr("198.51.100.8")}, ni)}
		}, "more than one REDIRECT"},
		"the same twice": {func(ni []byte) []wire.Payload { return []wire.Payload{gw(elsewhere, ni), gw(elsewhere, ni)} }, "more than one REDIRECT"},
		"gateway of type 4": {func(ni []byte) []wire.Payload {
			return []wire.Payload{raw(append([]byte{4, 4, 198, 51, 100, 7}, ni...)...)}
		}, "type"},
		"no data":           {func([]byte) []wire.Payload { return []wire.Payload{raw()} }, "0 octets"},
		"longer than it is": {func([]byte) []wire.Payload { return []wire.Payload{raw(3, 200, 'a')} }, "200 octets"},
		"no address": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{Addr: netip.IPv4Unspecified()}, ni)}
		}, "can't be one"},
		"multicast": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{Addr: netip.MustParseAddr("ff02::1")}, ni)}
		}, "can't be one"},
		"link-local": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{Addr: netip.MustParseAddr("fe80::1")}, ni)}
		}, "can't be one"},
		"this host itself": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{Addr: netip.MustParseAddr("127.0.0.1")}, ni)}
		}, "can't be one"},
		"a name that isn't": {func(ni []byte) []wire.Payload { return []wire.Payload{gw(wire.Gateway{FQDN: "a b\n"}, ni)} }, "can't be one"},
		"a name of dots":    {func(ni []byte) []wire.Payload { return []wire.Payload{gw(wire.Gateway{FQDN: ".."}, ni)} }, "can't be one"},
		"a name of 254": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{FQDN: strings.Repeat("a.", 127)}, ni)}
		}, "can't be one"},
		"a label of 64": {func(ni []byte) []wire.Payload {
			return []wire.Payload{gw(wire.Gateway{FQDN: strings.Repeat("a", 64)}, ni)}
		}, "can't be one"},
		"to nobody who asks": {func(ni []byte) []wire.Payload { return []wire.Payload{gw(elsewhere, ni)} }, "not asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 302, wire.Gateway{})
			r.a.cfg.FollowRedirects = name != "to nobody who asks"
			f := firstInit(t, r)
			r.a.receive(flight{to: r.a, path: r.a.path(), data: initAnswer(f, c.make(nonceOf(t, f.data))...)})
			if got := r.a.ignoredRedirects(); len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("ignored %q, want %q", got, c.want)
			}
			r.run(time.Second)
			if got := r.a.redirects(); len(got) > 0 {
				t.Errorf("followed %v", got)
			}
			r.wantUp(1)
		})
	}
}

// A REDIRECT that somebody has recorded and sends again answers the nonce of another request.
func TestRedirectReplayed(t *testing.T) {
	r := newRedirectRig(t, 303, elsewhere)
	f := firstInit(t, r)
	old := Accept(r.b.env, r.now, f.data, f.path).Response
	r.run(time.Second)
	r.a.wantRedirected(elsewhere, wire.ExchangeIKESAInit)
	r.b.cfg.RedirectTo, r.a.events = wire.Gateway{}, nil
	m := r.a.connect()
	replay := slices.Clone(old)
	for i := range 8 { // with the SPI of the new attempt
		replay[i] = byte(m.LocalSPI() >> (56 - 8*i))
	}
	r.a.receive(flight{to: r.a, path: r.a.path(), data: replay})
	if got := r.a.ignoredRedirects(); len(got) != 1 {
		t.Errorf("ignored %q", got)
	}
	r.run(5 * time.Second)
	if got := r.a.redirects(); len(got) > 0 {
		t.Errorf("followed %v", got)
	}
	r.wantUp(1)
}

// A client tells the next gateway who has sent it. That one does not send it back, but on to others it does.
func TestRedirectedFrom(t *testing.T) {
	first := wire.Gateway{Addr: netip.MustParseAddr("198.51.100.1")}
	for name, c := range map[string]struct {
		from, to wire.Gateway
		served   bool
	}{
		"back":             {first, first, true},
		"back to the name": {wire.Gateway{FQDN: "gw1.example"}, wire.Gateway{FQDN: "GW1.example."}, true},
		"on":               {first, elsewhere, false},
		"nowhere":          {first, wire.Gateway{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 304, c.to)
			m := NewRedirected(r.a.env, r.now, r.a.cfg, r.a.path(), r.a.cfg.Children, c.from)
			r.a.add(m)
			req, err := wire.Parse(r.wire[0].data)
			n := notify(req.Payloads, wire.NotifyRedirectedFrom)
			if err != nil || n == nil {
				t.Fatalf("no REDIRECTED_FROM in %s, %v", wire.Summary(req.Header, req.Payloads), err)
			}
			if g, err := n.RedirectedFrom(); g != c.from || err != nil {
				t.Errorf("REDIRECTED_FROM %v, %v", g, err)
			}
			r.run(5 * time.Second)
			if !c.served {
				r.a.wantRedirected(c.to, wire.ExchangeIKESAInit)
				return
			}
			if _, mb := r.wantUp(1); mb.RedirectedFrom() != c.from {
				t.Errorf("the gateway knows of %v", mb.RedirectedFrom())
			}
		})
	}
}

// Where the connections that a request may be for send their peers to different places, it comes out in IKE_AUTH: after
// both sides have proven who they are the answer has REDIRECT and no child, and "the client … SHOULD delete the IKEv2
// security association with the gateway by sending an INFORMATIONAL message with a DELETE payload".
// https://www.rfc-editor.org/rfc/rfc5685#section-6
func TestRedirectInAuth(t *testing.T) {
	r := newRedirectRig(t, 305, elsewhere)
	served := *r.b.cfg
	served.Name, served.RemoteID, served.RedirectTo = "served", mustID(t, "c.example"), wire.Gateway{}
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { return []*Config{&served, r.b.cfg} }
	r.a.connect()
	r.run(5 * time.Second)
	r.a.wantRedirected(elsewhere, wire.ExchangeIKEAuth)
	r.a.wantNothing()
	r.b.wantNothing()
	if n := countEvents[Established](r.a); n != 0 {
		t.Error("the client takes the IKE SA for established")
	}
	if n := countEvents[Redirecting](r.b); n != 1 {
		t.Errorf("the gateway reports %d redirects", n)
	}
	deleted := 0
	for _, o := range r.a.events {
		if x, ok := o.(ExchangeDone); ok && x.Initiated && x.Exchange == wire.ExchangeInformational {
			deleted++
		}
	}
	if deleted != 1 || len(r.a.failures)+len(r.b.failures) > 0 {
		t.Errorf("%d DELETEs; failures %v, %v", deleted, r.a.failures, r.b.failures)
	}
}

// A client that does not go by itself is not kept for ever.
func TestRedirectInAuthLingers(t *testing.T) {
	r := newRedirectRig(t, 306, elsewhere)
	served := *r.b.cfg
	served.Name, served.RemoteID, served.RedirectTo = "served", mustID(t, "c.example"), wire.Gateway{}
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { return []*Config{&served, r.b.cfg} }
	r.drop = func(e *end, d []byte) bool { return e == r.a && headerOf(d).Exchange == wire.ExchangeInformational }
	r.a.connect()
	r.run(5 * time.Second)
	if len(r.b.live()) != 1 || !r.b.live()[0].RedirectedAway() {
		t.Fatal("the gateway does not wait for the DELETE")
	}
	r.run(5 * time.Minute)
	r.a.wantNothing()
	r.b.wantNothing()
}

// Somebody who can't prove who it is redirects nobody.
func TestRedirectInAuthUnauthentic(t *testing.T) {
	r := newRedirectRig(t, 307, elsewhere)
	served := *r.b.cfg
	served.Name, served.RemoteID, served.RedirectTo = "served", mustID(t, "c.example"), wire.Gateway{}
	r.b.env.Connections = func(_, _ netip.Addr) []*Config { return []*Config{&served, r.b.cfg} }
	r.a.cfg.RemoteID = mustID(t, "*.other.example")
	r.a.connect()
	r.run(5 * time.Second)
	if got := r.a.redirects(); len(got) > 0 {
		t.Errorf("followed %v", got)
	}
	if n := countEvents[Redirecting](r.b); n != 1 {
		t.Errorf("the gateway has tried %d times", n)
	}
	r.a.wantFailure(diag.CodeAuthID)
}

// An IKE SA in use: the client is told in an INFORMATIONAL exchange, answers it, and keeps the IKE SA; also after the IKE
// SA was rekeyed by either side. The client can't redirect the gateway.
func TestRedirectLive(t *testing.T) {
	for name, rekey := range map[string]func(r *rig, ma, mb *Machine){
		"fresh":                  func(*rig, *Machine, *Machine) {},
		"rekeyed by the client":  func(r *rig, ma, _ *Machine) { ma.RekeyIKE(r.now); r.a.drain(ma) },
		"rekeyed by the gateway": func(r *rig, _, mb *Machine) { mb.RekeyIKE(r.now); r.b.drain(mb) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 308, wire.Gateway{})
			r.a.connect()
			r.run(5 * time.Second)
			ma, mb := r.wantUp(1)
			rekey(r, ma, mb)
			r.run(5 * time.Second)
			ma, mb = r.wantUp(1)
			if ma.Redirect(r.now, elsewhere) {
				t.Error("the client redirects the gateway")
			}
			if !mb.Redirect(r.now, elsewhere) {
				t.Fatal("the gateway can't redirect the client")
			}
			mb.Redirect(r.now, elsewhere) // once is enough
			r.b.drain(mb)
			r.run(5 * time.Second)
			r.a.wantRedirected(elsewhere, wire.ExchangeInformational)
			if n := countEvents[Redirecting](r.b); n != 1 {
				t.Errorf("the gateway reports %d redirects", n)
			}
			r.wantUp(1)
		})
	}
}

// A gateway does not send a peer to itself, nor to where it is: it serves the peer.
func TestRedirectInPlaceServes(t *testing.T) {
	for name, to := range map[string]func(p Path) netip.Addr{
		"the gateway": func(p Path) netip.Addr { return p.Remote.Addr() }, "the peer": func(p Path) netip.Addr { return p.Local.Addr() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 310, wire.Gateway{})
			r.b.cfg.RedirectTo = wire.Gateway{Addr: to(r.a.path())}
			r.a.connect()
			r.run(5 * time.Second)
			r.wantUp(1)
			if len(r.a.redirects()) > 0 {
				t.Errorf("redirected %v", r.a.redirects())
			}
		})
	}
}

// A REDIRECT that the client has not asked for, or that it can't follow, is answered, as every request is, and counted.
func TestRedirectLiveIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		follow   bool
		payloads []wire.Payload
		want     string
	}{
		"not asked for":     {false, []wire.Payload{wire.NewRedirect(elsewhere, nil)}, "not asked for"},
		"two":               {true, []wire.Payload{wire.NewRedirect(elsewhere, nil), wire.NewRedirect(elsewhere, nil)}, "more than one REDIRECT"},
		"gateway of type 9": {true, []wire.Payload{wire.NewNotify(wire.NotifyRedirect, []byte{9, 1, 1})}, "type"},
		"no data":           {true, []wire.Payload{wire.NewNotify(wire.NotifyRedirect, nil)}, "0 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedirectRig(t, 309, wire.Gateway{})
			r.a.cfg.FollowRedirects = c.follow
			r.a.connect()
			r.run(5 * time.Second)
			_, mb := r.wantUp(1)
			mb.enqueue(&raw{x: wire.ExchangeInformational, payloads: c.payloads})
			mb.pump(r.now)
			r.b.drain(mb)
			r.run(5 * time.Second)
			if got := r.a.ignoredRedirects(); len(got) != 1 || !strings.Contains(got[0], c.want) || len(r.a.redirects()) > 0 {
				t.Errorf("ignored %q, followed %v", got, r.a.redirects())
			}
			if mb.pending != nil {
				t.Error("the request was not answered")
			}
			r.wantUp(1)
		})
	}
}
