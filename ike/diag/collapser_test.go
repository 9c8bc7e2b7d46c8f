package diag

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestCollapserCounts(t *testing.T) {
	var c Collapser
	now := testTime
	var logged []int
	for i := 1; i <= 37; i++ {
		f := Silent(testWhere("IKE_SA_INIT"), true, Sent{Times: 5, Over: 165 * time.Second})
		r, log := c.Add(f, now)
		if r.Count != i || r.First != testTime || r.Last != now || r.Failure != f {
			t.Fatalf("after %d: %+v", i, r)
		}
		if log {
			logged = append(logged, i)
		}
		now = now.Add(20 * time.Second)
	}
	// The first, then after 1 min, 2 min, 4 min more.
	if want := []int{1, 4, 10, 22}; len(logged) != len(want) || logged[1] != 4 || logged[2] != 10 || logged[3] != 22 {
		t.Errorf("logged %v, want %v", logged, want)
	}
	if c.Suppressed() != 33 {
		t.Errorf("suppressed %d", c.Suppressed())
	}
	r, ok := c.Last("office", "")
	if !ok || r.Count != 37 {
		t.Fatalf("last: %+v, %v", r, ok)
	}
	if s := r.String(); !strings.HasSuffix(s, " (×37 since 10:02)") || !strings.HasPrefix(s, "E-TIMEOUT-INIT office") {
		t.Errorf("rendered %s", s)
	}
	if s := (Repeat{Failure: r.Failure, Count: 2, First: testTime, Last: testTime.Add(20 * time.Hour)}).Suffix(); s != " (×2 since 2026-05-04 10:02)" {
		t.Errorf("over midnight: %q", s)
	}
	if s := (Repeat{Failure: r.Failure, Count: 1}).Suffix(); s != "" {
		t.Errorf("once: %q", s)
	}
	if s := (Repeat{}).String(); s != "" {
		t.Errorf("zero: %q", s)
	}
}

func TestCollapserDistinguishes(t *testing.T) {
	var c Collapser
	base := every()["WrongPSK"]
	variants := []func(*Failure){
		func(*Failure) {},
		func(f *Failure) { f.Code = CodeTS },
		func(f *Failure) { f.Connection = "lab" },
		func(f *Failure) { f.Child = "other" },
		func(f *Failure) { f.Exchange = "CREATE_CHILD_SA" },
		func(f *Failure) { f.ByPeer = true },
		func(f *Failure) { f.Remote = netip.MustParseAddrPort("203.0.113.8:500") },
	}
	for i, v := range variants {
		f := *base
		v(&f)
		if r, log := c.Add(&f, testTime); r.Count != 1 || !log {
			t.Errorf("variant %d was taken for another", i)
		}
	}
	same := *base
	same.Remote = netip.MustParseAddrPort("203.0.113.7:61234") // a NAT changes ports
	if r, log := c.Add(&same, testTime); r.Count != 2 || log {
		t.Errorf("another port: %+v %v", r, log)
	}
	if got := len(c.All()); got != len(variants) {
		t.Errorf("%d entries", got)
	}
	if c.All()[0].Failure != &same {
		t.Error("the latest is not first")
	}
}

