package eap

import (
	"testing"
)

// puppet is one end of a tunnel that keeps to TLS and says in it what it is told to.
type puppet struct {
	t *testing.T
	*session
}

// speaking plays a client up to where it speaks in the tunnel, and has it say something there. If answers are asked for, it then says each in
// turn, and otherwise what came is the server's answer to the first.
func speaking(t *testing.T, w *world, method Type, say ...[]byte) (server Step) {
	t.Helper()
	s, _ := way{method, PlainNone, 0}.configs(w)
	s.Inner = []Type{TypeMSCHAPv2, TypeGTC, TypeMD5}
	a := NewServer(s)
	t.Cleanup(a.Close)
	p := puppet{t, newClientSession(method, &w.client)}
	t.Cleanup(p.close)
	a.Step(noon, nil)
	server = a.Step(noon, response(a.id, TypeIdentity, "anonymous"))
	for range MaxRounds {
		if server.Done {
			return server
		}
		request, err := parse(server.Out)
		if err != nil {
			t.Fatal(err)
		}
		out := p.answer(request.data, method == TypePEAP)
		if out == nil {
			if len(say) == 0 {
				return server
			}
			var f *Failure
			if out, f = p.send(say[0]); f != nil {
				t.Fatal(f)
			}
			say = say[1:]
		}
		server = a.Step(noon, response(a.id, method, string(out)))
	}
	t.Fatal("it never ends")
	return Step{}
}

// answer is what TLS has to say, nil if it is the puppet's turn in the tunnel.
func (p puppet) answer(data []byte, second bool) []byte {
	p.t.Helper()
	before := p.established()
	a, f := p.receive(noon, data)
	switch {
	case f != nil:
		p.t.Fatal(f)
	case a.reply != nil:
		return a.reply
	case a.start:
		if _, f := p.feed(noon, nil); f != nil {
			p.t.Fatal(f)
		}
		return p.next()
	case len(a.plain) > 0:
		return nil
	case p.established() && !a.out && !second && (before || !p.tls13()):
		return nil
	}
	return p.next()
}

// listening plays a server up to where the client speaks in the tunnel, and answers each time with what it is told to. It returns the client's
// last step, and the one after a Success.
func listening(t *testing.T, w *world, x way, say ...[]byte) (client, success Step) {
	t.Helper()
	_, c := x.configs(w)
	b := NewClient(c)
	t.Cleanup(b.Close)
	p := puppet{t, newServerSession(x.method, &w.server, false, "")}
	t.Cleanup(p.close)
	id := uint8(1)
	client = b.Step(noon, request(id, x.method, string(p.link.StartPacket())))
	for range MaxRounds {
		if client.Err != nil || client.Out == nil {
			break
		}
		answer, err := parse(client.Out)
		if err != nil {
			t.Fatal(err)
		}
		out := p.replies(answer.data, x.method == TypePEAP)
		if out == nil {
			if len(say) == 0 {
				break
			}
			var f *Failure
			if out, f = p.send(say[0]); f != nil {
				t.Fatal(f)
			}
			say = say[1:]
		}
		id++
		client = b.Step(noon, request(id, x.method, string(out)))
	}
	return client, b.Step(noon, packet{code: codeSuccess, id: id}.bytes())
}

// replies is what TLS has to say, nil if it is the puppet's turn in the tunnel: in that of PEAP the server speaks first.
func (p puppet) replies(data []byte, first bool) []byte {
	p.t.Helper()
	a, f := p.receive(noon, data)
	switch {
	case f != nil:
		p.t.Fatal(f)
	case a.reply != nil:
		return a.reply
	case a.out, !p.established():
		return p.next()
	case len(a.plain) > 0 || first:
		return nil
	}
	return p.next()
}
