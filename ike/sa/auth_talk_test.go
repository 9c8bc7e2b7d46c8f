package sa

import (
	"fmt"

	"esplanade/ike/auth"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// authTalk is a method of the tests: a proof in several messages. All but the last have a number, the last one has AUTH, made
// with a key and by a method that nobody has. Unlike a pre-shared key it is shown to anybody, as a signature is.
const authTalk policy.Auth = 200

const (
	talkMethod                 = wire.AuthMethod(201)
	talkNumber wire.NotifyType = 40100
)

// talk is how the proof goes.
type talk struct {
	messages int
	// asks is how often the prover, or the one who checks, asks for something before the message with AUTH.
	proverAsks, checkerAsks int
}

// methods gives both sides the method.
func (k talk) methods(r *rig) {
	for _, e := range []*end{r.a, r.b} {
		e.env.method = func(a policy.Auth) method {
			if a != authTalk {
				return (*Machine)(nil).methodOf(a, 0) // those of before need no machine
			}
			return method{
				Prove: func(s auth.Secret) auth.Authenticator { return &talker{talk: k, secret: s} },
				Check: func(s auth.Secret) auth.Authenticator { return &listener{talk: k, secret: s} },
			}
		}
	}
}

// work is what the two ask for.
type work struct {
	side string
	n    int
}

func (w work) Same(other auth.Want) bool { return other == auth.Want(w) }
func (w work) String() string            { return fmt.Sprintf("%s's work %d", w.side, w.n) }

// worked asks n times, one after the other.
func worked(t *auth.Transcript, side string, n int) (ok bool, err error) {
	for i := range n {
		a, ok := t.Ask(work{side, i})
		if !ok || a.Err != nil {
			return false, a.Err
		}
	}
	return true, nil
}

// talker is the side that proves itself.
type talker struct {
	talk
	secret auth.Secret
	heard  int
	status auth.Status
}

func (p *talker) Build(t *auth.Transcript) (auth.Step, error) {
	n := p.heard
	if !t.Initiator {
		n--
	}
	if n > p.messages-1 {
		return auth.Step{}, fmt.Errorf("message %d of %d", n, p.messages)
	}
	if n < p.messages-1 {
		return auth.Step{Payloads: []wire.Payload{&wire.Notify{NotifyType: talkNumber, Data: []byte{byte(n)}}}}, nil
	}
	if ok, err := worked(t, "prover", p.proverAsks); !ok {
		return auth.Step{Status: auth.Wait}, err
	}
	c, _ := p.secret()
	p.status = auth.Done
	return auth.Step{Status: auth.Done, Payloads: []wire.Payload{&wire.Auth{Method: talkMethod, Data: auth.PSK(t.PRF, c.Secret, t.OwnOctets())}}}, nil
}

func (p *talker) Process(*auth.Transcript, []wire.Payload) (auth.Step, error) {
	p.heard++
	return auth.Step{Status: p.status}, nil
}

func (p *talker) Held() int { return 0 }

// listener is the other one. It keeps a hundred octets for each message.
type listener struct {
	talk
	secret auth.Secret
	heard  int
	status auth.Status
}

func (c *listener) Build(*auth.Transcript) (auth.Step, error) {
	return auth.Step{Status: c.status}, nil
}

func (c *listener) Process(t *auth.Transcript, in []wire.Payload) (auth.Step, error) {
	number := notify(in, talkNumber)
	a, ok := find[*wire.Auth](in)
	switch {
	case number == nil && !ok:
		return auth.Step{}, &auth.MethodError{Want: talkMethod, Missing: true}
	case number == nil && a.Method != talkMethod:
		return auth.Step{}, &auth.MethodError{Want: talkMethod, Got: a.Method}
	case number != nil && (len(number.Data) != 1 || int(number.Data[0]) != c.heard%256):
		return auth.Step{}, auth.ErrMismatch
	case number != nil:
		c.heard++
		return auth.Step{}, nil
	}
	if ok, err := worked(t, "checker", c.checkerAsks); !ok {
		return auth.Step{Status: auth.Wait}, err
	}
	cred, ok := c.secret()
	if !ok || string(a.Data) != string(auth.PSK(t.PRF, cred.Secret, t.PeerOctets())) {
		return auth.Step{}, auth.ErrMismatch
	}
	c.status = auth.Done
	return auth.Step{Status: auth.Done}, nil
}

func (c *listener) Held() int { return 100 * c.heard }