func TestCollapserLastAndClear(t *testing.T) {
	var c Collapser
	a, b := every()["WrongPSK"], every()["SelectorMismatch"]
	b.Child = "other"
	c.Add(a, testTime)
	c.Add(b, testTime) // the same instant: order of use decides
	if r, _ := c.Last("office", ""); r.Failure != b {
		t.Error("not the latest")
	}
	if r, _ := c.Last("office", "net"); r.Failure != a {
		t.Error("not that of the child")
	}
	if _, ok := c.Last("lab", ""); ok {
		t.Error("a failure of another connection")
	}
	whole := every()["WrongPSK"]
	whole.Child = ""
	c.Add(whole, testTime)
	if l := c.Lasts("office"); l.Of("").Failure != whole || l.Of("net").Failure != a || l.Of("other").Failure != b || l.Of("none") != nil {
		t.Errorf("those of all children: %v", l)
	}
	if l := c.Lasts("office"); l.Concerning("net").Failure != whole || l.Concerning("none").Failure != whole {
		t.Errorf("the latest is that of the connection: %v", l)
	}
	c.Add(a, testTime)
	if l := c.Lasts("office"); l.Concerning("net").Failure != a || l.Concerning("other").Failure != whole {
		t.Errorf("the latest is that of the child: %v", l)
	}
	c.Recovered("office", "net", "", true)
	if l := c.Lasts("office"); l.Of("").Failure != b || l.Of("net") != nil || l.Of("other").Failure != b {
		t.Errorf("a child has come up: %v", l)
	}
	c.Add(a, testTime)
	c.Clear("office", "other")
	if r, _ := c.Last("office", ""); r.Failure != a {
		t.Error("cleared too much or too little")
	}
	c.Clear("office", "")
	if _, ok := c.Last("office", ""); ok {
		t.Error("not cleared")
	}
	if r, log := c.Add(a, testTime.Add(time.Second)); r.Count != 1 || !log {
		t.Error("after clearing it is not new")
	}
	if r, log := c.Add(a, testTime.Add(time.Second+ForgetAfter+1)); r.Count != 1 || !log {
		t.Error("after a long silence it is not new")
	}
}

// TestCollapserRefusedAgain: a responder is up before it hears that its proof was refused. That is one failure, however often it is up in between.
func TestCollapserRefusedAgain(t *testing.T) {
	var c Collapser
	f, lines := every()["AuthRefused"], 0
	for i := range 6 {
		r, log := c.Add(f, testTime.Add(time.Duration(i)*time.Second))
		if log {
			lines++
		}
		if last, ok := c.Last("office", ""); r.Count != i+1 || !ok || last.Count != i+1 {
			t.Fatalf("%d: counted %d, shown %v", i, r.Count, ok)
		}
		c.Recovered("office", f.Child, "", false)
		if _, ok := c.Last("office", ""); ok || len(c.All()) > 0 {
			t.Fatal("shown while up")
		}
	}
	if lines != 1 {
		t.Errorf("%d lines", lines)
	}
	c.Recovered("office", f.Child, "", true)
	if r, log := c.Add(f, testTime.Add(10*time.Second)); r.Count != 1 || !log {
		t.Error("it is not new when the peer had accepted the proof")
	}
}

// TestCollapserFlood: forged addresses neither fill the memory nor the log, nor push configured connections out.
func TestCollapserFlood(t *testing.T) {
	var c Collapser
	c.Add(every()["WrongPSK"], testTime)
	lines := 0
	for i := range 5 * MaxRepeats {
		w := Where{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 500)}
		if _, log := c.Add(NoConnection(w, nil, Nearest{}), testTime.Add(time.Duration(i)*time.Millisecond)); log {
			lines++
		}
	}
	if lines > StrangersPerMinute {
		t.Errorf("%d lines in five seconds", lines)
	}
	if n := len(c.All()); n > MaxRepeats {
		t.Errorf("%d entries", n)
	}
	if _, ok := c.Last("office", ""); !ok {
		t.Error("the configured connection's failure was pushed out")
	}
	if c.Suppressed() < uint64(5*MaxRepeats-StrangersPerMinute) {
		t.Errorf("suppressed %d", c.Suppressed())
	}
	if _, log := c.Add(NoConnection(Where{Remote: netip.MustParseAddrPort("11.0.0.1:500")}, nil, Nearest{}), testTime.Add(10*time.Minute)); !log {
		t.Error("strangers are never logged again")
	}
}

