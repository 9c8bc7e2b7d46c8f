package ike

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/gateway"
	"esplanade/ike/radius"
	"esplanade/ike/radius/client"
	"esplanade/ike/radius/radiustest"
	"esplanade/ike/sa"
)

// TestHeard: each answer of a server is a step of EAP, or an error that says which server and what is wrong with it. Nobody gets in but by an
// Access-Accept with EAP-Success and the keys of the method.
func TestHeard(t *testing.T) {
	request, success, failure := []byte{1, 5, 0, 6, byte(eap.TypeMSCHAPv2), 1}, []byte{3, 5, 0, 4}, []byte{4, 5, 0, 4}
	user := &aaa.User{Name: "alice", Groups: []string{"staff"}, Server: "one"}
	msk := make([]byte, 64)
	asked := auth.EAPRelay{User: "alice"}
	last := conversation{server: "one", state: []byte("s"), method: eap.TypeMSCHAPv2}
	step := func(a radius.Answer) (auth.Relayed, error) {
		a.Server = "one"
		switch r := heard(asked, last, radius.Answered{Answer: a}).(type) {
		case sa.Proved:
			return r.Value.(auth.Relayed), nil
		case sa.Unfulfilled:
			return auth.Relayed{}, r.Err
		}
		panic("unreachable")
	}

	got, err := step(radius.Answer{Code: radius.AccessChallenge, EAP: request, State: []byte("t")})
	if next, _ := got.State.(conversation); err != nil || got.Step.Done || string(got.Step.Out) != string(request) || next.server != "one" || string(next.state) != "t" || next.method != eap.TypeMSCHAPv2 {
		t.Errorf("a challenge: %+v, %v", got, err)
	}
	got, err = step(radius.Answer{Code: radius.AccessAccept, EAP: success, User: user, MSK: msk})
	if r := got.Step.Result; err != nil || !got.Step.Done || r == nil || r.User.Name != "alice" || r.User.Method != "eap-mschapv2" || r.Mutual || len(r.MSK) != 64 || r.User.Server != "one" {
		t.Errorf("an accept: %+v, %v", got, err)
	}
	if user.Method != "" {
		t.Error("the user of the answer has changed")
	}
	for _, out := range [][]byte{failure, success, nil} {
		got, err = step(radius.Answer{Code: radius.AccessReject, EAP: out, Message: "account locked"})
		var s *aaa.ServerError
		if err != nil || !got.Step.Done || got.Step.Result != nil || !errors.As(got.Step.Err, &s) || s.Fault != aaa.Rejected || s.Message != "account locked" || s.Servers[0] != "one" {
			t.Errorf("a reject with %v: %+v, %v", out, got, err)
		}
		if out != nil && out[0] == 3 && got.Step.Out != nil {
			t.Error("a reject lets EAP-Success through")
		}
	}
	for why, a := range map[string]radius.Answer{
		"a challenge without EAP":        {Code: radius.AccessChallenge},
		"a challenge with EAP-Success":   {Code: radius.AccessChallenge, EAP: success},
		"a challenge with half a packet": {Code: radius.AccessChallenge, EAP: request[:5]},
		"a challenge with a response":    {Code: radius.AccessChallenge, EAP: []byte{2, 5, 0, 5, 1}},
		"an accept without EAP":          {Code: radius.AccessAccept, User: user, MSK: msk},
		"an accept with EAP-Failure":     {Code: radius.AccessAccept, EAP: failure, User: user, MSK: msk},
		"an accept with a request":       {Code: radius.AccessAccept, EAP: request, User: user, MSK: msk},
		"an accept without keys":         {Code: radius.AccessAccept, EAP: success, User: user},
	} {
		got, err := step(a)
		var s *aaa.ServerError
		if !errors.As(err, &s) || s.Fault != aaa.Unusable || s.Servers[0] != "one" {
			t.Errorf("%s: %+v, %v", why, got, err)
		}
	}
	// A method without keys has none.
	last.method = eap.TypeMD5
	if got, err := step(radius.Answer{Code: radius.AccessAccept, EAP: success, User: user}); err != nil || got.Step.Result == nil || len(got.Step.Result.MSK) != 0 || got.Step.Result.Mutual {
		t.Errorf("an accept of MD5: %+v, %v", got, err)
	}
}

