package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// After a demand for a cookie, the request is repeated with and without it by turns: a peer that has answered the one may ignore the
// other. Each is the same octet by octet every time.
func TestCookieByTurns(t *testing.T) {
	r := newRig(t, 7, nil)
	var with []bool
	var sent [2]string
	r.drop = func(e *end, d []byte) bool {
		m, err := wire.Parse(d)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if notify(m.Payloads, wire.NotifyCookie) != nil {
			n = 1
		}
		if sent[n] != "" && sent[n] != string(d) {
			t.Errorf("request %d is not a repetition", len(with))
		}
		sent[n] = string(d)
		with = append(with, n == 1)
		if len(with) == 1 {
			h := headerOf(d)
			h.Flags = wire.FlagResponse
			demand := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte("cookie")}}}
			r.wire = append(r.wire, flight{to: r.a, path: r.a.path(), data: demand.Append(nil), at: r.now.Add(r.delay)})
		}
		return true
	}
	r.a.connect()
	r.run(5 * time.Minute)
	if len(with) != 2+DefaultRetransmitTries {
		t.Errorf("%d requests", len(with))
	}
	for i, cookie := range with {
		if cookie != (i%2 == 1) {
			t.Errorf("request %d has a cookie: %v", i, cookie)
		}
	}
	r.a.wantNothing()
}

// A peer that demands a cookie and is further away than the pause before a repetition: the answer to the request with the cookie comes
// when that without was sent after it. It may wait here, too. A demand that somebody forges comes sooner than any answer, and then the
// answer to the repetition without the cookie is one.
func TestCookieOfDistantPeer(t *testing.T) {
	const pause = 2 * time.Second // DefaultRetransmitTimeout
	for _, c := range []struct {
		name  string
		delay time.Duration // one way
		loss  []int         // of the requests
		late  time.Duration
	}{
		{"at once", 10 * time.Millisecond, nil, 0},
		{"just before the repetition", 995 * time.Millisecond, nil, 0},
		{"just after it", 1005 * time.Millisecond, nil, 0},
		{"much later", 1900 * time.Millisecond, nil, 0},
		{"waiting for the key exchange", 1100 * time.Millisecond, nil, 3 * time.Second},
		{"the first with the cookie is lost", 900 * time.Millisecond, []int{1}, 0},
		{"the first is lost", 900 * time.Millisecond, []int{0}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 73, nil)
			if DefaultRetransmitTimeout != pause {
				t.Fatal("the pauses are others than those of this test")
			}
			r.delay, r.b.cookie, r.b.onePerSPI = c.delay, true, true
			r.a.desk.late = func(q Request) outcome {
				if _, ok := q.Want.(KeyExchange); ok {
					return outcome{after: c.late}
				}
				return outcome{}
			}
			n := 0
			r.drop = func(e *end, d []byte) bool {
				if e != r.a || headerOf(d).Exchange != wire.ExchangeIKESAInit {
					return false
				}
				n++
				return slices.Contains(c.loss, n-1)
			}
			r.a.connect()
			r.run(40 * time.Second)
			r.wantUp(1)
			if len(r.a.failures)+len(r.b.failures) > 0 {
				t.Errorf("%v, %v", r.a.failures, r.b.failures)
			}
		})
	}
}

// Somebody who answers each request with another cookie does not make the attempt shorter, nor longer by more than the first of them.
func TestCookiesTakeTheirTime(t *testing.T) {
	r := newRig(t, 8, nil)
	start, last, n := r.now, r.now, 0
	var total time.Duration
	r.drop = func(e *end, d []byte) bool {
		if e == r.a {
			last = r.now
			h := headerOf(d)
			h.Flags = wire.FlagResponse
			demand := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte{byte(n), 2, 3}}}}
			n++
			r.wire = append(r.wire, flight{to: r.a, path: r.a.path(), data: demand.Append(nil), at: r.now.Add(r.delay)})
		}
		return true
	}
	m := r.a.connect()
	total = m.cfg.Retransmit.total()
	for m.state != StateClosed && r.now.Sub(start) < time.Hour {
		r.run(time.Second)
	}
	if d := r.now.Sub(start); d < total || d > total+5*time.Second {
		t.Errorf("it took %s, and without the cookies it takes %s", d, total)
	}
	if last.Sub(start) < total/4 {
		t.Errorf("the last request was sent after %s", last.Sub(start))
	}
}

// What a demand for another group has to be to be followed.
func TestDemandedGroup(t *testing.T) {
	offered := mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256-ecp384")
	const x25519, ecp256, ecp384, modp2048 = wire.KE_CURVE25519, wire.KE_ECP_256, wire.KE_ECP_384, wire.KE_MODP_2048
	ask := func(group uint16) []wire.Payload { return []wire.Payload{wire.NewInvalidKEPayload(group)} }
	for name, c := range map[string]struct {
		answer  []wire.Payload
		refused []uint16
		want    uint16
	}{
		"offered":        {ask(ecp256), nil, ecp256},
		"another":        {ask(ecp384), []uint16{ecp256}, ecp384},
		"not offered":    {ask(modp2048), nil, 0},
		"none":           {ask(wire.KE_NONE), nil, 0},
		"that of ours":   {ask(x25519), nil, 0},
		"tried before":   {ask(ecp256), []uint16{ecp256}, 0},
		"no demand":      {failing(wire.NotifyNoProposalChosen), nil, 0},
		"half a group":   {[]wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0}}}, nil, 0},
		"nothing at all": {nil, nil, 0},
	} {
		got, ok := demandedGroup(c.answer, offered, x25519, c.refused)
		if ok != (c.want != 0) || ok && got != c.want {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
}