// TestCollapserResemblance: a stranger that resembles a connection counts among the strangers, with what it repeats, and takes
// no place and no line from the failures of that connection.
func TestCollapserResemblance(t *testing.T) {
	var c Collapser
	own := every()["WrongPSK"]
	c.Add(own, testTime)
	now, lines := testTime, 0
	for i := range 5 * MaxRepeats {
		f := every()["IKEProposalMismatch"]
		f.Stranger, f.Remote = true, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8 & 1), byte(i)}), 500)
		now = now.Add(100 * time.Millisecond)
		if _, log := c.Add(f, now); log {
			lines++
		}
	}
	if minutes := int(now.Sub(testTime)/time.Minute) + 1; lines > minutes*StrangersPerMinute || lines < minutes {
		t.Errorf("%d lines in %d minutes", lines, minutes)
	}
	if n := len(c.All()); n > MaxStrangers+1 {
		t.Errorf("%d entries", n)
	}
	if r, ok := c.Last("office", ""); !ok || r.Failure != own {
		t.Errorf("the connection's own failure is not the last one: %v", r)
	}
	if n := c.Unsaid(); n == 0 || c.Unsaid() != 0 {
		t.Errorf("%d without a line", n)
	}
	if _, log := c.Add(every()["SelectorMismatch"], now); !log {
		t.Error("a failure of the connection has no line")
	}
	c.Clear("office", "net")
	if r, ok := c.Last("office", ""); ok {
		t.Errorf("left after Clear: %v", r)
	}
}

// TestCollapserRefused: peers that were refused in IKE_AUTH have lines and places that no half-open or IKE_SA_INIT stranger takes; those
// that were refused while others were up are counted.
func TestCollapserRefused(t *testing.T) {
	var c Collapser
	wrong := every()["WrongPSK"]
	wrong.Stranger, wrong.Aside, wrong.Exchange = true, true, "IKE_AUTH"
	c.Add(wrong, testTime)
	flood := func(example, exchange string) (lines int) {
		for i := range 2 * MaxRepeats {
			f := every()[example]
			f.Connection, f.Exchange, f.Stranger, f.Aside = wrong.Connection, exchange, true, true
			f.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 500)
			if _, log := c.Add(f, testTime); log {
				lines++
			}
		}
		return lines
	}
	if n := flood("HalfOpenExpired", "IKE_AUTH") + flood("IKEProposalMismatch", "IKE_SA_INIT"); n != StrangersPerMinute {
		t.Errorf("%d lines about strangers that have come no further than IKE_SA_INIT", n)
	}
	if r, ok := c.Last(wrong.Connection, ""); !ok || r.Failure != wrong {
		t.Errorf("the refused peer is forgotten, or hidden: %v", r)
	}
	if n := c.Refused(wrong.Connection); n != 1 {
		t.Errorf("%d refused", n)
	}
	if n := flood("WrongPSK", "IKE_AUTH"); n != RefusedPerMinute-1 {
		t.Errorf("%d more lines about refused peers", n)
	}
	if n, all := c.Refused(wrong.Connection), len(c.All()); n != MaxRefused || all != MaxRefused+MaxStrangers {
		t.Errorf("%d refused peers and %d failures are remembered", n, all)
	}
}