// TestServerError: a failure of the transactions names all servers, and what was wrong with the last one.
func TestServerError(t *testing.T) {
	e := serverError(&radius.Failure{Reason: radius.Lying, Tried: []radius.Attempt{
		{Server: "one", Addr: "10.0.0.5:1812", Reason: radius.Silent}, {Server: "two", Addr: "10.0.0.6:1812", Reason: radius.Lying, Err: radius.ErrNoMessageAuthenticator}}})
	if e.Fault != aaa.Lying || strings.Join(e.Servers, "; ") != "one (10.0.0.5:1812); two (10.0.0.6:1812)" || e.Detail != "there is no Message-Authenticator" {
		t.Errorf("%+v", e)
	}
	// The one that has said something wrong comes first.
	e = serverError(&radius.Failure{Reason: radius.Lying, Tried: []radius.Attempt{{Server: "one", Reason: radius.Lying, Err: radius.ErrAuthenticator}, {Server: "two", Reason: radius.Silent}}})
	if e.Detail != radius.ErrAuthenticator.Error() {
		t.Errorf("%+v", e)
	}
	for r, want := range map[radius.Reason]aaa.Fault{radius.Silent: aaa.Silent, radius.Unusable: aaa.Unusable, radius.NoServer: aaa.Unasked, radius.TooMany: aaa.Unasked, radius.Ended: aaa.Unasked} {
		if e := serverError(&radius.Failure{Reason: r}); e.Fault != want {
			t.Errorf("%v is %v", r, e.Fault)
		}
	}
}

// TestRelay: the turns of a conversation go to one server with its state, each is answered as an errand, and for one address there are no more
// than a bound.
func TestRelay(t *testing.T) {
	const secret = "0123456789abcdef"
	hold := make(chan bool)
	server, err := radiustest.Listen(secret, func(r radiustest.Request) []byte {
		if r.Text(1) == "held" {
			<-hold
		}
		state := "first"
		if r.Text(24) == "first" {
			state = "second"
		}
		return radiustest.Answer(secret, r, 11, radiustest.Truth, radiustest.Text(24, state), radiustest.EAP([]byte{1, 5, 0, 5, 4})[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := client.New(client.Options{Setup: client.Setup{Radius: &radius.Config{Dead: time.Minute, Servers: []radius.Server{{
		Name: "one", Secret: radius.NewSecret([]byte(secret)), Sockets: 4, Tries: 4, Timeout: 20 * time.Second, Base: 1, Addrs: [...]netip.AddrPort{server.Addr(), {}}}}}}})
	c.Start()
	done := make(chan sa.Result, 2*maxRelays)
	var l relays
	l.init(c, func(_ gateway.Errand, r sa.Result) { done <- r })
	x := gateway.Errand{Until: time.Now().Add(time.Minute)}
	q := auth.EAPRelay{User: "alice", In: []byte{2, 5, 0, 5, 1}, Local: netip.MustParseAddrPort("192.0.2.1:4500"), Remote: netip.MustParseAddrPort("192.0.2.2:4500")}
	for _, want := range []string{"first", "second"} {
		if r, now := l.ask(x, q); now {
			t.Fatalf("%+v", r)
		}
		got := (<-done).(sa.Proved).Value.(auth.Relayed)
		if s := got.State.(conversation); string(s.state) != want || s.server != "one" || s.method != eap.TypeMD5 {
			t.Errorf("%+v", s)
		}
		q.State = got.State
	}
	held := auth.EAPRelay{User: "held", In: q.In, Remote: q.Remote}
	for range maxRelays {
		if r, now := l.ask(x, held); now {
			t.Fatalf("%+v", r)
		}
	}
	r, now := l.ask(x, q)
	var s *aaa.ServerError
	if u, ok := r.(sa.Unfulfilled); !now || !ok || !errors.As(u.Err, &s) || s.Fault != aaa.Unasked {
		t.Errorf("one too many: %+v", r)
	}
	q.Remote = netip.MustParseAddrPort("192.0.2.3:4500")
	if r, now := l.ask(x, q); now {
		t.Errorf("somebody from elsewhere: %+v", r)
	}
	close(hold)
	for range maxRelays + 1 {
		<-done
	}
	c.Close(time.Now())
	if len(l.of) != 0 {
		t.Errorf("%v are under way for ever", l.of)
	}
}
