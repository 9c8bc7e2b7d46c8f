package vici

import (
	"context"
	"errors"
	"strings"
)

// The modes of policies in strongSwan's words: that of a trap is the mode of its SAs.
const (
	ModeTunnel    = "TUNNEL"
	ModeTransport = "TRANSPORT"
	ModeDrop      = "DROP"
	ModePass      = "PASS"
)

// Policy is a policy as `list-policies` shows it.
type Policy struct {
	IKE, Child string
	// Mode is TUNNEL or TRANSPORT for a trap, DROP where packets are refused.
	Mode              string
	LocalTS, RemoteTS []string
}

// PolicyFilter selects policies for `list-policies`. Empty names select everything.
type PolicyFilter struct {
	Trap, Drop, Pass bool
	IKE, Child       string
}

// Selects reports whether a policy is wanted.
func (f PolicyFilter) Selects(p Policy) bool {
	kind := f.Trap
	switch p.Mode {
	case ModeDrop:
		kind = f.Drop
	case ModePass:
		kind = f.Pass
	}
	return kind && (f.IKE == "" || f.IKE == p.IKE) && (f.Child == "" || f.Child == p.Child)
}

func (ss *session) listPolicies(ctx context.Context, req *Message) *Message {
	f := PolicyFilter{IKE: req.Get("ike"), Child: req.Get("child")}
	for name, on := range map[string]*bool{"trap": &f.Trap, "drop": &f.Drop, "pass": &f.Pass} {
		var err error
		if *on, err = req.Bool(name); err != nil {
			return failed(err)
		}
	}
	return streamed(ss.server.backend.ListPolicies(ctx, f, func(p Policy) error {
		return ss.stream(ctx, EventListPolicy, p.message())
	}))
}

// message is a list-policy event, in strongSwan's order.
func (p *Policy) message() *Message {
	m := new(Message)
	s := m.Sub(p.IKE + "/" + p.Child)
	s.Set("child", p.Child)
	s.Set("ike", p.IKE)
	s.Set("mode", p.Mode)
	s.SetList("local-ts", p.LocalTS...)
	s.SetList("remote-ts", p.RemoteTS...)
	return m
}

// trap carries out install and uninstall. none is strongSwan's answer about a child that is not there.
func (ss *session) trap(ctx context.Context, req *Message, do func(ctx context.Context, ike, child string) error, none string) *Message {
	child := req.Get("child")
	if child == "" {
		return failed(errors.New("missing configuration name"))
	}
	return result(notFound(do(ctx, req.Get("ike"), child), strings.ReplaceAll(none, "CHILD", child)))
}
