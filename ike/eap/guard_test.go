package eap

import (
	"slices"
	"testing"
	"time"
)

// watchman is a guard that makes a pause, or none, and writes down what it was asked.
type watchman struct {
	pause *Pause
	asked []string
	right int
}

func (w *watchman) Try(now time.Time, name string) (func(), *Pause) {
	if !now.Equal(noon) {
		name += " at another time"
	}
	w.asked = append(w.asked, name)
	if w.pause != nil {
		return nil, w.pause
	}
	return func() { w.right++ }, nil
}

// attempt has somebody try a password with a guard. The guard has to be asked once, for the account.
func attempt(t *testing.T, run func(s *ServerConfig, c *ClientConfig) outcome, s *ServerConfig, c *ClientConfig, w *watchman, name, secret, account string) outcome {
	t.Helper()
	*w = watchman{pause: w.pause}
	s.Guard, c.Identity, c.Secret = w, name, Password(secret)
	o := run(s, c)
	if !slices.Equal(w.asked, []string{account}) {
		t.Errorf("%s: the guard was asked for %q, not for %q", name, w.asked, account)
	}
	return o
}

// guarded holds a way in to its guard.
func guarded(t *testing.T, run func(s *ServerConfig, c *ClientConfig) outcome, configs func() (*ServerConfig, *ClientConfig), name, account string) {
	t.Helper()
	s, c := configs()
	w := &watchman{}
	if o := attempt(t, run, s, c, w, name, "correct horse", account); o.server.Result == nil || w.right != 1 {
		t.Errorf("the right password: %v, right %d times", o.server.Err, w.right)
	}
	s, c = configs()
	wrong := attempt(t, run, s, c, w, name, "wrong", account)
	wantFailure(t, "the wrong password", wrong.server, ReasonPassword, "")
	s, c = configs()
	none := attempt(t, run, s, c, w, "nobody", "wrong", "nobody")
	wantFailure(t, "nobody", none.server, ReasonUnknownUser, "")
	if w.right != 0 {
		t.Error("wrong passwords are right")
	}
	w.pause = &Pause{Of: PauseOfUser, Wrong: 7, Left: 8 * time.Second}
	for _, who := range []string{name, "nobody"} {
		for _, secret := range []string{"correct horse", "wrong"} {
			s, c = configs()
			account := account
			if who != name {
				account = who
			}
			o := attempt(t, run, s, c, w, who, secret, account)
			f := wantFailure(t, "in the pause", o.server, ReasonPaused, "7 wrong passwords of this user from there; the next one is compared in 8s")
			for f.Inner != nil {
				f = f.Inner
			}
			if f.Pause != w.pause || f.User != who {
				t.Errorf("%+v of %q", f.Pause, f.User)
			}
			wantFailure(t, "the client in the pause", o.client, ReasonPassword, "")
			if len(o.packets) != len(wrong.packets) {
				t.Errorf("%s hears %d packets in the pause, %d after a wrong password", who, len(o.packets), len(wrong.packets))
			}
		}
	}
}

// TestGuard: each method asks before it compares a password, for the account and not for what stands before it, and hears of nothing but the right one.
// In a pause the right one is refused like a wrong one.
func TestGuard(t *testing.T) {
	for _, method := range withPasswords {
		t.Run(method.String(), func(t *testing.T) {
			guarded(t, func(s *ServerConfig, c *ClientConfig) outcome { return converse(t, NewServer(s), NewClient(c)) },
				func() (*ServerConfig, *ClientConfig) { return serverConfig(method), clientConfig("", Secret{}, method) }, "alice", "alice")
		})
	}
}

// TestGuardWithinTunnels: so does everything within a tunnel, for the name in it.
func TestGuardWithinTunnels(t *testing.T) {
	everyWay(t, func(t *testing.T, x way, version uint16) {
		if x.inner == TypeTLS {
			return
		}
		w := newWorld(t, version)
		guarded(t, func(s *ServerConfig, c *ClientConfig) outcome { return run(t, s, c) },
			func() (*ServerConfig, *ClientConfig) { return x.configs(w) }, aliceName, aliceName)
	})
}

// TestGuardAsksForTheAccount: a Windows domain, whatever it is, and capital letters lead to the same user, and count as the same.
func TestGuardAsksForTheAccount(t *testing.T) {
	for _, name := range []string{"alice", `ANY\alice`, `OTHER\alice`} {
		w := &watchman{}
		o := attempt(t, func(s *ServerConfig, c *ClientConfig) outcome { return converse(t, NewServer(s), NewClient(c)) },
			serverConfig(TypeMSCHAPv2), clientConfig("", Secret{}, TypeMSCHAPv2), w, name, "correct horse", "alice")
		wantSuccess(t, name, o.server)
	}
	w := &watchman{}
	attempt(t, func(s *ServerConfig, c *ClientConfig) outcome { return converse(t, NewServer(s), NewClient(c)) },
		serverConfig(TypeGTC), clientConfig("", Secret{}, TypeGTC), w, `X\ALICE`, "correct horse", "alice")
}

// TestGuardHearsOfLockedUsers: whoever knows the password of an account that is locked has not guessed.
func TestGuardHearsOfLockedUsers(t *testing.T) {
	for name, want := range map[string]Reason{"locked": ReasonLocked, "expired": ReasonPasswordExpired} {
		w := &watchman{}
		o := attempt(t, func(s *ServerConfig, c *ClientConfig) outcome { return converse(t, NewServer(s), NewClient(c)) },
			serverConfig(TypeMSCHAPv2), clientConfig("", Secret{}, TypeMSCHAPv2), w, name, "correct horse", name)
		wantFailure(t, name, o.server, want, "")
		if w.right != 1 {
			t.Errorf("%s: right %d times", name, w.right)
		}
	}
}
