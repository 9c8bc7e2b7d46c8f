package ike

import (
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/gateway"
	"esplanade/ike/radius"
	"esplanade/ike/radius/client"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// What a user of a RADIUS server says goes to that server, and what it answers comes back as the result of an errand:
//
//	event loop ── relay ──> client ── Access-Request ──> server
//	event loop <── finish ── heard <── Access-Challenge, -Accept, -Reject ──┘

const (
	// maxRelays bounds the requests that are under way for one address: those of users behind one NAT, or of a stranger.
	maxRelays = 256
	// relayMargin is how long before the machine gives up the answer must be there.
	relayMargin = time.Second
)

// relays are the requests that are under way, by where their users are.
type relays struct {
	client *client.Client
	finish func(gateway.Errand, sa.Result)

	mu sync.Mutex
	of map[netip.Addr]int
}

func (l *relays) init(c *client.Client, finish func(gateway.Errand, sa.Result)) {
	l.client, l.finish, l.of = c, finish, map[netip.Addr]int{}
}

// conversation is what one turn of EAP leaves for the next: it goes on with the same server, which has its state. It is not changed.
type conversation struct {
	server string
	state  []byte
	// method is that of the last request.
	method eap.Type
}

// relaying reports whether a request is one of these.
func relaying(w sa.Want) (auth.EAPRelay, bool) {
	p, ok := w.(sa.Proof)
	if !ok {
		return auth.EAPRelay{}, false
	}
	r, ok := p.Want.(auth.EAPRelay)
	return r, ok
}

// ask takes an errand.
func (l *relays) ask(x gateway.Errand, r auth.EAPRelay) (sa.Result, bool) {
	from := r.Remote.Addr()
	l.mu.Lock()
	full := l.of[from] >= maxRelays
	if !full {
		l.of[from]++
	}
	l.mu.Unlock()
	if full {
		return sa.Unfulfilled{Err: &aaa.ServerError{Fault: aaa.Unasked, Detail: "too many others wait that come from the same address"}}, true
	}
	last, _ := r.State.(conversation)
	a := radius.Access{User: r.User, EAP: r.In, State: last.state, Local: r.Local, Remote: r.Remote, Port: uint32(r.IKE), Connection: r.Connection}
	l.client.Ask(a, last.server, x.Until.Add(-relayMargin), func(got radius.Answered) {
		l.mu.Lock()
		if l.of[from]--; l.of[from] == 0 {
			delete(l.of, from)
		}
		l.mu.Unlock()
		l.finish(x, heard(r, last, got))
	})
	return nil, false
}

// heard is what an answer means for the user.
func heard(r auth.EAPRelay, last conversation, got radius.Answered) sa.Result {
	if got.Failure != nil {
		return sa.Unfulfilled{Err: serverError(got.Failure)}
	}
	a := got.Answer
	nonsense := func(why string) sa.Result {
		return sa.Unfulfilled{Err: &aaa.ServerError{Fault: aaa.Unusable, Servers: []string{a.Server}, Detail: a.Code.String() + " " + why, Message: a.Message}}
	}
	if len(a.EAP) > 0 && !whole(a.EAP) {
		return nonsense("with half an EAP packet")
	}
	switch a.Code {
	case radius.AccessChallenge:
		if code(a.EAP) != wire.EAPRequest {
			return nonsense("without an EAP request")
		}
		next := conversation{server: a.Server, state: a.State, method: last.method}
		if t := methodIn(a.EAP); t.Method() {
			next.method = t
		}
		return sa.Proved{Value: auth.Relayed{Step: eap.Step{Out: a.EAP}, State: next}}
	case radius.AccessAccept:
		if code(a.EAP) != wire.EAPSuccess {
			return nonsense("without EAP-Success")
		}
		if len(a.MSK) == 0 && last.method.Keys() {
			return nonsense("without the keys of " + last.method.String() + " (MS-MPPE-Recv-Key and MS-MPPE-Send-Key)")
		}
		u := *a.User
		if last.method != 0 {
			u.Method = last.method.String()
		}
		result := &eap.Result{User: u, Method: last.method, MSK: a.MSK, Mutual: len(a.MSK) > 0 && last.method.Safe()}
		return sa.Proved{Value: auth.Relayed{Step: eap.Step{Out: a.EAP, Done: true, Result: result}}}
	case radius.AccessReject:
		no := &eap.Failure{Method: last.method, User: r.User, Reason: eap.ReasonRefused,
			Err: &aaa.ServerError{Fault: aaa.Rejected, Servers: []string{a.Server}, Message: a.Message}}
		out := a.EAP
		// One without EAP, or with EAP-Success, counts as what it is (RFC 3579 section 2.6.3): the peer is told by this side then.
		if code(out) != wire.EAPFailure {
			out = nil
		}
		return sa.Proved{Value: auth.Relayed{Step: eap.Step{Out: out, Done: true, Err: no}}}
	default:
		return nonsense("is no answer")
	}
}

// whole reports whether an EAP packet is as long as it says.
func whole(b []byte) bool { return len(b) >= 4 && int(b[2])<<8|int(b[3]) == len(b) }

// code is that of an EAP packet; 0 for none.
func code(b []byte) uint8 {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// methodIn is the method of an EAP request.
func methodIn(b []byte) eap.Type {
	if len(b) < 5 {
		return 0
	}
	return eap.Type(b[4])
}

// serverError is why servers have said nothing.
func serverError(f *radius.Failure) *aaa.ServerError {
	e := &aaa.ServerError{}
	switch f.Reason {
	case radius.Silent:
		e.Fault = aaa.Silent
	case radius.Lying:
		e.Fault = aaa.Lying
	case radius.Unusable:
		e.Fault = aaa.Unusable
	case radius.NoServer, radius.TooMany, radius.Ended:
		e.Fault, e.Detail = aaa.Unasked, f.Reason.String()
	}
	for _, t := range f.Tried {
		e.Servers = append(e.Servers, t.Server+" ("+t.Addr+")")
		if t.Err != nil {
			e.Detail = t.Err.Error()
		}
	}
	return e
}
