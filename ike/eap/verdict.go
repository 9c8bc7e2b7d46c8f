package eap

import (
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/identity"
)

// claimant is whom a server takes a peer for, before it has proved anything.
type claimant struct {
	redacted
	user aaa.User
	// known reports that there is such a user, able that it has a secret. If not, secret is one that nobody knows: what is compared takes as long.
	known, able bool
	secret      Secret
	// pause says that nothing is compared now, after too many wrong passwords; right tells the guard that this one is none of them.
	pause *Pause
	right func()
}

// claim finds the user that has one of some names, the first that there is.
func (s *Server) claim(now time.Time, names ...string) claimant {
	c := claimant{user: aaa.User{Name: names[0]}}
	if s.cfg.Users != nil {
		for _, name := range names {
			secret, user, known := s.cfg.Users.User(name)
			if known {
				// A directory may have the user under another spelling of the name, which then is the user's.
				if user.Name == "" {
					user.Name = name
				}
				c = claimant{user: user, known: true, able: !secret.None(), secret: secret}
				break
			}
		}
	}
	if s.cfg.Guard != nil {
		// Whatever stands before the account is left out: all of it leads to the same user.
		c.right, c.pause = s.cfg.Guard.Try(now, identity.FoldUser(account(names[0])))
	}
	if !c.able || c.pause != nil {
		c.secret = dummy(s.cfg.random)
	}
	return c
}

// verdict is what a server makes of a password or of a response to a challenge: usable reports that the secret can work with the method at all,
// right that the response is made with it. Whether an account is locked or a password expired counts only for whoever knows the password.
func (c claimant) verdict(usable, right bool) methodStep {
	fail := func(r Reason, detail string) methodStep {
		return methodStep{fail: &Failure{User: c.user.Name, Reason: r, Detail: detail}}
	}
	switch {
	case c.pause != nil:
		return methodStep{fail: &Failure{User: c.user.Name, Reason: ReasonPaused, Pause: c.pause}}
	case !c.known:
		return fail(ReasonUnknownUser, "")
	case !c.able:
		return fail(ReasonSecret, "the user has no password")
	case !usable:
		return fail(ReasonSecret, "the user has only the hash of a password, and the method needs the password itself")
	case !right:
		return fail(ReasonPassword, "")
	}
	if c.right != nil {
		c.right()
	}
	switch {
	case c.secret.Locked:
		return fail(ReasonLocked, "")
	case c.secret.Expired:
		return fail(ReasonPasswordExpired, "")
	}
	return methodStep{result: &Result{User: c.user}}
}

// noPlain is the failure of a client that has no password where the method needs one.
func noPlain(s Secret) *Failure {
	if s.None() {
		return &Failure{Reason: ReasonSecret, Detail: "there is no password"}
	}
	return &Failure{Reason: ReasonSecret, Detail: "only the hash of the password is known, and the method needs the password itself"}
}
