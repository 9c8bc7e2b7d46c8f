package aaa

import (
	"net/netip"
	"testing"
)

// TestAddress: the address of a family is that of the family, and nobody has none.
func TestAddress(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	u := &User{Addresses: []netip.Addr{six, four}}
	if a, ok := u.Address(false); a != four || !ok {
		t.Errorf("IPv4: %v, %v", a, ok)
	}
	if a, ok := u.Address(true); a != six || !ok {
		t.Errorf("IPv6: %v, %v", a, ok)
	}
	if a, ok := (&User{Addresses: []netip.Addr{four}}).Address(true); ok {
		t.Errorf("IPv6 of a user without one: %v", a)
	}
	var nobody *User
	if _, ok := nobody.Address(false); ok || nobody.In("staff") {
		t.Error("nobody has an address or a group")
	}
}

// TestWhichEmpty: an order that names nothing is for no session; any one thing names some.
func TestWhichEmpty(t *testing.T) {
	if !(Which{}).Empty() {
		t.Error("nothing is something")
	}
	for _, w := range []Which{
		{User: "a"}, {SessionID: "a"}, {Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
		{Remote: netip.MustParseAddrPort("192.0.2.1:0")},
	} {
		if w.Empty() {
			t.Errorf("%+v is empty", w)
		}
	}
}

// TestVolumeAdd: each number is added to its own.
func TestVolumeAdd(t *testing.T) {
	v := Volume{1, 2, 3, 4}
	v.Add(Volume{10, 20, 30, 40})
	if v != (Volume{11, 22, 33, 44}) {
		t.Errorf("got %+v", v)
	}
}

// TestWhichMatches: an order is for the sessions that have all of what it names.
func TestWhichMatches(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	r := &Record{
		Session: Session{ID: "s-1", User: &User{Name: "alice"}, Connection: "rw"}, Addresses: []netip.Addr{four, six},
		Local: netip.MustParseAddrPort("198.51.100.1:4500"), Remote: netip.MustParseAddrPort("203.0.113.9:1024"),
	}
	other := netip.MustParseAddr("192.0.2.8")
	for _, tt := range []struct {
		why  string
		w    Which
		want bool
	}{
		{"nothing named", Which{}, false},
		{"no user named", Which{Connection: "rw", Local: r.Local.Addr()}, false},
		{"the user", Which{User: "alice"}, true},
		{"another user", Which{User: "Alice"}, false},
		{"the session", Which{SessionID: "s-1"}, true},
		{"another session of the user", Which{User: "alice", SessionID: "s-2"}, false},
		{"both addresses", Which{Addresses: []netip.Addr{four, six}}, true},
		{"an address of somebody else", Which{User: "alice", Addresses: []netip.Addr{other}}, false},
		{"one of somebody else's", Which{Addresses: []netip.Addr{four, other}}, false},
		{"from there", Which{Remote: netip.AddrPortFrom(r.Remote.Addr(), 0)}, true},
		{"from there, with the port", Which{Remote: r.Remote}, true},
		{"with another port", Which{Remote: netip.AddrPortFrom(r.Remote.Addr(), 1025)}, false},
		{"from elsewhere", Which{User: "alice", Remote: netip.AddrPortFrom(other, 0)}, false},
		{"at this gateway", Which{User: "alice", Local: r.Local.Addr()}, true},
		{"at another gateway", Which{User: "alice", Local: other}, false},
		{"another connection", Which{User: "alice", Connection: "site"}, false},
	} {
		if got := tt.w.Matches(r); got != tt.want {
			t.Errorf("%s: %v", tt.why, got)
		}
	}
	if (Which{User: "alice"}).Matches(&Record{Session: Session{ID: "s-3"}}) {
		t.Error("a session without a user is alice's")
	}
}