// TestRefusedOfOneSource: whoever is refused in one way after another has a few lines a minute, with all addresses that may be its own, and
// leaves the others to the other peers.
func TestRefusedOfOneSource(t *testing.T) {
	for _, own := range [][2]string{{"198.51.100.1", "198.51.100.1"}, {"2001:db8::1", "2001:db8::ffff:1"}} {
		var c Collapser
		add := func(now time.Time, n int, addr string) (lines int) {
			for i := range n {
				f := every()["WrongPSK"]
				f.Exchange, f.Stranger, f.Connection = "IKE_AUTH", true, fmt.Sprintf("conn%d-%s", i, addr)
				f.Remote = netip.AddrPortFrom(netip.MustParseAddr(addr), 500)
				if _, log := c.Add(f, now); log {
					lines++
				}
			}
			return lines
		}
		if n := add(testTime, 50, own[0]) + add(testTime, 50, own[1]); n != RefusedPerSource {
			t.Errorf("%d lines about %v", n, own)
		}
		if n := add(testTime, 1, "198.51.100.2") + add(testTime, 1, "2001:db8:0:1::1"); n != 2 {
			t.Errorf("%d lines about two others than %v", n, own)
		}
		for i := range 20 {
			add(testTime, 1, fmt.Sprintf("203.0.113.%d", i))
		}
		if n := len(c.strangers[refused].shares[0].bySource); n > RefusedPerMinute {
			t.Errorf("%d sources are kept", n)
		}
		if n := add(testTime.Add(time.Minute), 50, own[0]); n != RefusedPerSource {
			t.Errorf("%d lines a minute later", n)
		}
	}
}

// TestClip: what a stranger chooses is short in its line.
func TestClip(t *testing.T) {
	for name, f := range every() {
		long := strings.Repeat("aes128-sha1-modp1024, ", 400)
		f.PeerID, f.Theirs, f.Cause = long, long, errors.New(long)
		f.Clip()
		if s := f.Summary() + f.Brief().String(); len(s) > 2500 {
			t.Errorf("%s: %d octets: %s", name, len(s), s)
		}
	}
}

// What a stranger has offered is cut where it is long, and shows that it was; what this side wants is whole beside it.
func TestClipOfProposals(t *testing.T) {
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("a name that is not short, number %d", i)
	}
	m := Mismatch{ClosestOurs: "aes256gcm16-prfsha384-ecp384", ClosestTheirs: strings.Join(names, "-")}
	wants := []string{"our aes256gcm16-prfsha384-ecp384, the peer's a name"}
	for _, k := range []string{"ENCR", "PRF", "INTEG", "KE"} {
		m.Differs = append(m.Differs, Difference{What: k, Ours: []string{k + "_A", k + "_B", k + "_C", k + "_D", k + "_E"}, Theirs: names})
		wants = append(wants, k+" (we want "+strings.Join(m.Differs[len(m.Differs)-1].Ours, ", ")+", the peer has ")
	}
	m.Differs[0].Theirs = []string{strings.Repeat("x", 4000)}
	f := IKEProposalMismatch(testWhere("IKE_SA_INIT"), m)
	f.Clip()
	s := f.Summary()
	for _, want := range wants {
		if !strings.Contains(s, want) {
			t.Errorf("no %q in %s", want, s)
		}
	}
	if len(s) > 2500 || !strings.Contains(s, "xxx…); PRF") || !strings.Contains(s, "(and 196 more)); INTEG") {
		t.Errorf("%d octets: %s", len(s), s)
	}
	m.Differs = append(m.Differs, make([]Difference, 100)...)
	if f := IKEProposalMismatch(testWhere("IKE_SA_INIT"), m); !strings.HasSuffix(f.Differs, "; and 98 more") {
		t.Errorf("differs in %s", f.Differs)
	}
	f.PeerID = ""
	f.Cause = errors.New(strings.Repeat("y", 4000))
	f.Clip()
	if s := f.Summary(); !strings.HasSuffix(s, "y….") {
		t.Errorf("the mark of the cut is lost: %s", s)
	}
}

// A failure that is taken back is gone, but not a later one of its kind.
func TestWithdraw(t *testing.T) {
	var c Collapser
	f, later := Silent(testWhere("INFORMATIONAL"), false, Sent{}), Silent(testWhere("INFORMATIONAL"), false, Sent{})
	c.Add(f, testTime)
	c.Withdraw(later)
	if _, ok := c.Last("office", ""); !ok {
		t.Error("another failure is gone")
	}
	c.Withdraw(f)
	if r, ok := c.Last("office", ""); ok {
		t.Errorf("still there: %v", r)
	}
}
