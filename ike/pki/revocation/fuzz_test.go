package revocation

import (
	"testing"
)

// FuzzCRL: whatever a server answers, a list is either taken or refused with a reason, and one of another CA is never taken.
func FuzzCRL(f *testing.F) {
	ca := newCA(f, nil, "ca")
	end := newEnd(f, ca, onlyCRL)
	f.Add(crlOf(f, ca, 1, listed(end, KeyCompromise), extension(oidScope, true, usersOnly)))
	f.Add(crlOf(f, ca, 1, extension(oidDelta, true, "\x02\x01\x01"), extension(oidScope, true, pointName(crlURI))))
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := ReadList("x", der)
		if err != nil {
			if FaultOf(err) == FaultFetch {
				t.Fatalf("no reason: %v", err)
			}
			return
		}
		// The entries of a list that nobody has signed are not read elsewhere.
		if e, p := readEntries(l.entries); p == nil {
			e.find(serialOctets(end.Certificate))
		}
		var s Store
		n := need(t, &s, noon(), end, ca, Rules{}, CRL)
		if err := s.Take(noon(), n, der); err == nil && l.verify(ca.Certificate) != nil {
			t.Fatal("taken without a signature")
		}
	})
}

// FuzzOCSP: whatever a responder answers or a peer sends, it is either taken or refused with a reason.
func FuzzOCSP(f *testing.F) {
	ca := newCA(f, nil, "ca")
	end, responder := newEnd(f, ca, onlyOCSP), newResponder(f, ca)
	f.Add(answerOf(f, end, ca, ca))
	f.Add(answerOf(f, end, ca, responder, says(1)))
	f.Add([]byte("\x30\x03\x0a\x01\x03"))
	f.Fuzz(func(t *testing.T, der []byte) {
		a, p := judgeAnswer(noon(), der, end.Certificate, ca.Certificate, nil)
		if (a == nil) == (p == nil) {
			t.Fatalf("%v, %v", a, p)
		}
		if p != nil && (p.Text == "" || p.Fault == FaultFetch) {
			t.Fatalf("no reason: %+v", p)
		}
	})
}
