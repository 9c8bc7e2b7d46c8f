package ike

import (
	"testing"

	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// TestTooMany: one peer can't have more than its part wait, and others are asked for meanwhile.
func TestTooMany(t *testing.T) {
	a := newAuthority(t)
	release := make(chan struct{})
	a.block["/slow"] = release
	x := newInquirer(t, true, nil)
	refused := 0
	for i := range maxInquiriesOfPeer + 5 {
		if r, done := x.send(a.end(int64(100+i), "/slow", ""), policy.RevocationStrict, "192.0.2.9"); done {
			if refused++; !sa.NotNow(errOf(r)) {
				t.Errorf("%v", errOf(r))
			}
		}
	}
	if refused != 5 {
		t.Errorf("%d refused", refused)
	}
	if err := x.verdict(a.end(11, "/crl", ""), policy.RevocationStrict); err != nil {
		t.Errorf("another peer: %v", err)
	}
	close(release)
	for range maxInquiriesOfPeer {
		if err := errOf(<-x.results); err != nil {
			t.Error(err)
		}
	}
}

// TestTooManyOfOne: whoever has one certificate can't have so many wait that others of the same connection are refused; and when they are
// done, he can again.
func TestTooManyOfOne(t *testing.T) {
	a := newAuthority(t)
	release := make(chan struct{})
	a.block["/slow"] = release
	x := newInquirer(t, true, nil)
	chain := a.end(10, "/slow", "")
	refused := 0
	for range maxInquiriesOfPeer {
		if r, done := x.send(chain, policy.RevocationStrict, "192.0.2.9"); done {
			if refused++; !sa.NotNow(errOf(r)) {
				t.Errorf("%v", errOf(r))
			}
		}
	}
	if refused != maxInquiriesOfPeer-maxInquiriesOfHolder {
		t.Errorf("%d refused", refused)
	}
	if r, done := x.send(a.end(11, "/crl", ""), policy.RevocationStrict, "192.0.2.9"); done {
		t.Errorf("another one of the connection: %v", errOf(r))
	} else if err := errOf(<-x.results); err != nil {
		t.Errorf("another one of the connection: %v", err)
	}
	close(release)
	for range maxInquiriesOfHolder {
		if err := errOf(<-x.results); err != nil {
			t.Error(err)
		}
	}
	if r, done := x.send(chain, policy.RevocationStrict, "192.0.2.9"); done || errOf(<-x.results) != nil {
		t.Errorf("afterwards: %v", r)
	}
	x.door.Lock()
	defer x.door.Unlock()
	if len(x.of)+len(x.held)+x.open != 0 {
		t.Errorf("%v, %v and %d are left", x.of, x.held, x.open)
	}
}
